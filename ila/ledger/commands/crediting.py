"""Credit many citizens in one statement: entitlement and journal line together, one slice of a run at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CTE, BigInteger, Date, Integer, Select, SmallInteger, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from ila.db.session import WriteSession
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.commands.booking import insert_entry, require_open_period
from ila.ledger.commands.funding import take_from_fund
from ila.ledger.models import EntitlementRow, JournalEntryRow, TransferRow
from ila.ledger.queries.bookings import booked
from ila.ledger.rules import EntitlementSource, JournalEntry

FurtherInserts = Callable[[CTE], Sequence[CTE]]
"""Given the lines, the inserts that belong into the same statement, each as a CTE."""


@dataclass(frozen=True, slots=True)
class Crediting:
    """One slice of a run that credits citizens.

    `expires_on` is the last usable day of every line; None where each line brings its own column of that name.
    """

    run_id: int
    slice_no: int
    journal_entry_id: int
    fund_id: int
    fund_limited: bool
    scheme_id: int
    source: EntitlementSource
    effective_on: date
    period: int
    parameter_digest: bytes
    actor_id: int
    expires_on: date | None = None
    restriction_id: int = 0


@dataclass(frozen=True, slots=True)
class Credited:
    """What a slice gave: now, or at an earlier time if it is `already_booked`."""

    citizens: int
    amount_minor: int
    already_booked: bool


def credit(
    session: WriteSession,
    lines: Select[Any],
    crediting: Crediting,
    *,
    now: datetime,
    also: FurtherInserts | None = None,
) -> Credited:
    """Post one slice: the entry, then entitlements and transfers of its lines in one statement, then the fund.

    `lines` has the columns citizen_id (each at most once), amount_minor, counted_minor and, without
    `crediting.expires_on`, expires_on; lines of zero are left out. `also` adds inserts of the caller's own that read
    the same lines, such as the reasons of those who get nothing.

    The entry's natural key decides first: a slice that is booked is not computed again, and what it gave is returned.
    Raises `PeriodClosed`, and `InsufficientFund` for a limited fund; the transaction must then be rolled back.
    """
    require_open_period(session, crediting.period)
    if not insert_entry(session, slice_entry(crediting), crediting.journal_entry_id, period=crediting.period, now=now):
        return _booked_before(session, crediting)
    citizens, amount_minor = session.execute(crediting_statement(lines, crediting, also=also)).one()
    if crediting.fund_limited and amount_minor:
        take_from_fund(session, crediting.fund_id, int(amount_minor))
    return Credited(int(citizens), int(amount_minor), already_booked=False)


def slice_entry(crediting: Crediting) -> JournalEntry:
    """Return the head of a slice's entry; its lines are inserted set by set, one citizen each."""
    contributed = crediting.source is EntitlementSource.CONTRIBUTION
    return JournalEntry(
        citizen_id=0,
        kind=EntryKind.CONTRIBUTION if contributed else EntryKind.ALLOCATION,
        source_id=crediting.run_id,
        step=crediting.slice_no,
        scheme_id=crediting.scheme_id,
        effective_on=crediting.effective_on,
        parameter_digest=crediting.parameter_digest,
        actor_id=crediting.actor_id,
        transfers=(),
    )


def crediting_statement(
    lines: Select[Any], crediting: Crediting, *, also: FurtherInserts | None = None
) -> Select[int, int]:
    """Return the statement that inserts entitlements and transfers of `lines` and says how many and how much.

        WITH line AS (...), credited AS (INSERT INTO entitlement ... RETURNING ...),
        booked AS (INSERT INTO transfer ... SELECT ... FROM credited RETURNING amount_minor)
        SELECT count(*), sum(amount_minor) FROM booked

    A citizen who has an entitlement of the run already breaks the primary key: slices do not overlap.
    """
    line = lines.cte("line")
    expires_on = line.c.expires_on if crediting.expires_on is None else literal(crediting.expires_on, Date)
    credited = (
        insert(EntitlementRow)
        .from_select(
            [
                "citizen_id",
                "allocation_run_id",
                "granted_minor",
                "available_minor",
                "counted_minor",
                "expires_on",
                "fund_id",
                "restriction_id",
                "scheme_id",
                "source",
            ],
            select(
                line.c.citizen_id,
                literal(crediting.run_id, BigInteger),
                line.c.amount_minor,
                line.c.amount_minor,
                line.c.counted_minor,
                expires_on,
                literal(crediting.fund_id, Integer),
                literal(crediting.restriction_id, Integer),
                literal(crediting.scheme_id, SmallInteger),
                literal(int(crediting.source), SmallInteger),
            ).where(line.c.amount_minor > 0),
            include_defaults=False,
        )
        .returning(EntitlementRow.citizen_id, EntitlementRow.granted_minor)
        .cte("credited")
    )
    booked_lines = (
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
            select(
                credited.c.citizen_id,
                literal(crediting.journal_entry_id, BigInteger),
                literal(crediting.fund_id, BigInteger),
                literal(crediting.run_id, BigInteger),
                credited.c.granted_minor,
                literal(crediting.effective_on, Date),
                literal(1, SmallInteger),
                literal(int(AccountKind.FUND), SmallInteger),
                literal(int(AccountKind.ENTITLEMENT), SmallInteger),
                literal(crediting.scheme_id, SmallInteger),
            ),
            include_defaults=False,
        )
        .returning(TransferRow.amount_minor)
        .cte("booked")
    )
    statement = select(func.count(), func.coalesce(func.sum(booked_lines.c.amount_minor), 0)).select_from(booked_lines)
    return statement.add_cte(*also(line)) if also else statement


def _booked_before(session: WriteSession, crediting: Crediting) -> Credited:
    entry = slice_entry(crediting)
    entry_id = session.execute(
        select(JournalEntryRow.journal_entry_id).where(
            JournalEntryRow.citizen_id == 0,
            JournalEntryRow.kind == entry.kind,
            JournalEntryRow.source_id == entry.source_id,
            JournalEntryRow.step == entry.step,
        )
    ).scalar_one()
    found = booked(session, [entry_id])
    return Credited(found.citizens, found.amount_minor, already_booked=True)
