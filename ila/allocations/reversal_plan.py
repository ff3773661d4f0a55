"""What taking back a run would return, and what has been spent by now."""

from typing import Any

from sqlalchemy.orm import Session

from ila import ledger
from ila.allocations.models import AllocationRunRow


def reversal_plan(session: Session, row: AllocationRunRow) -> dict[str, Any]:
    """Return the counted part of a reversal's plan: what is still available goes back, the rest is spent or expired."""
    if row.reverses_run_id is None:
        raise AssertionError(f"run {row.allocation_run_id} reverses nothing")
    takeable = ledger.takeable(session, row.reverses_run_id)
    return {
        "citizens": takeable.citizens,
        "credited": takeable.citizens_with_rest,
        "amount_minor": takeable.available_minor,
        "spent_minor": takeable.granted_minor - takeable.available_minor,
        "lowered": takeable.citizens - takeable.citizens_with_rest,
        "checksum": takeable.checksum,
        "reasons": {},
        "needs": {},
        "reverses_run_id": row.reverses_run_id,
    }
