"""Ask what runs would give, gave, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, Select, Text, and_, case, column, func, literal, select, tuple_, values
from sqlalchemy.orm import Session, aliased

from ila import citizens, ledger, schemes
from ila.allocations import rules
from ila.allocations.lines import Selected, entitlement_lines
from ila.allocations.models import AllocationRow, AllocationRunRow, AllocationSliceRow, CreditRequestRow
from ila.allocations.rules import GIVING, RunKind, RunState, SliceState
from ila.allocations.weighting import held
from ila.errors import NotFound
from ila.ledger.rules import EntitlementSource
from ila.schemes.policy import AccrualMode, AllocationPolicy, CeilingScope, ProrataMode

COUNTED_SOURCES: dict[CeilingScope, tuple[EntitlementSource, ...]] = {
    CeilingScope.OWN_ACCRUAL: (EntitlementSource.ACCRUAL, EntitlementSource.RETURN, EntitlementSource.CONVERSION),
    CeilingScope.ALL_ENTITLEMENTS: tuple(EntitlementSource),
    CeilingScope.LIFETIME_ACCRUAL: (EntitlementSource.ACCRUAL,),
}
"""Which entitlements count against a ceiling. Money given back or converted was the scheme's own before."""

HISTOGRAM_STEPS = 20


class NoSuchRun(NotFound):
    """There is no run of this number."""

    code = "no_such_run"


@dataclass(frozen=True, slots=True)
class People:
    """Whose lines: a stretch of citizen ids, the facts as known at a change, and the period of working time."""

    first_citizen_id: int
    last_citizen_id: int
    facts_no: int
    period: str


def scheme_lines(session: Session, policy: AllocationPolicy, scheme_id: int, people: People) -> Selected:
    """Return `entitlement_lines` of a policy for some people, against their balances of this moment."""
    return _lines(
        policy, people, _counted(session, policy, scheme_id, people), _already_credited(session, policy, scheme_id)
    )


def lines_as_counted(policy: AllocationPolicy, people: People, counted_minor: int) -> Selected:
    """Return the line of one citizen against the balance that was counted at the time, not the one of today."""
    counted = values(column("citizen_id", BigInteger), column("counted_minor", BigInteger), name="counted_then").data(
        [(people.first_citizen_id, counted_minor)]
    )
    return _lines(policy, people, select(counted), None)


def _lines(policy: AllocationPolicy, people: People, counted: Selected, already_credited: Selected | None) -> Selected:
    bounds = {"first": people.first_citizen_id, "last": people.last_citizen_id}
    attested = sorted(
        {need.criterion for need in policy.needs if need.condition.attested} | set(policy.eligibility.exclusions)
    )
    work = None
    if policy.prorata.mode is not ProrataMode.NONE:
        period_from, period_until = rules.period_bounds(people.period)
        work = citizens.work_on(period_from, period_until, people.facts_no, policy.prorata.references, **bounds)
    return entitlement_lines(
        policy,
        facts=citizens.facts_on(policy.on, people.facts_no, **bounds),
        needs=citizens.needs_on(policy.on, people.facts_no, attested, **bounds) if attested else None,
        work=work,
        counted=counted,
        already_credited=already_credited,
    )


def _counted(session: Session, policy: AllocationPolicy, scheme_id: int, people: People) -> Selected:
    bounds = {"first": people.first_citizen_id, "last": people.last_citizen_id}
    sources = COUNTED_SOURCES[policy.ceiling.scope]
    if policy.ceiling.scope is CeilingScope.LIFETIME_ACCRUAL:
        taken_back_by = reversing_entries(session, scheme_id)
        return ledger.granted_by_citizen(scheme_id, sources, taken_back_by=taken_back_by, **bounds)
    return ledger.available_by_citizen(scheme_id, sources, on=policy.on, **bounds)


def reversing_entries(session: Session, scheme_id: int) -> Sequence[int]:
    """Return the journal entries by which reversals took back the scheme's own credits."""
    reversed_run = aliased(AllocationRunRow)
    return session.scalars(
        select(AllocationSliceRow.journal_entry_id)
        .join(AllocationRunRow, AllocationRunRow.allocation_run_id == AllocationSliceRow.allocation_run_id)
        .join(reversed_run, reversed_run.allocation_run_id == AllocationRunRow.reverses_run_id)
        .where(
            AllocationRunRow.scheme_id == scheme_id,
            AllocationSliceRow.state == SliceState.DONE,
            reversed_run.kind.in_(GIVING),
        )
    ).all()


def _already_credited(session: Session, policy: AllocationPolicy, scheme_id: int) -> Selected | None:
    """Return whom earlier runs of a one-off credit have reached; None for credits that recur."""
    if policy.accrual_mode is not AccrualMode.ONE_OFF_COHORT:
        return None
    return ledger.holders_of_runs(cohort_runs(session, scheme_id, policy.credit_code))


