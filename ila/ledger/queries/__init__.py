"""Ask the ledger. Selects where callers compose, values where they read."""

from ila.ledger.queries.bookings import Booked, booked
from ila.ledger.queries.entitlements import (
    Balance,
    Entitlement,
    Takeable,
    any_expired,
    available_by_citizen,
    balance,
    balance_rows,
    counted_minor,
    entitlements_of,
    granted_by_citizen,
    holders_of_runs,
    open_entitlements,
    runs_granted_to,
    takeable,
)
from ila.ledger.queries.exports import Detail, Part, export_detail, export_lines, export_openings
from ila.ledger.queries.funds import appropriation_of, fund_available
from ila.ledger.queries.periods import is_drained, period_totals, totals_digest
from ila.ledger.queries.statements import Position, StatementLine, journal_version, statement
from ila.ledger.queries.totals import AccountTotal, FundLine, fund_statement, trial_balance

__all__ = [
    "AccountTotal",
    "Balance",
    "Booked",
    "Detail",
    "Entitlement",
    "FundLine",
    "Part",
    "Position",
    "StatementLine",
    "Takeable",
    "any_expired",
    "appropriation_of",
    "available_by_citizen",
    "balance",
    "balance_rows",
    "booked",
    "counted_minor",
    "entitlements_of",
    "export_detail",
    "export_lines",
    "export_openings",
    "fund_available",
    "fund_statement",
    "granted_by_citizen",
    "holders_of_runs",
    "is_drained",
    "journal_version",
    "open_entitlements",
    "period_totals",
    "runs_granted_to",
    "statement",
    "takeable",
    "totals_digest",
    "trial_balance",
]
