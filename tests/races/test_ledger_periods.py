"""Closing a period while entries are under way: nobody comes behind the sweep, and nobody is waited for in vain."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ila import ledger
from ila.errors import TryAgain
from ila.ledger.commands.booking import insert_entry, require_open_period
from tests.integration.ledger.conftest import ANNA, NOW, Books, closing_line, entry, plant_world

COPY = (
    "INSERT INTO ila.journal_entry SELECT citizen_id, journal_entry_id + 1000, source_id + 1, actor_id, reverses,"
    " recorded_at, effective_on, period, kind, step, parameter_digest, detail_digest FROM ila.journal_entry"
)


@pytest.fixture
def sessions(database):
    with database.sessions("postgres").begin() as session:
        plant_world(session)
    with database.sessions("ila_job").begin() as session:
        Books(session).credit((ANNA, 1_000))
        ledger.mint_ids(session, 1, year=2028)
    return database.sessions("ila_job")


def fence(sessions) -> int:
    """Fence 2027 in a transaction of its own and return that transaction's id."""
    with sessions.begin() as session:
        ledger.fence_period(session, 2027, now=NOW)
        return int(session.scalar(text("SELECT pg_current_xact_id()::text")))


def mark_of(sessions) -> int:
    with sessions.begin() as session:
        return ledger.drain_mark(session, 2027)


def is_drained(sessions, mark: int) -> bool:
    with sessions() as session:
        return ledger.is_drained(session, mark)


def test_an_entry_that_read_the_old_rule_is_waited_for_although_the_fence_has_long_ended(sessions):
    fencing = sessions()
    ledger.fence_period(fencing, 2027, now=NOW)
    fence_xid = int(fencing.scalar(text("SELECT pg_current_xact_id()::text")))
    under_way = sessions()
    require_open_period(under_way, 2027)
    late_xid = int(under_way.scalar(text("SELECT pg_current_xact_id()::text")))
    fencing.commit()
    fencing.close()

    with sessions() as session:
        ended = session.scalar(text(f"SELECT pg_xact_status('{fence_xid}'::xid8)"))
    mark = mark_of(sessions)

    # Waiting for the fence's own id, or for the end of a snapshot, would end here: with an entry still to come.
    assert ended == "committed" and late_xid > fence_xid
    assert mark > late_xid and not is_drained(sessions, mark)
    with sessions() as session, pytest.raises(ledger.PeriodConflict, match="still under way"):
        ledger.close_period(session, 2027, mark=mark, now=NOW)

    under_way.rollback()
    under_way.close()
    assert is_drained(sessions, mark)


def test_an_entry_under_way_is_in_the_totals_of_the_period(sessions):
    fencing = sessions()
    under_way = sessions()
    run_id = under_way.scalar(text("SELECT allocation_run_id FROM ila.entitlement"))
    ledger.post(under_way, entry(closing_line(run_id, 100)), now=NOW, period=2027)
    ledger.fence_period(fencing, 2027, now=NOW)
    fencing.commit()
    mark = mark_of(sessions)
    assert not is_drained(sessions, mark)
    under_way.commit()

    with sessions.begin() as session:
        digest = ledger.close_period(session, 2027, mark=mark, now=NOW)

    with sessions() as session:
        totals = ledger.period_totals(session, 2027)
        assert 100 in {row.amount_minor for row in totals}
        assert ledger.totals_digest(session, 2027) == digest
    for each in (fencing, under_way):
        each.close()


def test_a_command_that_comes_after_the_fence_is_refused_and_the_next_period_is_open(sessions):
    fence(sessions)

    with sessions() as session, pytest.raises(ledger.PeriodClosed):
        ledger.post(session, entry(), now=NOW, period=2027)
    with sessions.begin() as session:
        assert ledger.post(session, entry(closing_line(1, 5)), now=NOW, period=2028)


def test_a_fence_that_commits_between_the_look_and_the_insert_is_told_as_try_again(sessions):
    under_way = sessions()
    (entry_id,) = ledger.mint_ids(under_way, 1, year=2027)
    require_open_period(under_way, 2027)
    fence(sessions)

    with pytest.raises(TryAgain, match="closed at this moment"):
        insert_entry(under_way, entry(), entry_id, period=2027, now=NOW)
    under_way.close()


def test_the_database_refuses_the_period_by_itself_whoever_writes(database, sessions):
    fence(sessions)

    for role in ("ila_app", "ila_job", "ila_owner"):
        with database.sessions(role)() as session, pytest.raises(IntegrityError) as refusal:
            session.execute(text(COPY))
        assert refusal.value.orig.sqlstate == "23514"
        assert refusal.value.orig.diag.constraint_name == "period_open"


def test_the_guard_takes_the_id_of_the_transaction_before_it_reads_the_rule(sessions):
    """An entry that is refused has an id already: had it read first, the drain could have passed it."""
    fence(sessions)

    with sessions() as session:
        before = session.scalar(text("SELECT pg_current_xact_id_if_assigned()::text"))
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(COPY))
        after = session.scalar(text("SELECT pg_current_xact_id_if_assigned()::text"))

    assert before is None and after is not None


def test_a_mark_is_not_taken_before_the_fence_is_committed(sessions):
    with sessions() as session, pytest.raises(ledger.PeriodConflict, match="not committed"):
        ledger.drain_mark(session, 2027)
    with sessions() as session:
        ledger.fence_period(session, 2027, now=NOW)
        with pytest.raises(ledger.PeriodConflict, match="not committed"):
            ledger.drain_mark(session, 2027)


def test_a_period_is_fenced_and_closed_once(sessions):
    with sessions.begin() as session, pytest.raises(ledger.PeriodConflict, match="is open"):
        ledger.close_period(session, 2027, mark=0, now=NOW)
    fence(sessions)
    with sessions() as session, pytest.raises(ledger.PeriodConflict, match="fenced already"):
        ledger.fence_period(session, 2027, now=NOW)
    mark = mark_of(sessions)
    with sessions.begin() as session:
        ledger.close_period(session, 2027, mark=mark, now=NOW)

    with sessions() as session, pytest.raises(ledger.PeriodConflict, match="is closed"):
        ledger.close_period(session, 2027, mark=mark, now=NOW)


def test_a_late_fact_leaves_the_totals_of_a_closed_period_as_they_were(sessions):
    fence(sessions)
    mark = mark_of(sessions)
    with sessions.begin() as session:
        digest = ledger.close_period(session, 2027, mark=mark, now=NOW)

    with sessions.begin() as session:
        ledger.post(session, entry(closing_line(1, 5)), now=NOW, period=2028)

    with sessions() as session:
        assert ledger.totals_digest(session, 2027) == digest
        stored = session.scalar(text("SELECT totals_digest FROM ila.ledger_period"))
        assert bytes(stored) == digest


def test_only_the_jobs_may_close_periods(database, sessions):
    from sqlalchemy.exc import ProgrammingError

    with database.sessions("ila_app")() as session, pytest.raises(ProgrammingError) as refusal:
        ledger.fence_period(session, 2027, now=NOW)
    assert refusal.value.orig.sqlstate == "42501"
