"""THE statement: what one credit of a scheme gives to each citizen, one column per step.

The same SELECT explains an amount to one citizen, previews a run for an administrator and, as INSERT ... SELECT,
performs it. It reads the law from an `AllocationPolicy` exactly as `ila.schemes.rules` does for one citizen in Python;
a test compares the two to the cent. What needs make of a base is `weighting.py`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Numeric,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    extract,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)

from ila.allocations import weighting
from ila.allocations.rules import born_by, years_before
from ila.allocations.weighting import EXACT_SCALE, Column, divided, held
from ila.schemes.policy import (
    AgeBasis,
    AllocationPolicy,
    Effect,
    NeedCondition,
    OnCeiling,
    ProrataMode,
    Reason,
    ResidenceRule,
)

Selected = Select[*tuple[Any, ...]]
"""A select whose columns its docstring shows."""


def entitlement_lines(
    policy: AllocationPolicy,
    *,
    facts: Selected,
    needs: Selected | None,
    work: Selected | None,
    counted: Select[int, int],
    already_credited: Select[int] | None = None,
) -> Selected:
    """Return one row per citizen of `facts`, one column per step (base 50000, ceiling 500000):

        citizen_id  base   ratio  weighted  rounded  ceiling  counted  room    amount  reason
        1041        50000  1      50000     50000    500000   120000   380000  50000
        1042        50000  1      80000     80000    500000   440000   60000   60000   CEILING
        1043        50000  1      50000     50000    500000   0        500000  0       AGE_OUT_OF_RANGE

    `facts` gives citizen_id and the circumstances on the reference day; `needs` citizen_id and a boolean per attested
    criterion; `work` citizen_id and the ratio of time worked; `counted` the balance against the ceiling, as
    `counted_minor`; `already_credited` whoever had a credit of this cohort before.
    """
    person = _people(policy, facts, needs, work, counted, already_credited)
    entitled = _entitled(policy, person)
    weighted, denominator = _weighted(policy, entitled)
    rounded = _rounded(policy, weighted, denominator)
    return _decided(policy, rounded)


def _people(
    policy: AllocationPolicy,
    facts: Selected,
    needs: Selected | None,
    work: Selected | None,
    counted: Select[int, int],
    already_credited: Select[int] | None,
) -> Subquery:
    """Bring together what is known of each citizen: facts, needs held, working time, balance counted."""
    fact = facts.subquery("fact")
    balance = counted.subquery("balance")
    joined = fact.outerjoin(balance, balance.c.citizen_id == fact.c.citizen_id)
    columns: list[Column] = [
        fact.c.citizen_id,
        fact.c.born_on,
        fact.c.account_open,
        fact.c.resides_here,
        fact.c.works_here,
        fact.c.national,
        fact.c.employment_status,
        fact.c.qualification_level,
        fact.c.income_minor,
        fact.c.region,
        func.coalesce(balance.c.counted_minor, 0).cast(BigInteger).label("counted_minor"),
    ]
    attested: Mapping[str, Column] = {}
    if needs is not None:
        need = needs.subquery("need")
        joined = joined.outerjoin(need, need.c.citizen_id == fact.c.citizen_id)
        attested = {column.name: func.coalesce(column, false()) for column in need.c if column.name != "citizen_id"}
    if work is not None:
        worked = work.subquery("worked")
        joined = joined.outerjoin(worked, worked.c.citizen_id == fact.c.citizen_id)
        columns.append(worked.c.ratio.label("worked_ratio"))
    if already_credited is not None:
        before = already_credited.subquery("before")
        joined = joined.outerjoin(before, before.c.citizen_id == fact.c.citizen_id)
        columns.append(before.c.citizen_id.is_not(None).label("already_credited"))
    columns.extend(
        _holds(weight.condition, weight.criterion, policy, fact, attested).label(held(weight.criterion))
        for weight in policy.needs
    )
    excluded = [attested[criterion] for criterion in policy.eligibility.exclusions if criterion in attested]
    columns.append((or_(*excluded) if excluded else false()).label("excluded"))
    return _stage(select(*columns).select_from(joined), "person")


def _holds(
    condition: NeedCondition, criterion: str, policy: AllocationPolicy, fact: Subquery, attested: Mapping[str, Column]
) -> ColumnElement[bool]:
    """Tell whether a need criterion holds; what is unknown never does."""
    parts: list[ColumnElement[bool]] = []
    if condition.attested:
        parts.append(attested[criterion])
    if condition.qualification_level_below is not None:
        parts.append(func.coalesce(fact.c.qualification_level < condition.qualification_level_below, false()))
    if condition.category is not None:
        parts.append(func.coalesce(fact.c.category == condition.category, false()))
    if condition.statuses:
        parts.append(fact.c.employment_status.in_(sorted(condition.statuses)))
    if condition.age_from is not None:
        parts.append(fact.c.born_on <= _day(_born_by(policy, condition.age_from)))
    if condition.age_until is not None:
        parts.append(fact.c.born_on > _day(_born_by(policy, condition.age_until)))
    if condition.income_below_minor is not None:
        parts.append(func.coalesce(fact.c.income_minor < condition.income_below_minor, false()))
    if condition.regions:
        parts.append(func.coalesce(fact.c.region.in_(sorted(condition.regions)), false()))
    return and_(true(), *parts)


def _entitled(policy: AllocationPolicy, person: Subquery) -> Subquery:
    """Decide eligibility, the base and the working-time ratio."""
    bases = [
        case((person.c[held(weight.criterion)], _whole(weight.amount_minor or 0)))
        for weight in policy.needs
        if weight.effect is Effect.SET_BASE
    ]
    base = func.coalesce(func.greatest(*bases), _whole(policy.base_minor)) if bases else _whole(policy.base_minor)
    return _stage(
        select(
            *person.c,
            _age(policy, person).label("age"),
            _ineligible_because(policy, person).label("ineligible"),
            base.label("base_minor"),
            _ratio(policy, person).label("ratio"),
        ),
        "entitled",
    )


def _ineligible_because(policy: AllocationPolicy, person: Subquery) -> Column:
    """Return the first reason that keeps a citizen from the credit, or NULL."""
    rule = policy.eligibility
    refusals: list[tuple[ColumnElement[bool], Reason]] = [(not_(person.c.account_open), Reason.CLOSED)]
    outside: list[ColumnElement[bool]] = []
    if rule.min_age is not None:
        outside.append(person.c.born_on > _day(_born_by(policy, rule.min_age)))
    if rule.max_age is not None:
        outside.append(person.c.born_on <= _day(_born_by(policy, rule.max_age + 1)))
    if outside:
        refusals.append((or_(*outside), Reason.AGE_OUT_OF_RANGE))
    if rule.residence_rule is ResidenceRule.RESIDES:
        refusals.append((not_(person.c.resides_here), Reason.NOT_RESIDENT))
    if rule.residence_rule is ResidenceRule.RESIDES_OR_WORKS:
        refusals.append((not_(or_(person.c.resides_here, person.c.works_here)), Reason.NOT_RESIDENT))
    if rule.nationals_only:
        refusals.append((not_(person.c.national), Reason.NOT_NATIONAL))
    if rule.statuses_allowed:
        allowed = person.c.employment_status.in_(sorted(rule.statuses_allowed))
        refusals.append((not_(allowed), Reason.STATUS_NOT_COVERED))
    income = person.c.income_minor
    if rule.income_floor_minor is not None:
        too_low = or_(income.is_(None), income < rule.income_floor_minor)
        refusals.append((too_low, Reason.INCOME_TOO_LOW))
    if rule.income_ceiling_minor is not None:
        too_high = or_(income.is_(None), income > rule.income_ceiling_minor)
        refusals.append((too_high, Reason.INCOME_TOO_HIGH))
    level = person.c.qualification_level
    bounds: list[ColumnElement[bool]] = []
    if rule.qualification_min is not None:
        bounds.append(level < rule.qualification_min)
    if rule.qualification_max is not None:
        bounds.append(level > rule.qualification_max)
    if bounds:
        refusals.append((or_(level.is_(None), *bounds), Reason.QUALIFICATION_OUT_OF_RANGE))
    if rule.exclusions:
        refusals.append((person.c.excluded, Reason.EXCLUDED))
    if "already_credited" in person.c:
        refusals.append((person.c.already_credited, Reason.ALREADY_CREDITED))
    if policy.prorata.mode is not ProrataMode.NONE:
        refusals.append((person.c.worked_ratio.is_(None), Reason.NO_WORK_RECORD))
    return case(*((condition, literal(reason.value, Text)) for condition, reason in refusals))


def _ratio(policy: AllocationPolicy, person: Subquery) -> Column:
    """Return the share of a full year that counts, between 0 and 1."""
    mode, threshold = policy.prorata.mode, policy.prorata.threshold
    if mode is ProrataMode.NONE:
        return literal(1, Numeric)
    ratio = func.least(person.c.worked_ratio, literal(1, Numeric))
    if mode is ProrataMode.LINEAR:
        return ratio
    if threshold is None:
        raise AssertionError(f"{mode} needs a threshold: the loader lets none pass without")
    if mode is ProrataMode.THRESHOLD_THEN_FULL:
        reached = func.round(ratio, EXACT_SCALE) >= literal(threshold, Numeric)
        return case((reached, literal(1, Numeric)), else_=ratio)
    return func.least(divided(ratio, literal(threshold, Numeric)), literal(1, Numeric))


def _weighted(policy: AllocationPolicy, entitled: Subquery) -> tuple[Subquery, int]:
    """Apply the needs; return the step, with `scaled` where whole numbers do, and the denominator of `scaled`."""
    prorated = entitled.c.base_minor * entitled.c.ratio
    result = weighting.weighted(policy, entitled, prorated)
    columns = [prorated.label("prorated"), result.amount.label("weighted")]
    if result.scaled is not None:
        columns.append(result.scaled.label("scaled"))
    return _stage(select(*entitled.c, *columns), "weighted"), result.denominator


def _rounded(policy: AllocationPolicy, weighted: Subquery, denominator: int) -> Subquery:
    """Round once, and find the ceiling that holds for the citizen."""
    scaled = weighted.c.scaled if "scaled" in weighted.c else None
    whole = weighting.rounded(weighted.c.weighted, scaled, denominator, policy.rounding)
    ceiling: Column = null()
    if policy.ceiling.amount_minor is not None:
        raised = [
            case((weighted.c[held(weight.criterion)], _whole(weight.ceiling_minor)))
            for weight in policy.needs
            if weight.ceiling_minor is not None
        ]
        ceiling = _whole(policy.ceiling.amount_minor)
        if raised:
            ceiling = func.greatest(ceiling, *raised)
    return _stage(
        select(
            *weighted.c,
            cast(whole, BigInteger).label("rounded_minor"),
            cast(ceiling, BigInteger).label("ceiling_minor"),
        ),
        "rounded",
    )


def _decided(policy: AllocationPolicy, rounded: Subquery) -> Selected:
    """Cut to the room under the ceiling, and give the reason of what is lower or nothing."""
    too_little = rounded.c.rounded_minor < max(policy.min_credit_minor, 1)
    counted, amount = rounded.c.counted_minor, rounded.c.rounded_minor
    room: Column = null()
    within: Column = amount
    if policy.ceiling.amount_minor is not None:
        room = func.greatest(rounded.c.ceiling_minor - counted, 0)
        if policy.ceiling.on_ceiling is OnCeiling.TRUNCATE:
            within = func.least(amount, room)
        else:
            within = case((counted >= rounded.c.ceiling_minor, _whole(0)), else_=amount)
    credit = case((or_(rounded.c.ineligible.is_not(None), too_little), _whole(0)), else_=within)
    reason = func.coalesce(
        rounded.c.ineligible,
        case(
            (too_little, literal(Reason.BELOW_MINIMUM.value, Text)),
            (within < amount, literal(Reason.CEILING.value, Text)),
        ),
    )
    return select(
        *rounded.c,
        cast(room, BigInteger).label("room_minor"),
        cast(credit, BigInteger).label("amount_minor"),
        reason.label("reason"),
    )


def _age(policy: AllocationPolicy, person: Subquery) -> ColumnElement[int]:
    """Return the age in whole years, taken as the scheme takes it."""
    rule = policy.eligibility
    if rule.age_basis is AgeBasis.YEAR_OF_BIRTH:
        return literal(policy.on.year) - cast(extract("year", person.c.born_on), BigInteger)
    on = rule.as_at if rule.age_basis is AgeBasis.AS_AT_DATE and rule.as_at else policy.on
    years = literal(on.year) - cast(extract("year", person.c.born_on), BigInteger)
    birthday = extract("month", person.c.born_on) * 100 + extract("day", person.c.born_on)
    return years - case((birthday > literal(on.month * 100 + on.day), literal(1)), else_=literal(0))


def _born_by(policy: AllocationPolicy, age: int) -> date:
    """Return the last day of birth of those who have reached `age`, as the scheme takes ages."""
    rule = policy.eligibility
    if rule.age_basis is AgeBasis.YEAR_OF_BIRTH:
        return born_by(policy.on.year, age)
    on = rule.as_at if rule.age_basis is AgeBasis.AS_AT_DATE and rule.as_at else policy.on
    return years_before(on, age)


def _stage(rows: Selected, name: str) -> Subquery:
    """End one step: OFFSET 0 keeps PostgreSQL from copying a step's expressions into every later use of them."""
    return rows.offset(0).subquery(name)


def _whole(amount_minor: int | None) -> Column:
    return literal(amount_minor, BigInteger)


def _day(day: date) -> ColumnElement[date]:
    return literal(day, Date)
