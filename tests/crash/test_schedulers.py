"""Two scheduler processes at once: each due time is claimed by one of them; a killed one is missed, not repeated."""

import signal
import subprocess
import sys

import pytest
from sqlalchemy import text

from ila import allocations
from ila.scheduling.scheduler import last_heartbeat
from tests.conftest import Database
from tests.crash.conftest import environment_of, wait_until
from tests.factories import ADULT, add_people, registered


@pytest.fixture
def ready(database: Database) -> Database:
    with database.sessions().begin() as session:
        add_people(session, [ADULT])
        for code in ("eu_model", "ca_ctc"):
            registered(session, code)
    return database


def start(database: Database) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "ila", "scheduler"], env=environment_of(database), stderr=subprocess.PIPE
    )


def claims(database: Database) -> dict[str, tuple[str, int]]:
    with database.sessions()() as session:
        rows = session.execute(text("SELECT job, state, tries FROM ila.job_run WHERE job <> 'scheduler'"))
        return {job: (state, tries) for job, state, tries in rows}


EXPECTED = {
    "expire:eu_model": ("done", 1),
    "expire:ca_ctc": ("done", 1),
    "draft_yearly:eu_model": ("done", 1),
    "draft_yearly:ca_ctc": ("done", 1),
    "forget_claims": ("done", 1),
}


def test_two_schedulers_do_each_job_once_and_end_when_asked(ready: Database) -> None:
    processes = [start(ready), start(ready)]
    try:
        wait_until(lambda: claims(ready) == EXPECTED)
        with ready.sessions()() as session:
            assert len(allocations.run_views(session)) == 2, "one draft for each scheme"
            assert last_heartbeat(session) is not None
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(timeout=30) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    with ready.sessions()() as session:
        assert last_heartbeat(session) is None
    assert claims(ready) == EXPECTED


def test_a_killed_scheduler_is_missed_by_its_heartbeat_alone(ready: Database) -> None:
    process = start(ready)
    try:
        wait_until(lambda: claims(ready) == EXPECTED)
    finally:
        process.kill()
        process.communicate()
    with ready.sessions()() as session:
        last_seen = last_heartbeat(session)
        again = start(ready)
        try:
            wait_until(lambda: (last_heartbeat(session) or last_seen) != last_seen)
        finally:
            again.kill()
            again.communicate()
    assert claims(ready) == EXPECTED, "nothing is done a second time"
