"""One row of a population file: checked cell by cell, encrypted, and written as the database will take it.

The output is lines of PostgreSQL's COPY text format. No cell needs escaping there: whatever is free text goes into
the encrypted detail, everything else has passed a pattern.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ila.citizens.identity import IdentityKeys
from ila.citizens.importing.template import NAMES, REASON, WORK, as_given
from ila.citizens.persons import Identity, Person, person_faults
from ila.citizens.rules import CRITERIA, EvidenceSource, birth_fault
from ila.errors import Invalid
from ila.ids import new_reference
from ila.schemes.policy import EmploymentStatus, WorkBasis

NULL = r"\N"

PERSON_COLUMNS = (
    "line_no", "identifier_hash", "detail_hash", "wrapped_key", "detail", "reference", "facts_from", "born_on",
    "resides_here", "works_here", "national", "employment_status", "qualification_level", "income_minor", "region",
    "category", "work_basis", "work_done", "work_reference", "work_year",
)  # fmt: skip
NEED_COLUMNS = ("line_no", "criterion", "source", "valid_from", "valid_until")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,13})(?:\.(\d{1,2}))?\Z", re.ASCII)
_QUANTITY = re.compile(r"\d{1,12}(\.\d{1,4})?\Z", re.ASCII)
_YEAR = re.compile(r"(19|20|21)\d{2}\Z", re.ASCII)
_REGION = re.compile(r"[A-Z]{2}[0-9A-Z]{0,3}\Z")
_CATEGORY = re.compile(r"[A-Z][0-9A-Z]{0,9}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_FLAGS = {"yes": "t", "no": "f", "true": "t", "false": "f", "1": "t", "0": "f"}
_STATUSES = frozenset(EmploymentStatus)
_SOURCES = frozenset(EvidenceSource)
_BASES = frozenset(WorkBasis)
_LEVELS = frozenset("012345678")


class RowRefused(Exception):
    """A row that does not land; the message names the column and what is wrong."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A row as COPY takes it: one line for the person, one for each need."""

    person: str
    needs: list[str]


