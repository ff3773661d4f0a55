"""Ticks find due times, claims decide who does them, and nothing that a job does can stop a tick."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from ila.db import job_claims
from ila.db.job_claims import STALE_AFTER, JobRun, JobState
from ila.db.session import database_engine, write_sessions
from ila.errors import Refused
from ila.scheduling.calendar import Daily, Missed
from ila.scheduling.jobs import Job, PutOff, Work
from ila.scheduling.scheduler import Scheduler, last_heartbeat
from tests.conftest import Database
from tests.factories import SCHEME_DIRECTORY, registered

MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Clock:
    """A clock that a test sets."""

    at: datetime = MONDAY

    def now(self) -> datetime:
        return self.at


@dataclass
class Recorder:
    """A job that keeps what it was run for, after doing what the test plans."""

    plan: Callable[[datetime], str] = lambda scheduled_for: "done"
    runs: list[datetime] = field(default_factory=list)

    def __call__(self, work: Work, scheme_code: str, scheduled_for: datetime) -> str:
        self.runs.append(scheduled_for)
        return self.plan(scheduled_for)

    @property
    def days(self) -> list[int]:
        return [run.day for run in self.runs]


def scheduler(
    database: Database, clock: Clock, run: Recorder, missed: Missed = Missed.EVERY, name: str = "one"
) -> Scheduler:
    work = Work(database.sessions(), SCHEME_DIRECTORY, 100, clock.now)
    return Scheduler(work, name, jobs=[Job("planned", "A planned job", False, Daily(), missed, run)])


def claim(database: Database, day: int = 4) -> JobRun | None:
    with database.sessions()() as session:
        return job_claims.run_of(session, "planned", datetime(2027, 1, day, tzinfo=UTC))


def test_a_due_time_is_done_once_however_often_it_ticks(database: Database) -> None:
    job = Recorder()
    one = scheduler(database, Clock(), job)

    assert [one.tick(), one.tick(), one.tick()] == [1, 0, 0]

    assert job.days == [4]
    found = claim(database)
    assert found
    assert (found.state, found.outcome, found.claimed_by, found.tries) == (JobState.DONE, "done", "one", 1)


@pytest.mark.parametrize(("missed", "days"), [(Missed.EVERY, [4, 5, 6, 7]), (Missed.LATEST, [4, 7])])
def test_times_missed_while_nobody_ticked_are_made_up_for_as_the_job_wants(
    database: Database, missed: Missed, days: list[int]
) -> None:
    clock, job = Clock(), Recorder()
    one = scheduler(database, clock, job, missed)
    one.tick()

    clock.at += 3 * DAY
    one.tick()

    assert job.days == days


def last_a_little(scheduled_for: datetime) -> str:
    time.sleep(0.005)
    return "done"


def test_of_two_schedulers_each_due_time_is_done_by_one(database: Database) -> None:
    clock, job = Clock(), Recorder(last_a_little)
    both = [scheduler(database, clock, job, name=name) for name in ("one", "two")]
    barrier = threading.Barrier(2)

    def tick(one: Scheduler) -> None:
        for _ in range(10):
            barrier.wait()
            one.tick()
            if barrier.wait() == 0:
                clock.at += DAY
            barrier.wait()

    threads = [threading.Thread(target=tick, args=[one]) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scheduler(database, clock, job).tick()

    assert len(set(job.runs)) == len(job.runs)
    assert sorted(job.runs) == [datetime(2027, 1, 4, tzinfo=UTC) + count * DAY for count in range(11)]


def test_what_a_job_raises_becomes_its_outcome(database: Database) -> None:
    def refuse(scheduled_for: datetime) -> str:
        if scheduled_for.day == 4:
            raise Refused("The fund is empty; appropriate first.")
        raise RuntimeError("a secret detail")

    clock = Clock()
    one = scheduler(database, clock, Recorder(refuse))
    one.tick()
    clock.at += DAY
    one.tick()

    refused, broken = claim(database, 4), claim(database, 5)
    assert refused
    assert broken
    assert (refused.state, refused.outcome) == (JobState.FAILED, "The fund is empty; appropriate first.")
    assert (broken.state, broken.outcome) == (
        JobState.FAILED,
        "a defect stopped it (RuntimeError); the log of the scheduler says more",
    )


def test_a_job_put_off_is_tried_again_and_its_later_times_wait(database: Database) -> None:
    waiting = True

    def wait(scheduled_for: datetime) -> str:
        if waiting:
            raise PutOff("waits for another run")
        return "done at last"

    clock, job = Clock(), Recorder(wait)
    one = scheduler(database, clock, job)
    one.tick()
    clock.at += DAY - STALE_AFTER
    one.tick()
    put_off = claim(database)
    assert put_off
    assert (put_off.state, put_off.outcome) == (JobState.RUNNING, "waits for another run")
    assert set(job.days) == {4}

    waiting = False
    clock.at += STALE_AFTER + timedelta(seconds=1)
    one.tick()

    assert job.days[-2:] == [4, 5]
    found = claim(database)
    assert found
    assert (found.state, found.outcome) == (JobState.DONE, "done at last")


def test_a_claim_that_a_dead_scheduler_left_is_taken_over_once_it_is_stale(database: Database) -> None:
    clock, job = Clock(), Recorder()
    with database.sessions().begin() as session:
        job_claims.claim_job(session, "planned", datetime(2027, 1, 4, tzinfo=UTC), claimed_by="dead", now=clock.at)
    one = scheduler(database, clock, job)

    clock.at += STALE_AFTER
    one.tick()
    assert job.runs == [], "it may still be alive"

    clock.at += timedelta(seconds=1)
    one.tick()
    assert job.days == [4]
    found = claim(database)
    assert found
    assert (found.claimed_by, found.tries) == ("one", 2)


def test_a_tick_and_a_beat_without_a_database_raise_nothing() -> None:
    nowhere = write_sessions(database_engine("postgresql://nobody@127.0.0.1:1/none"))
    one = Scheduler(Work(nowhere, SCHEME_DIRECTORY, 100, Clock().now))

    assert one.tick() == 0
    one.beat()


def test_a_scheduler_shows_that_it_is_alive_until_it_ends(database: Database) -> None:
    clock = Clock()
    one = scheduler(database, clock, Recorder())
    one.beat()
    clock.at += timedelta(minutes=1)
    one.beat()

    with database.read_sessions()() as session:
        assert last_heartbeat(session) == clock.at


def test_a_job_under_way_keeps_its_claim_alive(database: Database) -> None:
    clock = Clock()
    beats: list[datetime] = []

    def last_long(scheduled_for: datetime) -> str:
        clock.at += timedelta(minutes=30)
        one.beat()
        found = claim(database)
        assert found
        beats.append(found.heartbeat_at)
        return "done"

    one = scheduler(database, clock, Recorder(last_long))
    one.tick()

    assert beats == [clock.at]


def test_a_running_scheduler_ticks_beats_and_ends_when_told(database: Database) -> None:
    job = Recorder()
    work = Work(database.sessions(), SCHEME_DIRECTORY, 100, lambda: datetime.now(UTC))
    one = Scheduler(work, "one", jobs=[Job("planned", "A planned job", False, Daily(), Missed.EVERY, job)])
    stop = threading.Event()
    thread = threading.Thread(target=one.run, args=[stop], kwargs={"tick_seconds": 1})
    thread.start()
    deadline = time.monotonic() + 20
    while not job.runs and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    thread.join(timeout=20)

    assert len(job.runs) == 1
    assert not thread.is_alive()
    with database.sessions()() as session:
        assert last_heartbeat(session) is None, "nothing that has ended counts as alive"
        outcomes = session.execute(text("SELECT outcome FROM ila.job_run WHERE job = 'scheduler'")).scalars().all()
    assert outcomes == ["stopped"]


def test_outcomes_of_long_ago_are_forgotten_but_for_the_last_of_each_job(database: Database) -> None:
    clock = Clock()
    one = scheduler(database, clock, Recorder())
    for _ in range(3):
        one.tick()
        clock.at += DAY

    with database.sessions().begin() as session:
        assert job_claims.drop_finished(session, before=clock.at + DAY) == 2
    assert claim(database, 6) is not None


def test_a_claim_of_the_web_role_cannot_be_deleted_by_it(database: Database) -> None:
    with database.sessions("ila_app")() as session, pytest.raises(Exception, match="permission denied"):
        session.execute(text("DELETE FROM ila.job_run"))


def test_a_job_of_schemes_is_claimed_for_each_registered_scheme(database: Database) -> None:
    with database.sessions().begin() as session:
        for code in ("eu_model", "sg_sfc"):
            registered(session, code)
    seen: list[str] = []
    work = Work(database.sessions(), SCHEME_DIRECTORY, 100, Clock().now)

    def see(work: Work, scheme_code: str, scheduled_for: datetime) -> str:
        seen.append(scheme_code)
        return "done"

    job = Job("each", "For each scheme", True, Daily(), Missed.EVERY, see)
    Scheduler(work, "one", jobs=[job]).tick()

    assert seen == ["eu_model", "sg_sfc"]
    with database.sessions()() as session:
        assert job_claims.last_run(session, "each:sg_sfc") is not None
