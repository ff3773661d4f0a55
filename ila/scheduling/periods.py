"""Which period of a yearly credit has its day of credit behind it. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

from ila.schemes.parameters import NoValueInForce, ParameterSet, SchemeNotInForce
from ila.schemes.policy import AccrualMode

YEARLY_MODES = frozenset({AccrualMode.ANNUAL_ARREARS, AccrualMode.ANNUAL_ADVANCE})
YEARLY_PERIODS = frozenset({"calendar_year", "school_year"})


@dataclass(frozen=True, slots=True)
class DuePeriod:
    """A period, the day whose facts decide, and the day the credit counts."""

    period: str
    reference_on: date
    effective_on: date


def due_period(parameters: ParameterSet, credit_code: str, today: date) -> DuePeriod | None:
    """Return the latest period of a yearly credit whose day of credit has come; None for credits of another kind.

    In arrears a period is credited the day after its end, in advance on its first day or on the day of the year that
    the scheme names (`accrual_on`). The rules of the reference day decide, so a credit that began later has no period.
    """
    for first in (_year_start(parameters, credit_code, today), _year_start_before(parameters, credit_code, today)):
        if first is None:
            continue
        found = _credited(parameters, credit_code, first)
        if found is not None and found.effective_on <= today:
            return found
    return None


def _credited(parameters: ParameterSet, credit_code: str, first: date) -> DuePeriod | None:
    """Return the period that is credited in the year which begins on `first`."""
    try:
        mode = parameters.policy(credit_code, first - timedelta(days=1)).accrual_mode
    except (NoValueInForce, SchemeNotInForce):
        mode = None
    if mode is AccrualMode.ANNUAL_ARREARS:
        return DuePeriod(_named(first.replace(year=first.year - 1)), first - timedelta(days=1), first)
    try:
        policy = parameters.policy(credit_code, first)
        day_of_year = parameters.on(first, credit_code).value_or_none("accrual_on")
    except (NoValueInForce, SchemeNotInForce):
        return None
    if policy.accrual_mode is not AccrualMode.ANNUAL_ADVANCE:
        return None
    credited_on = _day_in_year(first, day_of_year) if isinstance(day_of_year, str) else first
    return DuePeriod(_named(first), credited_on, credited_on)


def _year_start(parameters: ParameterSet, credit_code: str, day: date) -> date | None:
    """Return the first day of the calendar or school year that holds a day; None where the credit has no such year.

    After the last day of a scheme its last rules still say how the year that has just ended is credited.
    """
    try:
        rules = parameters.on(min(day, parameters.last_on or day), credit_code)
        kind = rules.value("accrual_period")
        mode = rules.value("accrual_mode")
    except (NoValueInForce, SchemeNotInForce):
        return None
    if kind not in YEARLY_PERIODS or mode not in YEARLY_MODES:
        return None
    if kind == "calendar_year":
        return date(day.year, 1, 1)
    return date(day.year if day.month >= 9 else day.year - 1, 9, 1)


def _year_start_before(parameters: ParameterSet, credit_code: str, day: date) -> date | None:
    first = _year_start(parameters, credit_code, day)
    return first and first.replace(year=first.year - 1)


def _day_in_year(first: date, day_of_year: str) -> date:
    """Return the day `MM-DD` within the year that begins on `first`."""
    month, day = (int(part) for part in day_of_year.split("-"))
    candidate = date(first.year, month, day)
    return candidate if candidate >= first else candidate.replace(year=first.year + 1)


def _named(first: date) -> str:
    """Return the name of the year that begins on a day: 2027, or 2026/27 for a school year.

    >>> _named(date(2027, 1, 1)), _named(date(2026, 9, 1))
    ('2027', '2026/27')
    """
    return str(first.year) if first.month == 1 else f"{first.year}/{(first.year + 1) % 100:02}"
