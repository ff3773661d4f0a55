"""Several connections at once: nobody sees half a change, and no two changes contradict one another."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from ila import citizens
from ila.citizens.rules import EvidenceSource, Need
from ila.db import locks
from tests.conftest import Database

from .files import import_text, row, text_of
from .people import ADMINISTRATOR, NOW, OPENED_ON, open_citizen

DAY = date(2026, 6, 30)


def opened(database: Database, number: int = 1) -> int:
    with database.sessions().begin() as session:
        return open_citizen(session, number)


def wait_until_somebody_waits(database: Database) -> None:
    """Return when a connection waits for a lock."""
    deadline = time.monotonic() + 10
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while time.monotonic() < deadline:
        with database.engine("ila_owner").connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited for a lock")


def test_a_pin_waits_for_changes_under_way_and_stands_above_them(database: Database) -> None:
    citizen_id = opened(database)
    with ThreadPoolExecutor(1) as executor:
        with database.sessions().begin() as session:
            change_no = citizens.correct_facts(
                session, ADMINISTRATOR, citizen_id, {"income_minor": 1}, valid_from=OPENED_ON, now=NOW
            )
            pinned = executor.submit(_pin, database)
            wait_until_somebody_waits(database)
            assert not pinned.done()
        facts_no = pinned.result(timeout=10)

    assert change_no is not None
    assert change_no < facts_no
    with database.sessions().begin() as session:
        assert citizens.facts_of(session, citizen_id, DAY, facts_no).income_minor == 1


def test_a_change_after_a_pin_is_not_seen_at_the_pin(database: Database) -> None:
    citizen_id = opened(database)
    facts_no = _pin(database)

    with database.sessions().begin() as session:
        citizens.correct_facts(session, ADMINISTRATOR, citizen_id, {"income_minor": 1}, valid_from=OPENED_ON, now=NOW)

    with database.sessions().begin() as session:
        assert citizens.facts_of(session, citizen_id, DAY, facts_no).income_minor == 2_400_000
        assert citizens.facts_of(session, citizen_id, DAY, citizens.KNOWN_NOW).income_minor == 1


def _pin(database: Database) -> int:
    with database.sessions().begin() as session:
        return locks.pin_facts(session)


def test_corrections_of_one_citizen_at_the_same_time_happen_one_after_the_other(database: Database) -> None:
    citizen_id = opened(database)
    together = threading.Barrier(6)

    def correct(month: int) -> int | None:
        together.wait()
        with database.sessions().begin() as session:
            return citizens.correct_facts(
                session, ADMINISTRATOR, citizen_id, {"income_minor": month}, valid_from=date(2026, month, 1), now=NOW
            )

    with ThreadPoolExecutor(6) as executor:
        changes = list(executor.map(correct, range(2, 8)))

    assert len({change for change in changes if change is not None}) >= 1
    with database.sessions().begin() as session:
        known = sorted(
            (fact.valid_from, fact.valid_until)
            for fact in citizens.history_of(session, citizen_id).facts
            if fact.superseded_no is None
        )
    assert (known[0][0], known[-1][1]) == (OPENED_ON, date.max)
    assert [until for _, until in known[:-1]] == [since for since, _ in known[1:]]


def test_the_same_attestation_twice_at_the_same_time_is_recorded_once(database: Database) -> None:
    citizen_id = opened(database)
    together = threading.Barrier(4)

    def attest(_: int) -> int | None:
        together.wait()
        with database.sessions().begin() as session:
            need = Need("disabled", EvidenceSource.REGISTER, OPENED_ON)
            return citizens.attest_need(session, ADMINISTRATOR, citizen_id, need, now=NOW)

    with ThreadPoolExecutor(4) as executor:
        changes = list(executor.map(attest, range(4)))

    assert len([change for change in changes if change is not None]) == 1


def test_a_person_opened_twice_at_the_same_time_gets_one_account(database: Database) -> None:
    together = threading.Barrier(4)

    def open_it(_: int) -> bool:
        together.wait()
        try:
            opened(database, 1)
        except citizens.AlreadyHasAccount:
            return False
        return True

    with ThreadPoolExecutor(4) as executor:
        results = list(executor.map(open_it, range(4)))

    assert sorted(results) == [False, False, False, True]


@pytest.mark.parametrize("batch_rows", [2, 50])
def test_two_imports_of_the_same_people_at_the_same_time_open_each_account_once(
    database: Database, tmp_path: Path, batch_rows: int
) -> None:
    content = text_of([row(number) for number in range(1, 21)])
    backwards = text_of([row(number) for number in range(20, 0, -1)])
    together = threading.Barrier(2)

    def run(name: str, text_: str) -> tuple[int, int, int, int]:
        together.wait()
        return import_text(database, tmp_path / name, text_, batch_rows=batch_rows).summary

    with ThreadPoolExecutor(2) as executor:
        first, second = executor.map(run, ("one.csv", "two.csv"), (content, backwards))

    assert (first[0] + second[0], first[2] + second[2]) == (20, 20)
    with database.read_sessions()() as session:
        assert citizens.id_range(session) == (1, 20)
