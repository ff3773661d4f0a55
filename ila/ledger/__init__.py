"""The double-entry journal and the stored balances. Nothing booked is ever changed; corrections are further entries.

Door: commands that move money, queries that read it, and the words both take. The arithmetic behind them is pure and
in `ila.ledger.rules` and `ila.ledger.chart`; what must hold for everything stored is in `ila.ledger.checks`.
"""

from ila.ledger.chart import AccountKind as AccountKind
from ila.ledger.chart import EntryKind as EntryKind
from ila.ledger.commands import *  # noqa: F403
from ila.ledger.queries import *  # noqa: F403
from ila.ledger.rules import Account as Account
from ila.ledger.rules import AlreadyBooked as AlreadyBooked
from ila.ledger.rules import Draw as Draw
from ila.ledger.rules import EntitlementSource as EntitlementSource
from ila.ledger.rules import InsufficientEntitlement as InsufficientEntitlement
from ila.ledger.rules import InsufficientFund as InsufficientFund
from ila.ledger.rules import JournalEntry as JournalEntry
from ila.ledger.rules import OpenEntitlement as OpenEntitlement
from ila.ledger.rules import PeriodClosed as PeriodClosed
from ila.ledger.rules import Transfer as Transfer
