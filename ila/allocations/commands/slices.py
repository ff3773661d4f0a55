"""Work on a run: one slice, one database transaction, any number of workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CTE, BigInteger, Select, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from ila import ledger, schemes
from ila.access.rules import CLOCK
from ila.allocations.commands.moves import locked_run, move
from ila.allocations.commands.planning import BULK_WORK_MEM, open_slices, run_policy
from ila.allocations.models import AllocationRow, AllocationRunRow, AllocationSliceRow
from ila.allocations.plan import amount_text
from ila.allocations.queries import People, scheme_lines
from ila.allocations.rules import AppropriationExceeded, RunKind, RunState, SliceState
from ila.db.session import WriteSession
from ila.failpoints import failpoint
from ila.ledger.rules import EntitlementSource
from ila.schemes import rules as scheme_rules
from ila.schemes.policy import Reason


@dataclass(frozen=True, slots=True)
class SliceDone:
    """What one slice gave. `citizens` is everybody the slice considered."""

    run_id: int
    slice_no: int
    citizens: int
    credited: int
    amount_minor: int


def work_on_slice(session: WriteSession, run_id: int, *, now: datetime, today: date) -> SliceDone | None:
    """Take the next open slice of a running run and post it; None when there is none to take.

    A slice taken by another worker is skipped, not waited for. A worker that dies leaves nothing behind: its
    transaction is rolled back and the slice is open again. The slice's natural keys make a repeat add nothing.
    """
    part = session.scalars(
        select(AllocationSliceRow)
        .join(AllocationRunRow, AllocationRunRow.allocation_run_id == AllocationSliceRow.allocation_run_id)
        .where(
            AllocationSliceRow.allocation_run_id == run_id,
            AllocationSliceRow.state == SliceState.OPEN,
            AllocationRunRow.state == RunState.RUNNING,
        )
        .order_by(AllocationSliceRow.slice_no)
        .limit(1)
        .with_for_update(of=AllocationSliceRow, skip_locked=True, key_share=True)
    ).one_or_none()
    if part is None:
        return None
    failpoint("allocations.slice_taken")
    run = session.get_one(AllocationRunRow, run_id)
    session.execute(text(f"SET LOCAL work_mem = '{BULK_WORK_MEM}'"))
    match run.kind:
        case RunKind.EXPIRY:
            done = _expire(session, run, part, now=now, today=today)
        case RunKind.REVERSAL:
            done = _take_back(session, run, part, now=now, today=today)
        case _:
            done = _credit(session, run, part, now=now, today=today)
    failpoint("allocations.after_credit")
    part.state = SliceState.DONE
    part.credited = done.credited
    part.not_credited = done.citizens - done.credited
    part.amount_minor = done.amount_minor
    part.finished_at = now
    session.flush()
    return done


def _credit(
    session: WriteSession, run: AllocationRunRow, part: AllocationSliceRow, *, now: datetime, today: date
) -> SliceDone:
    """Post entitlements and transfers of a slice in one statement, with the reasons of those who get nothing."""
    if run.facts_no is None or run.parameter_digest is None:
        raise AssertionError(f"run {run.allocation_run_id} was started without a plan")
    policy = run_policy(session, run)
    people = People(part.first_citizen_id, part.last_citizen_id, run.facts_no, run.period)
    lines = scheme_lines(session, policy, run.scheme_id, people).subquery("decided")
    wanted = select(lines.c.citizen_id, lines.c.amount_minor, lines.c.counted_minor, lines.c.reason).where(
        func.coalesce(lines.c.reason, "") != Reason.CLOSED.value
    )

    def reasons(line: CTE) -> Sequence[CTE]:
        run_id = literal(run.allocation_run_id, BigInteger)
        nothing = select(line.c.citizen_id, run_id, line.c.counted_minor, line.c.reason).where(line.c.amount_minor == 0)
        stored = insert(AllocationRow).from_select(
            ["citizen_id", "allocation_run_id", "counted_minor", "reason"], nothing
        )
        return [stored.on_conflict_do_nothing().returning(AllocationRow.citizen_id).cte("not_credited")]

    fund = schemes.fund_of_id(session, run.fund_id)
    credited = _within_fund(
        session,
        run,
        fund,
        wanted,
        ledger.Crediting(
            run_id=run.allocation_run_id,
            slice_no=part.slice_no,
            journal_entry_id=part.journal_entry_id,
            fund_id=fund.fund_id,
            fund_limited=fund.limited,
            scheme_id=run.scheme_id,
            source=EntitlementSource.ACCRUAL,
            effective_on=run.effective_on,
            expires_on=scheme_rules.expires_on(policy, run.effective_on),
            period=today.year,
            parameter_digest=run.parameter_digest,
            actor_id=run.started_by or CLOCK.actor_id,
        ),
        reasons,
        now,
    )
    considered = session.scalar(
        select(func.count()).where(
            AllocationRow.allocation_run_id == run.allocation_run_id,
            AllocationRow.citizen_id.between(part.first_citizen_id, part.last_citizen_id),
        )
    )
    citizens = credited.citizens + (considered or 0)
    return SliceDone(run.allocation_run_id, part.slice_no, citizens, credited.citizens, credited.amount_minor)


def _within_fund(
    session: WriteSession,
    run: AllocationRunRow,
    fund: schemes.Fund,
    lines: Select[Any],
    crediting: ledger.Crediting,
    reasons: Callable[[CTE], Sequence[CTE]],
    now: datetime,
) -> ledger.Credited:
    """Let the ledger post; say in the scheme's unit what is missing where the fund was drained since the approval."""
    try:
        return ledger.credit(session, lines, crediting, also=reasons, now=now)
    except ledger.InsufficientFund as refusal:
        scheme = schemes.scheme_of_id(session, run.scheme_id)
        needed, held = (
            amount_text(refusal.facts[name], scheme.unit, scheme.minor_units)
            for name in ("needed_minor", "available_minor")
        )
        raise AppropriationExceeded(
            f"Slice {crediting.slice_no} of run {run.allocation_run_id} needs {needed}, the fund {fund.code} holds"
            f" {held}; appropriate more, then resume the run.",
            run_id=run.allocation_run_id,
            shortfall_minor=refusal.facts["needed_minor"] - refusal.facts["available_minor"],
        ) from refusal


