"""From a draft to a start: open, preview, approve by a second person, start what was approved and nothing else."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ila import audit, citizens, ledger, schemes
from ila.access.rules import CLOCK, Actor, Permission, require
from ila.allocations import rules
from ila.allocations.commands.moves import flush_running, locked_run, move
from ila.allocations.models import AllocationRunRow, AllocationSliceRow
from ila.allocations.plan import amount_of, histogram_step, plan_differences, plan_digest, totals
from ila.allocations.queries import HISTOGRAM_STEPS, People, plan_rows, previous_run, scheme_lines
from ila.allocations.reversal_plan import reversal_plan
from ila.allocations.rules import (
    AppropriationExceeded,
    ApprovalByAuthor,
    PeriodAlreadyAllocated,
    PlanChanged,
    PlannedByTheClock,
    RunKind,
    RunState,
    SliceState,
    TooEarly,
    slice_bounds,
)
from ila.db import locks
from ila.db.session import WriteSession
from ila.errors import Refused
from ila.schemes.parameters import ParameterSet
from ila.schemes.policy import AccrualMode, AllocationPolicy

PLAN_STRETCH = 100_000
"""Citizens that one statement of a preview looks at."""

OnProgress = Callable[[int, int], None]
"""Told how many of how many are done."""

BULK_WORK_MEM = "256MB"
"""Memory for one sort or hash of a whole population; the role's own limits suit single requests."""


def open_run(
    session: WriteSession,
    actor: Actor,
    parameters: ParameterSet,
    *,
    credit_code: str,
    period: str,
    now: datetime,
    today: date,
    fund_code: str | None = None,
    reference_on: date | None = None,
    effective_on: date | None = None,
) -> int:
    """Open a draft of the run that gives a credit for a period, and return its number.

    Without days, the scheme's way of accruing decides: in arrears the facts of the period's last day, credited the
    day after; otherwise its first day. Raises `PeriodAlreadyAllocated`, `NoValueInForce`, `Refused` for a credit that
    citizens ask for, and the refusals of an unknown fund, credit or period.
    """
    require(actor, Permission.MANAGE_RUNS)
    rules.period_bounds(period)
    scheme = schemes.register_parameter_set(session, parameters, now=now)
    fund = schemes.fund_of_code(session, scheme, fund_code)
    mode = _accrual_mode(parameters, credit_code, reference_on, period)
    reference, effective = rules.default_days(mode, period)
    policy = parameters.policy(credit_code, reference_on or reference)
    if policy.accrual_mode is AccrualMode.ON_REQUEST:
        raise Refused(
            f"The credit {credit_code} of {scheme.code} is given when a citizen asks, not by a run for everybody.",
            scheme=scheme.code,
        )
    kind = RunKind.COHORT if policy.accrual_mode is AccrualMode.ONE_OFF_COHORT else RunKind.YEARLY
    row = AllocationRunRow(
        allocation_run_id=ledger.mint_ids(session, 1, year=today.year)[0],
        scheme_id=scheme.scheme_id,
        fund_id=fund.fund_id,
        kind=kind,
        credit_code=credit_code,
        period=period,
        state=RunState.DRAFT,
        reference_on=reference_on or reference,
        effective_on=effective_on or effective,
        parameter_digest=parameters.digest,
        opened_by=actor.actor_id,
        opened_at=now,
    )
    insert_run(session, row, f"The credit {credit_code} of {scheme.code} for {period}")
    audit.record(session, actor, "allocation_run.opened", "allocation_run", row.allocation_run_id, now=now)
    return row.allocation_run_id


def insert_run(session: WriteSession, row: AllocationRunRow, what: str) -> None:
    """Insert a run; where its place is taken, say by which one. The unique index decides, not a look beforehand."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        taken = session.execute(
            select(AllocationRunRow.allocation_run_id, AllocationRunRow.state).where(
                AllocationRunRow.scheme_id == row.scheme_id,
                AllocationRunRow.kind == row.kind,
                AllocationRunRow.credit_code == row.credit_code,
                AllocationRunRow.period == row.period,
                AllocationRunRow.state.not_in([RunState.CANCELLED, RunState.REVERSED]),
            )
        ).one_or_none()
        if taken is None:
            raise
        raise PeriodAlreadyAllocated(
            f"{what} has run {taken.allocation_run_id} already, which is {taken.state.value};"
            " continue, cancel or reverse that one.",
            run_id=taken.allocation_run_id,
            state=taken.state.value,
        ) from error


def _accrual_mode(parameters: ParameterSet, credit_code: str, reference_on: date | None, period: str) -> AccrualMode:
    """Read how the credit accrues on the reference day, or on the period's first day while that is not known yet."""
    on = reference_on or max(rules.period_bounds(period)[0], parameters.first_on)
    return parameters.policy(credit_code, on).accrual_mode


def pin_facts(session: WriteSession) -> int:
    """Return a change number below which all facts are settled; commit at once, a pin holds up changes of facts."""
    return locks.pin_facts(session)


