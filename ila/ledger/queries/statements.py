"""Ask for the statement of one citizen: every line that touched an entitlement, with the balance after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import BigInteger, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session

from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.models import EntitlementRow, JournalEntryRow, TransferRow
from ila.ledger.rules import Account


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line as the citizen sees it: `amount_minor` is positive for money that came, negative for money that went.

    `balance_minor` is what all lines of the scheme up to this one leave, in the order of (entry, line).
    """

    journal_entry_id: int
    line: int
    scheme_id: int
    kind: EntryKind
    effective_on: date
    recorded_at: datetime
    debit: Account
    credit: Account
    amount_minor: int
    balance_minor: int
    allocation_run_id: int
    expires_on: date | None


Position = tuple[int, int]
"""Where a page of a statement ended: entry id and line."""


def statement(
    session: Session,
    citizen_id: int,
    *,
    scheme_id: int | None = None,
    effective_until: date | None = None,
    after: Position | None = None,
    before: Position | None = None,
    limit: int | None = None,
) -> Sequence[StatementLine]:
    """Return a citizen's lines in the order they were booked, from behind `after`, each with its running balance.

    With `before`, the last `limit` lines in front of it, in the same order. With `effective_until` only what counts on
    or before that day takes part, in the balances too.
    """
    into = TransferRow.credit_kind == AccountKind.ENTITLEMENT
    out_of = TransferRow.debit_kind == AccountKind.ENTITLEMENT
    signed = case((into, TransferRow.amount_minor), else_=-TransferRow.amount_minor)
    run_id = case((into, TransferRow.credit_id), else_=TransferRow.debit_id)
    booked = select(
        TransferRow.journal_entry_id,
        TransferRow.line,
        TransferRow.scheme_id,
        TransferRow.effective_on,
        TransferRow.debit_kind,
        TransferRow.debit_id,
        TransferRow.credit_kind,
        TransferRow.credit_id,
        signed.label("amount_minor"),
        cast(
            func.sum(signed).over(
                partition_by=TransferRow.scheme_id, order_by=[TransferRow.journal_entry_id, TransferRow.line]
            ),
            BigInteger,
        ).label("balance_minor"),
        run_id.label("allocation_run_id"),
    ).where(TransferRow.citizen_id == citizen_id, or_(into, out_of))
    if scheme_id is not None:
        booked = booked.where(TransferRow.scheme_id == scheme_id)
    if effective_until is not None:
        booked = booked.where(TransferRow.effective_on <= effective_until)
    line = booked.subquery("statement_line")
    query = (
        select(line, JournalEntryRow.kind, JournalEntryRow.recorded_at, EntitlementRow.expires_on)
        .join(
            JournalEntryRow,
            and_(
                JournalEntryRow.citizen_id.in_([0, citizen_id]),
                JournalEntryRow.journal_entry_id == line.c.journal_entry_id,
            ),
        )
        .outerjoin(
            EntitlementRow,
            and_(
                EntitlementRow.citizen_id == citizen_id,
                EntitlementRow.allocation_run_id == line.c.allocation_run_id,
            ),
        )
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(line.c.journal_entry_id, line.c.line) < before)
        query = query.order_by(line.c.journal_entry_id.desc(), line.c.line.desc())
    else:
        query = query.order_by(line.c.journal_entry_id, line.c.line)
    if after is not None:
        query = query.where(tuple_(line.c.journal_entry_id, line.c.line) > after)
    found = [
        StatementLine(
            journal_entry_id=row.journal_entry_id,
            line=row.line,
            scheme_id=row.scheme_id,
            kind=row.kind,
            effective_on=row.effective_on,
            recorded_at=row.recorded_at,
            debit=Account(row.debit_kind, row.debit_id),
            credit=Account(row.credit_kind, row.credit_id),
            amount_minor=row.amount_minor,
            balance_minor=row.balance_minor,
            allocation_run_id=row.allocation_run_id,
            expires_on=row.expires_on,
        )
        for row in session.execute(query)
    ]
    return found if before is None else found[::-1]


def journal_version(session: Session, citizen_id: int) -> tuple[int, int]:
    """Return how many lines a citizen has and the highest entry among them: another line makes another pair.

    The number counts, not the entry alone: slices of a run take their entries beforehand and may commit later.
    """
    lines, last = session.execute(
        select(func.count(), func.coalesce(func.max(TransferRow.journal_entry_id), 0)).where(
            TransferRow.citizen_id == citizen_id
        )
    ).one()
    return lines, last
