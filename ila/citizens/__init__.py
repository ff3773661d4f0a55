"""Who holds an account, and the facts their entitlements rest on; the only personal data of the platform.

Selects for others to join: `facts_on`, `needs_on`, `work_on`. One citizen: `account`, `facts_of`, `history_of`.
"""

from ila.citizens.history import FactChange, FactVersion, History, NeedVersion, WorkVersion, history_of
from ila.citizens.queries import (
    KNOWN_NOW,
    Account,
    NoFacts,
    NoSuchCitizen,
    account,
    attested_on,
    citizen_id_of,
    facts_of,
    facts_on,
    id_range,
    needs_by_source_on,
    needs_on,
    reference_of,
    work_on,
)

__all__ = [
    "KNOWN_NOW",
    "Account",
    "FactChange",
    "FactVersion",
    "History",
    "NeedVersion",
    "NoFacts",
    "NoSuchCitizen",
    "WorkVersion",
    "account",
    "attested_on",
    "citizen_id_of",
    "facts_of",
    "facts_on",
    "history_of",
    "id_range",
    "needs_by_source_on",
    "needs_on",
    "reference_of",
    "work_on",
]
