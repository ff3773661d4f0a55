"""marshmallow schemas of the policy files: texts become days, decimals and whole minor units, or a fault.

Only plain decimals are numbers: `1e3`, `.5`, `1_000`, `+5` and `nan` are refused. A schema is made for each
parameter from its shape in the catalogue. `load` returns what was understood and every fault with its path.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema, ValidationError, fields, validates_schema

from ila.schemes.shapes import FUND_KINDS, Entry, Kind, Shape
from ila.schemes.strict_yaml import Path

CODE_PATTERN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MESSAGES: dict[str, str | list[Any] | dict[Any, Any]] = {
    "required": "is missing",
    "null": "may not be null",
    "validator_failed": "is not allowed",
}


class Strict(Schema):
    """A mapping whose keys are all known."""

    error_messages = {"unknown": "unknown key", "type": "must be a mapping of keys"}  # noqa: RUF012  # as Schema has it


class TextField(fields.Field[Any]):
    """One written value. `typed` turns its text into the value or raises `ValidationError`."""

    default_error_messages = MESSAGES

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError("must be one value, not a list or a mapping of keys")
        return self.typed(value)

    def typed(self, text: str) -> Any:
        """Return the text itself, which may not be blank."""
        if not text.strip():
            raise ValidationError("is blank")
        return text


class CodeText(TextField):
    """Lower-case words joined by underscores."""

    def typed(self, text: str) -> str:
        """Return the code."""
        if not CODE_PATTERN.fullmatch(text):
            raise ValidationError(f"'{text}' is not a code; write lower-case words joined by underscores")
        return text


class FlagText(TextField):
    """The word true or false, and no other."""

    def typed(self, text: str) -> bool:
        """Return the flag."""
        if text not in ("true", "false"):
            raise ValidationError(f"'{text}' must be true or false")
        return text == "true"


class DayText(TextField):
    """A day as YYYY-MM-DD."""

    def typed(self, text: str) -> date:
        """Return the day."""
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValidationError(f"'{text}' is not a day; write YYYY-MM-DD")
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValidationError(f"'{text}' is not a day of the calendar") from None


class DayOfYearText(TextField):
    """A day of every year as MM-DD."""

    def typed(self, text: str) -> str:
        """Return the text; 29 February is not a day of every year."""
        if not re.fullmatch(r"\d{2}-\d{2}", text):
            raise ValidationError(f"'{text}' is not a day of the year; write MM-DD")
        try:
            date.fromisoformat(f"2025-{text}")
        except ValueError:
            raise ValidationError(f"'{text}' is not a day of every year") from None
        return text


class NumberText(TextField):
    """A plain number within the bounds of its shape."""

    pattern = r"-?(0|[1-9]\d*)(\.\d+)?"
    called = "a plain decimal such as 0.5"

    def __init__(self, shape: Shape, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = shape

    def number(self, text: str) -> Decimal:
        """Return the number, if it is one and within bounds."""
        if not re.fullmatch(self.pattern, text, re.ASCII) or len(text) > 24:
            raise ValidationError(f"'{text}' is not {self.called}")
        number = Decimal(text)
        if self.shape.lowest is not None and number < self.shape.lowest:
            raise ValidationError(f"{text} is below {self.shape.lowest}")
        if self.shape.highest is not None and number > self.shape.highest:
            raise ValidationError(f"{text} is above {self.shape.highest}")
        return number


class WholeText(NumberText):
    """A whole number."""

    pattern = r"-?(0|[1-9]\d*)"
    called = "a whole number"

    def typed(self, text: str) -> int:
        """Return the number."""
        return int(self.number(text))


class DecimalText(NumberText):
    """A ratio, a factor, a percent or a quantity."""

    def typed(self, text: str) -> Decimal:
        """Return the number without trailing zeros, so that 1.60 and 1.6 are the same value."""
        number = self.number(text).normalize()
        return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


class AmountText(NumberText):
    """An amount in the scheme's unit."""

    called = "a plain amount such as 500.00"

    def __init__(self, shape: Shape, minor_units: int, **kwargs: Any) -> None:
        super().__init__(shape, **kwargs)
        self.minor_units = minor_units

    def typed(self, text: str) -> int:
        """Return whole minor units; digits are never dropped."""
        scaled = self.number(text).scaleb(self.minor_units)
        if scaled != scaled.to_integral_value():
            raise ValidationError(f"{text} has more decimals than the unit has ({self.minor_units})")
        return int(scaled)


