"""The scheduler: a tick that looks for due times, claims them, and runs the jobs that it could claim.

APScheduler gives the ticks and nothing else: its store lies in memory, so all truth is in `job_run`. Any number of
schedulers may run; who inserts a claim does the job. A tick never raises: what a job raises becomes its outcome.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ila import clock, schemes
from ila.db import job_claims
from ila.db.job_claims import JobRun, JobState
from ila.db.session import WriteSession
from ila.errors import DomainError, TryAgain
from ila.scheduling.calendar import Missed
from ila.scheduling.jobs import JOBS, Claimable, Job, PutOff, Work, claimables

LIFE = "scheduler"
"""The job whose claims are the schedulers themselves; their heartbeat is what `/readyz` looks at."""

GIVE_UP_AFTER_TRIES = 300
"""A day of tries, five minutes apart."""

log = logging.getLogger(__name__)


def this_process() -> str:
    """Return host and process, as they stand in a claim."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Slot:
    """One due time of one job."""

    claimable: Claimable
    scheduled_for: datetime


@dataclass(slots=True)
class Scheduler:
    """One scheduler process: `tick` and `beat` are what it does, `run` does both until told to stop."""

    work: Work
    claimed_by: str = field(default_factory=this_process)
    jobs: Sequence[Job] = JOBS
    _under_way: set[tuple[str, datetime]] = field(default_factory=set)
    _born_at: datetime | None = None

    def run(self, stop: threading.Event, *, tick_seconds: int) -> None:
        """Tick and beat until `stop` is set; the job under way is finished before this returns."""
        ticks = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        now = clock.now()
        for name, function in (("beat", self.beat), ("tick", self.tick)):
            trigger = IntervalTrigger(seconds=tick_seconds, timezone=UTC)
            ticks.add_job(function, trigger, id=name, next_run_time=now)
        ticks.start()
        try:
            stop.wait()
        finally:
            ticks.shutdown(wait=True)
            self._end()

    def tick(self) -> int:
        """Run every job whose time has come and that this scheduler could claim; return how many. Never raises."""
        done = 0
        try:
            with self.work.sessions() as session:
                found = claimables(schemes.all_schemes(session), self.jobs)
            for claimable in found:
                for slot in self._due(claimable):
                    if not self._claim(slot):
                        break  # another scheduler is at this job: its later times are its own or the next tick's
                    done += 1
                    if self.perform(slot) is None:
                        break  # put off: later times of a job wait for the earlier one
        except Exception as error:
            _log_trouble("the scheduler could not look for due jobs", error)
        return done

    def _due(self, claimable: Claimable) -> list[Slot]:
        """Return the times to claim: first those that another process left undone, then what has come since."""
        now = self.work.now()
        with self.work.sessions() as session:
            left = job_claims.unfinished(session, claimable.name)
            if any(not claim.is_stale(now) for claim in left):
                return []
            times = [claim.scheduled_for for claim in left]
            times += due_since_last(session, claimable, now)
        return [Slot(claimable, scheduled_for) for scheduled_for in times]

    def _claim(self, slot: Slot) -> bool:
        with self.work.sessions.begin() as session:
            return job_claims.claim_job(
                session, slot.claimable.name, slot.scheduled_for, claimed_by=self.claimed_by, now=self.work.now()
            )

    def perform(self, slot: Slot) -> JobState | None:
        """Run a claimed job and write its outcome; None where it was put off. Never raises."""
        key = (slot.claimable.name, slot.scheduled_for)
        self._under_way.add(key)
        state: JobState | None = JobState.FAILED
        try:
            outcome = slot.claimable.job.run(self.work, slot.claimable.scheme_code, slot.scheduled_for)
            state = JobState.DONE
        except (PutOff, TryAgain) as reason:
            state, outcome = None, str(reason)
        except DomainError as refusal:
            outcome = refusal.message
        except Exception as error:
            _log_trouble(f"the job {slot.claimable.name} failed", error)
            outcome = f"a defect stopped it ({type(error).__name__}); the log of the scheduler says more"
        finally:
            self._under_way.discard(key)
        return self._conclude(slot, state, outcome)

    def _conclude(self, slot: Slot, state: JobState | None, outcome: str) -> JobState | None:
        """Write what became of a job. Where even that fails, the claim goes stale and somebody tries again."""
        name, scheduled_for, now = slot.claimable.name, slot.scheduled_for, self.work.now()
        log.info("job %s for %s: %s", name, scheduled_for.isoformat(), outcome)
        try:
            with self.work.sessions.begin() as session:
                if state is None and _tries(session, name, scheduled_for) >= GIVE_UP_AFTER_TRIES:
                    state, outcome = JobState.FAILED, f"given up after {GIVE_UP_AFTER_TRIES} tries; {outcome}"
                if state is None:
                    job_claims.put_off(session, name, scheduled_for, outcome=outcome, now=now)
                else:
                    job_claims.finish_job(session, name, scheduled_for, state=state, outcome=outcome, now=now)
        except Exception as error:
            _log_trouble(f"the outcome of the job {name} could not be written", error)
            return None
        return state

    def beat(self) -> None:
        """Say that this scheduler and the jobs it is at are alive. Never raises."""
        now = self.work.now()
        try:
            with self.work.sessions.begin() as session:
                born_at = self._born_at or self._claim_life(session, now)
                for name, scheduled_for in (*self._under_way, (LIFE, born_at)):
                    job_claims.heartbeat(session, name, scheduled_for, now=now)
            self._born_at = born_at
        except Exception as error:
            _log_trouble("the scheduler could not write its sign of life", error)

    def _claim_life(self, session: WriteSession, now: datetime) -> datetime:
        """Claim the instant of birth; of two schedulers born in the same instant one is a microsecond younger."""
        born_at = now
        while not job_claims.claim_job(session, LIFE, born_at, claimed_by=self.claimed_by, now=now):
            born_at += timedelta(microseconds=1)
        return born_at

    def _end(self) -> None:
        if self._born_at is None:
            return
        with suppress(SQLAlchemyError), self.work.sessions.begin() as session:
            job_claims.finish_job(
                session, LIFE, self._born_at, state=JobState.DONE, outcome="stopped", now=self.work.now()
            )


