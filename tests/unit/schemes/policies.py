"""A policy, a citizen and their needs, from which a test changes what matters to it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

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
    ResidenceRule,
    Taper,
    Validity,
)
from ila.schemes.rules import AllocationLine, CitizenFacts, Counted

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


ADD = need("adds", Effect.ADD, amount_minor=30_000)
TIMES = need("times", Effect.MULTIPLY, factor="1.5")
DOUBLES = need("doubles", Effect.MULTIPLY, factor="2")
