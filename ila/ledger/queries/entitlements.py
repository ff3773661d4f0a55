"""Ask what citizens hold: one citizen's entitlements, and sums over a stretch of citizens for runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Row, Select, Text, bindparam, cast, exists, func, select
from sqlalchemy.orm import Session

from ila.ledger.chart import AccountKind
from ila.ledger.models import EntitlementRow, TransferRow
from ila.ledger.rules import EntitlementSource, OpenEntitlement


def available_by_citizen(
    scheme_id: int, sources: Sequence[EntitlementSource], *, on: date, first: int, last: int
) -> Select[int, int]:
    """Return (citizen_id, counted_minor): what each citizen from `first` to `last` can still use on a day.

    Only entitlements of the sources named count, and only those that have not expired on the day.
    """
    return _by_citizen(EntitlementRow.available_minor, scheme_id, sources, first, last).where(
        EntitlementRow.expires_on >= on, EntitlementRow.available_minor > 0
    )


def granted_by_citizen(
    scheme_id: int,
    sources: Sequence[EntitlementSource],
    *,
    first: int,
    last: int,
    taken_back_by: Sequence[int] = (),
) -> Select[int, int]:
    """Return (citizen_id, counted_minor): what each citizen from `first` to `last` was ever granted by the sources.

    What the entries `taken_back_by` took out of entitlements again was not granted: the slices of reversing runs.
    """
    granted = _by_citizen(EntitlementRow.granted_minor, scheme_id, sources, first, last)
    if not taken_back_by:
        return granted
    taken = select(TransferRow.citizen_id, (-TransferRow.amount_minor).label("counted_minor")).where(
        TransferRow.citizen_id.between(first, last),
        TransferRow.journal_entry_id.in_(taken_back_by),
        TransferRow.debit_kind == AccountKind.ENTITLEMENT,
    )
    both = granted.union_all(taken).subquery("granted")
    total = cast(func.sum(both.c.counted_minor), BigInteger).label("counted_minor")
    return select(both.c.citizen_id, total).group_by(both.c.citizen_id)


def _by_citizen(
    amount: object, scheme_id: int, sources: Sequence[EntitlementSource], first: int, last: int
) -> Select[int, int]:
    total = cast(func.sum(amount), BigInteger).label("counted_minor")
    return (
        select(EntitlementRow.citizen_id, total)
        .where(
            EntitlementRow.citizen_id.between(
                bindparam("counted_first", first, BigInteger, unique=True),
                bindparam("counted_last", last, BigInteger, unique=True),
            ),
            EntitlementRow.scheme_id == scheme_id,
            EntitlementRow.source.in_(sources),
        )
        .group_by(EntitlementRow.citizen_id)
    )


def holders_of_runs(run_ids: Sequence[int]) -> Select[int]:
    """Return the citizens to whom any of these runs granted something."""
    return select(EntitlementRow.citizen_id).where(EntitlementRow.allocation_run_id.in_(run_ids)).distinct()


def runs_granted_to(citizen_id: int) -> Select[int]:
    """Return the runs that granted something to a citizen."""
    return select(EntitlementRow.allocation_run_id).where(EntitlementRow.citizen_id == citizen_id)


def open_entitlements(citizen_id: int, *, scheme_id: int, on: date) -> Select[int, int, date, int, int]:
    """Return what a citizen can use on a day, in spend order: (run, available, expires_on, fund, restriction)."""
    return (
        select(
            EntitlementRow.allocation_run_id,
            EntitlementRow.available_minor,
            EntitlementRow.expires_on,
            EntitlementRow.fund_id,
            EntitlementRow.restriction_id,
        )
        .where(
            EntitlementRow.citizen_id == citizen_id,
            EntitlementRow.scheme_id == scheme_id,
            EntitlementRow.expires_on >= on,
            EntitlementRow.available_minor > 0,
        )
        .order_by(EntitlementRow.expires_on, EntitlementRow.allocation_run_id)
    )


def open_entitlement(row: Row[int, int, date, int, int]) -> OpenEntitlement:
    """Turn a row of `open_entitlements` into what the rules work with."""
    return OpenEntitlement(*row)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What one run granted to a citizen and what is left. Amounts in minor units of the scheme."""

    allocation_run_id: int
    scheme_id: int
    granted_minor: int
    available_minor: int
    counted_minor: int
    expires_on: date
    fund_id: int
    restriction_id: int
    source: EntitlementSource


