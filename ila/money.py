"""Minor units and the only rounding in Python.

Amounts are whole minor units of a scheme's unit (cents; hours where the unit has none). Rates and ratios are
`Decimal` or `Fraction`, never a binary float. PostgreSQL's `round(numeric)` and `round_minor` agree: half goes up.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

Exact = int | Decimal | Fraction


class Rounding(StrEnum):
    """How a computed amount becomes whole minor units. Amounts are never negative when they are rounded."""

    CEIL = "ceil_minor"
    CEIL_INTEGER = "ceil_integer"
    HALF_UP = "half_up"
    FLOOR = "floor"


def round_minor(amount: Exact, rounding: Rounding = Rounding.HALF_UP) -> int:
    """Return `amount` as whole minor units.

    >>> round_minor(Decimal("500.5"))
    501
    >>> round_minor(Fraction(50_000 * 643, 1607), Rounding.CEIL)
    20007
    """
    exact = Fraction(amount)
    if exact < 0:
        raise ValueError(f"only amounts of zero and more are rounded, not {amount}")
    whole, rest = divmod(exact.numerator, exact.denominator)
    match rounding:
        case Rounding.CEIL | Rounding.CEIL_INTEGER:
            return whole + (rest > 0)
        case Rounding.FLOOR:
            return whole
        case Rounding.HALF_UP:
            return whole + (2 * rest >= exact.denominator)


def shares(total_minor: int, weights: Sequence[Exact]) -> list[int]:
    """Split `total_minor` in proportion to `weights` so that the parts add up exactly.

    Largest remainder first; equal remainders go to the earlier part, so the order of `weights` decides.

    >>> shares(100, [1, 1, 1])
    [34, 33, 33]
    """
    parts = [Fraction(weight) for weight in weights]
    whole = sum(parts, Fraction(0))
    if not parts or whole <= 0 or min(parts) < 0:
        raise ValueError("shares need weights of zero and more with a positive sum")
    exact = [total_minor * part / whole for part in parts]
    result = [part.numerator // part.denominator for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: (result[index] - exact[index], index))
    for index in by_remainder[: total_minor - sum(result)]:
        result[index] += 1
    return result


def minor_from_text(text: str, minor_units: int) -> int:
    """Parse a decimal text such as `"500.00"` into minor units; raises `ValueError` where digits would be lost.

    >>> minor_from_text("103.20", 2)
    10320
    """
    scaled = Decimal(text).scaleb(minor_units)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{text} has more than {minor_units} decimals")
    return whole


def decimal_from_minor(amount_minor: int, minor_units: int) -> Decimal:
    """Return the amount in its unit, for people and for text exports.

    >>> decimal_from_minor(10320, 2)
    Decimal('103.20')
    """
    return Decimal(amount_minor).scaleb(-minor_units)
