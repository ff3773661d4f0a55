"""Ask the ledger. Selects where callers compose, values where they read."""

from ila.ledger.queries.bookings import Booked, booked
from ila.ledger.queries.entitlements import (
    Balance,
    Entitlement,
    Takeable,
    any_expired,
    available_by_citizen,
    balance,
    entitlements_of,
    granted_by_citizen,
    holders_of_runs,
    open_entitlements,
    runs_granted_to,
    takeable,
)
from ila.ledger.queries.funds import fund_available

__all__ = [
    "Balance",
    "Booked",
    "Entitlement",
    "Takeable",
    "any_expired",
    "available_by_citizen",
    "balance",
    "booked",
    "entitlements_of",
    "fund_available",
    "granted_by_citizen",
    "holders_of_runs",
    "open_entitlements",
    "runs_granted_to",
    "takeable",
]