def entitlements_of(session: Session, citizen_id: int, *, scheme_id: int | None = None) -> Sequence[Entitlement]:
    """Return every entitlement of a citizen, used up and expired ones too, in spend order."""
    query = (
        select(EntitlementRow)
        .where(EntitlementRow.citizen_id == citizen_id)
        .order_by(EntitlementRow.scheme_id, EntitlementRow.expires_on, EntitlementRow.allocation_run_id)
        .execution_options(populate_existing=True)
    )
    if scheme_id is not None:
        query = query.where(EntitlementRow.scheme_id == scheme_id)
    return [entitlement_from_row(row) for row in session.scalars(query)]


def entitlement_from_row(row: EntitlementRow) -> Entitlement:
    """Turn a stored row into a value that nothing changes any more."""
    return Entitlement(
        row.allocation_run_id,
        row.scheme_id,
        row.granted_minor,
        row.available_minor,
        row.counted_minor,
        row.expires_on,
        row.fund_id,
        row.restriction_id,
        row.source,
    )


def counted_minor(session: Session, citizen_id: int, run_id: int) -> int | None:
    """Return what counted against the ceiling when a run credited a citizen; None where it credited nothing."""
    return session.scalar(
        select(EntitlementRow.counted_minor).where(
            EntitlementRow.citizen_id == citizen_id, EntitlementRow.allocation_run_id == run_id
        )
    )


@dataclass(frozen=True, slots=True)
class Balance:
    """What a citizen can use of one scheme on a day, and the first day on which some of it ends."""

    scheme_id: int
    available_minor: int
    next_expiry_on: date


def balance_rows(citizen_id: int, *, on: date) -> Select[int, int, date]:
    """Return (scheme_id, available_minor, first expiry): what a citizen can use on a day, by scheme."""
    return (
        select(
            EntitlementRow.scheme_id,
            cast(func.sum(EntitlementRow.available_minor), BigInteger),
            func.min(EntitlementRow.expires_on),
        )
        .where(
            EntitlementRow.citizen_id == citizen_id,
            EntitlementRow.expires_on >= on,
            EntitlementRow.available_minor > 0,
        )
        .group_by(EntitlementRow.scheme_id)
        .order_by(EntitlementRow.scheme_id)
    )


def balance(session: Session, citizen_id: int, *, on: date) -> Sequence[Balance]:
    """Return what a citizen can use on a day, one line for each scheme that has something left."""
    return [Balance(*row) for row in session.execute(balance_rows(citizen_id, on=on))]


def any_expired(session: Session, scheme_id: int, *, before: date) -> bool:
    """Tell whether something of a scheme is still available although its last day lies before a day."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    EntitlementRow.scheme_id == scheme_id,
                    EntitlementRow.expires_on < before,
                    EntitlementRow.available_minor > 0,
                )
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Takeable:
    """What a run granted and what of it could be taken back now. `checksum` covers every citizen's amount."""

    citizens: int
    citizens_with_rest: int
    granted_minor: int
    available_minor: int
    checksum: str


def takeable(session: Session, run_id: int) -> Takeable:
    """Return what taking back a run would return: its available part; the rest is spent or expired.

    Reads all entitlements: for plans of runs, not for requests.
    """
    hashed = func.hashint8extended(EntitlementRow.citizen_id, EntitlementRow.available_minor)
    citizens, with_rest, granted_minor, available_minor, checksum = session.execute(
        select(
            func.count(),
            func.count().filter(EntitlementRow.available_minor > 0),
            func.coalesce(func.sum(EntitlementRow.granted_minor), 0),
            func.coalesce(func.sum(EntitlementRow.available_minor), 0),
            cast(func.coalesce(func.sum(hashed), 0), Text),
        ).where(EntitlementRow.allocation_run_id == run_id)
    ).one()
    return Takeable(citizens, with_rest, int(granted_minor), int(available_minor), checksum)