def preview(
    session: WriteSession,
    actor: Actor,
    run_id: int,
    *,
    facts_no: int,
    now: datetime,
    parameters: ParameterSet | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> dict[str, Any]:
    """Compute the plan of a run with the facts known at `facts_no`, store it, and return it. Posts nothing.

    With `parameters`, the scheme's rules as its files have them now, a run that gives credits is bound to these from
    here on; without, it stays with the set it was opened or last previewed with.
    """
    require(actor, Permission.MANAGE_RUNS)
    row = locked_run(session, run_id)
    rules.require_move(run_id, row.state, RunState.PREVIEWED)
    if parameters is not None and row.kind is not RunKind.REVERSAL:
        _require_scheme_of(session, row, parameters)
        schemes.register_parameter_set(session, parameters, now=now)
        row.parameter_digest = parameters.digest
    plan = compute_plan(session, row, facts_no, on_progress=on_progress)
    row.facts_no = facts_no
    row.plan = plan
    row.plan_digest = plan_digest(plan)
    row.previewed_by = actor.actor_id
    row.approved_digest = row.approved_by = row.approved_at = None
    move(session, actor, row, RunState.PREVIEWED, now=now, plan_digest=row.plan_digest.hex())
    return plan


def compute_plan(
    session: Session, row: AllocationRunRow, facts_no: int, *, on_progress: OnProgress = lambda done, total: None
) -> dict[str, Any]:
    """Return what a run would give right now: counts, totals, distributions, the fund, and last time's figures.

    The population is gone through in stretches; `on_progress` is told after each how many ids of how many are done.
    """
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text(f"SET LOCAL work_mem = '{BULK_WORK_MEM}'"))
    fund = schemes.fund_of_id(session, row.fund_id)
    scheme = schemes.scheme_of_id(session, row.scheme_id)
    plan: dict[str, Any] = {
        "scheme": scheme.code,
        "unit": scheme.unit,
        "minor_units": scheme.minor_units,
        "kind": row.kind.value,
        "credit_code": row.credit_code,
        "period": row.period,
        "reference_on": row.reference_on.isoformat(),
        "effective_on": row.effective_on.isoformat(),
        "parameter_digest": row.parameter_digest.hex() if row.parameter_digest else None,
        "fund": fund.code,
    }
    if row.kind is RunKind.REVERSAL:
        plan |= reversal_plan(session, row)
    else:
        policy = run_policy(session, row)
        first, last = citizens.id_range(session)
        step_minor = histogram_step(policy, HISTOGRAM_STEPS)
        rows: list[Any] = []
        for stretch_first, stretch_last in slice_bounds(first, last, PLAN_STRETCH):
            people = People(stretch_first, stretch_last, facts_no, row.period)
            lines = scheme_lines(session, policy, row.scheme_id, people)
            rows += session.execute(plan_rows(lines, policy, step_minor)).all()
            on_progress(stretch_last - first + 1, last - first + 1)
        plan |= totals(rows, policy, step_minor)
    available_minor = ledger.fund_available(session, fund.fund_id) if fund.limited else None
    shortfall_minor = max(plan["amount_minor"] - available_minor, 0) if available_minor is not None else 0
    plan["fund_available_minor"] = available_minor
    plan["shortfall_minor"] = 0 if row.kind is RunKind.REVERSAL else shortfall_minor
    before = previous_run(session, row)
    plan["previous"] = before and _compared(before)
    return plan


def _compared(before: AllocationRunRow) -> dict[str, Any]:
    figures = before.plan or {}
    return {
        "run_id": before.allocation_run_id,
        "period": before.period,
        **{name: figures.get(name) for name in ("citizens", "credited", "amount_minor", "lowered")},
    }


def run_policy(session: Session, row: AllocationRunRow) -> AllocationPolicy:
    """Return the policy of a run, from the stored parameter set it is bound to."""
    if row.parameter_digest is None:
        raise AssertionError(f"run {row.allocation_run_id} has no parameter set")
    parameters = schemes.stored_parameter_set(session, row.parameter_digest)
    return parameters.policy(row.credit_code, row.reference_on)


def approve(session: WriteSession, actor: Actor, run_id: int, approved: bytes, *, now: datetime) -> None:
    """Approve the plan with this digest, as a second person: neither who opened the run nor who made its plan.

    Raises `ApprovalByAuthor`, `PlannedByTheClock`, `PlanChanged` where another plan stands by now, and
    `AppropriationExceeded`.
    """
    require(actor, Permission.APPROVE_RUNS)
    row = locked_run(session, run_id)
    rules.require_move(run_id, row.state, RunState.APPROVED)
    if actor.actor_id in (row.opened_by, row.previewed_by):
        did = "opened" if row.opened_by == actor.actor_id else "previewed"
        raise ApprovalByAuthor(
            f"Run {run_id} was {did} by {actor.name}; another administrator has to approve it.", run_id=run_id
        )
    if row.previewed_by == CLOCK.actor_id:
        raise PlannedByTheClock(
            f"Run {run_id} was previewed by the clock alone; one administrator has to preview it, another approve it.",
            run_id=run_id,
        )
    if row.plan is None or row.plan_digest != approved:
        raise PlanChanged(
            f"The plan of run {run_id} is not the one approved; look at the preview again and approve what it says.",
            run_id=run_id,
        )
    require_funds(row.plan, run_id)
    row.approved_by, row.approved_at, row.approved_digest = actor.actor_id, now, approved
    move(session, actor, row, RunState.APPROVED, now=now, plan_digest=approved.hex())


