"""The arithmetic of the journal: entries, lines, draws and their reversal. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum

from ila.errors import Conflict, Refused
from ila.ledger.chart import ALLOWED_LINES, AccountKind, EntryKind


class EntitlementSource(IntEnum):
    """Where an entitlement came from; decides whether it counts against the ceiling."""

    ACCRUAL = 1  # the scheme's own credits, corrections of them included
    CONTRIBUTION = 2  # an employer or another third party
    RETURN = 3  # money given back after its entitlement had expired
    CONVERSION = 4  # brought from a scheme of another unit


class PeriodState(StrEnum):
    """Life of a booking year after it was open."""

    CLOSING = "closing"  # fenced: no new entry; entries under way may still end
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Account:
    """A kind and the id of the thing it belongs to."""

    kind: AccountKind
    id: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """One line of an entry: `amount_minor` (positive) flows from `debit` to `credit`.

    `scheme_id` is the entry's where it is None; only a conversion has lines of two schemes.
    """

    debit: Account
    credit: Account
    amount_minor: int
    scheme_id: int | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One business event about one citizen (or 0), with its natural key (citizen, kind, source, step)."""

    citizen_id: int
    kind: EntryKind
    source_id: int
    step: int
    scheme_id: int
    effective_on: date
    parameter_digest: bytes
    actor_id: int
    transfers: tuple[Transfer, ...]
    reverses: int | None = None
    detail_digest: bytes | None = field(default=None)


@dataclass(frozen=True, slots=True)
class OpenEntitlement:
    """What can be drawn: a row of `open_entitlements`, in spend order."""

    allocation_run_id: int
    available_minor: int
    expires_on: date
    fund_id: int
    restriction_id: int = 0


@dataclass(frozen=True, slots=True)
class Draw:
    """How much is taken from which entitlement."""

    allocation_run_id: int
    amount_minor: int


class InsufficientEntitlement(Refused):
    """The citizen's usable entitlements do not cover the amount asked."""

    code = "insufficient_entitlement"

    def __init__(self, available_minor: int, needed_minor: int) -> None:
        super().__init__(
            f"The account holds {available_minor} minor units that can be used, {needed_minor} are needed;"
            " choose a cheaper offer or add money from another payer.",
            available_minor=available_minor,
            needed_minor=needed_minor,
        )


class InsufficientFund(Refused):
    """A fund with a hard limit does not hold what would be taken from it."""

    code = "insufficient_fund"

    def __init__(self, fund_id: int, available_minor: int, needed_minor: int) -> None:
        super().__init__(
            f"Fund {fund_id} holds {available_minor} minor units, {needed_minor} are needed:"
            f" {needed_minor - available_minor} are missing; appropriate them first.",
            fund_id=fund_id,
            available_minor=available_minor,
            needed_minor=needed_minor,
            shortfall_minor=needed_minor - available_minor,
        )


class AlreadyBooked(Conflict):
    """The business event of this natural key stands in the journal already."""

    code = "already_booked"

    def __init__(self, kind: EntryKind, source_id: int, step: int, journal_entry_id: int) -> None:
        super().__init__(
            f"The {kind.name.lower()} of {source_id}, step {step}, is booked as entry {journal_entry_id} already;"
            " nothing was added.",
            journal_entry_id=journal_entry_id,
            kind=kind.name.lower(),
            source_id=source_id,
            step=step,
        )


class PeriodClosed(Refused):
    """The booking year is fenced or closed."""

    code = "period_closed"

    def __init__(self, period: int, first_open: int) -> None:
        super().__init__(
            f"The period {period} is closed; book in {first_open}, the first open one, with the true effective day.",
            period=period,
            first_open=first_open,
        )


def draws(amount_minor: int, entitlements: Sequence[OpenEntitlement]) -> tuple[Draw, ...]:
    """Spread an amount over entitlements in the order given; raises `InsufficientEntitlement` when they fall short.

    >>> two = [OpenEntitlement(1, 12_000, date(2027, 12, 31), 1), OpenEntitlement(2, 50_000, date(2028, 12, 31), 1)]
    >>> draws(36_000, two)
    (Draw(allocation_run_id=1, amount_minor=12000), Draw(allocation_run_id=2, amount_minor=24000))
    """
    if amount_minor <= 0:
        raise ValueError(f"a draw needs a positive amount, not {amount_minor}")
    left_minor = amount_minor
    result: list[Draw] = []
    for entitlement in entitlements:
        taken_minor = min(left_minor, entitlement.available_minor)
        if taken_minor:
            result.append(Draw(entitlement.allocation_run_id, taken_minor))
            left_minor -= taken_minor
        if not left_minor:
            return tuple(result)
    raise InsufficientEntitlement(sum(entitlement.available_minor for entitlement in entitlements), amount_minor)


def require_allowed(kind: EntryKind, transfers: Iterable[Transfer]) -> None:
    """Raise `ValueError` for a line that the chart does not know for this kind: a defect of ours, not a refusal."""
    for transfer in transfers:
        pair = (transfer.debit.kind, transfer.credit.kind)
        if pair not in ALLOWED_LINES[kind]:
            raise ValueError(f"an entry {kind.name} has no line {pair[0].name} -> {pair[1].name}")
        if transfer.amount_minor <= 0:
            raise ValueError(f"a transfer needs a positive amount, not {transfer.amount_minor}")


def reversed_entry(entry: JournalEntry, entry_id: int, *, effective_on: date, actor_id: int) -> JournalEntry:
    """Return the equal and opposite entry that names `entry_id`; its natural key makes a second one impossible."""
    return JournalEntry(
        citizen_id=entry.citizen_id,
        kind=EntryKind.REVERSAL,
        source_id=entry_id,
        step=0,
        scheme_id=entry.scheme_id,
        effective_on=effective_on,
        parameter_digest=entry.parameter_digest,
        actor_id=actor_id,
        transfers=tuple(
            Transfer(line.credit, line.debit, line.amount_minor, line.scheme_id) for line in entry.transfers
        ),
        reverses=entry_id,
    )
