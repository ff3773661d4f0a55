"""Need: when a criterion holds, what it does, how several combine."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila.schemes.policy import (
    Combination,
    Effect,
    EmploymentStatus,
    NeedCondition,
    Prorata,
    ProrataMode,
    Taper,
    WorkBasis,
)
from ila.schemes.rules import CitizenFacts, WorkRecord
from tests.unit.schemes.policies import ADD, CITIZEN, DOUBLES, TIMES, attested, line_of, need, with_needs


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
