"""Money of funds: appropriations from outside, what is left of a hard limit, and what expired coming back."""

from datetime import date, datetime

from sqlalchemy import column, func, select, table, update
from sqlalchemy.dialects.postgresql import insert

from ila.db.base import SCHEMA
from ila.db.session import WriteSession
from ila.errors import Conflict, NotFound
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.commands.booking import post
from ila.ledger.models import AppropriationRow, FundBalanceRow, TransferRow
from ila.ledger.rules import Account, InsufficientFund, JournalEntry, Transfer

TREASURY = Account(AccountKind.OUTSIDE, 0)
"""The party that appropriations come from: the world outside, taken as one."""

_FUND = table("fund", column("fund_id"), column("scheme_id"), column("limited"), schema=SCHEMA)


class AppropriationDiffers(Conflict):
    """The reference of an appropriation was used for another amount."""

    code = "appropriation_differs"


def take_from_fund(session: WriteSession, fund_id: int, amount_minor: int) -> None:
    """Lower the balance of a limited fund; raises `InsufficientFund`. Comes last: its row is wanted by everybody."""
    taken = session.scalar(
        update(FundBalanceRow)
        .where(FundBalanceRow.fund_id == fund_id, FundBalanceRow.available_minor >= amount_minor)
        .values(available_minor=FundBalanceRow.available_minor - amount_minor)
        .returning(FundBalanceRow.fund_id)
    )
    if taken is None:
        # A statement of its own: it sees what the update waited for.
        found = select(FundBalanceRow.available_minor).where(FundBalanceRow.fund_id == fund_id)
        raise InsufficientFund(fund_id, session.scalar(found) or 0, amount_minor)


def give_to_fund(session: WriteSession, fund_id: int, amount_minor: int) -> None:
    """Raise the balance of a fund if it is limited; a fund without a limit keeps none."""
    if not _limited(session, fund_id):
        return
    stored = insert(FundBalanceRow).values(fund_id=fund_id, available_minor=amount_minor)
    session.execute(
        stored.on_conflict_do_update(
            index_elements=["fund_id"],
            set_={"available_minor": FundBalanceRow.available_minor + stored.excluded.available_minor},
        )
    )


def take_from_fund_if_limited(session: WriteSession, fund_id: int, amount_minor: int) -> None:
    """Lower the balance of a fund that has a hard limit; raises `InsufficientFund`."""
    if _limited(session, fund_id):
        take_from_fund(session, fund_id, amount_minor)


def _limited(session: WriteSession, fund_id: int) -> bool:
    limited = session.scalar(select(_FUND.c.limited).where(_FUND.c.fund_id == fund_id))
    if limited is None:
        raise NotFound(f"There is no fund {fund_id}.", fund_id=fund_id)
    return bool(limited)


def appropriate(
    session: WriteSession,
    *,
    actor_id: int,
    fund_id: int,
    scheme_id: int,
    amount_minor: int,
    reference: str,
    effective_on: date,
    parameter_digest: bytes,
    now: datetime,
    period: int | None = None,
) -> int:
    """Give a fund money from outside under a legal reference, and return the appropriation's number.

    The same reference and amount again changes nothing. Raises `AppropriationDiffers` where the reference stands for
    another amount, `PeriodClosed`, `NotFound` for an unknown fund. `period` is the year of `now` unless given.
    """
    inserted = session.scalar(
        insert(AppropriationRow)
        .values(
            fund_id=fund_id,
            amount_minor=amount_minor,
            effective_on=effective_on,
            recorded_at=now,
            actor_id=actor_id,
            reference=reference,
        )
        .on_conflict_do_nothing(index_elements=["fund_id", "reference"])
        .returning(AppropriationRow.appropriation_id)
    )
    if inserted is None:
        return _appropriation_of(session, fund_id, reference, amount_minor)
    entry = JournalEntry(
        citizen_id=0,
        kind=EntryKind.APPROPRIATION,
        source_id=inserted,
        step=0,
        scheme_id=scheme_id,
        effective_on=effective_on,
        parameter_digest=parameter_digest,
        actor_id=actor_id,
        transfers=(Transfer(TREASURY, Account(AccountKind.FUND, fund_id), amount_minor),),
    )
    post(session, entry, now=now, period=now.year if period is None else period)
    give_to_fund(session, fund_id, amount_minor)
    return int(inserted)


def _appropriation_of(session: WriteSession, fund_id: int, reference: str, amount_minor: int) -> int:
    known = session.execute(
        select(AppropriationRow.appropriation_id, AppropriationRow.amount_minor).where(
            AppropriationRow.fund_id == fund_id, AppropriationRow.reference == reference
        )
    ).one()
    if known.amount_minor != amount_minor:
        raise AppropriationDiffers(
            f"The reference {reference!r} stands for {known.amount_minor} minor units already, not {amount_minor};"
            " give a further appropriation a reference of its own.",
            reference=reference,
            booked_minor=known.amount_minor,
            asked_minor=amount_minor,
        )
    return int(known.appropriation_id)


def return_expired(
    session: WriteSession,
    *,
    actor_id: int,
    fund_id: int,
    scheme_id: int,
    year: int,
    effective_on: date,
    parameter_digest: bytes,
    now: datetime,
    period: int,
) -> int:
    """Bring back to a fund what of its money had expired by the end of `year`; return the amount in minor units.

    Raises `AlreadyBooked` where this was done for the fund and year. What expires later waits for the next year.
    """
    expired = Account(AccountKind.EXPIRED, fund_id)
    into = (TransferRow.credit_kind == expired.kind) & (TransferRow.credit_id == fund_id)
    out_of = (TransferRow.debit_kind == expired.kind) & (TransferRow.debit_id == fund_id)
    amount_minor = int(
        session.scalar(
            select(
                func.coalesce(func.sum(TransferRow.amount_minor).filter(into), 0)
                - func.coalesce(func.sum(TransferRow.amount_minor).filter(out_of), 0)
            ).where(into | out_of, TransferRow.effective_on <= date(year, 12, 31))
        )
        or 0
    )
    transfers = (Transfer(expired, Account(AccountKind.FUND, fund_id), amount_minor),) if amount_minor else ()
    entry = JournalEntry(
        citizen_id=0,
        kind=EntryKind.EXPIRED_RETURN,
        source_id=fund_id,
        step=year,
        scheme_id=scheme_id,
        effective_on=effective_on,
        parameter_digest=parameter_digest,
        actor_id=actor_id,
        transfers=transfers,
    )
    post(session, entry, now=now, period=period)
    if amount_minor:
        give_to_fund(session, fund_id, amount_minor)
    return amount_minor
