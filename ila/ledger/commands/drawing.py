"""Draw from a citizen's entitlements and give back to them. The caller books the transfers in the same transaction."""

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import BigInteger, column, select, update, values

from ila.db.session import WriteSession
from ila.ledger.models import EntitlementRow
from ila.ledger.queries.entitlements import (
    Entitlement,
    entitlement_from_row,
    open_entitlement,
    open_entitlements,
)
from ila.ledger.rules import Draw, OpenEntitlement

FREE = (0,)
"""Restrictions of money that may be spent on every offer of its scheme."""


class BalancesMoved(AssertionError):
    """A locked balance was not what its lock promised: a defect, never to be told as "not enough"."""


def lock_entitlements(
    session: WriteSession, citizen_id: int, *, scheme_id: int, on: date, restriction_ids: Collection[int] = FREE
) -> list[OpenEntitlement]:
    """Lock and return what a citizen can use on a day, in spend order: earliest expiry first, then the run.

    Leaves out what has expired and what is earmarked for something else. Must be a statement of its own, after the
    citizen's lock: one that waited for a rival would not see an entitlement the rival inserted.
    """
    rows = session.execute(
        open_entitlements(citizen_id, scheme_id=scheme_id, on=on)
        .where(EntitlementRow.restriction_id.in_(restriction_ids))
        .with_for_update(key_share=True)
    )
    return [open_entitlement(row) for row in rows]


def draw(session: WriteSession, citizen_id: int, draws: Sequence[Draw]) -> None:
    """Take amounts from locked entitlements; raises `BalancesMoved` unless every one of them covers its draw."""
    _move(session, citizen_id, draws, sign=-1)


def restore(session: WriteSession, citizen_id: int, draws: Sequence[Draw]) -> None:
    """Give amounts back to the entitlements they were drawn from; none rises above what was granted."""
    _move(session, citizen_id, draws, sign=1)


def _move(session: WriteSession, citizen_id: int, draws: Sequence[Draw], *, sign: int) -> None:
    if not draws:
        return
    asked = values(column("allocation_run_id", BigInteger), column("amount_minor", BigInteger), name="asked").data(
        [(each.allocation_run_id, sign * each.amount_minor) for each in draws]
    )
    after = EntitlementRow.available_minor + asked.c.amount_minor
    moved = session.scalars(
        update(EntitlementRow)
        .where(
            EntitlementRow.citizen_id == citizen_id,
            EntitlementRow.allocation_run_id == asked.c.allocation_run_id,
            after.between(0, EntitlementRow.granted_minor),
        )
        .values(available_minor=after)
        .returning(EntitlementRow.allocation_run_id)
        .execution_options(synchronize_session=False)
    ).all()
    if len(moved) != len(draws):
        raise BalancesMoved(f"{len(draws)} balances of a citizen should have moved by a draw, {len(moved)} did")


def lock_all_entitlements(session: WriteSession, citizen_id: int, *, scheme_id: int) -> Sequence[Entitlement]:
    """Lock and return everything a citizen has left under a scheme, expired or earmarked money too, in spend order."""
    rows = session.scalars(
        select(EntitlementRow)
        .where(
            EntitlementRow.citizen_id == citizen_id,
            EntitlementRow.scheme_id == scheme_id,
            EntitlementRow.available_minor > 0,
        )
        .order_by(EntitlementRow.expires_on, EntitlementRow.allocation_run_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return [entitlement_from_row(row) for row in rows]
