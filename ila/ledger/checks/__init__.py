"""What must hold for everything stored: named passes, each a set of statements that return no row when all is well.

    with read_sessions(engine, snapshot=True)() as session:
        for result in run(session):
            ...

All passes of one run see one snapshot. Statements over single citizens go through the ids in stretches, so memory
stays bounded and progress can be told; the others make one pass over what they read. What is not checked here is not
watched: seals, redemptions and payouts bring passes of their own.
"""

from ila.ledger.checks.balances import BALANCES, BOUNDS, CONSERVATION, FUNDS
from ila.ledger.checks.facts import FACTS
from ila.ledger.checks.guards import GRANTS, NATURAL_KEYS
from ila.ledger.checks.journal import ENTRIES, LINES, PERIODS, REVERSALS, UNITS
from ila.ledger.checks.passes import Check, Fault, Pass, PassResult, run
from ila.ledger.checks.references import DIGESTS, REFERENCES
from ila.ledger.checks.runs import RUNS

PASSES: tuple[Pass, ...] = (
    GRANTS,
    ENTRIES,
    LINES,
    UNITS,
    BALANCES,
    BOUNDS,
    FUNDS,
    CONSERVATION,
    RUNS,
    NATURAL_KEYS,
    REVERSALS,
    PERIODS,
    REFERENCES,
    DIGESTS,
    FACTS,
)
"""Every pass, the cheap and telling ones first."""

__all__ = ["PASSES", "Check", "Fault", "Pass", "PassResult", "run"]