def _expire(
    session: WriteSession, run: AllocationRunRow, part: AllocationSliceRow, *, now: datetime, today: date
) -> SliceDone:
    swept = ledger.expire(
        session,
        run_id=run.allocation_run_id,
        slice_no=part.slice_no,
        journal_entry_id=part.journal_entry_id,
        scheme_id=run.scheme_id,
        first_citizen_id=part.first_citizen_id,
        last_citizen_id=part.last_citizen_id,
        before=run.reference_on,
        effective_on=run.effective_on,
        period=today.year,
        parameter_digest=run.parameter_digest or b"",
        now=now,
    )
    return SliceDone(run.allocation_run_id, part.slice_no, swept.citizens, swept.citizens, swept.amount_minor)


def _take_back(
    session: WriteSession, run: AllocationRunRow, part: AllocationSliceRow, *, now: datetime, today: date
) -> SliceDone:
    if run.reverses_run_id is None:
        raise AssertionError(f"run {run.allocation_run_id} reverses nothing")
    taken = ledger.take_back(
        session,
        run_id=run.allocation_run_id,
        reverses_run_id=run.reverses_run_id,
        slice_no=part.slice_no,
        journal_entry_id=part.journal_entry_id,
        scheme_id=run.scheme_id,
        first_citizen_id=part.first_citizen_id,
        last_citizen_id=part.last_citizen_id,
        effective_on=run.effective_on,
        period=today.year,
        parameter_digest=run.parameter_digest or b"",
        actor_id=run.started_by or CLOCK.actor_id,
        now=now,
    )
    return SliceDone(run.allocation_run_id, part.slice_no, taken.citizens, taken.citizens_with_rest, taken.amount_minor)


def close_run(session: WriteSession, run_id: int, *, now: datetime) -> RunState:
    """Finish a run whose slices are all done and whose sums agree; return the state it is in afterwards.

    The sum of the slices must equal what the journal holds for the run; else the run fails with the two figures.
    """
    run = locked_run(session, run_id)
    if run.state is not RunState.RUNNING or open_slices(session, run_id):
        return run.state
    sliced = session.execute(
        select(
            func.coalesce(func.sum(AllocationSliceRow.credited), 0),
            func.coalesce(func.sum(AllocationSliceRow.amount_minor), 0),
        ).where(AllocationSliceRow.allocation_run_id == run_id)
    ).one()
    entry_ids = session.scalars(
        select(AllocationSliceRow.journal_entry_id).where(AllocationSliceRow.allocation_run_id == run_id)
    ).all()
    session.execute(text("SET LOCAL statement_timeout = 0"))
    booked = ledger.booked(session, entry_ids)
    if (int(sliced[0]), int(sliced[1])) != (booked.citizens, booked.amount_minor):
        run.failure = (
            f"The slices say {sliced[0]} citizens and {sliced[1]} minor units, the journal holds {booked.citizens} and "
            f"{booked.amount_minor}; run `ila ledger check` and do not resume before the cause is known."
        )
        move(session, CLOCK, run, RunState.FAILED, now=now, reason=run.failure)
        return run.state
    failpoint("allocations.before_finish")
    run.finished_at = now
    move(session, CLOCK, run, RunState.FINISHED, now=now, citizens=booked.citizens, amount_minor=booked.amount_minor)
    if run.reverses_run_id is not None:
        move(session, CLOCK, locked_run(session, run.reverses_run_id), RunState.REVERSED, now=now, by=run_id)
    return run.state
