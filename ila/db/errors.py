"""Faults of PostgreSQL, told apart by SQLSTATE alone: Citus drops constraint names.

A retryable fault is never an answer about money. A connection lost during COMMIT leaves the outcome unknown: only a
repeat under the same key, or a natural key, tells what happened.
"""

from enum import StrEnum

from sqlalchemy.exc import DBAPIError


class Fault(StrEnum):
    """What a database error means to a unit of work."""

    RETRY = "retry"  # deadlock, serialization: the same work again, at once
    BUSY = "busy"  # lock or connection not available: later
    LOST = "lost"  # connection refused or gone, server starting or stopping; outcome unknown during COMMIT
    SLOW = "slow"  # cancelled by a time limit
    TAKEN = "taken"  # unique key: somebody did it
    BROKEN = "broken"  # a CHECK or foreign key caught a defect
    FORBIDDEN = "forbidden"  # privilege: a defect or an attack
    FULL = "full"  # disk or memory
    DEFECT = "defect"


_EXACT = {
    "40001": Fault.RETRY,
    "40P01": Fault.RETRY,
    "55P03": Fault.BUSY,
    "53300": Fault.BUSY,
    "25006": Fault.LOST,
    "57P01": Fault.LOST,
    "57P02": Fault.LOST,
    "57P03": Fault.LOST,
    "40003": Fault.LOST,
    "57014": Fault.SLOW,
    "23505": Fault.TAKEN,
    "23P01": Fault.TAKEN,
    "23514": Fault.BROKEN,
    "23503": Fault.BROKEN,
    "23502": Fault.BROKEN,
    "42501": Fault.FORBIDDEN,
    "53100": Fault.FULL,
    "53200": Fault.FULL,
}


def sqlstate_of(error: DBAPIError) -> str | None:
    """Return the SQLSTATE of an error, or None where the connection gave none."""
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None


def fault_of(error: DBAPIError) -> Fault:
    """Tell what an error means. An error without SQLSTATE is a lost connection."""
    state = sqlstate_of(error)
    if state is None:
        return Fault.LOST
    if state in _EXACT:
        return _EXACT[state]
    return Fault.LOST if state.startswith("08") else Fault.DEFECT


RETRYABLE = frozenset({Fault.RETRY, Fault.BUSY, Fault.LOST})
"""Faults after which the whole unit of work may be tried again under the same key."""
