"""The chart of accounts: kinds, their normal side, and which lines each kind of entry may have.

An account is a kind and the id of the thing it belongs to; there is no account table and no tree. Money flows from
the debit account to the credit account of a transfer. Numbers are stored and sealed: they are never reused.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class AccountKind(IntEnum):
    """What an account is; the comment names the thing whose id it carries."""

    OUTSIDE = 1  # party: treasury, employer's bank, citizen's bank
    FUND = 2  # fund
    ENTITLEMENT = 3  # allocation run, with the citizen of the row
    RESERVED = 4  # redemption
    PAYABLE = 5  # provider
    CLEARING = 6  # payout
    PAID = 7  # provider
    EXPIRED = 8  # fund
    CLAIM = 9  # party
    WRITTEN_OFF = 10  # fund
    CONVERSION = 11  # pair of schemes
    MOVING = 12  # entry that joins two accounts


class NormalSide(StrEnum):
    """The side on which a kind's balance grows."""

    DEBIT = "debit"
    CREDIT = "credit"
    BOTH = "both"


class Keeping(StrEnum):
    """Where a balance stands."""

    STORED = "stored"  # a column beside the rows, checked never to be below zero
    STORED_IF_LIMITED = "stored_if_limited"  # for funds with a hard limit
    DERIVED = "derived"  # the sum of its transfers


PAIR = 1 << 16
"""Numbers of schemes are below this: an ordered pair of them fits one id."""


