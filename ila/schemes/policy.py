"""What a scheme says on one day: the dated parameters, resolved and typed.

`ParameterSet.policy(credit_code, on)` makes an `AllocationPolicy`. Both readings of the law take it: `rules.py`
for one citizen in Python, `allocations.queries.entitlement_lines` for all of them in SQL. The steps and their
order are those of the house's field reference: eligible, base, working time, need, rounding, ceiling, expiry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from ila.money import Rounding


class AccrualMode(StrEnum):
    """Why a credit arises."""

    ANNUAL_ARREARS = "annual_arrears"  # the facts of a period, credited after it
    ANNUAL_ADVANCE = "annual_advance"  # credited when the period begins
    ONE_OFF_COHORT = "one_off_cohort"  # once in a life, for a cohort
    ON_REQUEST = "on_request"  # when the citizen asks, at most once a period


class AgeBasis(StrEnum):
    """How an age is taken."""

    BIRTHDAY = "birthday"  # completed years on the reference day
    YEAR_OF_BIRTH = "year_of_birth"  # calendar year minus year of birth
    AS_AT_DATE = "as_at_date"  # completed years on a fixed day


class ResidenceRule(StrEnum):
    """Who belongs to the scheme."""

    NONE = "none"
    RESIDES = "resides"
    RESIDES_OR_WORKS = "resides_or_works"


class EmploymentStatus(StrEnum):
    """The citizen's main status in the labour market on a day."""

    EMPLOYEE = "employee"
    SELF_EMPLOYED = "self_employed"
    PUBLIC_AGENT = "public_agent"
    JOBSEEKER = "jobseeker"
    INACTIVE = "inactive"
    STUDENT = "student"
    RETIRED = "retired"


class WorkBasis(StrEnum):
    """What a record of working time counts."""

    HOURS = "hours"
    DAYS = "days"
    PAY = "pay"  # pay received over reference pay, both in minor units
    MONTHS = "months"
    PERCENT = "percent"  # of a full post


class ProrataMode(StrEnum):
    """Use of working time."""

    NONE = "none"
    LINEAR = "linear"
    THRESHOLD_THEN_FULL = "threshold_then_full"  # at the threshold and above: full; below: linear (a cliff)
    LINEAR_CAPPED = "linear_capped"  # min(1, ratio / threshold): the same reach without the cliff


class Effect(StrEnum):
    """What a need criterion does to the amount."""

    SET_BASE = "set_base"
    ADD = "add"
    MULTIPLY = "multiply"


class Combination(StrEnum):
    """How several `add` and `multiply` effects combine. Of several `set_base` effects the largest always holds."""

    MAX = "max"  # the single effect that gives most
    SUM = "sum"  # factors by their excess over 1: 1 + sum(factor - 1); additions added
    SEQUENTIAL = "sequential"  # one after the other, in the order of the file
    PRIORITY = "priority"  # the first that applies, in the order of the file


class CeilingScope(StrEnum):
    """Which entitlements count against the ceiling."""

    OWN_ACCRUAL = "own_accrual"  # available balance of the scheme's own credits
    ALL_ENTITLEMENTS = "all_entitlements"  # the same with contributions of third parties
    LIFETIME_ACCRUAL = "lifetime_accrual"  # everything the scheme ever granted, spent or not


class OnCeiling(StrEnum):
    """What happens at the ceiling."""

    TRUNCATE = "truncate"  # cut to the room left
    STOP_UNTIL_BELOW = "stop_until_below"  # nothing at or above the ceiling, the whole amount below it


