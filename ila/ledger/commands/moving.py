"""Move what a citizen holds: to a scheme of another unit, to another account of the same person, or out at closing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from sqlalchemy import insert, select

from ila import audit
from ila.access.rules import Actor
from ila.db.session import WriteSession
from ila.errors import Refused
from ila.ledger.chart import AccountKind, EntryKind, conversion_id
from ila.ledger.commands.booking import mint_ids, post
from ila.ledger.commands.drawing import draw, lock_all_entitlements
from ila.ledger.commands.funding import give_to_fund
from ila.ledger.models import EntitlementRow
from ila.ledger.queries.entitlements import Entitlement
from ila.ledger.rules import Account, Draw, EntitlementSource, JournalEntry, Transfer
from ila.money import Exact, Rounding, round_minor


class NothingToMove(Refused):
    """The account holds nothing that could be moved, or too little to become one minor unit elsewhere."""

    code = "nothing_to_move"


class RunNeeded(Refused):
    """Both accounts hold an entitlement of one run: the one that is moved needs a run of its own."""

    code = "run_needed"


@dataclass(frozen=True, slots=True)
class Booking:
    """Who books, under which rules, and when it counts. `period` is the first open booking year."""

    actor: Actor
    parameter_digest: bytes
    effective_on: date
    period: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """The entitlement that a conversion makes: `run_id` is a run of the receiving scheme."""

    scheme_id: int
    run_id: int
    fund_id: int
    expires_on: date
    restriction_id: int = 0


def convert(
    session: WriteSession,
    citizen_id: int,
    draws: Sequence[Draw],
    *,
    from_scheme_id: int,
    target: Target,
    rate: Exact,
    rounding: Rounding,
    booking: Booking,
) -> int:
    """Turn locked entitlements of one unit into an entitlement of another; return what it holds, in minor units.

    `rate` is minor units of the target for one minor unit of the source. It is recorded with both amounts, and the
    entry carries the digest of that record. Hours and money meet nowhere else. Raises `NothingToMove`.
    """
    from_minor = sum(each.amount_minor for each in draws)
    to_minor = round_minor(Fraction(rate) * from_minor, rounding)
    if to_minor <= 0:
        raise NothingToMove(
            f"{from_minor} minor units at the rate {rate} are less than one of the other scheme; nothing is booked.",
            from_minor=from_minor,
        )
    conversion = Account(AccountKind.CONVERSION, conversion_id(from_scheme_id, target.scheme_id))
    into = Account(AccountKind.ENTITLEMENT, target.run_id)
    out = [
        Transfer(
            Account(AccountKind.ENTITLEMENT, each.allocation_run_id), conversion, each.amount_minor, from_scheme_id
        )
        for each in draws
    ]
    detail = f"from_minor={from_minor};from_scheme={from_scheme_id};rate={Fraction(rate)};rounding={rounding.value};"
    detail += f"to_minor={to_minor};to_scheme={target.scheme_id}"
    entry = JournalEntry(
        citizen_id=citizen_id,
        kind=EntryKind.CONVERSION,
        source_id=target.run_id,
        step=0,
        scheme_id=from_scheme_id,
        effective_on=booking.effective_on,
        parameter_digest=booking.parameter_digest,
        actor_id=booking.actor.actor_id,
        transfers=(*out, Transfer(conversion, into, to_minor, target.scheme_id)),
        detail_digest=hashlib.sha256(detail.encode()).digest(),
    )
    entry_id = post(session, entry, now=booking.now, period=booking.period)
    draw(session, citizen_id, draws)
    session.execute(
        insert(EntitlementRow).values(
            citizen_id=citizen_id,
            allocation_run_id=target.run_id,
            granted_minor=to_minor,
            available_minor=to_minor,
            counted_minor=0,
            expires_on=target.expires_on,
            fund_id=target.fund_id,
            restriction_id=target.restriction_id,
            scheme_id=target.scheme_id,
            source=EntitlementSource.CONVERSION,
        )
    )
    audit.record(
        session, booking.actor, "entitlement.converted", "journal_entry", entry_id, now=booking.now, detail=detail
    )
    return to_minor


@dataclass(frozen=True, slots=True)
class Moved:
    """The entry of a joining or a closing, and the sum it moved."""

    journal_entry_id: int
    amount_minor: int


def move(
    session: WriteSession,
    from_citizen_id: int,
    to_citizen_id: int,
    *,
    scheme_id: int,
    booking: Booking,
    new_runs: Mapping[int, int] | None = None,
) -> Moved:
    """Move everything one account holds under a scheme to another account of the same person, with its expiry.

    Each account gets its half of the entry; the account `moving` between them is at zero afterwards. An entitlement
    keeps its run; where the other account holds one of the same run, `new_runs` names the run it is booked under
    (`RunNeeded` otherwise). Both citizens are locked by the caller, the lower id first. Raises `NothingToMove`.
    """
    held: dict[int, Sequence[Entitlement]] = {
        citizen_id: lock_all_entitlements(session, citizen_id, scheme_id=scheme_id)
        for citizen_id in sorted({from_citizen_id, to_citizen_id})
    }
    moved = held[from_citizen_id]
    if from_citizen_id == to_citizen_id or not moved:
        raise NothingToMove("The account holds nothing that could be moved to the other one.", scheme_id=scheme_id)
    runs = _runs_at_target(session, to_citizen_id, moved, new_runs or {})
    entry_id = mint_ids(session, 1, year=booking.period)[0]
    between = Account(AccountKind.MOVING, entry_id)
    out = tuple(
        Transfer(Account(AccountKind.ENTITLEMENT, each.allocation_run_id), between, each.available_minor)
        for each in moved
    )
    into = tuple(
        Transfer(between, Account(AccountKind.ENTITLEMENT, runs[each.allocation_run_id]), each.available_minor)
        for each in moved
    )
    for citizen_id, other_id, transfers in (
        (from_citizen_id, to_citizen_id, out),
        (to_citizen_id, from_citizen_id, into),
    ):
        half = JournalEntry(
            citizen_id=citizen_id,
            kind=EntryKind.JOINING,
            source_id=other_id,
            step=scheme_id,
            scheme_id=scheme_id,
            effective_on=booking.effective_on,
            parameter_digest=booking.parameter_digest,
            actor_id=booking.actor.actor_id,
            transfers=transfers,
        )
        post(session, half, now=booking.now, period=booking.period, journal_entry_id=entry_id)
    draw(session, from_citizen_id, [Draw(each.allocation_run_id, each.available_minor) for each in moved])
    session.execute(
        insert(EntitlementRow).values(
            [_copy(each, to_citizen_id, runs[each.allocation_run_id]) for each in moved],
        )
    )
    return Moved(entry_id, sum(each.available_minor for each in moved))


def _runs_at_target(
    session: WriteSession, citizen_id: int, moved: Sequence[Entitlement], new_runs: Mapping[int, int]
) -> dict[int, int]:
    taken = set(
        session.scalars(select(EntitlementRow.allocation_run_id).where(EntitlementRow.citizen_id == citizen_id))
    )
    runs: dict[int, int] = {}
    for each in moved:
        run_id = each.allocation_run_id if each.allocation_run_id not in taken else new_runs.get(each.allocation_run_id)
        if run_id is None or run_id in taken:
            raise RunNeeded(
                f"Both accounts hold an entitlement of run {each.allocation_run_id};"
                " open a run for what is moved and name it.",
                allocation_run_id=each.allocation_run_id,
            )
        runs[each.allocation_run_id] = run_id
        taken.add(run_id)
    return runs


def _copy(entitlement: Entitlement, citizen_id: int, run_id: int) -> dict[str, object]:
    return {
        "citizen_id": citizen_id,
        "allocation_run_id": run_id,
        "granted_minor": entitlement.available_minor,
        "available_minor": entitlement.available_minor,
        "counted_minor": 0,
        "expires_on": entitlement.expires_on,
        "fund_id": entitlement.fund_id,
        "restriction_id": entitlement.restriction_id,
        "scheme_id": entitlement.scheme_id,
        "source": entitlement.source,
    }


def close_account(
    session: WriteSession, citizen_id: int, *, scheme_id: int, closing_id: int, to_fund: bool, booking: Booking
) -> Moved | None:
    """Book out everything an account holds under a scheme when it is closed; None where it holds nothing.

    With `to_fund` the money returns to the funds that granted it, otherwise it expires and follows them at the end of
    the year. `closing_id` numbers the closing: an account that is reopened can be closed again. Redemptions that are
    open keep what is reserved for them; the caller ends them first.
    """
    held = lock_all_entitlements(session, citizen_id, scheme_id=scheme_id)
    if not held:
        return None
    kind = AccountKind.FUND if to_fund else AccountKind.EXPIRED
    entry = JournalEntry(
        citizen_id=citizen_id,
        kind=EntryKind.CLOSING,
        source_id=closing_id,
        step=scheme_id,
        scheme_id=scheme_id,
        effective_on=booking.effective_on,
        parameter_digest=booking.parameter_digest,
        actor_id=booking.actor.actor_id,
        transfers=tuple(
            Transfer(
                Account(AccountKind.ENTITLEMENT, each.allocation_run_id),
                Account(kind, each.fund_id),
                each.available_minor,
            )
            for each in held
        ),
    )
    entry_id = post(session, entry, now=booking.now, period=booking.period)
    draw(session, citizen_id, [Draw(each.allocation_run_id, each.available_minor) for each in held])
    if to_fund:
        for fund_id in sorted({each.fund_id for each in held}):
            give_to_fund(session, fund_id, sum(each.available_minor for each in held if each.fund_id == fund_id))
    return Moved(entry_id, sum(each.available_minor for each in held))
