"""The reading of one citizen: who gets a credit, what working time makes of it, what rounding and ceilings leave."""

import doctest
import importlib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila import clock
from ila.schemes import rules
from ila.schemes.policy import (
    AccrualMode,
    AgeBasis,
    AllocationPolicy,
    Effect,
    EmploymentStatus,
    Expiry,
    OnCeiling,
    Prorata,
    ProrataMode,
    Reason,
    ResidenceRule,
    Validity,
    WorkBasis,
)
from ila.schemes.rules import CitizenFacts, Counted, WorkRecord
from tests.unit.schemes.policies import (
    CITIZEN,
    NOTHING,
    ON,
    POLICY,
    attested,
    eligibility,
    line_of,
    need,
    with_needs,
)


@pytest.mark.parametrize("module", ["rules", "weighting", "working_time", "values", "strict_yaml"])
def test_the_examples_in_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"ila.schemes.{module}"))

    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("policy", "facts", "counted", "reason"),
    [
        (POLICY, CITIZEN, NOTHING, None),
        (POLICY, replace(CITIZEN, open=False), NOTHING, Reason.CLOSED),
        (POLICY, replace(CITIZEN, born_on=date(2008, 1, 2)), NOTHING, Reason.AGE_OUT_OF_RANGE),
        (POLICY, replace(CITIZEN, born_on=date(1958, 1, 1)), NOTHING, Reason.AGE_OUT_OF_RANGE),
        (POLICY, replace(CITIZEN, resides_here=False), NOTHING, Reason.NOT_RESIDENT),
        (
            eligibility(residence_rule=ResidenceRule.RESIDES_OR_WORKS),
            replace(CITIZEN, resides_here=False),
            NOTHING,
            None,
        ),
        (
            eligibility(residence_rule=ResidenceRule.NONE),
            replace(CITIZEN, resides_here=False, works_here=False),
            NOTHING,
            None,
        ),
        (eligibility(nationals_only=True), replace(CITIZEN, national=False), NOTHING, Reason.NOT_NATIONAL),
        (
            eligibility(statuses_allowed=frozenset({EmploymentStatus.JOBSEEKER})),
            CITIZEN,
            NOTHING,
            Reason.STATUS_NOT_COVERED,
        ),
        (eligibility(income_floor_minor=100), replace(CITIZEN, income_minor=99), NOTHING, Reason.INCOME_TOO_LOW),
        (eligibility(income_floor_minor=100), replace(CITIZEN, income_minor=100), NOTHING, None),
        (eligibility(income_ceiling_minor=100), replace(CITIZEN, income_minor=101), NOTHING, Reason.INCOME_TOO_HIGH),
        (eligibility(income_ceiling_minor=100), replace(CITIZEN, income_minor=100), NOTHING, None),
        (eligibility(income_ceiling_minor=100), CITIZEN, NOTHING, Reason.INCOME_TOO_HIGH),
        (eligibility(income_floor_minor=1, income_ceiling_minor=100), CITIZEN, NOTHING, Reason.INCOME_TOO_LOW),
        (eligibility(qualification_min=4), CITIZEN, NOTHING, Reason.QUALIFICATION_OUT_OF_RANGE),
        (eligibility(qualification_max=4), CITIZEN, NOTHING, Reason.QUALIFICATION_OUT_OF_RANGE),
        (
            eligibility(qualification_min=4),
            replace(CITIZEN, qualification_level=3),
            NOTHING,
            Reason.QUALIFICATION_OUT_OF_RANGE,
        ),
        (
            eligibility(qualification_max=4),
            replace(CITIZEN, qualification_level=5),
            NOTHING,
            Reason.QUALIFICATION_OUT_OF_RANGE,
        ),
        (eligibility(exclusions=("in_education",)), attested("in_education"), NOTHING, Reason.EXCLUDED),
        (eligibility(exclusions=("in_education",)), attested("disabled"), NOTHING, None),
        (
            replace(POLICY, accrual_mode=AccrualMode.ONE_OFF_COHORT),
            CITIZEN,
            Counted(0, already_credited=True),
            Reason.ALREADY_CREDITED,
        ),
        (POLICY, CITIZEN, Counted(0, already_credited=True), None),
        (replace(POLICY, prorata=Prorata(ProrataMode.LINEAR, None, {})), CITIZEN, NOTHING, Reason.NO_WORK_RECORD),
    ],
)
def test_the_reason_of_each_refusal(
    policy: AllocationPolicy, facts: CitizenFacts, counted: Counted, reason: Reason | None
) -> None:
    line = line_of(policy, facts, counted)

    assert line.reason == reason
    assert rules.is_eligible(policy, facts, counted) is (reason is None)
    assert line.amount_minor == (50_000 if reason is None else 0)


