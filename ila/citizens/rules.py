"""What is true of a citizen on a day, and how a correction divides what was known. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from ila.errors import Invalid, Refused
from ila.schemes.policy import EmploymentStatus, WorkBasis

NO_END = date.max
"""The end, excluded, of a fact that holds until further notice."""

OLDEST_AGE = 120
"""Years; nobody's birth lies further back than this before the day of the fact."""

CRITERIA: frozenset[str] = frozenset(
    {
        "age_40_plus",
        "age_over_50",
        "basic_skills",
        "caregiver",
        "digital_gap",
        "disabled",
        "fixed_term",
        "in_education",
        "inactive",
        "literacy_gap",
        "long_term_unemployed",
        "low_income",
        "low_qualified",
        "migrant",
        "neet",
        "other_programme",
        "part_time",
        "platform_worker",
        "region",
        "returner",
        "sector_at_risk",
        "self_employed",
        "single_parent",
        "unemployed",
        "young",
    }
)
"""The words every platform knows. A scheme whose files name further criteria adds them; see `require_criterion`."""


class AccountStatus(StrEnum):
    """Whether the account can receive and spend."""

    OPEN = "open"
    CLOSED = "closed"


class ClosingReason(StrEnum):
    """Why an account is closed."""

    DEATH = "death"
    RETIREMENT = "retirement"
    AGE = "age"
    REQUEST = "request"
    DUPLICATE = "duplicate"


class EvidenceSource(StrEnum):
    """Where an attestation comes from, strongest first."""

    REGISTER = "register"
    ATTESTATION = "attestation"
    DECLARATION = "declaration"


class ChangeKind(StrEnum):
    """What changed facts."""

    OPENING = "opening"
    IMPORT = "import"
    ATTESTATION = "attestation"
    WORK = "work"
    CORRECTION = "correction"
    CLOSING = "closing"
    REOPENING = "reopening"


class UnknownCriterion(Refused):
    """Neither the platform nor a scheme knows a need criterion of this name."""

    code = "unknown_criterion"


class InvalidPeriod(Invalid):
    """A period ends before it begins, or is longer than it may be."""

    code = "invalid_period"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is said of a citizen over some days. None is "not known"; income in minor units a year."""

    born_on: date
    resides_here: bool
    works_here: bool
    national: bool
    employment_status: EmploymentStatus
    qualification_level: int | None = None
    income_minor: int | None = None
    category: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """An attestation of a need criterion: its source and the days it holds, the end excluded."""

    criterion: str
    source: EvidenceSource
    valid_from: date
    valid_until: date = NO_END


@dataclass(frozen=True, slots=True)
class Work:
    """Working time of one job in a stretch of a calendar year. `reference` None: that of the scheme."""

    basis: WorkBasis
    worked: Decimal
    reference: Decimal | None
    valid_from: date
    valid_until: date
    job_no: int = 1


class Stretch(Protocol):
    """Something that holds from a day until a day, the last excluded."""

    @property
    def valid_from(self) -> date:
        """The first day on which it holds."""

    @property
    def valid_until(self) -> date:
        """The first day on which it holds no more."""


Held = TypeVar("Held", bound=Stretch)


@dataclass(frozen=True, slots=True)
class Piece(Generic[Held]):
    """A part of what was known that stays, now over a shorter stretch."""

    of: Held
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True)
class Correction(Generic[Held]):
    """What a correction does to what was known: whole stretches superseded, and the parts of them that stay."""

    superseded: tuple[Held, ...]
    kept: tuple[Piece[Held], ...]


def correction(known: Sequence[Held], valid_from: date, valid_until: date) -> Correction[Held]:
    """Cut the stretch between two days out of what is known; what lies before and after it stays as it was."""
    superseded = tuple(
        stretch for stretch in known if stretch.valid_from < valid_until and stretch.valid_until > valid_from
    )
    before = (
        Piece(stretch, stretch.valid_from, valid_from) for stretch in superseded if stretch.valid_from < valid_from
    )
    after = (
        Piece(stretch, valid_until, stretch.valid_until) for stretch in superseded if stretch.valid_until > valid_until
    )
    return Correction(superseded, (*before, *after))


def require_period(valid_from: date, valid_until: date) -> None:
    """Raise `InvalidPeriod` unless the period holds at least one day."""
    if valid_from >= valid_until:
        raise InvalidPeriod(
            f"The period ends on {valid_until} and begins on {valid_from}; the end, excluded, has to come after it.",
            valid_from=valid_from,
            valid_until=valid_until,
        )


def require_calendar_year(valid_from: date, valid_until: date) -> None:
    """Raise `InvalidPeriod` unless the period lies in one calendar year, so that no year counts work twice."""
    require_period(valid_from, valid_until)
    if valid_until > date(valid_from.year + 1, 1, 1):
        raise InvalidPeriod(
            f"Working time from {valid_from} until {valid_until} is of more than one calendar year;"
            " record each year by itself.",
            valid_from=valid_from,
            valid_until=valid_until,
        )


def require_criterion(criterion: str, of_schemes: Collection[str] = ()) -> None:
    """Raise `UnknownCriterion` unless the platform or a scheme knows this need criterion."""
    if criterion not in CRITERIA and criterion not in of_schemes:
        known = ", ".join(sorted(CRITERIA | set(of_schemes)))
        raise UnknownCriterion(f"There is no need criterion {criterion!r}; it must be one of {known}.")


def require_birth(born_on: date, on: date) -> None:
    """Raise `Invalid` where nobody who lives on a day can have been born on the other."""
    if fault := birth_fault(born_on, on):
        raise Invalid(f"The day of birth {born_on} {fault}; correct it.", born_on=born_on)


def birth_fault(born_on: date, on: date) -> str | None:
    """Say what is wrong with a day of birth as known on a day; None where nothing is."""
    if born_on > on:
        return f"lies after {on}"
    if born_on.year < on.year - OLDEST_AGE:
        return f"would make an age above {OLDEST_AGE} on {on}"
    return None
