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
from ila.ledger.commands.sweeping import Expired, TakenBack, expire, take_back

__all__ = [
    "AppropriationDiffers",
    "BalancesMoved",
    "Credited",
    "Crediting",
    "Expired",
    "TakenBack",
    "appropriate",
    "credit",
    "crediting_statement",
    "draw",
    "expire",
    "give_to_fund",
    "lock_entitlements",
    "mint_ids",
    "post",
    "restore",
    "return_expired",
    "take_back",
    "take_from_fund",
]