def test_the_first_reason_that_applies_is_the_one_given() -> None:
    strict = eligibility(
        nationals_only=True,
        statuses_allowed=frozenset({EmploymentStatus.STUDENT}),
        income_ceiling_minor=1,
        qualification_min=8,
        exclusions=("disabled",),
    )
    strict = replace(
        strict,
        accrual_mode=AccrualMode.ONE_OFF_COHORT,
        prorata=Prorata(ProrataMode.LINEAR, None, {}),
    )
    worst = replace(
        attested("disabled"),
        open=False,
        born_on=date(2020, 1, 1),
        resides_here=False,
        national=False,
        income_minor=2,
    )
    repairs: list[dict[str, object]] = [
        {},
        {"open": True},
        {"born_on": date(1986, 1, 1)},
        {"resides_here": True},
        {"national": True},
        {"employment_status": EmploymentStatus.STUDENT},
        {"income_minor": 1},
        {"qualification_level": 8},
        {"attested": frozenset()},
    ]
    given_reasons = []
    facts = worst
    for repair in repairs:
        facts = replace(facts, **repair)  # type: ignore[arg-type]
        given_reasons.append(line_of(strict, facts, Counted(0, already_credited=True)).reason)
    given_reasons.append(line_of(strict, facts).reason)

    assert given_reasons == [
        Reason.CLOSED,
        Reason.AGE_OUT_OF_RANGE,
        Reason.NOT_RESIDENT,
        Reason.NOT_NATIONAL,
        Reason.STATUS_NOT_COVERED,
        Reason.INCOME_TOO_HIGH,
        Reason.QUALIFICATION_OUT_OF_RANGE,
        Reason.EXCLUDED,
        Reason.ALREADY_CREDITED,
        Reason.NO_WORK_RECORD,
    ]


@pytest.mark.parametrize(
    ("basis", "as_at", "age"),
    [
        (AgeBasis.BIRTHDAY, None, 25),
        (AgeBasis.YEAR_OF_BIRTH, None, 26),
        (AgeBasis.AS_AT_DATE, date(2020, 12, 31), 20),
    ],
)
def test_an_age_is_taken_by_its_basis(basis: AgeBasis, as_at: date | None, age: int) -> None:
    line = line_of(eligibility(age_basis=basis, as_at=as_at), replace(CITIZEN, born_on=date(2000, 6, 1)))

    assert line.age == age


@given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.integers(0, 100))
def test_an_age_turns_on_the_birthday(born_on: date, years: int) -> None:
    leap_born = (born_on.month, born_on.day) == (2, 29)
    try:
        birthday = born_on.replace(year=born_on.year + years)
    except ValueError:
        birthday = date(born_on.year + years, 3, 1)

    assert rules.age_on(born_on, birthday) == years
    assert rules.age_on(born_on, birthday - timedelta(days=1)) == years - 1
    assert leap_born or birthday.day == born_on.day


@pytest.mark.parametrize(
    ("mode", "threshold", "worked", "ratio"),
    [
        (ProrataMode.LINEAR, None, "40", Fraction(2, 5)),
        (ProrataMode.LINEAR, None, "130", Fraction(1)),
        (ProrataMode.THRESHOLD_THEN_FULL, "0.5", "49.9", Fraction(499, 1000)),
        (ProrataMode.THRESHOLD_THEN_FULL, "0.5", "50", Fraction(1)),
        (ProrataMode.LINEAR_CAPPED, "0.5", "40", Fraction(4, 5)),
        (ProrataMode.LINEAR_CAPPED, "0.5", "50", Fraction(1)),
    ],
)
def test_working_time_counts_by_its_mode(
    mode: ProrataMode, threshold: str | None, worked: str, ratio: Fraction
) -> None:
    prorata = Prorata(mode, None if threshold is None else Decimal(threshold), {WorkBasis.PERCENT: Decimal(100)})
    facts = replace(CITIZEN, work_records=(WorkRecord(WorkBasis.PERCENT, Decimal(worked)),))

    line = line_of(replace(POLICY, prorata=prorata), facts)

    assert line.ratio == ratio
    assert line.prorated == 50_000 * ratio


def test_a_record_without_any_reference_is_left_out() -> None:
    prorata = Prorata(ProrataMode.LINEAR, None, {WorkBasis.HOURS: Decimal(1600)})
    months = WorkRecord(WorkBasis.MONTHS, Decimal(12))
    hours = WorkRecord(WorkBasis.HOURS, Decimal(400))
    policy = replace(POLICY, prorata=prorata)

    assert line_of(policy, replace(CITIZEN, work_records=(months,))).reason is Reason.NO_WORK_RECORD
    assert line_of(policy, replace(CITIZEN, work_records=(months, hours))).ratio == Fraction(1, 4)
    own = replace(months, reference=Decimal(48))
    assert line_of(policy, replace(CITIZEN, work_records=(own, hours))).ratio == Fraction(1, 2)


