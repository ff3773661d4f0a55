"""The reading of one citizen: the example of each rule, and what must hold for every policy and every citizen."""

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
from ila.money import Rounding
from ila.schemes import rules
from ila.schemes.policy import (
    AccrualMode,
    AgeBasis,
    AllocationPolicy,
    Ceiling,
    CeilingScope,
    Combination,
    Effect,
    Eligibility,
    EmploymentStatus,
    Expiry,
    NeedCondition,
    NeedWeight,
    OnCeiling,
    Prorata,
    ProrataMode,
    Reason,
    ResidenceRule,
    Taper,
    Validity,
    WorkBasis,
)
from ila.schemes.rules import AllocationLine, CitizenFacts, Counted, WorkRecord

ON = date(2026, 1, 1)
NOTHING = Counted(0, already_credited=False)

CITIZEN = CitizenFacts(
    born_on=date(1986, 1, 1),
    employment_status=EmploymentStatus.EMPLOYEE,
    resides_here=True,
    works_here=True,
    national=True,
)

POLICY = AllocationPolicy(
    scheme="test",
    credit_code="yearly",
    on=ON,
    unit="EUR",
    minor_units=2,
    time_zone="Europe/Brussels",
    digest=bytes(32),
    accrual_mode=AccrualMode.ANNUAL_ADVANCE,
    eligibility=Eligibility(
        age_basis=AgeBasis.BIRTHDAY,
        as_at=None,
        min_age=18,
        max_age=67,
        residence_rule=ResidenceRule.RESIDES,
        nationals_only=False,
        statuses_allowed=frozenset(),
        income_floor_minor=None,
        income_ceiling_minor=None,
        qualification_min=None,
        qualification_max=None,
        exclusions=(),
    ),
    base_minor=50_000,
    prorata=Prorata(ProrataMode.NONE, None, {}),
    needs=(),
    combination=Combination.SUM,
    weight_cap=None,
    rounding=Rounding.HALF_UP,
    min_credit_minor=1,
    ceiling=Ceiling(500_000, CeilingScope.OWN_ACCRUAL, OnCeiling.TRUNCATE),
    expiry=Expiry(Validity.NONE, None, None, None, ()),
    references={},
)


def need(
    criterion: str,
    effect: Effect,
    amount_minor: int | None = None,
    factor: str | None = None,
    *,
    taper: Taper | None = None,
    prorate_bonus: bool = False,
    ceiling_minor: int | None = None,
) -> NeedWeight:
    return NeedWeight(
        criterion=criterion,
        condition=NeedCondition(attested=True),
        effect=effect,
        amount_minor=amount_minor,
        factor=None if factor is None else Decimal(factor),
        taper=taper,
        prorate_bonus=prorate_bonus,
        ceiling_minor=ceiling_minor,
        evidence_source="attestation",
        evidence_months=None,
        reference="Test Act",
    )


def with_needs(*needs: NeedWeight, combination: Combination = Combination.SUM) -> AllocationPolicy:
    return replace(POLICY, needs=needs, combination=combination)


def attested(*criteria: str) -> CitizenFacts:
    return replace(CITIZEN, attested=frozenset(criteria))


def line_of(policy: AllocationPolicy, facts: CitizenFacts = CITIZEN, counted: Counted = NOTHING) -> AllocationLine:
    return rules.allocation_line(policy, facts, counted, ON)


def eligibility(**rules_of_entry: object) -> AllocationPolicy:
    return replace(POLICY, eligibility=replace(POLICY.eligibility, **rules_of_entry))  # type: ignore[arg-type]


@pytest.mark.parametrize("module", ["rules", "weighting", "working_time", "values", "strict_yaml"])
def test_the_examples_in_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"ila.schemes.{module}"))

    assert result.attempted > 0
    assert result.failed == 0


# ---------------------------------------------------------------- eligibility


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


# ---------------------------------------------------------------- working time


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


# ---------------------------------------------------------------- need

ADD = need("adds", Effect.ADD, amount_minor=30_000)
TIMES = need("times", Effect.MULTIPLY, factor="1.5")
DOUBLES = need("doubles", Effect.MULTIPLY, factor="2")


