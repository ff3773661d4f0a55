"""Damage planted as superuser, past every guard: the pass meant for it fails and names the offender."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from ila import ledger
from ila.db.session import WriteSession
from ila.ledger import checks
from tests.integration.ledger.conftest import NOW, Books, plant_world
from tests.integration.ledger.damage import COPY_ENTRY, DAMAGE, OWN
from tests.integration.ledger.test_checks_clean import everything


@pytest.fixture
def damaged(main_database) -> Iterator[Books]:
    """A ledger with an entry of every kind, in a transaction of the superuser that is rolled back."""
    with main_database.engine("postgres").connect() as connection:
        outer = connection.begin()
        with WriteSession(connection, join_transaction_mode="create_savepoint") as session:
            plant_world(session)
            books = Books(session)
            everything(books)
            yield books
        outer.rollback()


@pytest.mark.parametrize("damage", DAMAGE, ids=[name.replace(" ", "_") for name in DAMAGE])
def test_a_pass_finds(damaged: Books, damage: str):
    meant, fault, statements = DAMAGE[damage]
    each = next(each for each in checks.PASSES if each.name == meant)
    (before,) = checks.run(damaged.session, [each])
    assert before.clean

    damaged.session.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements.split(";"):
        damaged.session.execute(text(statement))
    (found,) = checks.run(damaged.session, [each])

    offenders = [offender.where for offender in found.faults if offender.sentence == fault]
    assert offenders and all(offenders)


def test_an_entry_booked_after_a_period_was_closed_is_found(damaged: Books):
    (periods,) = [each for each in checks.PASSES if each.name == "periods"]
    ledger.fence_period(damaged.session, 2027, now=NOW)
    damaged.session.execute(
        text("UPDATE ila.ledger_period SET state = 'closed', closed_at = now(), totals_digest = :digest"),
        {"digest": ledger.totals_digest(damaged.session, 2027)},
    )
    (before,) = checks.run(damaged.session, [periods])
    assert before.clean

    damaged.session.execute(text("SET LOCAL session_replication_role = replica"))
    damaged.session.execute(text(COPY_ENTRY.format(source="source_id + 1") + OWN))
    damaged.session.execute(
        text(
            "INSERT INTO ila.transfer (citizen_id, journal_entry_id, line, debit_kind, debit_id, credit_kind,"
            " credit_id, amount_minor, effective_on, scheme_id)"
            " SELECT citizen_id, journal_entry_id + 900000000, line, debit_kind, debit_id, credit_kind, credit_id, 1,"
            f" effective_on, scheme_id FROM ila.transfer WHERE journal_entry_id = {OWN}"
        )
    )
    (found,) = checks.run(damaged.session, [periods])

    assert [fault.where["period"] for fault in found.faults] == [2027]


def test_every_check_of_every_pass_has_damage_that_it_finds():
    meant = {(name, fault) for name, fault, _ in DAMAGE.values()}

    assert meant == {(each.name, check.fault) for each in checks.PASSES for check in each.checks}
