"""Undo one entry by an equal and opposite one that names it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select

from ila.db.session import WriteSession
from ila.errors import NotFound, Refused
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.commands.booking import entry_of, post
from ila.ledger.commands.drawing import draw, restore
from ila.ledger.commands.funding import give_to_fund, take_from_fund_if_limited
from ila.ledger.models import EntitlementRow, JournalEntryRow, TransferRow
from ila.ledger.rules import Account, AlreadyBooked, Draw, JournalEntry, Transfer, reversed_entry

UNDONE_OTHERWISE = {
    EntryKind.REVERSAL: "book the event anew instead",
    EntryKind.JOINING: "join the accounts back by a joining of its own",
    EntryKind.PAYOUT: "a payout goes on or is rejected, it is not undone here",
}
"""Kinds of entries that are not reversed, and what is done instead."""


class NoSuchEntry(NotFound):
    """There is no entry of this number for this citizen."""

    code = "no_such_entry"


class NotReversible(Refused):
    """An entry of this kind, or with these lines, is undone in another way."""

    code = "not_reversible"


class AlreadySpent(Refused):
    """What a reversal would take back is no longer there."""

    code = "already_spent"


def reverse(
    session: WriteSession,
    citizen_id: int,
    journal_entry_id: int,
    *,
    effective_on: date,
    actor_id: int,
    now: datetime,
    period: int,
) -> int:
    """Undo an entry of one citizen (or of funds, under 0), stored balances included; return the reversal's id.

    Raises `AlreadyBooked` where it was reversed before, `AlreadySpent` where an entitlement or a limited fund no
    longer holds what is to be taken back, `NotReversible` and `NoSuchEntry`.
    """
    undone = _entry(session, citizen_id, journal_entry_id)
    opposite = reversed_entry(undone, journal_entry_id, effective_on=effective_on, actor_id=actor_id)
    taken, given = _by_account(opposite.transfers)
    draws = _draws(taken)
    _lock(session, citizen_id, [*draws, *_draws(given)])
    known = entry_of(session, opposite)
    if known is not None:
        raise AlreadyBooked(opposite.kind, journal_entry_id, 0, known)
    _require_available(session, citizen_id, draws)
    reversal_id = post(session, opposite, now=now, period=period)
    draw(session, citizen_id, draws)
    restore(session, citizen_id, _draws(given))
    for account in sorted({*taken, *given}, key=lambda each: each.id):
        if account.kind is AccountKind.FUND:
            change_minor = given.get(account, 0) - taken.get(account, 0)
            if change_minor > 0:
                give_to_fund(session, account.id, change_minor)
            elif change_minor < 0:
                take_from_fund_if_limited(session, account.id, -change_minor)
    return reversal_id


def _entry(session: WriteSession, citizen_id: int, journal_entry_id: int) -> JournalEntry:
    head = session.get(JournalEntryRow, (citizen_id, journal_entry_id))
    if head is None:
        raise NoSuchEntry(f"There is no entry {journal_entry_id} of this account.", journal_entry_id=journal_entry_id)
    rows = session.scalars(
        select(TransferRow)
        .where(TransferRow.citizen_id == citizen_id, TransferRow.journal_entry_id == journal_entry_id)
        .order_by(TransferRow.line)
    ).all()
    transfers = tuple(
        Transfer(
            Account(row.debit_kind, row.debit_id),
            Account(row.credit_kind, row.credit_id),
            row.amount_minor,
            row.scheme_id,
        )
        for row in rows
    )
    _require_reversible(head, transfers)
    return JournalEntry(
        citizen_id=citizen_id,
        kind=head.kind,
        source_id=head.source_id,
        step=head.step,
        scheme_id=rows[0].scheme_id,
        effective_on=head.effective_on,
        parameter_digest=head.parameter_digest,
        actor_id=head.actor_id,
        transfers=transfers,
    )


def _require_reversible(head: JournalEntryRow, transfers: Sequence[Transfer]) -> None:
    reason = UNDONE_OTHERWISE.get(head.kind)
    if reason is None and not transfers:
        reason = "its lines belong to many citizens: reverse the run instead"
    touched = {account.kind for transfer in transfers for account in (transfer.debit, transfer.credit)}
    if reason is None and AccountKind.RESERVED in touched:
        reason = "it belongs to a redemption: withdraw, cancel or refund that"
    if reason is not None:
        raise NotReversible(
            f"Entry {head.journal_entry_id} is a {head.kind.name.lower()} and is not reversed; {reason}.",
            journal_entry_id=head.journal_entry_id,
        )


def _by_account(transfers: Sequence[Transfer]) -> tuple[dict[Account, int], dict[Account, int]]:
    """Return what is taken from each account and what is given to it."""
    taken: dict[Account, int] = defaultdict(int)
    given: dict[Account, int] = defaultdict(int)
    for transfer in transfers:
        taken[transfer.debit] += transfer.amount_minor
        given[transfer.credit] += transfer.amount_minor
    return taken, given


def _draws(amounts: dict[Account, int]) -> list[Draw]:
    return [Draw(each.id, amount) for each, amount in amounts.items() if each.kind is AccountKind.ENTITLEMENT]


def _lock(session: WriteSession, citizen_id: int, draws: Sequence[Draw]) -> None:
    session.execute(
        select(EntitlementRow.allocation_run_id)
        .where(
            EntitlementRow.citizen_id == citizen_id,
            EntitlementRow.allocation_run_id.in_([each.allocation_run_id for each in draws]),
        )
        .order_by(EntitlementRow.expires_on, EntitlementRow.allocation_run_id)
        .with_for_update(key_share=True)
    ).all()


def _require_available(session: WriteSession, citizen_id: int, draws: Sequence[Draw]) -> None:
    for each in draws:
        available_minor = session.scalar(
            select(EntitlementRow.available_minor).where(
                EntitlementRow.citizen_id == citizen_id, EntitlementRow.allocation_run_id == each.allocation_run_id
            )
        )
        if available_minor is None or available_minor < each.amount_minor:
            raise AlreadySpent(
                f"The entry cannot be reversed: {each.amount_minor} minor units would be taken back, the entitlement"
                f" of run {each.allocation_run_id} holds {available_minor or 0}; book a claim for the rest.",
                allocation_run_id=each.allocation_run_id,
                available_minor=available_minor or 0,
                needed_minor=each.amount_minor,
            )
