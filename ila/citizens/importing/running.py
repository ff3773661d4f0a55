"""An import from end to end: rows are read and encrypted in a thread while the database merges the batch before.

Each batch is a transaction of its own, run by the caller. An import that was cut off is simply started again: what
has landed counts as unchanged.
"""

import queue
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import delete, insert, update

from ila import audit
from ila.access.rules import Actor, Permission, require
from ila.citizens.commands.accounts import require_same_keys
from ila.citizens.identity import IdentityKeys
from ila.citizens.importing.merging import Batch, Merged, Merger
from ila.citizens.importing.reading import BrokenLine, Inspection, cells_of, decoded, numbered_lines
from ila.citizens.importing.rows import RowReader, RowRefused, require_plain
from ila.citizens.models import CitizenImportRow, CitizenImportSeenRow, ImportState
from ila.db.session import WriteSession

ABANDONED_AFTER = timedelta(days=1)
PIECE_ROWS = 1000

Result = TypeVar("Result")
Item = TypeVar("Item")


class InTransaction(Protocol):
    """Runs work in a transaction of its own and commits it; may run it again after a passing fault."""

    def __call__(self, work: Callable[[WriteSession], Result], /) -> Result:
        """Return what the work returned, after the commit."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that did not land: its line in the file, its text, and the reason, which names the column."""

    line_no: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What became of the rows of an import."""

    citizen_import_id: int
    read: int
    opened: int
    updated: int
    unchanged: int
    refused: int


@dataclass(slots=True)
class _ReadBatch:
    """Rows read so far: those for the database in pieces, those refused, and the text of each line."""

    rows: int = 0
    staged: int = 0
    pieces: list[bytes] = field(default_factory=list)
    need_pieces: list[bytes] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    refused: list[RefusedRow] = field(default_factory=list)


def import_population(
    transact: InTransaction,
    inspection: Inspection,
    *,
    actor: Actor,
    keys: IdentityKeys,
    today: date,
    now: datetime,
    batch_rows: int,
    of_schemes: Collection[str] = (),
    on_refused: Callable[[RefusedRow], None] = lambda _: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> ImportCounts:
    """Import an inspected file; return the counts. Good rows land, each of the others is handed to `on_refused`.

    `on_progress` is told how many rows of `inspection.rows` are done. Raises `WrongKeys` before anything lands.
    """
    require(actor, Permission.MANAGE_CITIZENS)
    import_id = transact(lambda session: _start(session, inspection, actor, keys, now))
    merger = Merger(import_id, inspection.columns, actor, keys, today=today, now=now)
    reader = RowReader(inspection.columns, keys, today, of_schemes)
    done = 0
    try:
        for read in _ahead(_batches(inspection, reader, batch_rows)):
            refused = transact(partial(_land, import_id=import_id, merger=merger, read=read, done=done))
            for row in sorted(refused, key=lambda row: row.line_no):
                on_refused(row)
            done += read.rows
            on_progress(done)
        return transact(lambda session: _finish(session, import_id, ImportState.FINISHED, actor, now))
    except BaseException:
        _note_failure(transact, import_id, actor, now)
        raise


def _start(session: WriteSession, inspection: Inspection, actor: Actor, keys: IdentityKeys, now: datetime) -> int:
    """Record that an import begins, and end those that never ended: of the same file, or of another day."""
    require_same_keys(session, keys)
    row = CitizenImportRow
    abandoned = session.scalars(
        update(row)
        .where(
            row.state == ImportState.RUNNING,
            (row.file_sha256 == inspection.sha256) | (row.started_at < now - ABANDONED_AFTER),
        )
        .values(state=ImportState.FAILED, finished_at=now)
        .returning(row.citizen_import_id)
        .execution_options(synchronize_session=False)
    ).all()
    if abandoned:
        session.execute(delete(CitizenImportSeenRow).where(CitizenImportSeenRow.citizen_import_id.in_(abandoned)))
    started = insert(row).values(
        file_name=inspection.path.name,
        file_sha256=inspection.sha256,
        actor_id=actor.actor_id,
        started_at=now,
        state=ImportState.RUNNING,
    )
    return session.execute(started.returning(row.citizen_import_id)).scalar_one()


def _land(session: WriteSession, *, import_id: int, merger: Merger, read: _ReadBatch, done: int) -> list[RefusedRow]:
    """Merge a batch and count its rows, once: a batch that is repeated after a lost commit is not counted again."""
    merged = Merged(0, 0, 0, ())
    if read.staged:
        merged = merger.merge(session, Batch(read.pieces, read.need_pieces, read.staged))
    refused = [*read.refused, *(RefusedRow(line_no, read.texts[line_no], why) for line_no, why in merged.refused)]
    row = CitizenImportRow
    session.execute(
        update(row)
        .where(row.citizen_import_id == import_id, row.rows_read == done)
        .values(
            rows_read=done + read.rows,
            rows_opened=row.rows_opened + merged.opened,
            rows_updated=row.rows_updated + merged.updated,
            rows_unchanged=row.rows_unchanged + merged.unchanged,
            rows_refused=row.rows_refused + len(refused),
        )
        .execution_options(synchronize_session=False)
    )
    return refused


def _finish(session: WriteSession, import_id: int, state: ImportState, actor: Actor, now: datetime) -> ImportCounts:
    row = CitizenImportRow
    counts = session.execute(
        update(row)
        .where(row.citizen_import_id == import_id)
        .values(state=state, finished_at=now)
        .returning(
            row.citizen_import_id,
            row.rows_read,
            row.rows_opened,
            row.rows_updated,
            row.rows_unchanged,
            row.rows_refused,
        )
        .execution_options(synchronize_session=False)
    ).one()
    session.execute(delete(CitizenImportSeenRow).where(CitizenImportSeenRow.citizen_import_id == import_id))
    found = ImportCounts(*counts)
    audit.record(
        session, actor, f"citizen_import.{state.value}", "citizen_import", import_id, now=now,
        read=found.read, opened=found.opened, updated=found.updated, refused=found.refused,
    )  # fmt: skip
    return found


def _note_failure(transact: InTransaction, import_id: int, actor: Actor, now: datetime) -> None:
    """Record that an import failed, where the database can still be told; the fault that ended it is the one to report.

    Where it cannot, the next import of the file records it.
    """
    with suppress(Exception):
        transact(lambda session: _finish(session, import_id, ImportState.FAILED, actor, now))


def _batches(inspection: Inspection, reader: RowReader, batch_rows: int) -> Iterator[_ReadBatch]:
    """Read the rows of a file in batches."""
    batch = _ReadBatch()
    persons: list[str] = []
    needs: list[str] = []
    for line_no, line in numbered_lines(inspection.path):
        text = decoded(inspection.path, line_no, line)
        if line_no == 1 or not text:
            continue
        batch.rows += 1
        try:
            require_plain(text, inspection.columns)
            row = reader.staged(line_no, cells_of(text))
        except BrokenLine as broken:
            column = inspection.columns[min(broken.column_no, len(inspection.columns) - 1)]
            batch.refused.append(RefusedRow(line_no, text, f"{column}: {broken.reason}"))
        except RowRefused as refusal:
            batch.refused.append(RefusedRow(line_no, text, str(refusal)))
        else:
            batch.staged += 1
            batch.texts[line_no] = text
            persons.append(row.person)
            needs += row.needs
        if len(persons) >= PIECE_ROWS or batch.rows >= batch_rows:
            _cut(batch, persons, needs)
        if batch.rows >= batch_rows:
            yield batch
            batch = _ReadBatch()
    _cut(batch, persons, needs)
    if batch.rows:
        yield batch


def _cut(batch: _ReadBatch, persons: list[str], needs: list[str]) -> None:
    """Move lines into a piece of COPY text."""
    for lines, pieces in ((persons, batch.pieces), (needs, batch.need_pieces)):
        if lines:
            pieces.append("\n".join(lines).encode() + b"\n")
            lines.clear()


def _ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield items that a thread makes one ahead; what it raises is raised here."""
    made: queue.Queue[Item | None] = queue.Queue(maxsize=1)
    stopped = threading.Event()
    faults: list[BaseException] = []

    def offer(item: Item | None) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=0.1)
                return

    def make() -> None:
        try:
            for item in items:
                offer(item)
                if stopped.is_set():
                    return
        except BaseException as fault:
            faults.append(fault)
        offer(None)

    thread = threading.Thread(target=make, name="population reader", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not None:
            yield item
    finally:
        stopped.set()
        thread.join()
    if faults:
        raise faults[0]
