"""The worker: take the next slice of the oldest running run, post it, and look again.

It goes on until nothing is left or it is told to stop.

Any number of workers may run, on any number of hosts: each slice is one transaction, slices under way elsewhere are
skipped, and natural keys make a repeat add nothing. So a worker may be killed at any point; nothing has to be put in
order afterwards, another worker takes the slice.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from sqlalchemy.exc import DBAPIError

from ila import allocations, clock
from ila.access.rules import CLOCK
from ila.allocations import SliceDone
from ila.allocations.rules import RunState
from ila.db import retry
from ila.db.session import WriteSessions
from ila.errors import DomainError, TryAgain
from ila.failpoints import failpoint
from ila.scheduling import upkeep

PATIENCE_TRIES = 5
"""How often a passing fault may stop the same run's slices, one after the other, before the run is failed."""

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


class Step(Enum):
    """What one round of a worker came to."""

    WORKED = "worked"  # a slice was posted, or a run ended: look again at once
    WAITING = "waiting"  # the slices that are left are with other workers, or the database is away: look again later
    IDLE = "idle"  # no run is running


@dataclass(slots=True)
class Worker:
    """One worker. With `only_run` it looks at no other run."""

    sessions: WriteSessions
    clock: Clock = clock.now
    only_run: int | None = None
    on_slice: Callable[[SliceDone], None] | None = None
    _time_zones: dict[int, ZoneInfo] = field(default_factory=dict)
    _faults: dict[int, int] = field(default_factory=dict)

    def step(self) -> Step:
        """Work on one slice of the first run that has one to take.

        Raises `TryAgain` where the database is away, and nothing else.
        """
        outcome = Step.IDLE
        for run_id in self._running():
            if self._work_on(run_id) is Step.WORKED:
                return Step.WORKED
            outcome = Step.WAITING
        return outcome

    def _running(self) -> list[int]:
        found = retry.attempt(self.sessions, lambda session: list(session.scalars(allocations.running_runs())))
        return [run_id for run_id in found if self.only_run in (None, run_id)]

    def _work_on(self, run_id: int) -> Step:
        try:
            return self._post_or_close(run_id)
        except TryAgain as passing:
            self._faults[run_id] = self._faults.get(run_id, 0) + 1
            log.warning("run %s has to wait: %s", run_id, passing.message)
            if self._faults[run_id] < PATIENCE_TRIES:
                return Step.WAITING
            reason = f"The database could not do its slices after {PATIENCE_TRIES} attempts: {passing.message}"
        except DomainError as refusal:
            reason = refusal.message
        except Exception as error:
            log.exception("run %s was stopped by a defect", run_id)
            reason = f"A defect stopped it ({type(error).__name__}: {_first_line(error)}); the worker's log says more."
        self._fail(run_id, reason)
        return Step.WORKED

    def _post_or_close(self, run_id: int) -> Step:
        now = self.clock()
        today = now.astimezone(self._time_zone(run_id)).date()
        done = retry.attempt(
            self.sessions, lambda session: allocations.work_on_slice(session, run_id, now=now, today=today)
        )
        if done is not None:
            self._faults.pop(run_id, None)
            log.info("run %s, slice %s: %s of %s credited", run_id, done.slice_no, done.credited, done.citizens)
            if self.on_slice is not None:
                self.on_slice(done)
            failpoint("worker.after_slice")
            return Step.WORKED
        state = retry.attempt(self.sessions, lambda session: allocations.close_run(session, run_id, now=self.clock()))
        if state is RunState.RUNNING:
            return Step.WAITING
        log.info("run %s is %s", run_id, state.value)
        if state is RunState.FINISHED:
            upkeep.after_run(self.sessions)
        return Step.WORKED

    def _fail(self, run_id: int, reason: str) -> None:
        log.error("run %s is failed: %s", run_id, reason)
        retry.attempt(self.sessions, lambda session: allocations.fail(session, CLOCK, run_id, reason, now=self.clock()))
        self._faults.pop(run_id, None)

    def _time_zone(self, run_id: int) -> ZoneInfo:
        """Return the zone of a run's scheme: the day on which a slice is booked is the scheme's."""
        if run_id not in self._time_zones:
            run = retry.attempt(self.sessions, lambda session: allocations.run_view(session, run_id))
            self._time_zones[run_id] = ZoneInfo(run.scheme.time_zone)
        return self._time_zones[run_id]


def work(
    sessions: WriteSessions,
    *,
    clock: Clock,
    stop: threading.Event,
    only_run: int | None = None,
    until_idle: bool = False,
    idle_seconds: float = 1.0,
    on_slice: Callable[[SliceDone], None] | None = None,
) -> int:
    """Work until `stop` is set, or with `until_idle` until no run is running; return how many slices were posted.

    Stops between slices: the one under way is finished first. A database that is away is waited for; with
    `until_idle` no longer than a few rounds, then `TryAgain` is raised.
    """
    posted = 0

    def count(done: SliceDone) -> None:
        nonlocal posted
        posted += 1
        if on_slice is not None:
            on_slice(done)

    worker = Worker(sessions, clock, only_run, count)
    away = 0
    while not stop.is_set():
        try:
            outcome = worker.step()
            away = 0
        except TryAgain as fault:
            away += 1
            log.warning("the worker waits for the database: %s", fault.message)
            if until_idle and away >= PATIENCE_TRIES:
                raise
            outcome = Step.WAITING
        if outcome is Step.IDLE and until_idle:
            break
        if outcome is not Step.WORKED:
            stop.wait(idle_seconds)
    return posted


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0][:200] if lines else "no more is known"
