"""The one SELECT and the rules in Python read the law alike: the same citizen, the same policy, the same steps.

The oracle is `ila.schemes.rules.allocation_line`. Every column is compared, for people drawn at random, under the
policies of every shipped scheme on several days and under policies drawn from everything a scheme may say.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, column, select, values

from ila import citizens
from ila.allocations import rules as run_rules
from ila.allocations.lines import entitlement_lines
from ila.allocations.weighting import held
from ila.db.session import WriteSession
from ila.money import Rounding
from ila.schemes import rules
from ila.schemes.facts import CitizenFacts, Counted
from ila.schemes.parameters import NoValueInForce, SchemeNotInForce
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
from tests.factories import CRITERIA, add_people, parameters_of, random_person, shipped_schemes

EXACT = Fraction(1, 10**20)
"""Ratios and tapers are computed with 24 decimals and more; what is rounded from them is exact."""

DAYS = [date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1)]
PEOPLE_A_POLICY = 150
"""Under each policy of a shipped scheme; there are about forty."""

PEOPLE_A_DRAW = 60


def shipped_policies() -> list[tuple[str, str, date]]:
    """Return scheme, credit and day of every policy that is in force on one of the days."""
    found = []
    for code in shipped_schemes():
        parameters = parameters_of(code)
        for credit_code in parameters.credit_codes:
            for on in (*DAYS, max(parameters.first_on, date(2016, 1, 1))):
                try:
                    parameters.policy(credit_code, on)
                except (NoValueInForce, SchemeNotInForce):
                    continue
                found.append((code, credit_code, on))
    return found


@pytest.mark.parametrize(("code", "credit_code", "on"), shipped_policies())
def test_every_shipped_policy_is_read_alike_by_sql_and_python(
    session: WriteSession, code: str, credit_code: str, on: date
) -> None:
    parameters = parameters_of(code)
    policy = parameters.policy(credit_code, on)
    chance = random.Random(f"{code} {credit_code} {on}")
    criteria = sorted(parameters.criteria) or CRITERIA
    people = [random_person(chance, criteria, on) for _ in range(PEOPLE_A_POLICY)]

    compare(session, policy, people, chance)


@st.composite
def policies(draw: st.DrawFn) -> AllocationPolicy:
    """Draw a policy from everything that the files of a scheme may say."""
    on = draw(st.dates(date(2019, 1, 1), date(2032, 12, 31)))
    criteria = draw(st.lists(st.sampled_from(CRITERIA), unique=True, max_size=5))
    with_ceiling = draw(st.booleans())
    base_minor = draw(st.sampled_from([0, 1, 7, 35, 30_000, 50_000, 80_001]))
    prorata = draw(st.sampled_from(list(ProrataMode)))
    return AllocationPolicy(
        scheme="drawn",
        credit_code="yearly",
        on=on,
        unit="EUR",
        minor_units=2,
        time_zone="Europe/Brussels",
        digest=b"\0" * 32,
        accrual_mode=draw(st.sampled_from(list(AccrualMode))),
        eligibility=draw(eligibilities(on)),
        base_minor=base_minor,
        prorata=Prorata(
            mode=prorata,
            threshold=None
            if prorata in (ProrataMode.NONE, ProrataMode.LINEAR)
            else draw(st.sampled_from([Decimal("0.5"), Decimal("0.3"), Decimal("0.8"), Decimal(1)])),
            references=draw(
                st.sampled_from([{}, {WorkBasis.HOURS: Decimal(1607)}, {basis: Decimal(1607) for basis in WorkBasis}])
            ),
        ),
        needs=tuple(draw(needs(criterion, with_ceiling)) for criterion in criteria),
        combination=draw(st.sampled_from(list(Combination))),
        weight_cap=draw(st.sampled_from([None, Decimal(1), Decimal("1.5"), Decimal("2.25"), Decimal(10)])),
        rounding=draw(st.sampled_from(list(Rounding))),
        min_credit_minor=draw(st.sampled_from([0, 1, 100, 20_000])),
        ceiling=Ceiling(
            draw(st.sampled_from([0, 1, 50_000, 500_000])) if with_ceiling else None,
            draw(st.sampled_from(list(CeilingScope))),
            draw(st.sampled_from(list(OnCeiling))),
        ),
        expiry=Expiry(Validity.NONE, None, None, None, ()),
        references={},
    )


@st.composite
def eligibilities(draw: st.DrawFn, on: date) -> Eligibility:
    """Draw who gets a credit."""
    basis = draw(st.sampled_from(list(AgeBasis)))
    return Eligibility(
        age_basis=basis,
        as_at=draw(st.dates(date(2015, 1, 1), on)) if basis is AgeBasis.AS_AT_DATE else None,
        min_age=draw(st.sampled_from([None, 0, 16, 18, 25])),
        max_age=draw(st.sampled_from([None, 25, 64, 65, 75])),
        residence_rule=draw(st.sampled_from(list(ResidenceRule))),
        nationals_only=draw(st.booleans()),
        statuses_allowed=draw(
            st.sampled_from([frozenset(), frozenset(EmploymentStatus), frozenset(list(EmploymentStatus)[:4])])
        ),
        income_floor_minor=draw(st.sampled_from([None, None, 1_000_000])),
        income_ceiling_minor=draw(st.sampled_from([None, None, 3_000_000])),
        qualification_min=draw(st.sampled_from([None, None, 1])),
        qualification_max=draw(st.sampled_from([None, None, 5])),
        exclusions=draw(st.sampled_from([(), ("other_programme",), ("in_education", "other_programme")])),
    )


@st.composite
def needs(draw: st.DrawFn, criterion: str, with_ceiling: bool) -> NeedWeight:
    """Draw what one criterion is and does."""
    effect = draw(st.sampled_from(list(Effect)))
    tapered = effect is Effect.MULTIPLY and draw(st.booleans())
    return NeedWeight(
        criterion=criterion,
        condition=NeedCondition(
            attested=draw(st.booleans()),
            qualification_level_below=draw(st.sampled_from([None, None, 4])),
            category=draw(st.sampled_from([None, None, None, "C"])),
            statuses=draw(st.sampled_from([frozenset(), frozenset(), frozenset({EmploymentStatus.JOBSEEKER})])),
            age_from=draw(st.sampled_from([None, None, 45])),
            age_until=draw(st.sampled_from([None, None, 30])),
            income_below_minor=draw(st.sampled_from([None, None, 2_250_001])),
            regions=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"BE10", "CZ04"})])),
        ),
        effect=effect,
        amount_minor=None if effect is Effect.MULTIPLY else draw(st.sampled_from([1, 333, 48_000, 80_000])),
        factor=draw(st.sampled_from([Decimal(1), Decimal("1.6"), Decimal("1.3333"), Decimal(3), Decimal("0.7")]))
        if effect is Effect.MULTIPLY
        else None,
        taper=draw(st.sampled_from(TAPERS)) if tapered else None,
        prorate_bonus=draw(st.booleans()),
        ceiling_minor=draw(st.sampled_from([None, 40_000, 800_000])) if with_ceiling else None,
        evidence_source="register",
        evidence_months=None,
        reference="drawn",
    )


TAPERS = [
    Taper("income", 1_500_000, 3_000_000),
    Taper("income", 3_000_000, 999_999),
    Taper("age", 45, 55),
    Taper("age", 30, 23),
]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=policies(), seed=st.integers(0, 2**32))
def test_every_policy_that_could_be_is_read_alike_by_sql_and_python(
    session: WriteSession, policy: AllocationPolicy, seed: int
) -> None:
    chance = random.Random(seed)
    people = [random_person(chance, CRITERIA, policy.on) for _ in range(PEOPLE_A_DRAW)]

    with session.begin_nested() as savepoint:
        compare(session, policy, people, chance)
        savepoint.rollback()


def compare(
    session: WriteSession, policy: AllocationPolicy, people: Sequence[CitizenFacts], chance: random.Random
) -> None:
    """Assert that both readings give these people the same line, column by column."""
    citizen_ids = add_people(session, people, since=date(1990, 1, 1), worked_in=policy.on.year)
    counted = {
        citizen_id: Counted(
            chance.choice([0, 1, 49_999, 50_000, 120_000, 499_999, 500_000, chance.randint(0, 900_000)]),
            already_credited=policy.accrual_mode is AccrualMode.ONE_OFF_COHORT and chance.random() < 0.2,
        )
        for citizen_id in citizen_ids
    }
    found = read_by_sql(session, policy, citizen_ids, counted)
    for citizen_id, facts in zip(citizen_ids, people, strict=True):
        line = rules.allocation_line(policy, facts, counted[citizen_id], policy.on)
        row = found[citizen_id]
        where = f"{facts} under {policy}"
        assert row["reason"] == (None if line.reason is None else line.reason.value), where
        assert row["amount_minor"] == line.amount_minor, where
        assert row["age"] == line.age, where
        assert row["counted_minor"] == line.counted_minor, where
        if row["ineligible"] is not None:
            assert row["ineligible"] == line.reason, where
            continue
        assert row["base_minor"] == line.base_minor, where
        assert abs(Fraction(row["ratio"]) - line.ratio) < EXACT, where
        assert abs(Fraction(row["prorated"]) - line.prorated) < EXACT, where
        assert abs(Fraction(row["weighted"]) - line.weighted) < EXACT, where
        assert row["rounded_minor"] == line.rounded_minor, where
        assert row["ceiling_minor"] == line.ceiling_minor, where
        assert row["room_minor"] == line.room_minor, where
        assert {need.criterion for need in policy.needs if row[held(need.criterion)]} == {
            need.need.criterion for need in line.needs
        }, where
        assert (line.amount_minor == 0) <= (line.reason in (Reason.BELOW_MINIMUM, Reason.CEILING)), where


def read_by_sql(
    session: WriteSession, policy: AllocationPolicy, citizen_ids: Sequence[int], counted: Mapping[int, Counted]
) -> dict[int, Mapping[str, Any]]:
    """Return the rows of the one SELECT for people, against balances that the test chose."""
    first, last = citizen_ids[0], citizen_ids[-1]
    attested = sorted(
        {need.criterion for need in policy.needs if need.condition.attested} | set(policy.eligibility.exclusions)
    )
    period_from, period_until = run_rules.period_bounds(str(policy.on.year))
    balances = values(column("citizen_id", BigInteger), column("counted_minor", BigInteger), name="counted_then").data(
        [(citizen_id, each.counted_minor) for citizen_id, each in counted.items()]
    )
    before = [(citizen_id,) for citizen_id, each in counted.items() if each.already_credited]
    query = entitlement_lines(
        policy,
        facts=citizens.facts_on(policy.on, citizens.KNOWN_NOW, first=first, last=last),
        needs=citizens.needs_on(policy.on, citizens.KNOWN_NOW, attested, first=first, last=last) if attested else None,
        work=None
        if policy.prorata.mode is ProrataMode.NONE
        else citizens.work_on(
            period_from, period_until, citizens.KNOWN_NOW, policy.prorata.references, first=first, last=last
        ),
        counted=select(balances),
        already_credited=select(values(column("citizen_id", BigInteger), name="before").data(before))
        if before
        else None,
    )
    return {row["citizen_id"]: dict(row) for row in session.execute(query).mappings()}
