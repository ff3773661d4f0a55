"""The double-entry journal and the stored balances. Nothing booked is ever changed; corrections are further entries.

Door: commands that move money, queries that read it, and the words both take. The arithmetic behind them is pure and
in `ila.ledger.rules` and `ila.ledger.chart`; what must hold for everything stored is in `ila.ledger.checks`.
"""

from ila.ledger.commands import *  # noqa: F403
from ila.ledger.queries import *  # noqa: F403
from ila.ledger.rules import *  # noqa: F403
