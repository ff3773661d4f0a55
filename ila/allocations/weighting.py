"""What needs make of a base, as SQL: exact, and in whole numbers wherever the policy allows it.

Without working time every factor is a constant fraction, and a tapered one has a constant denominator too. Then the
whole sum is a whole number over one common denominator, which 64 bits hold for any real policy: a third faster than
`numeric`, and exact by construction. With working time, one after the other, or beyond 64 bits, ratios and tapers are
computed with 40 decimals and rounded to 24 before they become whole minor units, so that a value that is exactly on
the edge stays there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Numeric, Subquery, case, cast, func, literal

from ila.money import Rounding
from ila.schemes.policy import AllocationPolicy, Combination, Effect, NeedWeight, ProrataMode

DIVISION_SCALE = 40
EXACT_SCALE = 24
LARGEST = 2**62
"""Twice this fits into 64 bits, and rounding half up doubles."""

Column = ColumnElement[Any]


def held(criterion: str) -> str:
    """Return the name of the column that says whether a need criterion holds."""
    return f"holds_{criterion}"


@dataclass(frozen=True, slots=True)
class Weighted:
    """An amount after the needs: `amount` exact, `scaled` the same times `denominator` where that is a whole number."""

    amount: Column
    scaled: Column | None
    denominator: int


def weighted(policy: AllocationPolicy, entitled: Subquery, prorated: Column) -> Weighted:
    """Apply the need criteria to the prorated base, in the way the scheme combines them."""
    bonuses = [need for need in policy.needs if need.effect is not Effect.SET_BASE]
    denominator = common_denominator(policy, bonuses)
    if denominator is not None:
        scaled = _scaled(policy, entitled, bonuses, denominator)
        exact = divided(cast(scaled, Numeric), literal(denominator, Numeric))
        return Weighted(func.round(exact, EXACT_SCALE), scaled, denominator)
    amount = _combined(policy, entitled, prorated, bonuses) if bonuses else prorated
    if bonuses and policy.weight_cap is not None:
        amount = func.least(amount, prorated * literal(policy.weight_cap, Numeric))
    return Weighted(func.round(amount, EXACT_SCALE), None, 1)


def rounded(amount: Column, scaled: Column | None, denominator: int, rounding: Rounding) -> Column:
    """Return the amount in whole minor units; amounts are never negative."""
    if scaled is not None:
        whole = literal(denominator, BigInteger)
        match rounding:
            case Rounding.CEIL | Rounding.CEIL_INTEGER:
                return (scaled + literal(denominator - 1, BigInteger)) // whole
            case Rounding.FLOOR:
                return scaled // whole
            case Rounding.HALF_UP:
                return (scaled * literal(2, BigInteger) + whole) // literal(2 * denominator, BigInteger)
    match rounding:
        case Rounding.CEIL | Rounding.CEIL_INTEGER:
            return func.ceil(amount)
        case Rounding.FLOOR:
            return func.floor(amount)
        case Rounding.HALF_UP:
            return func.round(amount)


def divided(dividend: Column, divisor: Column) -> Column:
    """Divide with 40 decimals."""
    return func.round(dividend, DIVISION_SCALE) / divisor


def common_denominator(policy: AllocationPolicy, bonuses: Sequence[NeedWeight]) -> int | None:
    """Return the denominator over which every result is a whole number, or None where 64 bits do not do.

    >>> from decimal import Decimal
    >>> Fraction(Decimal("1.6")) - 1, Fraction(Decimal("1.45")) - 1
    (Fraction(3, 5), Fraction(9, 20))
    """
    if policy.prorata.mode is not ProrataMode.NONE or policy.combination is Combination.SEQUENTIAL:
        return None
    steps = [_step(need) for need in bonuses if need.effect is Effect.MULTIPLY]
    cap = Fraction(policy.weight_cap or 1)
    denominator = lcm(cap.denominator, *(step.denominator for step in steps))
    base = max(
        [policy.base_minor, *(need.amount_minor or 0 for need in policy.needs if need.effect is Effect.SET_BASE)]
    )
    excess = sum((abs(_excess(need)) for need in bonuses if need.effect is Effect.MULTIPLY), Fraction(0))
    additions = sum(need.amount_minor or 0 for need in bonuses if need.effect is Effect.ADD)
    largest = (base * max(1 + excess, cap) + additions) * denominator
    return denominator if largest < LARGEST else None


def _excess(need: NeedWeight) -> Fraction:
    return Fraction(need.factor or 1) - 1


def _step(need: NeedWeight) -> Fraction:
    """Return what a factor adds for each unit of its taper; without a taper, what it adds at all."""
    return _excess(need) / abs(_span(need)) if need.taper else _excess(need)


def _span(need: NeedWeight) -> int:
    assert need.taper is not None, "only a tapered need has a span"
    return need.taper.none_at - need.taper.full_at


def _scaled(policy: AllocationPolicy, entitled: Subquery, bonuses: Sequence[NeedWeight], denominator: int) -> Column:
    """Return the combined amount times the denominator, a whole number."""
    base, whole = entitled.c.base_minor, literal(denominator, BigInteger)
    factors = [(need, _scaled_excess(need, entitled, denominator)) for need in bonuses]
    if policy.combination is Combination.SUM:
        excesses = [_if_held(need, entitled, excess) for need, excess in factors if need.effect is Effect.MULTIPLY]
        additions = [
            _if_held(need, entitled, literal((need.amount_minor or 0) * denominator, BigInteger))
            for need in bonuses
            if need.effect is Effect.ADD
        ]
        result = base * sum(excesses, start=whole) + sum(additions, start=literal(0, BigInteger))
    else:
        singles = [
            base * (whole + excess)
            if need.effect is Effect.MULTIPLY
            else base * whole + literal((need.amount_minor or 0) * denominator, BigInteger)
            for need, excess in factors
        ]
        holds = [entitled.c[held(need.criterion)] for need in bonuses]
        if not bonuses:
            result = base * whole
        elif policy.combination is Combination.PRIORITY:
            result = case(*zip(holds, singles, strict=True), else_=base * whole)
        else:
            result = func.greatest(base * whole, *(case(each) for each in zip(holds, singles, strict=True)))
    if bonuses and policy.weight_cap is not None:
        result = func.least(result, base * literal(int(Fraction(policy.weight_cap) * denominator), BigInteger))
    return result


def _if_held(need: NeedWeight, entitled: Subquery, value: Column) -> Column:
    return case((entitled.c[held(need.criterion)], value), else_=literal(0, BigInteger))


def _scaled_excess(need: NeedWeight, entitled: Subquery, denominator: int) -> Column:
    """Return what a factor adds to 1, times the denominator; a taper lets it fade, an unknown fact takes it away."""
    step = int(_step(need) * denominator) if need.effect is Effect.MULTIPLY else 0
    if need.effect is not Effect.MULTIPLY or need.taper is None:
        return literal(step, BigInteger)
    fact = _fact(need, entitled)
    none_at, span = literal(need.taper.none_at, BigInteger), _span(need)
    left = none_at - fact if span > 0 else fact - none_at
    zero = literal(0, BigInteger)
    steps = func.coalesce(func.least(func.greatest(left, zero), literal(abs(span), BigInteger)), zero)
    return steps * literal(step, BigInteger)


def _fact(need: NeedWeight, entitled: Subquery) -> Column:
    assert need.taper is not None, "only a tapered need depends on a fact"
    return entitled.c.income_minor if need.taper.fact == "income" else entitled.c.age


def _combined(policy: AllocationPolicy, entitled: Subquery, prorated: Column, bonuses: Sequence[NeedWeight]) -> Column:
    """Return the combined amount in decimals."""
    holds = [entitled.c[held(need.criterion)] for need in bonuses]
    one = literal(1, Numeric)
    if policy.combination is Combination.SUM:
        excesses = [
            case((holding, _factor(need, entitled) - one), else_=literal(0, Numeric))
            for need, holding in zip(bonuses, holds, strict=True)
            if need.effect is Effect.MULTIPLY
        ]
        additions = [
            case((holding, _addition(need, entitled)), else_=literal(0, Numeric))
            for need, holding in zip(bonuses, holds, strict=True)
            if need.effect is Effect.ADD
        ]
        result = prorated * sum(excesses, start=one) if excesses else prorated
        return sum(additions, start=result)
    if policy.combination is Combination.SEQUENTIAL:
        result = prorated
        for need, holding in zip(bonuses, holds, strict=True):
            result = case((holding, _applied(need, entitled, result)), else_=result)
        return result
    singles = [_applied(need, entitled, prorated) for need in bonuses]
    if policy.combination is Combination.PRIORITY:
        return case(*zip(holds, singles, strict=True), else_=prorated)
    candidates = [case((holding, single)) for holding, single in zip(holds, singles, strict=True)]
    return func.greatest(prorated, *candidates)


def _applied(need: NeedWeight, entitled: Subquery, amount: Column) -> Column:
    if need.effect is Effect.MULTIPLY:
        return amount * _factor(need, entitled)
    return amount + _addition(need, entitled)


def _addition(need: NeedWeight, entitled: Subquery) -> Column:
    amount = literal(need.amount_minor, Numeric)
    return amount * entitled.c.ratio if need.prorate_bonus else amount


def _factor(need: NeedWeight, entitled: Subquery) -> Column:
    """Return the factor of a criterion; a taper lets it fade to 1, and has no effect where its fact is unknown."""
    factor = literal(need.factor, Numeric)
    if need.taper is None:
        return factor
    zero, one = literal(0, Numeric), literal(1, Numeric)
    left = divided(cast(need.taper.none_at - _fact(need, entitled), Numeric), literal(_span(need), Numeric))
    share = func.coalesce(func.least(func.greatest(left, zero), one), zero)
    return one + (factor - one) * share
