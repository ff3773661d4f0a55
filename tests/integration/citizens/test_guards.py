"""What must never be false about facts, refused by PostgreSQL whoever asks."""

from datetime import date

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from ila.db.errors import sqlstate_of
from tests.conftest import Database

from .people import open_citizen

FACT = """
    INSERT INTO ila.citizen_fact (citizen_id, recorded_no, valid_from, valid_until, born_on, account_open, resides_here,
        works_here, national, employment_status)
    VALUES (:citizen_id, :recorded_no, :valid_from, :valid_until, '1985-07-30', true, true, true, true, 'employee')
"""
NEED = """
    INSERT INTO ila.need_attestation (citizen_id, criterion, recorded_no, valid_from, valid_until, source)
    VALUES (:citizen_id, :criterion, :recorded_no, :valid_from, :valid_until, 'register')
"""
WORK = """
    INSERT INTO ila.work_record (citizen_id, job_no, recorded_no, valid_from, valid_until, basis, worked)
    VALUES (:citizen_id, :job_no, :recorded_no, :valid_from, :valid_until, 'hours', 1)
"""
EARLY, MIDDLE, LATE = date(2020, 1, 1), date(2020, 6, 1), date(2021, 1, 1)


def add(connection: Connection, statement: str, valid_from: date, valid_until: date, **values: object) -> None:
    named = {"recorded_no": 99, "criterion": "disabled", "job_no": 1} | values
    connection.execute(text(statement), named | {"valid_from": valid_from, "valid_until": valid_until})


@pytest.fixture
def citizen_id(database: Database) -> int:
    with database.sessions().begin() as session:
        return open_citizen(session)


@pytest.mark.parametrize("statement", [FACT, NEED, WORK], ids=["fact", "need", "work"])
@pytest.mark.parametrize("role", ["ila_job", "ila_owner"])
def test_facts_known_now_that_overlap_are_refused(
    database: Database, citizen_id: int, statement: str, role: str
) -> None:
    with database.engine(role).begin() as connection:
        add(connection, statement, EARLY, MIDDLE, citizen_id=citizen_id)
        with connection.begin_nested():
            add(connection, statement, MIDDLE, LATE, citizen_id=citizen_id)

        with pytest.raises(DBAPIError, match="overlap in time") as refusal, connection.begin_nested():
            add(connection, statement, date(2020, 5, 31), date(2020, 6, 2), citizen_id=citizen_id, recorded_no=100)
    assert sqlstate_of(refusal.value) == "23P01"


def test_two_rows_of_one_statement_that_overlap_are_refused(database: Database, citizen_id: int) -> None:
    statement = text(
        "INSERT INTO ila.need_attestation (citizen_id, criterion, recorded_no, valid_from, source)"
        " SELECT :citizen_id, 'disabled', 99, day, 'register'"
        " FROM (VALUES (date '2020-01-01'), (date '2020-02-01')) days (day)"
    )

    with database.engine("ila_job").connect() as connection, pytest.raises(DBAPIError, match="overlap in time"):
        connection.execute(statement, {"citizen_id": citizen_id})


def test_another_criterion_or_job_may_overlap(database: Database, citizen_id: int) -> None:
    with database.engine("ila_job").begin() as connection:
        for criterion, job_no in (("disabled", 1), ("caregiver", 2)):
            add(connection, NEED, EARLY, LATE, citizen_id=citizen_id, criterion=criterion)
            add(connection, WORK, EARLY, LATE, citizen_id=citizen_id, job_no=job_no)


def test_facts_are_not_added_under_a_snapshot_that_would_hide_the_others(database: Database, citizen_id: int) -> None:
    engine = database.engine("ila_job").execution_options(isolation_level="REPEATABLE READ")

    with engine.connect() as connection, pytest.raises(IntegrityError, match="added at READ COMMITTED"):
        add(connection, FACT, EARLY, MIDDLE, citizen_id=citizen_id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ila.citizen_fact SET income_minor = 1",
        "UPDATE ila.citizen_fact SET valid_until = '2026-02-01'",
        "DELETE FROM ila.citizen_fact",
        "UPDATE ila.fact_change SET actor_id = 1",
    ],
)
@pytest.mark.parametrize("role", ["ila_app", "ila_job", "ila_owner"])
def test_what_was_known_is_never_overwritten(database: Database, citizen_id: int, statement: str, role: str) -> None:
    with database.engine(role).connect() as connection, pytest.raises(DBAPIError) as refusal:
        connection.execute(text(statement))
    assert sqlstate_of(refusal.value) == "42501"


@pytest.mark.parametrize("role", ["ila_job", "ila_owner"])
def test_a_fact_is_superseded_once_and_for_all(database: Database, citizen_id: int, role: str) -> None:
    with database.engine(role).connect() as connection:
        connection.execute(text("UPDATE ila.citizen_fact SET superseded_no = 50"))

        with pytest.raises(DBAPIError, match="is refused"):
            connection.execute(text("UPDATE ila.citizen_fact SET superseded_no = 9223372036854775807"))


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE ila.citizen SET status = 'closed'", "ck_citizen_closed_on"),
        ("UPDATE ila.citizen SET closed_on = '2026-01-01'", "ck_citizen_closed_on"),
        ("UPDATE ila.personal_detail SET identifier_hash = 'short'", "ck_personal_detail_identifier_hash"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(
    database: Database, citizen_id: int, statement: str, constraint: str
) -> None:
    with database.engine("ila_job").connect() as connection, pytest.raises(IntegrityError, match=constraint):
        connection.execute(text(statement))


def test_work_of_two_calendar_years_is_refused_by_the_database(database: Database, citizen_id: int) -> None:
    with database.engine("ila_job").connect() as connection, pytest.raises(IntegrityError, match="calendar_year"):
        add(connection, WORK, date(2020, 9, 1), date(2021, 2, 1), citizen_id=citizen_id)


def test_an_account_or_a_person_cannot_be_removed(database: Database, citizen_id: int) -> None:
    for table in ("citizen", "personal_detail"):
        with database.engine("ila_job").connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text(f"DELETE FROM ila.{table}"))