@pytest.mark.parametrize(
    ("combination", "weighted", "applied"),
    [
        (Combination.SUM, 50_000 * Fraction(5, 2) + 30_000, ["adds", "times", "doubles"]),
        (Combination.SEQUENTIAL, (50_000 + 30_000) * 3, ["adds", "times", "doubles"]),
        (Combination.MAX, 100_000, ["doubles"]),
        (Combination.PRIORITY, 80_000, ["adds"]),
    ],
)
def test_needs_combine_as_the_scheme_says(combination: Combination, weighted: int, applied: list[str]) -> None:
    policy = with_needs(ADD, TIMES, DOUBLES, combination=combination)

    line = line_of(policy, attested("adds", "times", "doubles"))

    assert line.weighted == weighted
    assert [held.need.criterion for held in line.needs if held.applied] == applied
    assert len(line.needs) == 3


def test_the_order_of_the_file_decides_a_sequence() -> None:
    everything = attested("adds", "times")

    first_add = line_of(with_needs(ADD, TIMES, combination=Combination.SEQUENTIAL), everything)
    first_multiply = line_of(with_needs(TIMES, ADD, combination=Combination.SEQUENTIAL), everything)

    assert (first_add.weighted, first_multiply.weighted) == (120_000, 105_000)


def test_the_largest_of_several_bases_replaces_the_base() -> None:
    low, high = need("low", Effect.SET_BASE, amount_minor=60_000), need("high", Effect.SET_BASE, amount_minor=80_000)

    line = line_of(with_needs(low, high), attested("low", "high"))

    assert (line.base_minor, line.amount_minor) == (80_000, 80_000)
    assert [held.applied for held in line.needs] == [False, True]


def test_a_base_set_by_need_replaces_also_a_larger_one() -> None:
    line = line_of(with_needs(need("low", Effect.SET_BASE, amount_minor=40_000)), attested("low"))

    assert line.base_minor == 40_000


@pytest.mark.parametrize(("prorate_bonus", "amount"), [(False, 50_000), (True, 32_000)])
def test_an_addition_follows_working_time_only_where_the_law_says_so(prorate_bonus: bool, amount: int) -> None:
    policy = with_needs(replace(ADD, prorate_bonus=prorate_bonus))
    policy = replace(policy, prorata=Prorata(ProrataMode.LINEAR, None, {WorkBasis.PERCENT: Decimal(100)}))
    facts = replace(attested("adds"), work_records=(WorkRecord(WorkBasis.PERCENT, Decimal(40)),))

    assert line_of(policy, facts).amount_minor == amount


def test_the_weight_cap_bounds_what_all_needs_make() -> None:
    policy = replace(with_needs(ADD, TIMES, DOUBLES), weight_cap=Decimal("1.25"))

    line = line_of(policy, attested("adds", "times", "doubles"))

    assert (line.weighted, line.weight) == (62_500, Fraction(5, 4))


@pytest.mark.parametrize(
    ("condition", "facts", "holds"),
    [
        (NeedCondition(attested=True), attested("need"), True),
        (NeedCondition(attested=True), attested("other"), False),
        (NeedCondition(False, qualification_level_below=3), replace(CITIZEN, qualification_level=2), True),
        (NeedCondition(False, qualification_level_below=3), replace(CITIZEN, qualification_level=3), False),
        (NeedCondition(False, qualification_level_below=3), CITIZEN, False),
        (NeedCondition(False, category="C"), replace(CITIZEN, category="C"), True),
        (NeedCondition(False, category="C"), CITIZEN, False),
        (NeedCondition(False, statuses=frozenset({EmploymentStatus.EMPLOYEE})), CITIZEN, True),
        (NeedCondition(False, statuses=frozenset({EmploymentStatus.STUDENT})), CITIZEN, False),
        (NeedCondition(False, age_from=40), CITIZEN, True),
        (NeedCondition(False, age_from=41), CITIZEN, False),
        (NeedCondition(False, age_until=41), CITIZEN, True),
        (NeedCondition(False, age_until=40), CITIZEN, False),
        (NeedCondition(False, income_below_minor=100), replace(CITIZEN, income_minor=99), True),
        (NeedCondition(False, income_below_minor=100), replace(CITIZEN, income_minor=100), False),
        (NeedCondition(False, income_below_minor=100), CITIZEN, False),
        (NeedCondition(False, regions=frozenset({"BE1"})), replace(CITIZEN, region="BE1"), True),
        (NeedCondition(False, regions=frozenset({"BE1"})), CITIZEN, False),
        (NeedCondition(True, age_from=40), CITIZEN, False),
        (NeedCondition(True, age_from=40), attested("need"), True),
    ],
)
def test_a_need_holds_when_every_part_of_its_condition_does(
    condition: NeedCondition, facts: CitizenFacts, holds: bool
) -> None:
    criterion = replace(need("need", Effect.MULTIPLY, factor="2"), condition=condition)

    assert line_of(with_needs(criterion), facts).amount_minor == (100_000 if holds else 50_000)


