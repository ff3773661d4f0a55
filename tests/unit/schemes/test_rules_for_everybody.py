"""What must hold for every policy and every citizen, drawn at random."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ila.money import Rounding
from ila.schemes.policy import (
    AllocationPolicy,
    Combination,
    Effect,
    OnCeiling,
    Prorata,
    ProrataMode,
    Taper,
    WorkBasis,
)
from ila.schemes.rules import CitizenFacts, Counted, WorkRecord
from tests.unit.schemes.policies import CITIZEN, POLICY, line_of, need

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
