"""A run that is under way in a database of its own, worker processes to kill, and the rows that must come out alike."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from ila import allocations
from ila.db import embedded
from tests.conftest import Database, copied_database
from tests.factories import add_people, approve_and_start, previewed_run, random_person, registered

PEOPLE = 60
SLICE_CITIZENS = 10
SLICES = PEOPLE // SLICE_CITIZENS

ROWS = {
    "entitlement": "SELECT * FROM ila.entitlement ORDER BY citizen_id, allocation_run_id",
    "transfer": """
        SELECT citizen_id, journal_entry_id, debit_kind, debit_id, credit_kind, credit_id, amount_minor, effective_on,
            line, scheme_id
        FROM ila.transfer ORDER BY citizen_id, journal_entry_id, line""",
    "allocation": "SELECT * FROM ila.allocation ORDER BY citizen_id, allocation_run_id",
    "journal_entry": """
        SELECT citizen_id, journal_entry_id, kind, source_id, step, actor_id, effective_on, period, parameter_digest
        FROM ila.journal_entry ORDER BY citizen_id, journal_entry_id""",
    "allocation_slice": """
        SELECT allocation_run_id, slice_no, first_citizen_id, last_citizen_id, journal_entry_id, state, credited,
            not_credited, amount_minor
        FROM ila.allocation_slice ORDER BY allocation_run_id, slice_no""",
    "allocation_run": "SELECT allocation_run_id, state, failure FROM ila.allocation_run ORDER BY allocation_run_id",
    "fund_balance": "SELECT * FROM ila.fund_balance ORDER BY fund_id",
}
"""What a run leaves behind; transaction ids and clock times differ by nature."""


@dataclass(slots=True)
class RunUnderWay:
    """A running run of six slices of ten random people each."""

    database: Database
    run_id: int
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def view(self) -> allocations.Run:
        with self.database.sessions()() as session:
            return allocations.run_view(session, self.run_id)

    def rows(self) -> dict[str, list[Any]]:
        """Return all rows that the run is about, in a fixed order."""
        with self.database.sessions()() as session:
            return {name: list(map(tuple, session.execute(text(query)))) for name, query in ROWS.items()}

    def worker(self, failpoints: str = "", **options: Any) -> "subprocess.Popen[bytes]":
        """Start a worker process for the run, with places where it stops."""
        environment = environment_of(self.database) | ({"ILA_FAILPOINTS": failpoints} if failpoints else {})
        command = [sys.executable, "-m", "ila", "worker", "--run", str(self.run_id), "--until-idle", "--idle-seconds",
                   "0.05", "--json"]  # fmt: skip
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.processes.append(process)
        return process

    def finish(self) -> allocations.Run:
        """Let one undisturbed worker do what is left."""
        process = self.worker()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
        return self.view()

    def is_within_a_slice(self) -> bool:
        """Tell whether a worker has posted a slice that it has not committed."""
        query = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'ila_job'"
            " AND state = 'idle in transaction' AND backend_xid IS NOT NULL"
        )
        with self.database.sessions()() as session:
            return bool(session.execute(query).scalar_one())


def environment_of(database: Database) -> dict[str, str]:
    """Return the environment of a process that works with a test's database."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("ILA_")},
        "ILA_ENV": "test",
        "ILA_DATABASE_URL": database.url("ila_app"),
        "ILA_DATABASE_JOB_URL": database.url("ila_job"),
        "ILA_DATABASE_OWNER_URL": database.url("ila_owner"),
    }


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that another process brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def begin_run(database: Database) -> RunUnderWay:
    """Commit people, money and a running run; the same in every database."""
    chance = random.Random("crash")
    with database.sessions().begin() as session:
        add_people(session, [random_person(chance) for _ in range(PEOPLE)])
        parameters = registered(session, "eu_model")
        run_id = previewed_run(session, parameters)
        approve_and_start(session, run_id, slice_citizens=SLICE_CITIZENS)
    return RunUnderWay(database, run_id)


@pytest.fixture
def under_way(database: Database) -> Iterator[RunUnderWay]:
    """A run that no worker has touched yet."""
    run = begin_run(database)
    yield run
    for process in run.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def undisturbed(server: embedded.Server) -> dict[str, list[Any]]:
    """The rows that the same run leaves behind when nothing happens to its one worker."""
    with copied_database(server) as database:
        run = begin_run(database)
        assert run.finish().state == "finished"
        return run.rows()
