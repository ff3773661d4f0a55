"""Put entries into the journal: ids, periods, and the one insert of an entry with its lines."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert as plain_insert
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from ila.db.errors import sqlstate_of
from ila.db.session import WriteSession
from ila.errors import TryAgain
from ila.ids import booking_id
from ila.ledger.models import JournalEntryRow, LedgerPeriodRow, TransferRow
from ila.ledger.rules import AlreadyBooked, JournalEntry, PeriodClosed, Transfer, require_allowed

PERIOD_GUARD = "period_open"
"""The name under which the trigger on `journal_entry` refuses a period that was fenced a moment ago."""


def mint_ids(session: WriteSession, count: int, *, year: int) -> list[int]:
    """Return ascending ids for runs and entries booked in `year`; the year's partition exists afterwards.

    Ids are never handed out twice. One that is not used leaves a gap, which means nothing.
    """
    session.execute(text("SELECT ila.open_booking_year(:year)"), {"year": year})
    numbers = session.scalars(
        text("SELECT nextval('ila.booking_seq') FROM generate_series(1, :count)"), {"count": count}
    )
    return sorted(booking_id(year, number) for number in numbers)


def require_open_period(session: WriteSession, period: int) -> None:
    """Take this transaction's id, then read the period; raises `PeriodClosed` naming the first open one.

    The order matters: whoever closes a period waits for every transaction that had an id when the fence stood. One
    that read the rule first and got its id later would slip through.
    """
    session.execute(text("SELECT pg_current_xact_id()"))
    closed = set(session.scalars(select(LedgerPeriodRow.period).where(LedgerPeriodRow.period >= period)))
    if period in closed:
        raise PeriodClosed(period, next(year for year in range(period + 1, 10_000) if year not in closed))


def insert_entry(
    session: WriteSession, entry: JournalEntry, journal_entry_id: int, *, period: int, now: datetime
) -> bool:
    """Insert the head of an entry; False where its natural key is taken. A rival under way is waited for."""
    statement = (
        insert(JournalEntryRow)
        .values(
            citizen_id=entry.citizen_id,
            journal_entry_id=journal_entry_id,
            source_id=entry.source_id,
            actor_id=entry.actor_id,
            reverses=entry.reverses,
            recorded_at=now,
            effective_on=entry.effective_on,
            period=period,
            kind=entry.kind,
            step=entry.step,
            parameter_digest=entry.parameter_digest,
            detail_digest=entry.detail_digest,
        )
        .on_conflict_do_nothing()
        .returning(JournalEntryRow.journal_entry_id)
    )
    try:
        return session.execute(statement).one_or_none() is not None
    except IntegrityError as error:
        if sqlstate_of(error) == "23514" and _broken(error) == PERIOD_GUARD:
            raise TryAgain(
                f"The period {period} was closed at this moment; repeat the request, it is booked in the next one.",
                period=period,
            ) from error
        raise


def _broken(error: IntegrityError) -> str | None:
    diagnosis = getattr(error.orig, "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def insert_transfers(
    session: WriteSession, entry: JournalEntry, journal_entry_id: int, transfers: Iterable[Transfer]
) -> None:
    """Insert the lines of an entry, numbered from 1 in their order."""
    rows = [
        {
            "citizen_id": entry.citizen_id,
            "journal_entry_id": journal_entry_id,
            "line": line,
            "debit_kind": transfer.debit.kind,
            "debit_id": transfer.debit.id,
            "credit_kind": transfer.credit.kind,
            "credit_id": transfer.credit.id,
            "amount_minor": transfer.amount_minor,
            "effective_on": entry.effective_on,
            "scheme_id": entry.scheme_id if transfer.scheme_id is None else transfer.scheme_id,
        }
        for line, transfer in enumerate(transfers, start=1)
    ]
    if rows:
        session.execute(plain_insert(TransferRow).values(rows))


def entry_of(session: WriteSession, entry: JournalEntry) -> int | None:
    """Return the id under which the business event of this natural key is booked, if it is."""
    return session.scalar(
        select(JournalEntryRow.journal_entry_id).where(
            JournalEntryRow.citizen_id == entry.citizen_id,
            JournalEntryRow.kind == entry.kind,
            JournalEntryRow.source_id == entry.source_id,
            JournalEntryRow.step == entry.step,
        )
    )


def post(
    session: WriteSession, entry: JournalEntry, *, now: datetime, period: int, journal_entry_id: int | None = None
) -> int:
    """Book one event of one citizen (or of 0) with its lines, and return the entry's id.

    Stored balances are the caller's: `draw`, `restore` and `take_from_fund` move them in the same transaction. Raises
    `AlreadyBooked` with the id of the entry that has the natural key, and `PeriodClosed`.
    """
    require_allowed(entry.kind, entry.transfers)
    require_open_period(session, period)
    if journal_entry_id is None:
        journal_entry_id = mint_ids(session, 1, year=period)[0]
    if not insert_entry(session, entry, journal_entry_id, period=period, now=now):
        booked = entry_of(session, entry)
        if booked is None:
            raise AssertionError(f"entry id {journal_entry_id} was used for another event")
        raise AlreadyBooked(entry.kind, entry.source_id, entry.step, booked)
    insert_transfers(session, entry, journal_entry_id, entry.transfers)
    return journal_entry_id
