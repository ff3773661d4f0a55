"""Need: which criteria hold for a citizen, what each does, and how they combine. Exact, in `Fraction`s."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ila.schemes.facts import CitizenFacts
from ila.schemes.policy import Combination, Effect, NeedWeight, Taper

ONE = Fraction(1)
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class HeldNeed:
    """A need criterion that holds. `base_minor`, `addition` or `factor` is set, by its effect; a taper is worked in.

    `applied` is False where another criterion was chosen: a larger `set_base`, or one effect under MAX or PRIORITY.
    """

    need: NeedWeight
    base_minor: int | None
    addition: Fraction | None
    factor: Fraction | None
    applied: bool


def holds(need: NeedWeight, facts: CitizenFacts, age: int) -> bool:
    """Tell whether every part of a need's condition is met; a part about an unknown fact is not."""
    condition = need.condition
    return (
        (not condition.attested or need.criterion in facts.attested)
        and _is_below(facts.qualification_level, condition.qualification_level_below)
        and (condition.category is None or facts.category == condition.category)
        and (not condition.statuses or facts.employment_status in condition.statuses)
        and (condition.age_from is None or age >= condition.age_from)
        and (condition.age_until is None or age < condition.age_until)
        and _is_below(facts.income_minor, condition.income_below_minor)
        and (not condition.regions or facts.region in condition.regions)
    )


def applied_needs(
    held: Sequence[NeedWeight],
    prorated: Fraction,
    ratio: Fraction,
    facts: CitizenFacts,
    age: int,
    combination: Combination,
) -> tuple[HeldNeed, ...]:
    """Return the needs that hold, in file order, each with its effect and whether it was applied.

    An addition follows the working time only with `prorate_bonus`. Under MAX the first of the largest results is
    applied, if it is more than the prorated base; under PRIORITY the first that holds, also with a factor of 1.
    """
    bases = [amount_of(need) for need in held if need.effect is Effect.SET_BASE]
    effects = [
        HeldNeed(
            need=need,
            base_minor=amount_of(need) if need.effect is Effect.SET_BASE else None,
            addition=amount_of(need) * (ratio if need.prorate_bonus else ONE) if need.effect is Effect.ADD else None,
            factor=effective_factor(need, facts, age) if need.effect is Effect.MULTIPLY else None,
            applied=need.effect is not Effect.SET_BASE or need.amount_minor == max(bases),
        )
        for need in held
    ]
    raising = [index for index, effect in enumerate(effects) if effect.base_minor is None]
    chosen = raising
    if combination is Combination.PRIORITY:
        chosen = raising[:1]
    elif combination is Combination.MAX and raising:
        largest = max(single_result(effects[index], prorated) for index in raising)
        first = next(index for index in raising if single_result(effects[index], prorated) == largest)
        chosen = [first] if largest > prorated else []
    return tuple(
        effect if effect.applied and (index in chosen or effect.base_minor is not None) else _left_out(effect)
        for index, effect in enumerate(effects)
    )


def single_result(effect: HeldNeed, prorated: Fraction) -> Fraction:
    """Return what one effect alone makes of the prorated base."""
    return prorated * (ONE if effect.factor is None else effect.factor) + (effect.addition or ZERO)


def weighted_amount(
    needs: Iterable[HeldNeed], prorated: Fraction, combination: Combination, weight_cap: Decimal | None
) -> Fraction:
    """Return the prorated base after the needs that apply, exact.

    SUM: prorated * (1 + sum(factor - 1)) + sum of additions. SEQUENTIAL: one after the other in file order.
    MAX and PRIORITY: the single one that `applied_needs` chose. The result is at most prorated * `weight_cap`.
    """
    applied = [need for need in needs if need.applied and need.base_minor is None]
    weighted = prorated
    if combination is Combination.SEQUENTIAL:
        for need in applied:
            weighted = single_result(need, weighted)
    else:
        weighted += sum((single_result(need, prorated) - prorated for need in applied), ZERO)
    return min(weighted, prorated * Fraction(weight_cap)) if weight_cap else weighted


def effective_factor(need: NeedWeight, facts: CitizenFacts, age: int) -> Fraction:
    """Return a factor after its taper; an income that is not known gives 1, which changes nothing."""
    assert need.factor is not None, f"{need.criterion} multiplies and needs a factor"
    factor = Fraction(need.factor)
    if need.taper is None:
        return factor
    fact = age if need.taper.fact == "age" else facts.income_minor
    return ONE if fact is None else ONE + (factor - 1) * taper_share(need.taper, fact)


def taper_share(taper: Taper, fact: int) -> Fraction:
    """Return how much of a tapered factor is left: 1 at `full_at`, 0 at `none_at`, linear between, flat beyond.

    >>> income = Taper("income", full_at=1_500_000, none_at=3_000_000)
    >>> [taper_share(income, amount) for amount in (0, 1_500_000, 2_400_000, 3_000_000)]
    [Fraction(1, 1), Fraction(1, 1), Fraction(2, 5), Fraction(0, 1)]
    """
    share = Fraction(taper.none_at - fact, taper.none_at - taper.full_at)
    return min(max(share, ZERO), ONE)


def amount_of(need: NeedWeight) -> int:
    """Return the amount of a criterion that sets the base or adds."""
    assert need.amount_minor is not None, f"{need.criterion} needs an amount"
    return need.amount_minor


def _is_below(number: int | None, limit: int | None) -> bool:
    return limit is None or (number is not None and number < limit)


def _left_out(effect: HeldNeed) -> HeldNeed:
    return HeldNeed(effect.need, effect.base_minor, effect.addition, effect.factor, applied=False)
