"""Population files for tests, and an import of them into a database of the test's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from ila.citizens import IdentityKeys, importing
from ila.citizens.importing import ImportCounts, RefusedRow
from ila.citizens.importing.running import InTransaction
from ila.db.retry import attempt
from ila.db.session import WriteSession
from tests.conftest import Database

from .people import ADMINISTRATOR, KEYS, NOW

Result = TypeVar("Result")

TODAY = date(2026, 11, 24)
COLUMNS = tuple(column.name for column in importing.COLUMNS)
ROW = {
    "identifier_country": "BE",
    "identifier_type": "national_number",
    "identifier": "85.07.30-033 28",
    "given_name": "Wilhelmina",
    "family_name": "Testperson",
    "email": "wilhelmina@example.org",
    "born_on": "1985-07-30",
    "resides_here": "yes",
    "works_here": "yes",
    "national": "no",
    "employment_status": "employee",
    "qualification_level": "3",
    "income": "24000.50",
    "region": "BE10",
    "category": "",
    "needs": "low_qualified:register:2026-01-01",
    "work_basis": "hours",
    "work_done": "803.5",
    "work_reference": "1607",
    "work_year": "2026",
    "facts_from": "2026-01-01",
}


def row(number: int = 1, **cells: str) -> dict[str, str]:
    """A good row about another person for each number."""
    return {**ROW, "identifier": f"BE{number:06}", **cells}


def text_of(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """The text of a file; cells are written as they are."""
    lines = [",".join(columns), *(",".join(cells[name] for name in columns) for cells in rows)]
    return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import counted and refused."""

    counts: ImportCounts
    refused: list[RefusedRow] = field(default_factory=list)

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(row.line_no, row.reason) for row in self.refused]

    @property
    def summary(self) -> tuple[int, int, int, int]:
        """Opened, updated, unchanged, refused."""
        return self.counts.opened, self.counts.updated, self.counts.unchanged, self.counts.refused


def transact_in(database: Database) -> InTransaction:
    """Run work in transactions of the role `ila_job`."""
    sessions = database.sessions("ila_job")

    def transact(work: Callable[[WriteSession], Result]) -> Result:
        return attempt(sessions, work)

    return transact


def import_text(
    database: Database,
    path: Path,
    text: str | bytes,
    *,
    today: date = TODAY,
    keys: IdentityKeys = KEYS,
    batch_rows: int = 50_000,
) -> Imported:
    """Write a file and import it."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    refused: list[RefusedRow] = []
    counts = importing.import_population(
        transact_in(database),
        importing.inspected(path),
        actor=ADMINISTRATOR,
        keys=keys,
        today=today,
        now=NOW,
        batch_rows=batch_rows,
        on_refused=refused.append,
    )
    return Imported(counts, refused)
