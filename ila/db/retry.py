"""Repeat a whole unit of work after a passing fault; used by edges only.

The work must be safe to repeat: under a request key, or with natural keys. At most five tries within thirty seconds.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ila.db.errors import RETRYABLE, Fault, fault_of
from ila.db.session import WriteSession, WriteSessions
from ila.errors import TryAgain

Result = TypeVar("Result")

TRIES = 5
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0


def attempt(sessions: WriteSessions, work: Callable[[WriteSession], Result]) -> Result:
    """Run `work` in a transaction of its own and commit; try again after deadlocks, busy locks and lost connections.

    Raises `TryAgain` when the fault stays. Every other error passes unchanged.
    """
    pause_seconds = FIRST_PAUSE_SECONDS
    for tried in range(1, TRIES + 1):
        try:
            with sessions.begin() as session:
                return work(session)
        except PoolTimeout as error:
            raise TryAgain("All database connections are in use; repeat the request in a few seconds.") from error
        except DBAPIError as error:
            fault = fault_of(error)
            if fault not in RETRYABLE and fault not in (Fault.SLOW, Fault.FULL):
                raise
            if tried == TRIES or fault not in RETRYABLE:
                raise TryAgain(
                    "The database did not finish the work in time; repeat the request under the same key.",
                    fault=fault.value,
                ) from error
        time.sleep(pause_seconds * (1 + random.random()))  # noqa: S311  jitter, not a secret
        pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
    raise AssertionError("unreachable: the last try returns or raises")
