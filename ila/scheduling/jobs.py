"""The jobs of the clock, in one table: what each does, when it is due, and what becomes of missed times.

Every job is idempotent, opens its own transactions, and answers with one sentence. What follows the law (the expiry)
it does; what needs people (a yearly credit) it prepares as a draft with a preview, and never approves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from ila import allocations, schemes
from ila.access.rules import CLOCK
from ila.allocations.rules import AnotherRunIsRunning, PeriodAlreadyAllocated, RunState
from ila.db import job_claims
from ila.db.session import WriteSessions
from ila.errors import NotFound
from ila.scheduling.calendar import Calendar, Daily, Hourly, Missed
from ila.scheduling.periods import due_period
from ila.schemes.loader import load_scheme
from ila.schemes.parameters import ParameterSet
from ila.schemes.queries import Scheme

KEEP_CLAIMS = timedelta(days=90)
"""How long the outcome of a job is kept; the last one of each job always is."""


class PutOff(Exception):
    """The job cannot be done yet; it is tried again in a few minutes. The text says what it waits for."""


class NoSchemeFiles(NotFound):
    """A scheme is registered, but its files are gone."""

    code = "no_scheme_files"


@dataclass(frozen=True, slots=True)
class Work:
    """What jobs work with."""

    sessions: WriteSessions
    scheme_directory: Path
    slice_citizens: int
    now: Callable[[], datetime]

    def parameters(self, code: str) -> ParameterSet:
        """Return what the files of a registered scheme say; raises `NoSchemeFiles`, `InvalidScheme`."""
        directory = self.scheme_directory / code
        if not directory.is_dir():
            raise NoSchemeFiles(
                f"Scheme {code} is registered, but there is no folder of that name where the schemes are;"
                " put its files back.",
                scheme=code,
            )
        return load_scheme(directory)


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the table. A job of schemes is claimed, and run, for each registered scheme by itself."""

    name: str
    title: str
    of_schemes: bool
    calendar: Calendar
    missed: Missed
    run: Callable[[Work, str, datetime], str]
    """Takes the scheme's code ("" where the job is of no scheme) and the business time; returns one sentence."""


def expire(work: Work, scheme_code: str, scheduled_for: datetime) -> str:
    """Open the sweep of what has expired before a business day; workers do it."""
    parameters, today = work.parameters(scheme_code), scheduled_for.date()
    try:
        with work.sessions.begin() as session:
            run_id = allocations.open_expiry(
                session, CLOCK, parameters, slice_citizens=work.slice_citizens, now=work.now(), today=today
            )
    except PeriodAlreadyAllocated as done:
        return f"run {done.facts['run_id']} sweeps this day already"
    except AnotherRunIsRunning as running:
        raise PutOff("waits: another run of the scheme is running") from running
    return "nothing has expired" if run_id is None else f"opened run {run_id}"


def draft_yearly(work: Work, scheme_code: str, scheduled_for: datetime) -> str:
    """Open and preview a draft for each yearly credit whose day has come and which has no run of its period."""
    parameters, today = work.parameters(scheme_code), scheduled_for.date()
    said = []
    for credit_code in parameters.credit_codes:
        run_id = _draft(work, parameters, credit_code, today)
        if run_id is not None:
            _preview(work, run_id)
            said.append(f"run {run_id} drafts the credit {credit_code} and waits for two administrators")
    return "; ".join(said) or "no yearly credit is due"


def _draft(work: Work, parameters: ParameterSet, credit_code: str, today: date) -> int | None:
    """Return the clock's draft that still needs its preview, opened now if there was none; None if nothing is due.

    A cancelled run is a decision: the clock does not open another one for its period.
    """
    due = due_period(parameters, credit_code, today)
    if due is None:
        return None
    with work.sessions.begin() as session:
        scheme = schemes.scheme_of_code(session, parameters.code)
        found = allocations.runs_of_period(session, scheme.scheme_id, credit_code, due.period)
        for run in found:
            if run.state is RunState.DRAFT and run.opened_by == CLOCK.actor_id:
                return run.run_id
        if found:
            return None
        return allocations.open_run(
            session,
            CLOCK,
            parameters,
            credit_code=credit_code,
            period=due.period,
            fund_code=parameters.funds[0].code,
            reference_on=due.reference_on,
            effective_on=due.effective_on,
            now=work.now(),
            today=today,
        )


def _preview(work: Work, run_id: int) -> None:
    """Preview a draft in two transactions: the pin of facts must not last as long as the count of a population."""
    with work.sessions.begin() as session:
        facts_no = allocations.pin_facts(session)
    with work.sessions.begin() as session:
        allocations.preview(session, CLOCK, run_id, facts_no=facts_no, now=work.now())


def forget_claims(work: Work, scheme_code: str, scheduled_for: datetime) -> str:
    """Drop what became of jobs long ago."""
    with work.sessions.begin() as session:
        dropped = job_claims.drop_finished(session, before=work.now() - KEEP_CLAIMS)
    return f"forgot {dropped} outcomes older than {KEEP_CLAIMS.days} days"


JOBS: Sequence[Job] = (
    Job("expire", "Sweep what expired before the day", True, Daily(), Missed.EVERY, expire),
    Job("draft_yearly", "Draft the yearly credit once its day has come", True, Daily(), Missed.LATEST, draft_yearly),
    Job("forget_claims", "Forget what became of jobs long ago", False, Hourly(17), Missed.LATEST, forget_claims),
)
"""Every job there is. Claims that a dead scheduler left are taken over by the tick itself, for all jobs alike."""


@dataclass(frozen=True, slots=True)
class Claimable:
    """One job for one scheme, or for none, under the name it is claimed by."""

    job: Job
    scheme_code: str
    time_zone: str

    @property
    def name(self) -> str:
        """Return the name of the claim, such as `expire:eu_model`."""
        return f"{self.job.name}:{self.scheme_code}" if self.scheme_code else self.job.name


def claimables(registered: Sequence[Scheme], jobs: Sequence[Job] = JOBS) -> list[Claimable]:
    """Return every job for every scheme it concerns, in the order of the table."""
    return [
        Claimable(job, scheme_code, time_zone)
        for job in jobs
        for scheme_code, time_zone in (
            [(scheme.code, scheme.time_zone) for scheme in registered] if job.of_schemes else [("", "UTC")]
        )
    ]
