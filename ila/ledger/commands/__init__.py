"""Move money: every change of a balance has its transfer in the same transaction. Nothing here commits."""

from ila.ledger.commands.booking import mint_ids, post
from ila.ledger.commands.crediting import Credited, Crediting, credit, crediting_statement
from ila.ledger.commands.drawing import BalancesMoved, draw, lock_entitlements, restore
from ila.ledger.commands.funding import (
    AppropriationDiffers,
    appropriate,
    give_to_fund,
    return_expired,
    take_from_fund,
)
from ila.ledger.commands.moving import (
    Booking,
    Moved,
    NothingToMove,
    RunNeeded,
    Target,
    close_account,
    convert,
    move,
)
from ila.ledger.commands.periods import PeriodConflict, close_period, drain_mark, fence_period
from ila.ledger.commands.reversing import AlreadySpent, NoSuchEntry, NotReversible, reverse
from ila.ledger.commands.sweeping import Expired, TakenBack, expire, take_back

__all__ = [
    "AlreadySpent",
    "AppropriationDiffers",
    "BalancesMoved",
    "Booking",
    "Credited",
    "Crediting",
    "Expired",
    "Moved",
    "NoSuchEntry",
    "NotReversible",
    "NothingToMove",
    "PeriodConflict",
    "RunNeeded",
    "TakenBack",
    "Target",
    "appropriate",
    "close_account",
    "close_period",
    "convert",
    "credit",
    "crediting_statement",
    "drain_mark",
    "draw",
    "expire",
    "fence_period",
    "give_to_fund",
    "lock_entitlements",
    "mint_ids",
    "move",
    "post",
    "restore",
    "return_expired",
    "reverse",
    "take_back",
    "take_from_fund",
]
