"""One batch of a population becomes accounts, facts, needs and working time: a fixed number of statements, all sets.

The batch lies in two temporary tables. Who is new gets an account; who is known is compared, and only what differs is
locked and written. The merge of a batch that has landed before changes nothing.

What a row says of a known citizen:
- Facts: true from `facts_from` until the next day on which something else is known. Days before and after stay.
- A need: the whole truth about its criterion from its first day on. With a column `needs`, criteria of the source
  `register` that a row does not list end on `facts_from`; what people attested or declared is left alone.
- Working time: the whole truth about job 1 in its year.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any

from sqlalchemy import func, select, text

from ila.access.rules import Actor
from ila.citizens.commands.accounts import OPENINGS
from ila.citizens.commands.recording import record_change
from ila.citizens.identity import IdentityKeys
from ila.citizens.importing import statements
from ila.citizens.importing.rows import NEED_COLUMNS, PERSON_COLUMNS
from ila.citizens.rules import ChangeKind
from ila.db.session import WriteSession

WORK_MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that passed their own checks, in pieces of COPY text with the number of persons."""

    persons: Sequence[bytes]
    needs: Sequence[bytes]
    persons_count: int


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of a batch: how many of each, and the line and reason of those the database refused."""

    opened: int
    updated: int
    unchanged: int
    refused: Sequence[tuple[int, str]]


class Merger:
    """Merges the batches of one import. `columns` are those of the file: what it does not have is left as it is."""

    def __init__(
        self, import_id: int, columns: Sequence[str], actor: Actor, keys: IdentityKeys, *, today: date, now: datetime
    ) -> None:
        self._import_id = import_id
        self._actor = actor
        self._keys = keys
        self._today = today
        self._now = now
        self._columns = statements.Columns.of(columns)

    def merge(self, session: WriteSession, batch: Batch) -> Merged:
        """Merge a batch within the transaction of the session."""
        session.execute(text(f"SET LOCAL work_mem = '{WORK_MEMORY}'"))
        session.execute(text("SET LOCAL jit = off"))
        session.execute(select(func.pg_advisory_xact_lock(OPENINGS)))
        self._stage(session, batch)
        refused = self._repeated(session, batch.persons_count)
        known = _count(session, statements.KNOWN)
        session.execute(text("ANALYZE import_known"))
        touched = 0
        if known:
            touched = _count(session, statements.touched_people(self._columns))
            session.execute(text(statements.LOCK))
            closed = session.execute(text(statements.CLOSED)).all()
            refused += [(line_no, _closed_reason(closed_on, erased)) for line_no, closed_on, erased in closed]
            touched -= len(closed)
            known -= len(closed)
        new = batch.persons_count - known - len(refused)
        if new or touched:
            change_no = record_change(
                session, self._actor, ChangeKind.IMPORT, now=self._now, citizen_import_id=self._import_id
            )
            self._write(session, change_no, opens=bool(new), changes=bool(touched))
        return Merged(opened=new, updated=touched, unchanged=known - touched, refused=refused)

    def _write(self, session: WriteSession, change_no: int, *, opens: bool, changes: bool) -> None:
        numbers = {
            "change_no": change_no,
            "today": self._today,
            "pepper_version": self._keys.pepper_version,
            "key_version": self._keys.key_version,
        }
        if opens:
            session.execute(text(statements.OPEN), numbers)
        if changes:
            session.execute(text(statements.DETAIL), numbers)
            changes_of = [statements.fact_changes(self._columns), statements.work_changes()]
            if self._columns.has_needs:
                changes_of.append(statements.need_changes())
            for statement in chain.from_iterable(changes_of):
                session.execute(text(statement), numbers)

    def _stage(self, session: WriteSession, batch: Batch) -> None:
        for statement in statements.TABLES:
            session.execute(text(statement))
        connection: Any = session.connection().connection.driver_connection
        with connection.cursor() as cursor:
            for table, columns, pieces in (
                ("import_person", PERSON_COLUMNS, batch.persons),
                ("import_need", NEED_COLUMNS, batch.needs),
            ):
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for piece in pieces:
                        copy.write(piece)
        session.execute(text("ANALYZE import_person"))
        session.execute(text("ANALYZE import_need"))

    def _repeated(self, session: WriteSession, rows: int) -> list[tuple[int, str]]:
        new = _count(session, statements.SEEN, import_id=self._import_id)
        if new == rows:
            return []
        repeated = session.execute(text(statements.REPEATED), {"import_id": self._import_id}).all()
        return [
            (line_no, f"identifier: the same person stands in line {earlier}; keep one of the two")
            for line_no, earlier in repeated
        ]


def _closed_reason(closed_on: date, erased: bool) -> str:
    if erased:
        return f"identifier: the account was closed on {closed_on} and its personal details erased; leave the row out"
    return f"identifier: the account was closed on {closed_on}; reopen it before its facts change"


def _count(session: WriteSession, statement: str, **parameters: Any) -> int:
    """Execute a statement and return how many rows it touched."""
    result: Any = session.execute(text(statement).execution_options(preserve_rowcount=True), parameters)
    rows: int = result.rowcount
    return rows
