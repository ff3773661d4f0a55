"""The shapes a parameter's value can have: one number, a word of a list, a table of rows.

A unit `{unit}` stands for the scheme's own, `{currency}` for any currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What one written value is."""

    TEXT = "text"
    CODE = "code"  # lower-case words joined by underscores
    WORD = "word"  # one of a closed list
    FLAG = "yes or no"  # written true or false
    WHOLE = "whole number"
    DECIMAL = "decimal"
    AMOUNT = "amount"  # written in the scheme's unit, kept in minor units
    DAY = "day"  # YYYY-MM-DD
    DAY_OF_YEAR = "day of the year"  # MM-DD
    LIST = "list"
    ROW = "row"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind with its bounds. `columns` and `optional` name the cells of a row, or of each row of a table."""

    kind: Kind
    words: tuple[str, ...] = ()
    lowest: Decimal | None = None
    highest: Decimal | None = None
    item: "Shape | None" = None
    columns: Mapping[str, "Shape"] = field(default_factory=dict)
    optional: Mapping[str, "Shape"] = field(default_factory=dict)

    def described(self) -> str:
        """Return the shape in words, for the documentation."""
        match self.kind:
            case Kind.WORD:
                return " / ".join(f"`{word}`" for word in self.words)
            case Kind.LIST:
                assert self.item is not None
                return f"list of {self.item.described()}"
            case Kind.ROW | Kind.TABLE:
                cells = [f"`{name}`" for name in self.columns] + [f"[`{name}`]" for name in self.optional]
                return f"{self.kind} of {', '.join(cells)}"
            case _:
                return f"{self.kind}{self._bounds()}"

    def _bounds(self) -> str:
        if self.lowest is not None and self.highest is not None:
            return f" {self.lowest} to {self.highest}"
        return "" if self.lowest is None or self.lowest == 0 else f" from {self.lowest}"


TEXT = Shape(Kind.TEXT)
CODE = Shape(Kind.CODE)
FLAG = Shape(Kind.FLAG)
DAY = Shape(Kind.DAY)
DAY_OF_YEAR = Shape(Kind.DAY_OF_YEAR)
AMOUNT = Shape(Kind.AMOUNT, lowest=Decimal(0))
PERCENT = Shape(Kind.DECIMAL, lowest=Decimal(0), highest=Decimal(100))
RATIO = Shape(Kind.DECIMAL, lowest=Decimal(0), highest=Decimal(1))
FACTOR = Shape(Kind.DECIMAL, lowest=Decimal(1), highest=Decimal(100))
QUANTITY = Shape(Kind.DECIMAL, lowest=Decimal(0))


def whole(lowest: int = 0, highest: int | None = None) -> Shape:
    """Return a whole number within bounds, both included."""
    return Shape(Kind.WHOLE, lowest=Decimal(lowest), highest=None if highest is None else Decimal(highest))


def word(*words: str) -> Shape:
    """Return one word of a closed list."""
    return Shape(Kind.WORD, words=words)


def list_of(item: Shape) -> Shape:
    """Return a list, which may be empty."""
    return Shape(Kind.LIST, item=item)


def row(columns: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """Return a mapping with these cells and no others."""
    return Shape(Kind.ROW, columns=columns, optional=optional or {})


def table(columns: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None) -> Shape:
    """Return a list of rows with these cells and no others; it may not be empty."""
    return Shape(Kind.TABLE, columns=columns, optional=optional or {})


FUND_KINDS = ("state", "region", "employer", "sector_fund", "employment_service", "citizen")
PERIODS = word("calendar_year", "school_year", "rolling_year_from_first_use", "window")
CODES = list_of(CODE)
ANY_AMOUNT = ("{unit}", "{unit}/year", "{unit}/month")
DAYS = ("calendar days", "working days")


@dataclass(frozen=True, slots=True)
class Entry:
    """One parameter of the catalogue. `required`: every credit needs it, its own or the scheme's."""

    name: str
    file: str
    shape: Shape
    units: tuple[str, ...]
    meaning: str
    required: bool = False
