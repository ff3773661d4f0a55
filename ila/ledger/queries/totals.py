"""Ask for sums over the journal: the trial balance by account, and what one fund received and gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, ColumnElement, Integer, Select, and_, case, cast, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from ila.db.types import SmallEnum
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.models import JournalEntryRow, TransferRow
from ila.ledger.rules import Account

SUMMED = (AccountKind.ENTITLEMENT, AccountKind.RESERVED, AccountKind.CLEARING, AccountKind.MOVING)
"""Kinds with too many accounts to list one by one: a trial balance shows their sum under id 0."""


@dataclass(frozen=True, slots=True)
class AccountTotal:
    """What went into and out of one account, or of all accounts of a summed kind (id 0), in minor units."""

    scheme_id: int
    account: Account
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Credits less debits: positive for what an account holds, negative for what the world has given."""
        return self.credit_minor - self.debit_minor


def trial_balance(
    session: Session, *, scheme_id: int | None = None, effective_until: date | None = None
) -> Sequence[AccountTotal]:
    """Return the totals of every account, by scheme, kind and id. Their balances add up to zero in each scheme.

    One pass over the journal. With `effective_until` only what counts on or before that day.
    """
    pairs = select(
        TransferRow.scheme_id,
        TransferRow.debit_kind,
        _listed(TransferRow.debit_kind, TransferRow.debit_id).label("debit_account"),
        TransferRow.credit_kind,
        _listed(TransferRow.credit_kind, TransferRow.credit_id).label("credit_account"),
        cast(func.sum(TransferRow.amount_minor), BigInteger).label("amount_minor"),
    ).group_by(TransferRow.scheme_id, "debit_kind", "debit_account", "credit_kind", "credit_account")
    pairs = _limited(pairs, scheme_id, effective_until)
    pair = pairs.cte("pair")
    zero = cast(0, BigInteger)
    sides = union_all(
        select(
            pair.c.scheme_id,
            pair.c.debit_kind.label("kind"),
            pair.c.debit_account.label("id"),
            pair.c.amount_minor.label("debit_minor"),
            zero.label("credit_minor"),
        ),
        select(pair.c.scheme_id, pair.c.credit_kind, pair.c.credit_account, zero, pair.c.amount_minor),
    ).subquery("side")
    totals = (
        select(
            sides.c.scheme_id,
            cast(sides.c.kind, SmallEnum(AccountKind)).label("kind"),
            sides.c.id,
            cast(func.sum(sides.c.debit_minor), BigInteger),
            cast(func.sum(sides.c.credit_minor), BigInteger),
        )
        .group_by(sides.c.scheme_id, sides.c.kind, sides.c.id)
        .order_by(sides.c.scheme_id, sides.c.kind, sides.c.id)
    )
    return [
        AccountTotal(scheme, Account(kind, account_id), debit_minor, credit_minor)
        for scheme, kind, account_id, debit_minor, credit_minor in session.execute(totals)
    ]


def _listed(kind: InstrumentedAttribute[AccountKind], account_id: InstrumentedAttribute[int]) -> ColumnElement[int]:
    return case((kind.in_(SUMMED), cast(0, BigInteger)), else_=account_id)


def _limited(
    query: "Select[int, AccountKind, int, AccountKind, int, int]", scheme_id: int | None, effective_until: date | None
) -> "Select[int, AccountKind, int, AccountKind, int, int]":
    if scheme_id is not None:
        query = query.where(TransferRow.scheme_id == scheme_id)
    if effective_until is not None:
        query = query.where(TransferRow.effective_on <= effective_until)
    return query


@dataclass(frozen=True, slots=True)
class FundLine:
    """What one entry moved into a fund (positive) or out of it (negative), over all its lines of one kind."""

    journal_entry_id: int
    kind: EntryKind
    source_id: int
    effective_on: date
    other: AccountKind
    lines: int
    amount_minor: int
    balance_minor: int


def fund_statement(session: Session, fund_id: int, *, effective_until: date | None = None) -> Sequence[FundLine]:
    """Return what a fund received and gave, one line for each entry and kind of counterpart, with its balance.

    Entries of single citizens are summed by day, under the first entry's number: a fund's statement names no citizen.
    Reads the journal whole: for reports, not for requests.
    """
    into = and_(TransferRow.credit_kind == AccountKind.FUND, TransferRow.credit_id == fund_id)
    out_of = and_(TransferRow.debit_kind == AccountKind.FUND, TransferRow.debit_id == fund_id)
    of_slice = JournalEntryRow.citizen_id == 0
    moved = (
        select(
            case((of_slice, TransferRow.journal_entry_id)).label("entry_id"),
            func.min(TransferRow.journal_entry_id).label("first_id"),
            JournalEntryRow.kind,
            case((of_slice, JournalEntryRow.source_id)).label("of_source"),
            TransferRow.effective_on,
            case((into, TransferRow.debit_kind), else_=TransferRow.credit_kind).label("other"),
            cast(func.count(), Integer).label("lines"),
            cast(func.sum(case((into, TransferRow.amount_minor), else_=-TransferRow.amount_minor)), BigInteger).label(
                "amount_minor"
            ),
        )
        .join(
            JournalEntryRow,
            and_(
                JournalEntryRow.journal_entry_id == TransferRow.journal_entry_id,
                or_(JournalEntryRow.citizen_id == 0, JournalEntryRow.citizen_id == TransferRow.citizen_id),
            ),
        )
        .where(or_(into, out_of))
        .group_by("entry_id", JournalEntryRow.kind, "of_source", TransferRow.effective_on, "other")
    )
    if effective_until is not None:
        moved = moved.where(TransferRow.effective_on <= effective_until)
    line = moved.subquery("fund_line")
    running = func.sum(line.c.amount_minor).over(order_by=[line.c.effective_on, line.c.first_id, line.c.other])
    query = select(
        line.c.first_id,
        line.c.kind,
        func.coalesce(line.c.of_source, 0),
        line.c.effective_on,
        cast(line.c.other, SmallEnum(AccountKind)),
        line.c.lines,
        line.c.amount_minor,
        cast(running, BigInteger),
    ).order_by(line.c.effective_on, line.c.first_id, line.c.other)
    return [FundLine(*row) for row in session.execute(query)]
