"""What the database refuses by itself: privileges, triggers and constraints, each apart from our code."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.integration.ledger.conftest import ANNA, EMPLOYER, Books, plant_world

APPEND_ONLY = ("journal_entry", "transfer", "appropriation", "allocation", "parameter_set", "audit_event")


@pytest.fixture(scope="module")
def booked(server):
    """A committed ledger with a row in every append-only table, for all tests of this module."""
    from tests.conftest import TEMPLATE, Database, _execute

    name = "ila_belts"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER ila_owner")
    database = Database(name, server)
    with database.sessions("postgres").begin() as session:
        plant_world(session)
        books = Books(session)
        books.appropriate(EMPLOYER, 1_000)
        run_id = books.credit((ANNA, 100), fund_id=EMPLOYER)
        session.execute(
            text("INSERT INTO ila.allocation VALUES (:citizen, :run, 0, 'CEILING')"), {"citizen": 99, "run": run_id}
        )
        session.execute(
            text(
                "INSERT INTO ila.audit_event (recorded_at, actor_id, act, subject, subject_id, facts)"
                " VALUES (now(), 1, 'a', 'b', 1, '{}')"
            )
        )
    yield database
    database.close()
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def sqlstate(database, role: str, statement: str) -> str:
    """Run a statement that must be refused, and return why."""
    with database.sessions(role)() as session, pytest.raises(DBAPIError) as refusal:
        session.execute(text(statement))
    return refusal.value.orig.sqlstate


def column_of(database, table: str) -> str:
    with database.sessions("postgres")() as session:
        return session.scalar(
            text("SELECT attname FROM pg_attribute WHERE attrelid = cast(:name AS regclass) AND attnum = 1"),
            {"name": f"ila.{table}"},
        )


@pytest.mark.parametrize("role", ["ila_app", "ila_job", "ila_auditor", "ila_owner"])
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_role_updates_or_deletes_what_is_booked(booked, role: str, table: str):
    column = column_of(booked, table)

    wanted = {"25006", "42501"} if role == "ila_auditor" else {"42501"}
    assert sqlstate(booked, role, f"UPDATE ila.{table} SET {column} = {column}") in wanted
    assert sqlstate(booked, role, f"DELETE FROM ila.{table}") in wanted


@pytest.mark.parametrize("role", ["ila_app", "ila_job", "ila_owner", "postgres"])
@pytest.mark.parametrize("table", ["journal_entry", "transfer", "transfer_2027"])
def test_nobody_truncates_the_journal_not_even_the_owner(booked, role: str, table: str):
    assert sqlstate(booked, role, f"TRUNCATE ila.{table}") == "42501"


@pytest.mark.parametrize("statement", ["UPDATE {} SET amount_minor = 1", "DELETE FROM {}"])
def test_the_trigger_holds_on_a_partition_named_directly(booked, statement: str):
    assert sqlstate(booked, "ila_owner", statement.format("ila.transfer_2027")) == "42501"


@pytest.mark.parametrize("role", ["ila_app", "ila_job", "ila_owner"])
@pytest.mark.parametrize(
    "column",
    ["granted_minor", "counted_minor", "expires_on", "fund_id", "restriction_id", "scheme_id", "source", "citizen_id"],
)
def test_nothing_of_an_entitlement_changes_but_what_is_available(booked, role: str, column: str):
    assert sqlstate(booked, role, f"UPDATE ila.entitlement SET {column} = {column}") == "42501"


@pytest.mark.parametrize("role", ["ila_app", "ila_job", "ila_owner"])
def test_no_entitlement_is_removed(booked, role: str):
    assert sqlstate(booked, role, "DELETE FROM ila.entitlement") == "42501"


@pytest.mark.parametrize("change", ["available_minor + 1", "-1", "available_minor - 101"])
def test_available_stays_between_zero_and_granted(booked, change: str):
    assert sqlstate(booked, "ila_job", f"UPDATE ila.entitlement SET available_minor = {change}") == "23514"


def test_a_limited_fund_never_falls_below_zero(booked):
    assert sqlstate(booked, "ila_job", "UPDATE ila.fund_balance SET available_minor = -1") == "23514"


COPY_LINE = (
    "INSERT INTO ila.transfer (citizen_id, journal_entry_id, line, debit_kind, debit_id, credit_kind, credit_id,"
    " amount_minor, effective_on, scheme_id) SELECT citizen_id, journal_entry_id, {line}, {debit_kind}, {debit_id},"
    " credit_kind, credit_id, {amount_minor}, effective_on, scheme_id FROM ila.transfer WHERE citizen_id = 1"
)
UNCHANGED = {"line": "9", "debit_kind": "debit_kind", "debit_id": "debit_id", "amount_minor": "amount_minor"}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"amount_minor": "0"}, "23514"),
        ({"amount_minor": "-5"}, "23514"),
        ({"debit_kind": "credit_kind", "debit_id": "credit_id"}, "23514"),
        ({"line": "line"}, "23505"),
        ({"amount_minor": "NULL"}, "23502"),
        ({"debit_id": "NULL"}, "23502"),
    ],
)
def test_a_line_has_a_positive_amount_two_accounts_and_a_number_of_its_own(booked, change: dict[str, str], state: str):
    assert sqlstate(booked, "ila_job", COPY_LINE.format(**UNCHANGED | change)) == state


COPY_ENTRY = (
    "INSERT INTO ila.journal_entry SELECT citizen_id, journal_entry_id + 5000, source_id, actor_id, {reverses},"
    " recorded_at, effective_on, period, kind, step + {step}, {digest}, detail_digest"
    " FROM ila.journal_entry WHERE kind = 1"
)


def test_the_natural_key_of_an_event_is_unique(booked):
    statement = COPY_ENTRY.format(reverses="NULL", step=0, digest="parameter_digest")

    assert sqlstate(booked, "ila_job", statement) == "23505"


def test_an_entry_is_reversed_once_whatever_our_code_does(booked):
    first = COPY_ENTRY.format(reverses="7", step=1, digest="parameter_digest")
    with booked.sessions("ila_job")() as session:
        session.execute(text(first))
        with pytest.raises(DBAPIError) as refusal:
            session.execute(text(first.replace("+ 5000", "+ 6000").replace("step + 1", "step + 2")))

    assert refusal.value.orig.sqlstate == "23505"


def test_an_entry_carries_the_digest_of_its_rules(booked):
    for digest, state in (("NULL", "23502"), ("'\\x00'::bytea", "23514")):
        assert sqlstate(booked, "ila_job", COPY_ENTRY.format(reverses="NULL", step=1, digest=digest)) == state


def test_a_run_grants_a_citizen_once(booked):
    copy = (
        "INSERT INTO ila.entitlement SELECT citizen_id, allocation_run_id, 5, 5, 0, expires_on, fund_id,"
        " restriction_id, scheme_id, source FROM ila.entitlement"
    )

    assert sqlstate(booked, "ila_job", copy) == "23505"


def test_a_role_of_the_application_makes_no_table(booked):
    assert sqlstate(booked, "ila_job", "CREATE TABLE ila.other (id int)") == "42501"
    assert sqlstate(booked, "ila_job", "DROP TABLE ila.transfer_2027") == "42501"
    assert sqlstate(booked, "ila_app", "ALTER TABLE ila.transfer DISABLE TRIGGER ALL") == "42501"


def test_a_line_of_a_year_that_was_never_opened_has_no_place(booked):
    statement = COPY_LINE.format(**UNCHANGED).replace("journal_entry_id, 9", "1995000000000001, 9")

    assert sqlstate(booked, "ila_job", statement) == "23514"


def test_no_index_holds_what_is_available_so_that_a_draw_touches_none(booked):
    with booked.sessions("postgres")() as session:
        indexed = session.scalar(
            text(
                "SELECT count(*) FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)"
                " WHERE indrelid = 'ila.entitlement'::regclass AND attname = 'available_minor'"
            )
        )

    assert indexed == 0
