"""The reading of one citizen: from a policy and the facts of a day to an amount, with every step.

This is the oracle for the SELECT that reads all citizens at once: both follow the same steps in the same order, and
both are exact. Amounts are minor units of the scheme's unit; between base and rounding they are `Fraction`s.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from ila.money import Rounding, round_minor
from ila.schemes.facts import CitizenFacts, Counted, WorkRecord
from ila.schemes.policy import (
    AccrualMode,
    AgeBasis,
    AllocationPolicy,
    Effect,
    Eligibility,
    NeedWeight,
    OnCeiling,
    ProrataMode,
    Reason,
    ResidenceRule,
    Validity,
)
from ila.schemes.weighting import (
    ONE,
    ZERO,
    HeldNeed,
    amount_of,
    applied_needs,
    holds,
    taper_share,
    weighted_amount,
)
from ila.schemes.working_time import prorata_ratio, usable_records, working_time_ratio

__all__ = [
    "AllocationLine",
    "CitizenFacts",
    "Conversion",
    "Counted",
    "HeldNeed",
    "WorkRecord",
    "age_by_basis",
    "age_on",
    "allocation_line",
    "claim",
    "convert",
    "expires_on",
    "holds",
    "is_eligible",
    "merged_balances",
    "months_later",
    "prorata_ratio",
    "taper_share",
    "working_time_ratio",
]

NO_EXPIRY = date.max
"""The same day as `clock.NEVER`, which a rule may not import: the expiry of what does not expire."""


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """One credit for one citizen, step by step. Where a reason of eligibility stands, the steps after it are zero.

    `amount_minor` is zero exactly where `reason` says why; with `Reason.CEILING` it may also be what was left.
    """

    reason: Reason | None
    age: int
    base_minor: int = 0
    ratio: Fraction = ZERO  # of working time, by the policy's mode
    prorated: Fraction = ZERO
    needs: tuple[HeldNeed, ...] = ()
    weight: Fraction = ONE  # weighted / prorated; 1 where nothing is prorated
    weighted: Fraction = ZERO
    rounded_minor: int = 0
    ceiling_minor: int | None = None
    counted_minor: int = 0
    room_minor: int | None = None
    amount_minor: int = 0
    expires_on: date | None = None


def allocation_line(
    policy: AllocationPolicy, facts: CitizenFacts, counted: Counted, credited_on: date
) -> AllocationLine:
    """Return what a policy gives one citizen, with every step.

    1. Eligibility: the first reason of `ineligible_because` ends the line.
    2. Base: the policy's, or the largest `set_base` among the needs that hold.
    3. Ratio of working time, and prorated = base * ratio.
    4. Needs: additions and factors, combined and capped.
    5. Rounded once to minor units; below `min_credit_minor`, and at 0, it is nothing and BELOW_MINIMUM.
    6. Ceiling: the policy's, or a higher one of a need that holds; room = ceiling - counted, at least 0. TRUNCATE
       cuts to the room; STOP_UNTIL_BELOW gives nothing at or above the ceiling and the whole amount below it.
       Whenever the amount was lowered the reason is CEILING.
    """
    age = age_by_basis(policy.eligibility, facts.born_on, policy.on)
    reason = ineligible_because(policy, facts, counted, age)
    if reason is not None:
        return AllocationLine(reason, age, counted_minor=counted.counted_minor)

    held = [need for need in policy.needs if holds(need, facts, age)]
    base_minor = max((amount_of(need) for need in held if need.effect is Effect.SET_BASE), default=policy.base_minor)
    ratio = prorata_ratio(policy.prorata, working_time_ratio(facts.work_records, policy.prorata))
    prorated = base_minor * ratio
    needs = applied_needs(held, prorated, ratio, facts, age, policy.combination)
    weighted = weighted_amount(needs, prorated, policy.combination, policy.weight_cap)
    rounded_minor = round_minor(weighted, policy.rounding)

    ceiling_minor = ceiling_of(policy, held)
    room_minor = None if ceiling_minor is None else max(ceiling_minor - counted.counted_minor, 0)
    amount_minor, reason = rounded_minor, None
    if rounded_minor < max(policy.min_credit_minor, 1):
        amount_minor, reason = 0, Reason.BELOW_MINIMUM
    elif room_minor is not None and rounded_minor > under_ceiling(rounded_minor, room_minor, policy.ceiling.on_ceiling):
        amount_minor = under_ceiling(rounded_minor, room_minor, policy.ceiling.on_ceiling)
        reason = Reason.CEILING
    return AllocationLine(
        reason=reason,
        age=age,
        base_minor=base_minor,
        ratio=ratio,
        prorated=prorated,
        needs=needs,
        weight=weighted / prorated if prorated else ONE,
        weighted=weighted,
        rounded_minor=rounded_minor,
        ceiling_minor=ceiling_minor,
        counted_minor=counted.counted_minor,
        room_minor=room_minor,
        amount_minor=amount_minor,
        expires_on=expires_on(policy, credited_on),
    )


def is_eligible(policy: AllocationPolicy, facts: CitizenFacts, counted: Counted) -> bool:
    """Tell whether the policy gives this citizen a line, whatever the amount."""
    age = age_by_basis(policy.eligibility, facts.born_on, policy.on)
    return ineligible_because(policy, facts, counted, age) is None


def ineligible_because(policy: AllocationPolicy, facts: CitizenFacts, counted: Counted, age: int) -> Reason | None:
    """Return the first reason, in this order, for which a citizen gets no credit; None for the eligible.

    An income or a qualification that is not known fails every bound that is set: INCOME_TOO_LOW where there is a
    floor, INCOME_TOO_HIGH where there is only a ceiling, QUALIFICATION_OUT_OF_RANGE. ALREADY_CREDITED concerns
    cohorts alone. NO_WORK_RECORD: working time matters and no record has a reference, its own or the policy's.
    """
    rules = policy.eligibility
    income, level = facts.income_minor, facts.qualification_level
    here = facts.resides_here or (rules.residence_rule is ResidenceRule.RESIDES_OR_WORKS and facts.works_here)
    refusals: Iterable[tuple[Reason, bool]] = (
        (Reason.CLOSED, not facts.open),
        (Reason.AGE_OUT_OF_RANGE, not _within(age, rules.min_age, rules.max_age)),
        (Reason.NOT_RESIDENT, rules.residence_rule is not ResidenceRule.NONE and not here),
        (Reason.NOT_NATIONAL, rules.nationals_only and not facts.national),
        (
            Reason.STATUS_NOT_COVERED,
            bool(rules.statuses_allowed) and facts.employment_status not in rules.statuses_allowed,
        ),
        (
            Reason.INCOME_TOO_LOW,
            rules.income_floor_minor is not None and (income is None or income < rules.income_floor_minor),
        ),
        (
            Reason.INCOME_TOO_HIGH,
            rules.income_ceiling_minor is not None and (income is None or income > rules.income_ceiling_minor),
        ),
        (
            Reason.QUALIFICATION_OUT_OF_RANGE,
            not _within(level, rules.qualification_min, rules.qualification_max),
        ),
        (Reason.EXCLUDED, not facts.attested.isdisjoint(rules.exclusions)),
        (Reason.ALREADY_CREDITED, policy.accrual_mode is AccrualMode.ONE_OFF_COHORT and counted.already_credited),
        (
            Reason.NO_WORK_RECORD,
            policy.prorata.mode is not ProrataMode.NONE and not usable_records(facts.work_records, policy.prorata),
        ),
    )
    return next((reason for reason, refused in refusals if refused), None)


def age_on(born_on: date, on: date) -> int:
    """Return completed years; who was born on 29 February turns a year older on 1 March of a common year.

    >>> age_on(date(2000, 2, 29), date(2018, 2, 28)), age_on(date(2000, 2, 29), date(2018, 3, 1))
    (17, 18)
    """
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def age_by_basis(eligibility: Eligibility, born_on: date, on: date) -> int:
    """Return the age that the policy speaks of, also in its needs and tapers.

    Completed years on the reference day, completed years on a fixed day, or calendar year minus year of birth.
    """
    match eligibility.age_basis:
        case AgeBasis.BIRTHDAY:
            return age_on(born_on, on)
        case AgeBasis.YEAR_OF_BIRTH:
            return on.year - born_on.year
        case AgeBasis.AS_AT_DATE:
            assert eligibility.as_at is not None, "an age as at a date needs the date"
            return age_on(born_on, eligibility.as_at)


def ceiling_of(policy: AllocationPolicy, held: Iterable[NeedWeight]) -> int | None:
    """Return the ceiling of a citizen: the policy's, or the highest of the needs that hold. None: no ceiling."""
    if policy.ceiling.amount_minor is None:
        return None
    own = [need.ceiling_minor for need in held if need.ceiling_minor is not None]
    return max([policy.ceiling.amount_minor, *own])