def test_a_taper_of_an_unknown_income_changes_nothing() -> None:
    policy = with_needs(replace(TIMES, taper=Taper("income", full_at=100, none_at=200)))

    line = line_of(policy, attested("times"))

    assert line.amount_minor == 50_000
    assert [(held.factor, held.applied) for held in line.needs] == [(Fraction(1), True)]


@given(st.integers(0, 4_000_000), st.integers(0, 100), st.booleans())
def test_a_taper_has_no_cliff(income_minor: int, step_minor: int, rising: bool) -> None:
    bounds = (3_000_000, 1_500_000) if rising else (1_500_000, 3_000_000)
    policy = with_needs(replace(TIMES, taper=Taper("income", *bounds)))

    here = line_of(policy, replace(attested("times"), income_minor=income_minor))
    there = line_of(policy, replace(attested("times"), income_minor=income_minor + step_minor))

    assert abs(here.weighted - there.weighted) <= Fraction(25_000 * step_minor, 1_500_000)
    assert (here.weighted <= there.weighted) if rising else (here.weighted >= there.weighted)


# ---------------------------------------------------------------- rounding, minimum, ceiling, expiry


def test_an_amount_is_rounded_once_and_before_it_is_cut() -> None:
    odd = with_needs(need("a", Effect.MULTIPLY, factor="1.00001"), need("b", Effect.MULTIPLY, factor="1.00001"))

    assert line_of(odd, attested("a")).amount_minor == 50_001  # 50000.5
    assert line_of(odd, attested("a", "b")).amount_minor == 50_001  # 50001, not 50002


@pytest.mark.parametrize(("minimum", "amount", "reason"), [(50_000, 50_000, None), (50_001, 0, Reason.BELOW_MINIMUM)])
def test_below_the_minimum_nothing_is_credited(minimum: int, amount: int, reason: Reason | None) -> None:
    line = line_of(replace(POLICY, min_credit_minor=minimum))

    assert (line.amount_minor, line.reason, line.rounded_minor) == (amount, reason, 50_000)


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


# ---------------------------------------------------------------- what must hold for everybody

FACTORS = st.decimals(1, 3, places=2).map(str)
NEEDS = st.lists(
    st.one_of(
        st.builds(lambda factor: need("x", Effect.MULTIPLY, factor=factor), FACTORS),
        st.builds(
            lambda factor, full_at, width: need(
                "x",
                Effect.MULTIPLY,
                factor=factor,
                taper=Taper("age", full_at=full_at, none_at=full_at + width),
            ),
            FACTORS,
            st.integers(18, 67),
            st.integers(-20, 20).filter(bool),
        ),
        st.builds(
            lambda amount, prorate: need("x", Effect.ADD, amount_minor=amount, prorate_bonus=prorate),
            st.integers(0, 100_000),
            st.booleans(),
        ),
        st.builds(
            lambda amount, ceiling: need("x", Effect.SET_BASE, amount_minor=amount, ceiling_minor=ceiling),
            st.integers(50_000, 100_000),
            st.none() | st.integers(0, 900_000),
        ),
    ),
    max_size=5,
).map(lambda needs: tuple(replace(one, criterion=f"need_{index}") for index, one in enumerate(needs)))

