"""Take back a whole run by further entries. It is previewed, approved and worked on like any other run."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ila import audit, ledger
from ila.access.rules import Actor, Permission, require
from ila.allocations.commands.moves import locked_run
from ila.allocations.models import AllocationRunRow
from ila.allocations.rules import PeriodAlreadyAllocated, RunKind, RunState, RunStateConflict
from ila.db.session import WriteSession


def open_reversal(session: WriteSession, actor: Actor, run_id: int, *, now: datetime, today: date) -> int:
    """Open the draft of a run that takes back what `run_id` gave and nobody has spent; return its number.

    Raises `RunStateConflict` for a run that has not finished, and where a reversal of it exists already.
    """
    require(actor, Permission.MANAGE_RUNS)
    run = locked_run(session, run_id)
    if run.state is not RunState.FINISHED or run.kind in (RunKind.EXPIRY, RunKind.REVERSAL):
        raise RunStateConflict(
            f"Run {run_id} is a {run.kind.value} run and {run.state.value}; only a finished run that gave credits"
            " can be reversed.",
            run_id=run_id,
        )
    row = AllocationRunRow(
        allocation_run_id=ledger.mint_ids(session, 1, year=today.year)[0],
        scheme_id=run.scheme_id,
        fund_id=run.fund_id,
        kind=RunKind.REVERSAL,
        credit_code=run.credit_code,
        period=run.period,
        state=RunState.DRAFT,
        reference_on=run.reference_on,
        effective_on=today,
        parameter_digest=run.parameter_digest,
        opened_by=actor.actor_id,
        opened_at=now,
        reverses_run_id=run_id,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        other = session.scalar(
            select(AllocationRunRow.allocation_run_id).where(
                AllocationRunRow.reverses_run_id == run_id, AllocationRunRow.state != RunState.CANCELLED
            )
        )
        raise PeriodAlreadyAllocated(
            f"Run {run_id} has the reversal {other} already; continue or cancel that one.", run_id=other
        ) from error
    audit.record(session, actor, "allocation_run.opened", "allocation_run", row.allocation_run_id, now=now)
    return row.allocation_run_id
