"""Fields that several resources use."""

from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields

from ila.clock import NEVER

CODE = r"^[a-z][a-z0-9_]{0,62}\Z"
"""Form of the code of a scheme, a credit or a fund."""

EXAMPLE_REFERENCE = "3v8kq0m2zr5n9c1x7d4t6w8hjb"


def described(text: str, **more: Any) -> dict[str, Any]:
    """Return the `metadata` of a field that documents it."""
    return {"description": text, **more}


def amount(text: str, **options: Any) -> fields.Integer:
    """Return a field of an amount that an answer tells, in minor units of the scheme."""
    return fields.Integer(required=True, metadata=described(text, format="int64"), **options)


class LastDay(fields.Date):
    """The last usable day; null for what never expires."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> Any:
        return None if value == NEVER else super()._serialize(value, attr, obj, **options)


class StepValue(fields.Field[Any]):
    """The result of a step: minor units as a number, a ratio or a word as text, or null."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        if isinstance(value, Decimal):
            return f"{value:f}"
        return value if value is None or isinstance(value, int) else str(value)


class UnitSchema(Schema):
    """A scheme and its unit: amounts are whole numbers of 10^-minor_units of it."""

    code = fields.String(required=True, metadata=described("Code of the scheme.", example="eu_model"))
    title = fields.String(required=True)
    unit = fields.String(required=True, metadata=described("ISO 4217 code, or hours.", example="EUR"))
    minor_units = fields.Integer(required=True, metadata=described("Decimals of the unit.", example=2))