class Validity(StrEnum):
    """When an entitlement expires. Its last day is usable."""

    NONE = "none"
    FIXED_DATE = "fixed_date"
    MONTHS_SINCE_CREDIT = "months_since_credit"
    WINDOW = "window"  # whole years since the credit


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Who gets a credit. Ages are whole years, both included; amounts are minor units a year."""

    age_basis: AgeBasis
    as_at: date | None
    min_age: int | None
    max_age: int | None
    residence_rule: ResidenceRule
    nationals_only: bool
    statuses_allowed: frozenset[EmploymentStatus]  # empty: every status
    income_floor_minor: int | None
    income_ceiling_minor: int | None
    qualification_min: int | None
    qualification_max: int | None
    exclusions: tuple[str, ...]  # attested criteria that exclude, such as `other_programme`


@dataclass(frozen=True, slots=True)
class Prorata:
    """Use of working time: `ratio = sum of worked / reference over the citizen's records`, at most 1."""

    mode: ProrataMode
    threshold: Decimal | None
    references: Mapping[WorkBasis, Decimal]  # 100 % of a year, where the record itself names none


@dataclass(frozen=True, slots=True)
class NeedCondition:
    """When a need criterion holds: every part that is not None must. All None and `attested`: the attestation alone."""

    attested: bool  # an attestation of this criterion is valid on the reference day, whatever its source
    qualification_level_below: int | None = None
    category: str | None = None
    statuses: frozenset[EmploymentStatus] = frozenset()
    age_from: int | None = None
    age_until: int | None = None  # excluded
    income_below_minor: int | None = None
    regions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Taper:
    """A factor that fades without a cliff: whole at `full_at`, 1 at `none_at`, linear in between.

    `fact` is `income` (minor units a year) or `age` (years). `full_at` may lie on either side of `none_at`.
    """

    fact: str
    full_at: int
    none_at: int


@dataclass(frozen=True, slots=True)
class NeedWeight:
    """The effect of one need criterion, with the law that grants it."""

    criterion: str
    condition: NeedCondition
    effect: Effect
    amount_minor: int | None  # set_base, add
    factor: Decimal | None  # multiply
    taper: Taper | None  # multiply only
    prorate_bonus: bool  # add only: is the addition multiplied by the working-time ratio
    ceiling_minor: int | None  # the ceiling while the criterion holds, if higher
    evidence_source: str  # register, attestation or declaration
    evidence_months: int | None
    reference: str  # as shown in explanations


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may accumulate. `amount_minor` None: no ceiling."""

    amount_minor: int | None
    scope: CeilingScope
    on_ceiling: OnCeiling


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a credit of this policy expires; exactly the field that `validity` needs is set."""

    validity: Validity
    months: int | None
    years: int | None
    fixed_on: date | None
    notice_days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AllocationPolicy:
    """Everything that decides one credit of a scheme on one reference day."""

    scheme: str
    credit_code: str
    on: date
    unit: str  # ISO 4217 code or `hours`
    minor_units: int
    time_zone: str
    digest: bytes  # of the parameter set it was resolved from
    accrual_mode: AccrualMode
    eligibility: Eligibility
    base_minor: int
    prorata: Prorata
    needs: tuple[NeedWeight, ...]
    combination: Combination
    weight_cap: Decimal | None  # the needs may raise the prorated base at most this many times
    rounding: Rounding
    min_credit_minor: int
    ceiling: Ceiling
    expiry: Expiry
    references: Mapping[str, str]  # parameter -> "title, article" in force, for explanations


class Reason(StrEnum):
    """Why a line is zero or was lowered. Codes are stable; texts are translated at the edges."""

    CEILING = "CEILING"
    CLOSED = "CLOSED"
    AGE_OUT_OF_RANGE = "AGE_OUT_OF_RANGE"
    NOT_RESIDENT = "NOT_RESIDENT"
    NOT_NATIONAL = "NOT_NATIONAL"
    STATUS_NOT_COVERED = "STATUS_NOT_COVERED"
    INCOME_TOO_LOW = "INCOME_TOO_LOW"
    INCOME_TOO_HIGH = "INCOME_TOO_HIGH"
    QUALIFICATION_OUT_OF_RANGE = "QUALIFICATION_OUT_OF_RANGE"
    EXCLUDED = "EXCLUDED"
    ALREADY_CREDITED = "ALREADY_CREDITED"
    NO_WORK_RECORD = "NO_WORK_RECORD"
    BELOW_MINIMUM = "BELOW_MINIMUM"
