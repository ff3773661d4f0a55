"""The columns of a population file. Pure; `docs/citizens.md` tells the same to people."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ila.errors import Invalid


class UnreadableFile(Invalid):
    """A population file that cannot be imported as a whole; nothing of it has landed."""

    code = "unreadable_file"


@dataclass(frozen=True, slots=True)
class Column:
    """One column and what a cell holds; one that is not `required` may be left out, or its cells left empty."""

    name: str
    meaning: str
    required: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("identifier_country", "country of the identifier, two capital letters: BE", required=True),
    Column("identifier_type", "kind of identifier, a word of small letters: national_number", required=True),
    Column("identifier", "the identifier; spaces, points, hyphens and case do not count", required=True),
    Column("given_name", "given names; may be empty", required=True),
    Column("family_name", "family name", required=True),
    Column("email", "address for notices; may be empty", required=True),
    Column("born_on", "day of birth, YYYY-MM-DD", required=True),
    Column("resides_here", "yes or no", required=True),
    Column("works_here", "yes or no", required=True),
    Column("national", "yes or no", required=True),
    Column(
        "employment_status",
        "employee, self_employed, public_agent, jobseeker, inactive, student or retired",
        required=True,
    ),
    Column("qualification_level", "0 to 8, European Qualifications Framework; empty: not known"),
    Column("income", "a year, in the national currency: 24000 or 24000.50; empty: not known"),
    Column("region", "NUTS code: BE10; empty: not known"),
    Column("category", "of a public agent: A, B or C; empty: none"),
    Column("needs", "criterion:source:from or criterion:source:from:until, several joined by ;"),
    Column("work_basis", "what work_done counts: hours, days, pay, months or percent; empty: nothing said of work"),
    Column("work_done", "working time in the year, at most four decimals"),
    Column("work_reference", "100 % of it; empty: that of the scheme"),
    Column("work_year", "calendar year of work_done, YYYY"),
    Column("facts_from", "first day of these facts, YYYY-MM-DD; empty: the day of the import"),
)

EXAMPLE = (
    "BE", "national_number", "85.07.30-033 28", "Anna", "Peeters", "anna.peeters@example.org", "1985-07-30", "yes",
    "yes", "yes", "employee", "3", "24000.50", "BE10", "",
    "low_qualified:register:2026-01-01;caregiver:declaration:2026-03-01:2027-03-01", "hours", "803.5", "1607", "2026",
    "2026-01-01",
)  # fmt: skip
"""A row as it may stand in a file, of nobody."""

NAMES = tuple(column.name for column in COLUMNS)
REQUIRED = tuple(column.name for column in COLUMNS if column.required)
WORK = ("work_basis", "work_done", "work_reference", "work_year")

LINE, REASON = "line", "reason"
"""Columns that a file of refused rows has besides; an import passes over them, so that it can be corrected in place."""


def checked_header(cells: Sequence[str], path: object) -> tuple[str, ...]:
    """Return the names of the columns of a file in its order; raises `UnreadableFile` with everything that is wrong."""
    names = tuple(cell.strip() for cell in cells)
    faults = []
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise UnreadableFile(
            f"{path}, line 1: the columns are not separated by commas; save the file as CSV with commas.", line=1
        )
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            faults.append(f"column {name!r} stands there {names.count(name)} times")
        if name not in NAMES and name not in (LINE, REASON):
            close = get_close_matches(name, NAMES, n=1)
            faults.append(f"column {name!r} is unknown" + (f" (is it {close[0]}?)" if close else ""))
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        faults.append(f"{'columns are' if len(missing) > 1 else 'a column is'} missing: {', '.join(missing)}")
    if any(name in names for name in WORK) and not all(name in names for name in WORK):
        faults.append(f"the columns {', '.join(WORK)} come together or not at all")
    if faults:
        raise UnreadableFile(
            f"{path}, line 1: {'; '.join(faults)}. Correct the header; `ila citizens template` writes a right one.",
            line=1,
        )
    return names


FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a cell that begins so."""


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet runs: an apostrophe goes in front of what looks like a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def as_given(cell: str) -> str:
    """Undo `harmless`.

    >>> as_given(harmless("-5")), as_given("'t Hooft")
    ('-5', "'t Hooft")
    """
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
