"""Life of an allocation run and the cutting of a population into slices. Pure."""

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from ila.errors import Conflict, Invalid, Refused
from ila.schemes.policy import AccrualMode


class RunKind(StrEnum):
    """What a run does. Every entitlement has a run, also a single credit."""

    YEARLY = "yearly"  # the scheme's credit of a period, to everybody eligible
    COHORT = "cohort"  # once in a life, to a cohort
    REQUEST = "request"  # one citizen asked
    CONTRIBUTION = "contribution"  # an employer or another third party
    LATE = "late"  # the difference that corrected facts make
    RETURN = "return"  # money given back after expiry
    EXPIRY = "expiry"  # sweeps what has expired
    REVERSAL = "reversal"  # takes back what a run granted and nobody has spent


GIVING = (RunKind.YEARLY, RunKind.COHORT, RunKind.REQUEST)
"""Runs that give a scheme's own credit, by its rules."""


class RunState(StrEnum):
    """Where a run stands."""

    DRAFT = "draft"
    PREVIEWED = "previewed"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    REVERSED = "reversed"


MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.DRAFT: frozenset({RunState.PREVIEWED, RunState.CANCELLED}),
    RunState.PREVIEWED: frozenset({RunState.PREVIEWED, RunState.APPROVED, RunState.CANCELLED}),
    RunState.APPROVED: frozenset({RunState.RUNNING, RunState.PREVIEWED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.PAUSED, RunState.FAILED, RunState.FINISHED}),
    RunState.PAUSED: frozenset({RunState.RUNNING}),
    RunState.FAILED: frozenset({RunState.RUNNING}),
    RunState.FINISHED: frozenset({RunState.REVERSED}),
    RunState.CANCELLED: frozenset(),
    RunState.REVERSED: frozenset(),
}


class RunStateConflict(Conflict):
    """The run is not in a state from which the move leads."""

    code = "run_state"


class PeriodAlreadyAllocated(Conflict):
    """The credit of this period has been given, or a run for it is under way."""

    code = "period_already_allocated"


class AnotherRunIsRunning(Conflict):
    """A scheme runs one run at a time."""

    code = "another_run_is_running"


class ApprovalByAuthor(Refused):
    """Nobody approves what they opened."""

    code = "approval_by_author"


class NotOnRequest(Refused):
    """The credit is not one that citizens ask for."""

    code = "not_on_request"


class AlreadyRequested(Conflict):
    """The credit of this period has been given to this citizen."""

    code = "already_requested"


class RequestRefused(Refused):
    """The scheme's rules give nothing to this citizen today."""

    code = "request_refused"


class PlannedByTheClock(Refused):
    """A plan that no person has made cannot be approved: two people answer for every run."""

    code = "planned_by_the_clock"


class TooEarly(Refused):
    """The day on which the credit counts has not come; facts of that day are not known yet."""

    code = "too_early"


class PlanChanged(Refused):
    """Reality no longer matches what was previewed or approved."""

    code = "plan_changed"


class AppropriationExceeded(Refused):
    """The fund holds less than the run would give."""

    code = "appropriation_exceeded"


def require_move(run_id: int, found: RunState, wanted: RunState) -> None:
    """Raise `RunStateConflict` unless a run may go from `found` to `wanted`."""
    if wanted not in MOVES[found]:
        allowed = ", ".join(sorted(MOVES[found])) or "nothing further"
        raise RunStateConflict(
            f"Run {run_id} is {found.value} and cannot become {wanted.value}; from here it can become {allowed}.",
            run_id=run_id,
            state=found.value,
        )


def years_before(day: date, years: int) -> date:
    """Return the last day of birth of those who have completed `years` on `day`.

    Who was born on 29 February turns on 1 March.

    >>> years_before(date(2025, 3, 1), 21), years_before(date(2024, 2, 29), 21)
    (datetime.date(2004, 3, 1), datetime.date(2003, 2, 28))
    """
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def born_by(year: int, age: int) -> date:
    """Return the last day of birth of those who reach `age` in a calendar year, by year of birth."""
    return date(year - age, 12, 31)


_YEAR = re.compile(r"(\d{4})")
_SCHOOL_YEAR = re.compile(r"(\d{4})/(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def period_bounds(period: str) -> tuple[date, date]:
    """Return the first day of a period and the first day after it: a year, a school year from September, or a month.

    >>> period_bounds("2027")
    (datetime.date(2027, 1, 1), datetime.date(2028, 1, 1))
    >>> period_bounds("2026/27")
    (datetime.date(2026, 9, 1), datetime.date(2027, 9, 1))
    >>> period_bounds("2025-12")
    (datetime.date(2025, 12, 1), datetime.date(2026, 1, 1))
    """
    if found := _YEAR.fullmatch(period):
        return date(int(found[1]), 1, 1), date(int(found[1]) + 1, 1, 1)
    if (found := _SCHOOL_YEAR.fullmatch(period)) and (int(found[1]) + 1) % 100 == int(found[2]):
        return date(int(found[1]), 9, 1), date(int(found[1]) + 1, 9, 1)
    if (found := _MONTH.fullmatch(period)) and 1 <= int(found[2]) <= 12:
        year, month = int(found[1]), int(found[2])
        return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
    raise Invalid(f"{period!r} is no period; write a year (2027), a school year (2026/27) or a month (2027-01).")


def default_days(mode: AccrualMode, period: str) -> tuple[date, date]:
    """Return the reference day and the day of credit of a period.

    In arrears these are its last day and the day after it, else both are its first day.

    >>> default_days(AccrualMode.ANNUAL_ARREARS, "2026")
    (datetime.date(2026, 12, 31), datetime.date(2027, 1, 1))
    """
    first, after = period_bounds(period)
    if mode is AccrualMode.ANNUAL_ARREARS:
        return date.fromordinal(after.toordinal() - 1), after
    return first, first


class SliceState(StrEnum):
    """Where a slice of a run stands."""

    OPEN = "open"
    DONE = "done"


def slice_bounds(first_citizen_id: int, last_citizen_id: int, citizens_per_slice: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch of citizen ids into slices of equal width, first and last id included.

    >>> list(slice_bounds(1, 250, 100))
    [(1, 100), (101, 200), (201, 250)]
    """
    if citizens_per_slice < 1:
        raise ValueError("a slice needs at least one citizen")
    for first in range(first_citizen_id, last_citizen_id + 1, citizens_per_slice):
        yield first, min(first + citizens_per_slice - 1, last_citizen_id)