def conversion_id(from_scheme_id: int, to_scheme_id: int) -> int:
    """Return the id of the conversion account from one scheme to another.

    >>> conversion_id(2, 1)
    131073
    """
    return from_scheme_id * PAIR + to_scheme_id


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One kind of account: its normal side, how its balance is kept, and whether it may fall below zero."""

    normal_side: NormalSide
    keeping: Keeping
    may_be_negative: bool


CHART = {
    AccountKind.OUTSIDE: ChartLine(NormalSide.DEBIT, Keeping.DERIVED, may_be_negative=True),
    AccountKind.FUND: ChartLine(NormalSide.CREDIT, Keeping.STORED_IF_LIMITED, may_be_negative=True),
    AccountKind.ENTITLEMENT: ChartLine(NormalSide.CREDIT, Keeping.STORED, may_be_negative=False),
    AccountKind.RESERVED: ChartLine(NormalSide.CREDIT, Keeping.STORED, may_be_negative=False),
    AccountKind.PAYABLE: ChartLine(NormalSide.CREDIT, Keeping.DERIVED, may_be_negative=False),
    AccountKind.CLEARING: ChartLine(NormalSide.CREDIT, Keeping.DERIVED, may_be_negative=False),
    AccountKind.PAID: ChartLine(NormalSide.CREDIT, Keeping.DERIVED, may_be_negative=False),
    AccountKind.EXPIRED: ChartLine(NormalSide.CREDIT, Keeping.DERIVED, may_be_negative=False),
    AccountKind.CLAIM: ChartLine(NormalSide.DEBIT, Keeping.DERIVED, may_be_negative=False),
    AccountKind.WRITTEN_OFF: ChartLine(NormalSide.DEBIT, Keeping.DERIVED, may_be_negative=False),
    AccountKind.CONVERSION: ChartLine(NormalSide.BOTH, Keeping.DERIVED, may_be_negative=True),
    AccountKind.MOVING: ChartLine(NormalSide.CREDIT, Keeping.DERIVED, may_be_negative=False),
}


class EntryKind(IntEnum):
    """What happened. Part of the natural key of an entry: (citizen, kind, source, step)."""

    APPROPRIATION = 1  # source: the appropriation
    ALLOCATION = 2  # source: the run, step: the slice; citizen 0
    EXPIRY = 3  # source: the run, step: the slice; citizen 0
    EXPIRED_RETURN = 4  # source: fund and year
    CORRECTION = 5
    CONTRIBUTION = 6  # source: the run, step: the slice
    CONVERSION = 7
    CLOSING = 8  # source: the closing of an account
    JOINING = 9
    REVERSAL = 10  # source: the entry reversed
    RETURN = 11  # money given back after its entitlement expired
    RESERVE = 12
    GIVE_BACK = 13
    CANCEL = 14
    SETTLE = 15
    REFUND = 16
    PAYOUT = 17
    RECOVERY = 18


_K = AccountKind
ALLOWED_LINES: dict[EntryKind, frozenset[tuple[AccountKind, AccountKind]]] = {
    EntryKind.APPROPRIATION: frozenset({(_K.OUTSIDE, _K.FUND), (_K.FUND, _K.OUTSIDE)}),
    EntryKind.ALLOCATION: frozenset({(_K.FUND, _K.ENTITLEMENT)}),
    EntryKind.EXPIRY: frozenset({(_K.ENTITLEMENT, _K.EXPIRED)}),
    EntryKind.EXPIRED_RETURN: frozenset({(_K.EXPIRED, _K.FUND)}),
    EntryKind.CORRECTION: frozenset({(_K.FUND, _K.ENTITLEMENT), (_K.ENTITLEMENT, _K.FUND), (_K.CLAIM, _K.FUND)}),
    EntryKind.CONTRIBUTION: frozenset({(_K.FUND, _K.ENTITLEMENT), (_K.ENTITLEMENT, _K.FUND)}),
    EntryKind.CONVERSION: frozenset({(_K.ENTITLEMENT, _K.CONVERSION), (_K.CONVERSION, _K.ENTITLEMENT)}),
    EntryKind.CLOSING: frozenset({(_K.ENTITLEMENT, _K.FUND), (_K.ENTITLEMENT, _K.EXPIRED)}),
    EntryKind.JOINING: frozenset({(_K.ENTITLEMENT, _K.MOVING), (_K.MOVING, _K.ENTITLEMENT)}),
    EntryKind.RETURN: frozenset({(_K.RESERVED, _K.ENTITLEMENT), (_K.ENTITLEMENT, _K.EXPIRED)}),
    EntryKind.RESERVE: frozenset({(_K.ENTITLEMENT, _K.RESERVED), (_K.FUND, _K.RESERVED), (_K.OUTSIDE, _K.RESERVED)}),
    EntryKind.GIVE_BACK: frozenset({(_K.RESERVED, _K.ENTITLEMENT), (_K.RESERVED, _K.FUND), (_K.RESERVED, _K.OUTSIDE)}),
    EntryKind.CANCEL: frozenset(
        {
            (_K.RESERVED, _K.PAYABLE),
            (_K.RESERVED, _K.ENTITLEMENT),
            (_K.RESERVED, _K.FUND),
            (_K.RESERVED, _K.OUTSIDE),
            (_K.CLAIM, _K.ENTITLEMENT),
            (_K.CLAIM, _K.OUTSIDE),
        }
    ),
    EntryKind.SETTLE: frozenset(
        {
            (_K.RESERVED, _K.PAYABLE),
            (_K.RESERVED, _K.ENTITLEMENT),
            (_K.RESERVED, _K.FUND),
            (_K.RESERVED, _K.OUTSIDE),
        }
    ),
    EntryKind.REFUND: frozenset(
        (source, target)
        for source in (_K.PAYABLE, _K.CLAIM)
        for target in (_K.ENTITLEMENT, _K.FUND, _K.OUTSIDE, _K.RESERVED)
    ),
    EntryKind.PAYOUT: frozenset({(_K.PAYABLE, _K.CLEARING), (_K.CLEARING, _K.PAID), (_K.CLEARING, _K.PAYABLE)}),
    EntryKind.RECOVERY: frozenset({(_K.PAYABLE, _K.CLAIM), (_K.OUTSIDE, _K.CLAIM), (_K.WRITTEN_OFF, _K.CLAIM)}),
}
"""Debit and credit kinds that a line of each entry may have. A reversal may have any of them, exchanged."""

ALLOWED_LINES[EntryKind.REVERSAL] = frozenset(
    (credit, debit) for lines in list(ALLOWED_LINES.values()) for debit, credit in lines
)