def due_since_last(session: Session, claimable: Claimable, now: datetime) -> list[datetime]:
    """Return the business times that have come since the last one anybody claimed, as the job's policy wants them."""
    last = job_claims.last_claim(session, claimable.name)
    due = claimable.job.calendar.due(last, now, claimable.time_zone)
    return due if claimable.job.missed is Missed.EVERY else due[-1:]


def last_heartbeat(session: Session) -> datetime | None:
    """Return the newest sign of life of any scheduler; None where none is running. For `/readyz`."""
    return job_claims.newest_heartbeat(session, LIFE)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as people see it: what became of it last, and when it is due again."""

    name: str
    title: str
    missed: Missed
    last: JobRun | None
    next_due: datetime


def job_views(session: Session, now: datetime) -> list[JobView]:
    """Return every job for every registered scheme."""
    return [
        JobView(
            each.name,
            each.job.title,
            each.job.missed,
            job_claims.last_run(session, each.name),
            each.job.calendar.next_due(now, each.time_zone),
        )
        for each in claimables(schemes.all_schemes(session))
    ]


def run_now(work: Work, claimable: Claimable, claimed_by: Callable[[], str] = this_process) -> JobRun | None:
    """Run a job for its latest business time, also where that was done before; None while somebody is at it."""
    scheduled_for = claimable.job.calendar.due(None, work.now(), claimable.time_zone)[-1]
    scheduler = Scheduler(work, claimed_by())
    with work.sessions.begin() as session:
        if not job_claims.claim_again(
            session, claimable.name, scheduled_for, claimed_by=scheduler.claimed_by, now=work.now()
        ):
            return None
    scheduler.perform(Slot(claimable, scheduled_for))
    with work.sessions() as session:
        return job_claims.run_of(session, claimable.name, scheduled_for)


def _tries(session: Session, name: str, scheduled_for: datetime) -> int:
    found = job_claims.run_of(session, name, scheduled_for)
    return found.tries if found else 0


def _log_trouble(what: str, error: Exception) -> None:
    """A database that is away is a line; everything else is a defect with its trace."""
    if isinstance(error, (SQLAlchemyError, DomainError)):
        log.warning("%s: %s", what, str(error).splitlines()[0])
    else:
        log.error("%s", what, exc_info=error)