class RowReader:
    """Reads the rows of one file: knows its columns, its keys and the day of the import."""

    def __init__(
        self, columns: Sequence[str], keys: IdentityKeys, today: date, of_schemes: Collection[str] = ()
    ) -> None:
        self._columns = tuple(columns)
        self._absent = {name: "" for name in NAMES if name not in columns}
        self._keys = keys
        self._today_text = today.isoformat()
        self._criteria = CRITERIA | frozenset(of_schemes)
        self._days: dict[str, date] = {}
        self._was_refused_before = REASON in columns

    def staged(self, line_no: int, cells: Sequence[str]) -> StagedRow:
        """Return a row for COPY; raises `RowRefused`."""
        if len(cells) != len(self._columns):
            raise RowRefused(
                "line", f"has {len(cells)} cells and the header {len(self._columns)}; make them the same number"
            )
        row = self._row(cells)
        facts_from = row["facts_from"] or self._today_text
        born_on = row["born_on"]
        if fault := birth_fault(self._day("born_on", born_on), self._day("facts_from", facts_from)):
            raise RowRefused("born_on", f"{born_on} {fault}; correct the day of birth")
        needs = self._needs(line_no, row["needs"]) if row["needs"] else []
        level, income, region, category = (
            row["qualification_level"],
            row["income"],
            row["region"],
            row["category"],
        )
        person = "\t".join(
            (
                str(line_no),
                *self._identity(row),
                facts_from,
                born_on,
                _flag("resides_here", row["resides_here"]),
                _flag("works_here", row["works_here"]),
                _flag("national", row["national"]),
                _word("employment_status", row["employment_status"], _STATUSES),
                _level(level) if level else NULL,
                _amount(income) if income else NULL,
                _region(region) if region else NULL,
                _category(category) if category else NULL,
                *self._work(row),
            )
        )
        return StagedRow(person, needs)

    def _row(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the cells by column; those that the file does not have are empty."""
        if self._was_refused_before:
            cells = [as_given(text) for text in cells]
        row = self._absent.copy()
        row.update(zip(self._columns, map(str.strip, cells), strict=True))
        return row

    def _identity(self, row: dict[str, str]) -> tuple[str, ...]:
        """Return hash, hash of the details, wrapped key, details and a reference; this is where names end as text."""
        identity = Identity(row["identifier_country"], row["identifier_type"], row["identifier"])
        person = Person(identity, row["given_name"], row["family_name"], row["email"])
        for field, fault in person_faults(person):
            raise RowRefused(field, fault)
        identifier_hash = self._keys.identifier_hash(identity)
        sealed = self._keys.seal(person, identifier_hash)
        return (
            _bytes(identifier_hash),
            _bytes(self._keys.detail_hash(person, identifier_hash)),
            _bytes(sealed.wrapped_key),
            _bytes(sealed.detail),
            new_reference(),
        )

    def _needs(self, line_no: int, text: str) -> list[str]:
        lines: dict[str, str] = {}
        for entry in text.split(";"):
            parts = entry.strip().split(":")
            if len(parts) not in (3, 4):
                raise RowRefused(
                    "needs", f"{entry!r} is no need; write criterion:source:from or criterion:source:from:until"
                )
            criterion, source, valid_from = parts[0], parts[1], self._day("needs", parts[2])
            valid_until = self._day("needs", parts[3]) if len(parts) == 4 and parts[3] else date.max
            if criterion not in self._criteria:
                raise RowRefused("needs", f"there is no need criterion {criterion!r}; docs/citizens.md lists them")
            _word("needs", source, _SOURCES)
            if valid_from >= valid_until:
                raise RowRefused("needs", f"{criterion} ends on {valid_until}, which does not come after {valid_from}")
            if criterion in lines:
                raise RowRefused("needs", f"{criterion} is listed twice; list each criterion once")
            lines[criterion] = f"{line_no}\t{criterion}\t{source}\t{valid_from}\t{valid_until}"
        return list(lines.values())

    def _work(self, row: dict[str, str]) -> tuple[str, str, str, str]:
        basis = row["work_basis"]
        if not basis:
            for column in WORK[1:]:
                if row[column]:
                    raise RowRefused(column, "is given without a work_basis; say what it counts")
            return NULL, NULL, NULL, NULL
        done, reference, year = row["work_done"], row["work_reference"], row["work_year"]
        _word("work_basis", basis, _BASES)
        if not _QUANTITY.match(done):
            raise RowRefused("work_done", f"{done!r} is no quantity; write 803.5, with at most four decimals")
        if reference and (not _QUANTITY.match(reference) or not Decimal(reference)):
            raise RowRefused("work_reference", f"{reference!r} is no quantity above 0; write 1607, or leave it empty")
        if not _YEAR.match(year):
            raise RowRefused("work_year", f"{year!r} is no year; write the calendar year of the work, such as 2026")
        return basis, done, reference or NULL, year

    def _day(self, column: str, text: str) -> date:
        found = self._days.get(text)
        if found is None:
            found = date.fromisoformat(_day_text(column, text))
            if len(self._days) < 100_000:
                self._days[text] = found
        return found


def fact_from_text(name: str, text: str) -> tuple[str, Any]:
    """Return the name and the value of a circumstance that is named and written as in a file; raises `Invalid`.

    >>> fact_from_text("income", "24000.50"), fact_from_text("region", "")
    (('income_minor', 2400050), ('region', None))
    """
    readers: dict[str, Callable[[str], Any]] = {
        "born_on": lambda day: date.fromisoformat(_day_text("born_on", day)),
        "resides_here": lambda flag: _flag("resides_here", flag) == "t",
        "works_here": lambda flag: _flag("works_here", flag) == "t",
        "national": lambda flag: _flag("national", flag) == "t",
        "employment_status": lambda word: EmploymentStatus(_word("employment_status", word, _STATUSES)),
        "qualification_level": lambda level: int(_level(level)) if level else None,
        "income": lambda amount: int(_amount(amount)) if amount else None,
        "region": lambda code: _region(code) if code else None,
        "category": lambda code: _category(code) if code else None,
    }
    if name not in readers:
        raise Invalid(f"There is no fact {name!r} to correct; name one of {', '.join(readers)}.")
    try:
        return ("income_minor" if name == "income" else name), readers[name](text)
    except RowRefused as refusal:
        raise Invalid(f"{refusal}.") from None


def require_plain(text: str, columns: Sequence[str]) -> None:
    """Raise `RowRefused` where a line holds a control character."""
    if found := _CONTROL.search(text):
        place = min(text[: found.start()].count(","), len(columns) - 1)
        raise RowRefused(columns[place], f"holds the control character {ord(found[0]):#04x}; remove it")


def _day_text(column: str, text: str) -> str:
    if not _DAY.match(text):
        raise RowRefused(column, f"{text!r} is no day; write it as YYYY-MM-DD")
    try:
        date.fromisoformat(text)
    except ValueError:
        raise RowRefused(column, f"the calendar has no day {text}; correct it") from None
    return text


def _flag(column: str, text: str) -> str:
    found = _FLAGS.get(text)
    if found is None:
        raise RowRefused(column, f"{text!r} is neither yes nor no")
    return found


def _word(column: str, text: str, words: frozenset[str]) -> str:
    if text not in words:
        raise RowRefused(column, f"{text!r} is not one of {', '.join(sorted(words))}")
    return text


def _level(text: str) -> str:
    if text not in _LEVELS:
        raise RowRefused("qualification_level", f"{text!r} is no level from 0 to 8")
    return text


def _amount(text: str) -> str:
    found = _AMOUNT.match(text)
    if not found:
        raise RowRefused("income", f"{text!r} is no amount; write 24000 or 24000.50")
    return found[1] + (found[2] or "").ljust(2, "0")


def _region(text: str) -> str:
    if not _REGION.match(text):
        raise RowRefused("region", f"{text!r} is no NUTS code; write one such as BE10")
    return text


def _category(text: str) -> str:
    if not _CATEGORY.match(text):
        raise RowRefused("category", f"{text!r} is no category; write one such as C")
    return text


def _bytes(value: bytes) -> str:
    return rf"\\x{value.hex()}"
