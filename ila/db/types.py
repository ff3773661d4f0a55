"""Column types: enums as words or small numbers, instants in UTC."""

from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import DateTime, Dialect, SmallInteger, Text, TypeDecorator
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import UserDefinedType


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamptz` that refuses naive times and always returns UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


Words = TypeVar("Words", bound=StrEnum)
Numbers = TypeVar("Numbers", bound=IntEnum)


class TextEnum(TypeDecorator[Words], Generic[Words]):
    """A `StrEnum` stored as text; the CHECK that lists its words stands beside the column."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[Words]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Words | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Words | None:
        return None if value is None else self.words(value)


class SmallEnum(TypeDecorator[Numbers], Generic[Numbers]):
    """An `IntEnum` stored as smallint: two bytes where a word would take twenty, in tables of many millions."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, numbers: type[Numbers]) -> None:
        super().__init__()
        self.numbers = numbers

    def process_bind_param(self, value: Numbers | None, dialect: Dialect) -> int | None:
        return None if value is None else int(self.numbers(value))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Numbers | None:
        return None if value is None else self.numbers(value)


class Xid8(UserDefinedType[int]):
    """A transaction id that never wraps, as PostgreSQL's `xid8`; unique within one cluster only."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


def words_check(column: str, words: type[StrEnum]) -> str:
    """Return the CHECK text that lists the words of an enum, for `CheckConstraint`."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return f"{column} IN ({listed})"


# Reflection of a database, as the comparison of models and migrations does it, must know the type too.
ischema_names["xid8"] = Xid8
