"""Bulk moves out of entitlements, one slice and one statement at a time: expiry, and taking back a run."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CTE, BigInteger, ColumnElement, Date, SmallInteger, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from ila.db.session import WriteSession
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.commands.booking import insert_entry, require_open_period
from ila.ledger.commands.funding import give_to_fund
from ila.ledger.models import EntitlementRow, JournalEntryRow, TransferRow
from ila.ledger.queries.bookings import booked
from ila.ledger.rules import JournalEntry


@dataclass(frozen=True, slots=True)
class Expired:
    """What one slice of a sweep took: citizens concerned and the sum."""

    citizens: int
    amount_minor: int
    already_booked: bool


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What one slice of a reversing run took back.

    `citizens` held an entitlement of the run, `citizens_with_rest` had something left of it, `amount_minor` went back
    to the fund, and `spent_minor` was spent or had expired and cannot be taken.
    """

    citizens: int
    citizens_with_rest: int
    amount_minor: int
    spent_minor: int
    already_booked: bool


def expire(
    session: WriteSession,
    *,
    run_id: int,
    slice_no: int,
    journal_entry_id: int,
    scheme_id: int,
    first_citizen_id: int,
    last_citizen_id: int,
    before: date,
    effective_on: date,
    period: int,
    parameter_digest: bytes,
    now: datetime,
    actor_id: int = 0,
) -> Expired:
    """Sweep what a stretch of citizens has left of entitlements whose last day lies before `before`.

    The rows are locked in spend order, set to zero, and a line `entitlement -> expired` of the granting fund is booked
    for each, under citizen 0 with the natural key (expiry, run, slice). Raises `PeriodClosed`.
    """
    entry = JournalEntry(
        0, EntryKind.EXPIRY, run_id, slice_no, scheme_id, effective_on, parameter_digest, actor_id, transfers=()
    )
    require_open_period(session, period)
    if not insert_entry(session, entry, journal_entry_id, period=period, now=now):
        found = booked(session, [_entry_id(session, entry)])
        return Expired(found.citizens, found.amount_minor, already_booked=True)
    taken = _emptied(
        EntitlementRow.citizen_id.between(first_citizen_id, last_citizen_id)
        & (EntitlementRow.scheme_id == scheme_id)
        & (EntitlementRow.expires_on < before)
    )
    lines = _lines(taken, AccountKind.EXPIRED, entry, journal_entry_id)
    citizens, amount_minor = session.execute(
        select(
            func.count().filter(lines.c.line == 1),
            func.coalesce(func.sum(lines.c.amount_minor), 0),
        )
    ).one()
    return Expired(int(citizens), int(amount_minor), already_booked=False)


def take_back(
    session: WriteSession,
    *,
    run_id: int,
    reverses_run_id: int,
    slice_no: int,
    journal_entry_id: int,
    scheme_id: int,
    first_citizen_id: int,
    last_citizen_id: int,
    effective_on: date,
    period: int,
    parameter_digest: bytes,
    actor_id: int,
    now: datetime,
) -> TakenBack:
    """Take back what a stretch of citizens has left of a run's entitlements; a limited fund gets it back.

    Books a line `entitlement -> fund` for each, under citizen 0 with the natural key (correction, reversing run,
    slice). What was spent stays with whom it was spent; `spent_minor` says how much. Raises `PeriodClosed`.
    """
    entry = JournalEntry(
        0, EntryKind.CORRECTION, run_id, slice_no, scheme_id, effective_on, parameter_digest, actor_id, transfers=()
    )
    within = EntitlementRow.citizen_id.between(first_citizen_id, last_citizen_id) & (
        EntitlementRow.allocation_run_id == reverses_run_id
    )
    require_open_period(session, period)
    fresh = insert_entry(session, entry, journal_entry_id, period=period, now=now)
    returned: dict[int, int] = {}
    citizens_with_rest = 0
    if fresh:
        lines = _lines(_emptied(within), AccountKind.FUND, entry, journal_entry_id)
        rows = session.execute(
            select(lines.c.credit_id, func.count(), func.sum(lines.c.amount_minor)).group_by(lines.c.credit_id)
        ).all()
        returned = {fund_id: int(amount_minor) for fund_id, _, amount_minor in rows}
        citizens_with_rest = sum(count for _, count, _ in rows)
        amount_minor = sum(returned.values())
    else:
        found = booked(session, [_entry_id(session, entry)])
        citizens_with_rest, amount_minor = found.citizens, found.amount_minor
    citizens, granted_minor = session.execute(
        select(func.count(), func.coalesce(func.sum(EntitlementRow.granted_minor), 0)).where(within)
    ).one()
    for fund_id in sorted(returned):
        give_to_fund(session, fund_id, returned[fund_id])
    return TakenBack(
        citizens, citizens_with_rest, amount_minor, int(granted_minor) - amount_minor, already_booked=not fresh
    )


def _emptied(which: ColumnElement[bool]) -> CTE:
    """Lock entitlements that have something left, set them to zero and return what was in them.

    The order is that of every other command, citizen by citizen, so that a straggler waits and does not deadlock.
    """
    held = (
        select(
            EntitlementRow.citizen_id,
            EntitlementRow.allocation_run_id,
            EntitlementRow.available_minor,
            EntitlementRow.fund_id,
        )
        .where(which, EntitlementRow.available_minor > 0)
        .order_by(EntitlementRow.citizen_id, EntitlementRow.expires_on, EntitlementRow.allocation_run_id)
        .with_for_update(key_share=True)
        .cte("held")
    )
    return (
        update(EntitlementRow)
        .where(
            EntitlementRow.citizen_id == held.c.citizen_id,
            EntitlementRow.allocation_run_id == held.c.allocation_run_id,
        )
        .values(available_minor=0)
        .returning(held.c.citizen_id, held.c.allocation_run_id, held.c.available_minor, held.c.fund_id)
        .cte("taken")
    )


def _lines(taken: CTE, credit_kind: AccountKind, entry: JournalEntry, journal_entry_id: int) -> CTE:
    """Insert a line for each entitlement taken; a citizen's lines are numbered from 1 in the order of runs."""
    number: ColumnElement[Any] = func.row_number().over(
        partition_by=taken.c.citizen_id, order_by=taken.c.allocation_run_id
    )
    rows = select(
        taken.c.citizen_id,
        literal(journal_entry_id, BigInteger),
        taken.c.allocation_run_id,
        taken.c.fund_id,
        taken.c.available_minor,
        literal(entry.effective_on, Date),
        cast(number, SmallInteger),
        literal(int(AccountKind.ENTITLEMENT), SmallInteger),
        literal(int(credit_kind), SmallInteger),
        literal(entry.scheme_id, SmallInteger),
    )
    return (
        insert(TransferRow)
        .from_select(
            [
                "citizen_id",
                "journal_entry_id",
                "debit_id",
                "credit_id",
                "amount_minor",
                "effective_on",
                "line",
                "debit_kind",
                "credit_kind",
                "scheme_id",
            ],
            rows,
            include_defaults=False,
        )
        .returning(TransferRow.line, TransferRow.credit_id, TransferRow.amount_minor)
        .cte("lines")
    )


def _entry_id(session: WriteSession, entry: JournalEntry) -> int:
    return session.execute(
        select(JournalEntryRow.journal_entry_id).where(
            JournalEntryRow.citizen_id == 0,
            JournalEntryRow.kind == entry.kind,
            JournalEntryRow.source_id == entry.source_id,
            JournalEntryRow.step == entry.step,
        )
    ).scalar_one()