def cohort_runs(session: Session, scheme_id: int, credit_code: str) -> Sequence[int]:
    """Return the finished runs that gave a one-off credit; who holds an entitlement of one has had the credit."""
    return session.scalars(
        select(AllocationRunRow.allocation_run_id).where(
            AllocationRunRow.scheme_id == scheme_id,
            AllocationRunRow.credit_code == credit_code,
            AllocationRunRow.kind == RunKind.COHORT,
            AllocationRunRow.state == RunState.FINISHED,
        )
    ).all()


def plan_rows(lines: Selected, policy: AllocationPolicy, histogram_step_minor: int) -> Selected:
    """Return the aggregates of a preview, one row per group of one of five groupings.

        grouping  key      citizens  credited  amount_minor  lowered  checksum
        total              61478     46731     1402…         0        8127…
        reason    AGE…     14747     0         0
        region    BE10     …
        needs     5        …                        (a bit per criterion, in the order of the policy)
        histogram 3        …                        (amounts from 3 steps up to below 4)

    The checksum sums a hash of every (citizen, amount): two plans that differ in a single person's amount differ.
    """
    line = lines.subquery("line")
    amount = line.c.amount_minor
    bits = [
        case((line.c[held(need.criterion)], literal(1 << bit, Integer)), else_=literal(0, Integer))
        for bit, need in enumerate(policy.needs)
    ]
    needs = sum(bits, start=literal(0, Integer))
    step = case((amount > 0, amount // literal(histogram_step_minor, BigInteger)))
    considered = (
        select(
            amount,
            func.coalesce(line.c.reason, "").label("reason"),
            func.coalesce(line.c.region, "").label("region"),
            needs.label("needs"),
            step.label("step"),
            line.c.citizen_id,
        )
        .where(func.coalesce(line.c.reason, "") != "CLOSED")
        .subquery("considered")
    )
    keys = [considered.c.reason, considered.c.region, considered.c.needs, considered.c.step]
    grouping = case(
        (func.grouping(considered.c.reason) == 0, "reason"),
        (func.grouping(considered.c.region) == 0, "region"),
        (func.grouping(considered.c.needs) == 0, "needs"),
        (func.grouping(considered.c.step) == 0, "histogram"),
        else_="total",
    )
    key = func.coalesce(
        considered.c.reason,
        considered.c.region,
        considered.c.needs.cast(Text),
        considered.c.step.cast(Text),
    )
    positive = considered.c.amount_minor > 0
    hashed = func.hashint8extended(considered.c.citizen_id, considered.c.amount_minor)
    return select(
        grouping.label("grouping"),
        key.label("key"),
        func.count().label("citizens"),
        func.count().filter(positive).label("credited"),
        func.coalesce(func.sum(considered.c.amount_minor), 0).cast(BigInteger).label("amount_minor"),
        func.count().filter(and_(positive, considered.c.reason == "CEILING")).label("lowered"),
        func.coalesce(func.sum(hashed), 0).cast(Text).label("checksum"),
    ).group_by(func.grouping_sets(tuple_(), *[tuple_(each) for each in keys]))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the slices of a run are."""

    slices: int
    slices_done: int
    credited: int
    not_credited: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run as people see it. Amounts in minor units of its scheme."""

    run_id: int
    scheme: schemes.Scheme
    fund: schemes.Fund
    kind: RunKind
    credit_code: str
    period: str
    state: RunState
    reference_on: date
    effective_on: date
    facts_no: int | None
    parameter_digest: bytes | None
    plan: dict[str, Any] | None
    plan_digest: bytes | None
    opened_by: int
    opened_at: datetime
    approved_by: int | None
    approved_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    reverses_run_id: int | None
    failure: str | None
    progress: Progress


def run_view(session: Session, run_id: int) -> Run:
    """Return a run with its progress; raises `NoSuchRun`."""
    row = session.get(AllocationRunRow, run_id)
    if row is None:
        raise NoSuchRun(f"There is no run {run_id}; `ila allocations list` shows the runs there are.", run_id=run_id)
    return _view(session, row)


def run_views(session: Session, *, before: int | None = None, limit: int = 50) -> Sequence[Run]:
    """Return runs, the newest first, below the run `before` if given."""
    query = select(AllocationRunRow).order_by(AllocationRunRow.allocation_run_id.desc()).limit(limit)
    if before is not None:
        query = query.where(AllocationRunRow.allocation_run_id < before)
    return [_view(session, row) for row in session.scalars(query)]


def _view(session: Session, row: AllocationRunRow) -> Run:
    done = AllocationSliceRow.state == SliceState.DONE
    counts = session.execute(
        select(
            func.count(),
            func.count().filter(done),
            func.coalesce(func.sum(AllocationSliceRow.credited), 0),
            func.coalesce(func.sum(AllocationSliceRow.not_credited), 0),
            func.coalesce(func.sum(AllocationSliceRow.amount_minor), 0),
        ).where(AllocationSliceRow.allocation_run_id == row.allocation_run_id)
    ).one()
    return Run(
        run_id=row.allocation_run_id,
        scheme=schemes.scheme_of_id(session, row.scheme_id),
        fund=schemes.fund_of_id(session, row.fund_id),
        kind=row.kind,
        credit_code=row.credit_code,
        period=row.period,
        state=row.state,
        reference_on=row.reference_on,
        effective_on=row.effective_on,
        facts_no=row.facts_no,
        parameter_digest=row.parameter_digest,
        plan=row.plan,
        plan_digest=row.plan_digest,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        reverses_run_id=row.reverses_run_id,
        failure=row.failure,
        progress=Progress(*(int(count) for count in counts)),
    )


@dataclass(frozen=True, slots=True)
class RunTitle:
    """What a run was about, in the words of its scheme."""

    run_id: int
    kind: RunKind
    credit_code: str
    period: str
    effective_on: date


def run_titles(session: Session, run_ids: Sequence[int]) -> dict[int, RunTitle]:
    """Return what some runs were about, by number."""
    rows = session.execute(
        select(
            AllocationRunRow.allocation_run_id,
            AllocationRunRow.kind,
            AllocationRunRow.credit_code,
            AllocationRunRow.period,
            AllocationRunRow.effective_on,
        ).where(AllocationRunRow.allocation_run_id.in_(run_ids))
    )
    return {row[0]: RunTitle(*row) for row in rows}


def running_runs() -> Select[int]:
    """Return the runs that workers may advance, the oldest first."""
    return (
        select(AllocationRunRow.allocation_run_id)
        .where(AllocationRunRow.state == RunState.RUNNING)
        .order_by(AllocationRunRow.allocation_run_id)
    )


def runs_of_period(session: Session, scheme_id: int, credit_code: str, period: str) -> Sequence[Run]:
    """Return every run that gives, gave or was to give a credit for a period, cancelled ones too, the oldest first."""
    rows = session.scalars(
        select(AllocationRunRow)
        .where(
            AllocationRunRow.scheme_id == scheme_id,
            AllocationRunRow.credit_code == credit_code,
            AllocationRunRow.period == period,
            AllocationRunRow.kind.in_([RunKind.YEARLY, RunKind.COHORT]),
        )
        .order_by(AllocationRunRow.allocation_run_id)
    )
    return [_view(session, row) for row in rows]


def previous_run(session: Session, row: AllocationRunRow) -> AllocationRunRow | None:
    """Return the last finished run of the same credit, to compare a plan with."""
    return session.scalars(
        select(AllocationRunRow)
        .where(
            AllocationRunRow.scheme_id == row.scheme_id,
            AllocationRunRow.credit_code == row.credit_code,
            AllocationRunRow.kind == row.kind,
            AllocationRunRow.state == RunState.FINISHED,
            AllocationRunRow.allocation_run_id != row.allocation_run_id,
        )
        .order_by(AllocationRunRow.effective_on.desc(), AllocationRunRow.allocation_run_id.desc())
        .limit(1)
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class CreditedOnRequest:
    """A credit that a citizen asked for and got."""

    run_id: int
    period: str
    effective_on: date


def credited_on_request(
    session: Session, citizen_id: int, scheme_id: int, credit_code: str
) -> Sequence[CreditedOnRequest]:
    """Return what a citizen asked for and got of a credit, the oldest first."""
    asked, run = CreditRequestRow, AllocationRunRow
    found = session.execute(
        select(asked.allocation_run_id, asked.period, run.effective_on)
        .join(run, run.allocation_run_id == asked.allocation_run_id)
        .where(asked.citizen_id == citizen_id, asked.scheme_id == scheme_id, asked.credit_code == credit_code)
        .order_by(asked.allocation_run_id)
    )
    return [CreditedOnRequest(*row) for row in found]


def zero_line(session: Session, citizen_id: int, run_id: int) -> AllocationRow | None:
    """Return the line of a citizen to whom a run gave nothing, if there is one."""
    return session.get(AllocationRow, (citizen_id, run_id))


def runs_of_citizen(citizen_id: int) -> Select[int]:
    """Return the ids of the runs that considered a citizen: granted, or nothing with a reason."""
    granted = ledger.runs_granted_to(citizen_id)
    nothing = select(AllocationRow.allocation_run_id).where(AllocationRow.citizen_id == citizen_id)
    return granted.union(nothing)  # type: ignore[return-value]