def under_ceiling(amount_minor: int, room_minor: int, on_ceiling: OnCeiling) -> int:
    """Return what of an amount may be credited with this room under the ceiling.

    >>> under_ceiling(50_000, 20_000, OnCeiling.TRUNCATE), under_ceiling(50_000, 1, OnCeiling.STOP_UNTIL_BELOW)
    (20000, 50000)
    """
    match on_ceiling:
        case OnCeiling.TRUNCATE:
            return min(amount_minor, room_minor)
        case OnCeiling.STOP_UNTIL_BELOW:
            return amount_minor if room_minor > 0 else 0


def expires_on(policy: AllocationPolicy, credited_on: date) -> date:
    """Return the last day on which a credit made on a day may be used; `date.max` where it never expires."""
    expiry = policy.expiry
    match expiry.validity:
        case Validity.NONE:
            return NO_EXPIRY
        case Validity.FIXED_DATE:
            assert expiry.fixed_on is not None, "a fixed expiry needs its day"
            return expiry.fixed_on
        case Validity.MONTHS_SINCE_CREDIT:
            assert expiry.months is not None, "a life in months needs their number"
            return months_later(credited_on, expiry.months)
        case Validity.WINDOW:
            assert expiry.years is not None, "a window needs its years"
            return months_later(credited_on, 12 * expiry.years)