def require_funds(plan: dict[str, Any], run_id: int) -> None:
    """Raise `AppropriationExceeded` where the fund holds less than the plan gives."""
    if plan["shortfall_minor"] > 0:
        raise AppropriationExceeded(
            f"Run {run_id} would give {amount_of(plan, 'amount_minor')}, the fund {plan['fund']} holds "
            f"{amount_of(plan, 'fund_available_minor')}: {amount_of(plan, 'shortfall_minor')} are missing;"
            " appropriate them first, then preview again.",
            run_id=run_id,
            shortfall_minor=plan["shortfall_minor"],
        )


def start(
    session: WriteSession,
    actor: Actor,
    run_id: int,
    *,
    facts_no: int,
    slice_citizens: int,
    now: datetime,
    today: date,
    parameters: ParameterSet | None = None,
    on_progress: OnProgress = lambda done, total: None,
) -> None:
    """Start an approved run, if reality still gives the plan that was approved.

    The plan is computed again with the facts known at `facts_no`; any difference, down to one person's amount, stops
    the run before it posts anything (`PlanChanged`). So does another digest of `parameters`, the scheme's rules as
    its files have them now. Raises `TooEarly` before the day the credit counts, when its facts are not all known, and
    `AnotherRunIsRunning` for a second run of a scheme.
    """
    require(actor, Permission.MANAGE_RUNS)
    row = locked_run(session, run_id)
    rules.require_move(run_id, row.state, RunState.RUNNING)
    if row.state is not RunState.APPROVED or row.plan is None:
        raise rules.RunStateConflict(
            f"Run {run_id} is {row.state.value}; resume it instead of starting it.", run_id=run_id
        )
    if today < max(row.effective_on, row.reference_on):
        raise TooEarly(
            f"Run {run_id} counts from {row.effective_on}, by the facts of {row.reference_on}; start it when that day"
            f" has come, today is {today}.",
            run_id=run_id,
        )
    if parameters is not None and row.kind is not RunKind.REVERSAL:
        _require_same_parameters(session, row, parameters)
    plan = compute_plan(session, row, facts_no, on_progress=on_progress)
    if plan_digest(plan) != row.approved_digest:
        differences = "; ".join(plan_differences(row.plan, plan))
        raise PlanChanged(
            f"Run {run_id} does not match what was approved: {differences}."
            " Nothing was posted; preview it again and have it approved anew.",
            run_id=run_id,
        )
    require_funds(plan, run_id)
    row.facts_no = facts_no
    begin(session, actor, row, slice_citizens=slice_citizens, now=now, today=today)


def _require_scheme_of(session: Session, row: AllocationRunRow, parameters: ParameterSet) -> None:
    scheme = schemes.scheme_of_id(session, row.scheme_id)
    if scheme.code != parameters.code:
        raise AssertionError(
            f"run {row.allocation_run_id} is of {scheme.code}, the rules given are {parameters.code}'s"
        )


def _require_same_parameters(session: Session, row: AllocationRunRow, parameters: ParameterSet) -> None:
    _require_scheme_of(session, row, parameters)
    if row.parameter_digest is not None and parameters.digest != row.parameter_digest:
        raise PlanChanged(
            f"Run {row.allocation_run_id} was approved under the rules {row.parameter_digest.hex()[:16]} of"
            f" {parameters.code}, whose files now have {parameters.digest.hex()[:16]}."
            " Nothing was posted; preview it again and have it approved anew.",
            run_id=row.allocation_run_id,
        )


def begin(
    session: WriteSession, actor: Actor, row: AllocationRunRow, *, slice_citizens: int, now: datetime, today: date
) -> None:
    """Cut the population into slices, each with the journal entry it will use, and let workers at them."""
    first, last = citizens.id_range(session)
    bounds = list(slice_bounds(first, last, slice_citizens))
    entry_ids = ledger.mint_ids(session, len(bounds), year=today.year)
    session.add_all(
        AllocationSliceRow(
            allocation_run_id=row.allocation_run_id,
            slice_no=slice_no,
            first_citizen_id=bound[0],
            last_citizen_id=bound[1],
            journal_entry_id=entry_id,
            state=SliceState.OPEN,
        )
        for slice_no, (bound, entry_id) in enumerate(zip(bounds, entry_ids, strict=True), start=1)
    )
    row.started_by, row.started_at = actor.actor_id, now
    move(session, actor, row, RunState.RUNNING, now=now)
    flush_running(session, row.allocation_run_id)


def open_slices(session: Session, run_id: int) -> int:
    """Count the slices that are still open."""
    return (
        session.scalar(
            select(func.count()).where(
                AllocationSliceRow.allocation_run_id == run_id, AllocationSliceRow.state == SliceState.OPEN
            )
        )
        or 0
    )
