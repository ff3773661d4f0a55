"""The sweep of entitlements whose last day has passed. Spending refuses them by date; the sweep may take its time."""

from datetime import date, datetime

from ila import ledger, schemes
from ila.access.rules import Actor, Permission, require
from ila.allocations.commands.planning import begin, insert_run
from ila.allocations.models import AllocationRunRow
from ila.allocations.rules import RunKind, RunState
from ila.db.session import WriteSession
from ila.schemes.parameters import ParameterSet


def open_expiry(
    session: WriteSession,
    actor: Actor,
    parameters: ParameterSet,
    *,
    slice_citizens: int,
    now: datetime,
    today: date,
) -> int | None:
    """Start the sweep of a scheme for everything whose last day is before `today`; None if nothing has expired.

    The law decides alone, so nobody approves it. A second sweep for the same day is refused by its natural key.
    """
    require(actor, Permission.MANAGE_RUNS)
    scheme = schemes.register_parameter_set(session, parameters, now=now)
    if not ledger.any_expired(session, scheme.scheme_id, before=today):
        return None
    row = AllocationRunRow(
        allocation_run_id=ledger.mint_ids(session, 1, year=today.year)[0],
        scheme_id=scheme.scheme_id,
        fund_id=schemes.funds_of(session, scheme.scheme_id)[0].fund_id,
        kind=RunKind.EXPIRY,
        credit_code="",
        period=today.isoformat(),
        state=RunState.APPROVED,
        reference_on=today,
        effective_on=today,
        parameter_digest=parameters.digest,
        opened_by=actor.actor_id,
        opened_at=now,
    )
    insert_run(session, row, f"The expiry of {scheme.code} on {today}")
    begin(session, actor, row, slice_citizens=slice_citizens, now=now, today=today)
    return row.allocation_run_id
