"""Typed parameter values, and their form as JSON.

`int` for whole numbers and for amounts (minor units), `Decimal` for ratios, factors and percents, `date`, `bool`,
`str`, tuples for lists and tables, mappings for rows. The JSON carries its types, so that a snapshot is readable
without the catalogue that typed it.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

Value = str | int | bool | Decimal | date | None | tuple["Value", ...] | Mapping[str, "Value"]


def decimal_text(number: Decimal) -> str:
    """Return a decimal without exponent and trailing zeros, so that 1.60 and 1.6 are the same text.

    >>> decimal_text(Decimal("1.60")), decimal_text(Decimal("100"))
    ('1.6', '100')
    """
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_json(value: Value) -> Any:
    """Return a value as JSON, tagged where JSON has no type: decimals and days. No column has a dollar sign."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return {"$decimal": decimal_text(value)}
        case date():
            return {"$date": value.isoformat()}
        case tuple():
            return [value_json(item) for item in value]
        case Mapping():
            return {key: value_json(item) for key, item in value.items()}


def value_from_json(stored: Any) -> Value:
    """Return the typed value that `value_json` wrote."""
    match stored:
        case {"$decimal": text}:
            return Decimal(text)
        case {"$date": text}:
            return date.fromisoformat(text)
        case dict():
            return {key: value_from_json(item) for key, item in stored.items()}
        case list():
            return tuple(value_from_json(item) for item in stored)
        case None | bool() | int() | str():
            return stored
        case _:
            raise ValueError(f"a stored parameter value cannot be {stored!r}")
