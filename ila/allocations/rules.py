"""Life of an allocation run and the cutting of a population into slices. Pure."""

from collections.abc import Iterator
from enum import StrEnum


class RunKind(StrEnum):
    """What a run does. Every entitlement has a run, also a single credit."""

    YEARLY = "yearly"  # the scheme's credit of a period, to everybody eligible
    COHORT = "cohort"  # once in a life, to a cohort
    REQUEST = "request"  # one citizen asked
    CONTRIBUTION = "contribution"  # an employer or another third party
    LATE = "late"  # the difference that corrected facts make
    RETURN = "return"  # money given back after expiry
    EXPIRY = "expiry"  # sweeps what has expired
    REVERSAL = "reversal"  # takes back what a run granted and nobody has spent


class RunState(StrEnum):
    """Where a run stands."""

    DRAFT = "draft"
    PREVIEWED = "previewed"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    REVERSED = "reversed"


MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.DRAFT: frozenset({RunState.PREVIEWED, RunState.CANCELLED}),
    RunState.PREVIEWED: frozenset({RunState.PREVIEWED, RunState.APPROVED, RunState.CANCELLED}),
    RunState.APPROVED: frozenset({RunState.RUNNING, RunState.PREVIEWED, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.PAUSED, RunState.FAILED, RunState.FINISHED}),
    RunState.PAUSED: frozenset({RunState.RUNNING}),
    RunState.FAILED: frozenset({RunState.RUNNING}),
    RunState.FINISHED: frozenset({RunState.REVERSED}),
    RunState.CANCELLED: frozenset(),
    RunState.REVERSED: frozenset(),
}


class SliceState(StrEnum):
    """Where a slice of a run stands."""

    OPEN = "open"
    DONE = "done"


def slice_bounds(first_citizen_id: int, last_citizen_id: int, citizens_per_slice: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch of citizen ids into slices of equal width, first and last id included.

    >>> list(slice_bounds(1, 250, 100))
    [(1, 100), (101, 200), (201, 250)]
    """
    if citizens_per_slice < 1:
        raise ValueError("a slice needs at least one citizen")
    for first in range(first_citizen_id, last_citizen_id + 1, citizens_per_slice):
        yield first, min(first + citizens_per_slice - 1, last_citizen_id)
