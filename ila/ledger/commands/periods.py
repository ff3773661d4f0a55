"""Close a booking year: fence, drain, sweep, each in a transaction of its own. Writes into later years never stop.

An edge does the three in order:

    with sessions.begin() as session:
        ledger.fence_period(session, 2027, now=now)
    with sessions.begin() as session:
        mark = ledger.drain_mark(session, 2027)
    ... until ledger.is_drained(session, mark) in a fresh transaction ...
    with sessions.begin() as session:
        ledger.close_period(session, 2027, mark=mark, now=now)
"""

from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from ila.db.session import WriteSession
from ila.errors import Conflict
from ila.ledger.models import LedgerPeriodRow
from ila.ledger.queries.periods import is_drained, totals_digest
from ila.ledger.rules import PeriodState


class PeriodConflict(Conflict):
    """The period is not in the state that the step asks for."""

    code = "period_state"


def fence_period(session: WriteSession, period: int, *, now: datetime) -> None:
    """Let no new entry into a period; raises `PeriodConflict` where it is fenced or closed already.

    Takes effect when the transaction commits. Entries under way may still end: that is what draining waits for.
    """
    fenced = session.scalar(
        insert(LedgerPeriodRow)
        .values(period=period, state=PeriodState.CLOSING, fenced_at=now)
        .on_conflict_do_nothing()
        .returning(LedgerPeriodRow.period)
    )
    if fenced is None:
        raise PeriodConflict(f"The period {period} is fenced already; go on with its closing.", period=period)


def drain_mark(session: WriteSession, period: int) -> int:
    """Return the transaction id below which everything must end before a fenced period can be closed.

    Call it first in a transaction after the one that fenced, and commit: raises `PeriodConflict` where the fence is
    not committed. The mark is an id of its own, given out after the fence. Neither the fence's id nor the end of a
    snapshot would do: a command may have read the old rule under an id given out after both, since a snapshot ends
    behind the last transaction that has *completed*.
    """
    committed = session.scalar(
        text(
            "SELECT pg_current_xact_id_if_assigned() IS NULL"
            " AND EXISTS (SELECT FROM ila.ledger_period WHERE period = :period)"
        ),
        {"period": period},
    )
    if not committed:
        raise PeriodConflict(
            f"The fence of the period {period} is not committed; commit it, then take the mark.", period=period
        )
    return int(session.execute(text("SELECT pg_current_xact_id()::text")).scalar_one())


def close_period(session: WriteSession, period: int, *, mark: int, now: datetime) -> bytes:
    """Close a fenced and drained period and return the SHA-256 over its totals, which never change again.

    Raises `PeriodConflict` where the period is not fenced, is closed already, or something below the mark still runs.
    """
    if not is_drained(session, mark):
        raise PeriodConflict(f"Entries of the period {period} are still under way; wait for them.", period=period)
    state = session.scalar(
        select(LedgerPeriodRow.state).where(LedgerPeriodRow.period == period).with_for_update(key_share=True)
    )
    if state is not PeriodState.CLOSING:
        found = "open" if state is None else state.value
        raise PeriodConflict(f"The period {period} is {found}; only a fenced one is closed.", period=period)
    digest = totals_digest(session, period)
    session.execute(
        update(LedgerPeriodRow)
        .where(LedgerPeriodRow.period == period)
        .values(state=PeriodState.CLOSED, closed_at=now, totals_digest=digest)
    )
    return digest