def months_later(day: date, months: int) -> date:
    """Return the same day number so many months later, or the last day of a shorter month.

    >>> months_later(date(2026, 1, 31), 1), months_later(date(2024, 2, 29), 12)
    (datetime.date(2026, 2, 28), datetime.date(2025, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Conversion:
    """Hours of one scheme as money of another, in its minor units."""

    amount_minor: int
    reason: Reason | None


def convert(hours: int, rate_minor: Decimal, balance_minor: int, ceiling_minor: int | None) -> Conversion:
    """Return what hours become at a rate per hour, cut to the room under the ceiling; rounds half up.

    >>> convert(60, Decimal(1500), 0, 500_000)
    Conversion(amount_minor=90000, reason=None)
    """
    whole_minor = round_minor(hours * rate_minor, Rounding.HALF_UP)
    if ceiling_minor is None:
        return Conversion(whole_minor, None)
    amount_minor = min(whole_minor, max(ceiling_minor - balance_minor, 0))
    return Conversion(amount_minor, Reason.CEILING if amount_minor < whole_minor else None)


def claim(limit_minor: int, fees_minor: int, public_percent: Decimal, rounding: Rounding = Rounding.HALF_UP) -> int:
    """Return what may be claimed of fees paid: their public share, at most the limit accumulated.

    >>> claim(100_000, 120_000, Decimal(50)), claim(100_000, 240_000, Decimal(50))
    (60000, 100000)
    """
    return min(limit_minor, round_minor(fees_minor * public_percent / 100, rounding))


def merged_balances(available_minor: Mapping[str, int], merged_into: Mapping[str, str]) -> dict[str, int]:
    """Return balances by credit after what is left of some credits went into others.

    >>> merged_balances({"mid_career": 400_000, "additional_2020": 20_000}, {"additional_2020": "mid_career"})
    {'mid_career': 420000}
    """
    balances: dict[str, int] = {}
    for code, amount_minor in available_minor.items():
        heir = merged_into.get(code, code)
        balances[heir] = balances.get(heir, 0) + amount_minor
    return balances


def _within(number: int | None, lowest: int | None, highest: int | None) -> bool:
    if lowest is None and highest is None:
        return True
    if number is None:
        return False
    return (lowest is None or number >= lowest) and (highest is None or number <= highest)