POLICIES = st.builds(
    lambda needs, combination, cap, rounding, on_ceiling, minimum, mode: replace(
        POLICY,
        needs=needs,
        combination=combination,
        weight_cap=cap,
        rounding=rounding,
        min_credit_minor=minimum,
        ceiling=replace(POLICY.ceiling, on_ceiling=on_ceiling),
        prorata=Prorata(mode, Decimal("0.5"), {WorkBasis.PERCENT: Decimal(100)}),
    ),
    NEEDS,
    st.sampled_from(Combination),
    st.none() | st.decimals(1, 3, places=2),
    st.sampled_from(Rounding),
    st.sampled_from(OnCeiling),
    st.integers(1, 60_000),
    st.sampled_from(ProrataMode),
)
CITIZENS = st.builds(
    lambda born_on, held, worked: replace(
        CITIZEN,
        born_on=born_on,
        attested=frozenset(f"need_{index}" for index in held),
        work_records=(WorkRecord(WorkBasis.PERCENT, worked),),
    ),
    st.dates(date(1950, 1, 1), date(2012, 1, 1)),
    st.sets(st.integers(0, 4)),
    st.decimals(0, 150, places=2),
)
BALANCES = st.integers(0, 1_000_000).map(lambda minor: Counted(minor, already_credited=False))


@given(POLICIES, CITIZENS, BALANCES)
def test_a_credit_never_passes_the_ceiling(policy: AllocationPolicy, facts: CitizenFacts, counted: Counted) -> None:
    line = line_of(policy, facts, counted)

    if policy.ceiling.on_ceiling is OnCeiling.TRUNCATE and line.amount_minor > 0:
        assert line.ceiling_minor is not None
        assert counted.counted_minor + line.amount_minor <= line.ceiling_minor
    assert 0 <= line.amount_minor <= line.rounded_minor


@given(POLICIES, CITIZENS, BALANCES)
def test_a_credit_of_nothing_always_has_a_reason(
    policy: AllocationPolicy, facts: CitizenFacts, counted: Counted
) -> None:
    line = line_of(policy, facts, counted)

    lowered = line.amount_minor < line.rounded_minor
    assert (line.reason is None) is (line.amount_minor > 0 and not lowered)


@given(POLICIES, CITIZENS, st.integers(0, 4))
def test_one_more_need_never_lowers_what_is_owed(policy: AllocationPolicy, facts: CitizenFacts, index: int) -> None:
    """PRIORITY is apart: there an earlier need replaces a later one, which may have given more."""
    if policy.combination is Combination.PRIORITY:
        policy = replace(policy, combination=Combination.MAX)
    before = replace(facts, attested=facts.attested - {f"need_{index}"})
    after = replace(facts, attested=facts.attested | {f"need_{index}"})

    assert line_of(policy, after).weighted >= line_of(policy, before).weighted


@given(POLICIES, CITIZENS)
def test_no_need_lowers_the_prorated_base_and_the_cap_bounds_all(policy: AllocationPolicy, facts: CitizenFacts) -> None:
    line = line_of(policy, facts)

    assert line.weighted >= line.prorated
    if policy.weight_cap is not None:
        assert line.weighted <= line.prorated * Fraction(policy.weight_cap)


@given(POLICIES, CITIZENS)
def test_one_effect_never_beats_all_of_them(policy: AllocationPolicy, facts: CitizenFacts) -> None:
    weighted = {
        combination: line_of(replace(policy, combination=combination), facts).weighted for combination in Combination
    }

    assert weighted[Combination.PRIORITY] <= weighted[Combination.MAX] <= weighted[Combination.SUM]
    assert weighted[Combination.SUM] <= weighted[Combination.SEQUENTIAL]


@given(POLICIES, CITIZENS, BALANCES)
def test_more_work_never_gives_less(policy: AllocationPolicy, facts: CitizenFacts, counted: Counted) -> None:
    record = facts.work_records[0]
    more = replace(facts, work_records=(replace(record, worked=record.worked + 1),))

    assert line_of(policy, more, counted).amount_minor >= line_of(policy, facts, counted).amount_minor
