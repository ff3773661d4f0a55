"""Moves of a run that touch no money: lock, move, record."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ila import audit
from ila.access.rules import Actor, Permission, require
from ila.allocations import rules
from ila.allocations.models import AllocationRunRow
from ila.allocations.queries import NoSuchRun
from ila.allocations.rules import AnotherRunIsRunning, RunState, RunStateConflict
from ila.db.errors import Fault, fault_of
from ila.db.session import WriteSession


def locked_run(session: WriteSession, run_id: int) -> AllocationRunRow:
    """Return the run's row, locked, as it is after any command that was under way; raises `NoSuchRun`."""
    row = session.scalars(
        select(AllocationRunRow)
        .where(AllocationRunRow.allocation_run_id == run_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NoSuchRun(f"There is no run {run_id}; `ila allocations list` shows the runs there are.", run_id=run_id)
    return row


def move(
    session: WriteSession, actor: Actor, row: AllocationRunRow, state: RunState, *, now: datetime, **facts: Any
) -> None:
    """Move a locked run to a state and record who did it; raises `RunStateConflict` where no move leads there."""
    rules.require_move(row.allocation_run_id, row.state, state)
    row.state = state
    audit.record(
        session, actor, f"allocation_run.{state.value}", "allocation_run", row.allocation_run_id, now=now, **facts
    )


def flush_running(session: WriteSession, run_id: int) -> None:
    """Write a run that has just become running; raises `AnotherRunIsRunning` where its scheme has one already."""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        if fault_of(error) is not Fault.TAKEN:
            raise
        raise AnotherRunIsRunning(
            f"Run {run_id} has to wait: another run of its scheme is running; wait until that one has finished, or"
            " pause it.",
            run_id=run_id,
        ) from error


def pause(session: WriteSession, actor: Actor, run_id: int, *, now: datetime) -> None:
    """Stop handing out slices; those under way end in their own transaction."""
    require(actor, Permission.MANAGE_RUNS)
    move(session, actor, locked_run(session, run_id), RunState.PAUSED, now=now)


def resume(session: WriteSession, actor: Actor, run_id: int, *, now: datetime) -> None:
    """Hand out the slices that are left of a paused or failed run, with the plan and the facts that were approved.

    Raises `RunStateConflict` for a run that has not begun: only `start` compares the plan with reality.
    """
    require(actor, Permission.MANAGE_RUNS)
    row = locked_run(session, run_id)
    if row.state not in (RunState.PAUSED, RunState.FAILED):
        raise RunStateConflict(
            f"Run {run_id} is {row.state.value}; only a paused or failed run can be resumed.",
            run_id=run_id,
            state=row.state.value,
        )
    row.failure = None
    move(session, actor, row, RunState.RUNNING, now=now)
    flush_running(session, run_id)


def cancel(session: WriteSession, actor: Actor, run_id: int, *, now: datetime) -> None:
    """Give up a run that has not begun; its period is free for another."""
    require(actor, Permission.MANAGE_RUNS)
    move(session, actor, locked_run(session, run_id), RunState.CANCELLED, now=now)


def fail(session: WriteSession, actor: Actor, run_id: int, reason: str, *, now: datetime) -> None:
    """Stop a run that cannot go on, with one sentence why; what it has posted stands, and it can be resumed."""
    row = locked_run(session, run_id)
    if row.state is RunState.RUNNING:
        row.failure = reason
        move(session, actor, row, RunState.FAILED, now=now, reason=reason)