class WordText(TextField):
    """One word of a closed list."""

    def __init__(self, words: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.words = words

    def typed(self, text: str) -> str:
        """Return the word."""
        if text not in self.words:
            raise ValidationError(f"'{text}' is not one of {', '.join(self.words)}")
        return text


class Listed(fields.List[Any]):
    """A list whose faults are ours to word. With `filled` it may not be empty."""

    default_error_messages = {**MESSAGES, "invalid": "must be a list"}  # noqa: RUF012  # as Field has it

    def __init__(self, item: fields.Field[Any], *, filled: bool = False, **kwargs: Any) -> None:
        super().__init__(item, **kwargs)
        self.filled = filled

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == [] and self.filled:
            raise ValidationError("is an empty list")
        items = super()._deserialize(value, attr, data, **kwargs)
        return tuple(items)


class Rows(fields.Nested):
    """A nested mapping whose faults are ours to word."""

    default_error_messages = {**MESSAGES, "type": "must be a mapping of keys"}  # noqa: RUF012  # as Field has it


def field_for(shape: Shape, minor_units: int, *, required: bool = True, allow_none: bool = False) -> fields.Field[Any]:
    """Return the field that reads a shape in a scheme of so many minor units."""
    options: dict[str, Any] = {"required": required, "allow_none": allow_none}
    match shape.kind:
        case Kind.TEXT:
            return TextField(**options)
        case Kind.CODE:
            return CodeText(**options)
        case Kind.WORD:
            return WordText(shape.words, **options)
        case Kind.FLAG:
            return FlagText(**options)
        case Kind.WHOLE:
            return WholeText(shape, **options)
        case Kind.DECIMAL:
            return DecimalText(shape, **options)
        case Kind.AMOUNT:
            return AmountText(shape, minor_units, **options)
        case Kind.DAY:
            return DayText(**options)
        case Kind.DAY_OF_YEAR:
            return DayOfYearText(**options)
        case Kind.LIST:
            assert shape.item is not None
            return Listed(field_for(shape.item, minor_units), **options)
        case Kind.ROW:
            return Rows(_row_schema(shape, minor_units), **options)
        case Kind.TABLE:
            return Listed(Rows(_row_schema(shape, minor_units)), filled=True, **options)


def _row_schema(shape: Shape, minor_units: int) -> Schema:
    cells = {name: field_for(cell, minor_units) for name, cell in shape.columns.items()}
    cells |= {name: field_for(cell, minor_units, required=False) for name, cell in shape.optional.items()}
    return Strict.from_dict(cells)()


class UrlText(TextField):
    """A web address."""

    def typed(self, text: str) -> str:
        """Return the address."""
        if not re.fullmatch(r"https?://[^\s/]+\S*", text):
            raise ValidationError(f"'{text}' is not a web address that begins with https://")
        return text


class ReferenceSchema(Strict):
    """A legal reference."""

    title = TextField(required=True)
    url = UrlText()
    published_on = DayText()


class DatedValueSchema(Strict):
    """One dated value; the field `value` is added for each parameter."""

    start = DayText(required=True)
    reason = TextField()
    approved_by = TextField()
    references = Listed(Rows(ReferenceSchema), filled=True)

    @validates_schema(skip_on_field_errors=True)
    def explains_itself(self, dated: dict[str, Any], **kwargs: Any) -> None:
        """A value has a law behind it; the end of one has a reason."""
        if dated["value"] is None and "reason" not in dated:
            raise ValidationError("a null value needs a reason", "reason")
        if dated["value"] is not None and "reason" in dated:
            raise ValidationError("only a null value has a reason; use the description", "reason")
        if dated["value"] is not None and "references" not in dated:
            raise ValidationError("is missing; name the law behind the value", "references")


class DatedValues(Listed):
    """The history of a parameter, in the order of its days."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        values = super()._deserialize(value, attr, data, **kwargs)
        faults = {}
        for index in range(1, len(values)):
            before, start = values[index - 1]["start"], values[index]["start"]
            if start == before:
                faults[index] = {"start": [f"overlapping: two values start on {start}"]}
            elif start < before:
                faults[index] = {"start": [f"unordered: {start} comes after {before}; the earliest stands first"]}
        if faults:
            raise ValidationError(faults)  # nested by index, as List itself raises them
        return values


class UnitText(TextField):
    """The unit of a parameter: one of those its entry in the catalogue allows."""

    def __init__(self, units: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def typed(self, text: str) -> str:
        """Return the unit."""
        if text not in self.units:
            raise ValidationError(f"'{text}' is not a unit of this parameter: write {' or '.join(self.units)}")
        return text


def parameter_schema(entry: Entry, units: tuple[str, ...], minor_units: int, *, listed: bool = False) -> Schema:
    """Return the schema of one parameter; a listed one (a need) also names its criterion."""
    value_field = field_for(entry.shape, minor_units, allow_none=True)
    dated = DatedValueSchema.from_dict({"value": value_field})
    cells: dict[str, fields.Field[Any]] = {
        "description": TextField(required=True),
        "unit": UnitText(units, required=True),
        "checked_on": DayText(required=True),
        "values": DatedValues(Rows(dated), filled=True, required=True),
    }
    if listed:
        cells["criterion"] = CodeText(required=True)
    return Strict.from_dict(cells)()


class ZoneText(TextField):
    """A time zone by its name, such as Europe/Paris."""

    def typed(self, text: str) -> str:
        """Return the name of a zone that exists."""
        try:
            ZoneInfo(text)
        except (KeyError, ValueError, OSError):
            raise ValidationError(f"'{text}' is not a time zone; write a name such as Europe/Paris") from None
        return text


class CalendarText(TextField):
    """A holiday calendar: a country, or a region of one."""

    def typed(self, text: str) -> str:
        """Return the code."""
        if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", text):
            raise ValidationError(f"'{text}' is not a calendar; write a country code such as FR or BE-VLG")
        return text


class FundSchema(Strict):
    """A fund of the scheme."""

    code = CodeText(required=True)
    title = TextField(required=True)
    kind = WordText(FUND_KINDS, required=True)
    limited = FlagText(required=True)


class CreditSchema(Strict):
    """A credit of the scheme."""

    code = CodeText(required=True)
    title = TextField(required=True)


class SchemeSchema(Strict):
    """`scheme.yaml`: what never changes with a day."""

    code = CodeText(required=True)
    title = TextField(required=True)
    unit = TextField(required=True)
    minor_units = WholeText(Shape(Kind.WHOLE, lowest=Decimal(0), highest=Decimal(4)), required=True)
    time_zone = ZoneText(required=True)
    calendar = CalendarText(required=True)
    first_day = DayText(required=True)
    last_day = DayText(required=True, allow_none=True)
    credits = Listed(Rows(CreditSchema), filled=True, required=True)
    funds = Listed(Rows(FundSchema), filled=True, required=True)
    legal_basis = Listed(Rows(ReferenceSchema), filled=True, required=True)


class UnitSchema(Strict):
    """One unit of `units.yaml`."""

    title = TextField(required=True)
    minor_units = WholeText(Shape(Kind.WHOLE, lowest=Decimal(0), highest=Decimal(4)))


def load(schema: Schema, content: Any) -> tuple[Any, list[tuple[Path, str]]]:
    """Return what the schema understood (None where faulty) and every fault with the path to it."""
    try:
        return schema.load(content), []
    except ValidationError as error:
        return None, list(_flattened(error.messages, ()))


def load_faultless_keys(schema: Schema, content: Any) -> tuple[dict[str, Any], list[tuple[Path, str]]]:
    """Return the keys of a mapping that have no fault at all, and every fault of the others."""
    try:
        return dict(schema.load(content)), []
    except ValidationError as error:
        faults = list(_flattened(error.messages, ()))
        faulty = {path[0] for path, _ in faults if path}
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return {key: value for key, value in valid.items() if key not in faulty}, faults


def _flattened(messages: Any, path: Path) -> list[tuple[Path, str]]:
    """Turn marshmallow's nested messages into paths: `_schema` names the thing around it."""
    if isinstance(messages, Mapping):
        flat = []
        for key, inner in messages.items():
            flat += _flattened(inner, path if key == "_schema" else (*path, key))
        return flat
    return [(path, str(message)) for message in messages]