def test_an_amount_is_rounded_once_and_before_it_is_cut() -> None:
    odd = with_needs(need("a", Effect.MULTIPLY, factor="1.00001"), need("b", Effect.MULTIPLY, factor="1.00001"))

    assert line_of(odd, attested("a")).amount_minor == 50_001  # 50000.5
    assert line_of(odd, attested("a", "b")).amount_minor == 50_001  # 50001, not 50002


@pytest.mark.parametrize(("minimum", "amount", "reason"), [(50_000, 50_000, None), (50_001, 0, Reason.BELOW_MINIMUM)])
def test_below_the_minimum_nothing_is_credited(minimum: int, amount: int, reason: Reason | None) -> None:
    line = line_of(replace(POLICY, min_credit_minor=minimum))

    assert (line.amount_minor, line.reason, line.rounded_minor) == (amount, reason, 50_000)


def test_an_amount_of_nothing_is_below_every_minimum() -> None:
    prorata = Prorata(ProrataMode.LINEAR, None, {WorkBasis.PERCENT: Decimal(100)})
    idle = replace(CITIZEN, work_records=(WorkRecord(WorkBasis.PERCENT, Decimal(0)),))

    line = line_of(replace(POLICY, prorata=prorata, min_credit_minor=0), idle)

    assert (line.amount_minor, line.reason) == (0, Reason.BELOW_MINIMUM)


@pytest.mark.parametrize(
    ("on_ceiling", "counted", "amount", "reason"),
    [
        (OnCeiling.TRUNCATE, 450_000, 50_000, None),
        (OnCeiling.TRUNCATE, 450_001, 49_999, Reason.CEILING),
        (OnCeiling.TRUNCATE, 600_000, 0, Reason.CEILING),
        (OnCeiling.STOP_UNTIL_BELOW, 499_999, 50_000, None),
        (OnCeiling.STOP_UNTIL_BELOW, 500_000, 0, Reason.CEILING),
    ],
)
def test_the_ceiling_lowers_a_credit_and_says_so(
    on_ceiling: OnCeiling, counted: int, amount: int, reason: Reason | None
) -> None:
    policy = replace(POLICY, ceiling=replace(POLICY.ceiling, on_ceiling=on_ceiling))

    line = line_of(policy, counted=Counted(counted, already_credited=False))

    assert (line.amount_minor, line.reason, line.room_minor) == (amount, reason, max(500_000 - counted, 0))


def test_a_need_that_holds_may_raise_the_ceiling_and_never_lowers_it() -> None:
    raised = with_needs(need("need", Effect.ADD, amount_minor=0, ceiling_minor=800_000))
    lowered = with_needs(need("need", Effect.ADD, amount_minor=0, ceiling_minor=100))

    assert line_of(raised, attested("need")).ceiling_minor == 800_000
    assert line_of(raised).ceiling_minor == 500_000
    assert line_of(lowered, attested("need")).ceiling_minor == 500_000


def test_without_a_ceiling_there_is_no_room_to_tell() -> None:
    line = line_of(replace(POLICY, ceiling=replace(POLICY.ceiling, amount_minor=None)))

    assert (line.ceiling_minor, line.room_minor, line.amount_minor) == (None, None, 50_000)


@pytest.mark.parametrize(
    ("expiry", "credited_on", "last_day"),
    [
        (Expiry(Validity.NONE, None, None, None, ()), ON, clock.NEVER),
        (Expiry(Validity.FIXED_DATE, None, None, date(2025, 12, 31), ()), ON, date(2025, 12, 31)),
        (Expiry(Validity.MONTHS_SINCE_CREDIT, 1, None, None, ()), date(2026, 1, 31), date(2026, 2, 28)),
        (Expiry(Validity.MONTHS_SINCE_CREDIT, 13, None, None, ()), date(2026, 11, 30), date(2027, 12, 30)),
        (Expiry(Validity.WINDOW, None, 3, None, ()), date(2024, 2, 29), date(2027, 2, 28)),
        (Expiry(Validity.WINDOW, None, 4, None, ()), date(2024, 2, 29), date(2028, 2, 29)),
    ],
)
def test_a_credit_expires_by_its_validity(expiry: Expiry, credited_on: date, last_day: date) -> None:
    assert rules.expires_on(replace(POLICY, expiry=expiry), credited_on) == last_day


@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)), st.integers(0, 400))
def test_months_later_is_the_same_day_number_or_the_last_of_the_month(day: date, months: int) -> None:
    later = rules.months_later(day, months)

    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
