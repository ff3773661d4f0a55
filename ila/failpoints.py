"""Named places where a test stops a process, lets it sleep or makes it fail. No effect unless ILA_FAILPOINTS is set.

`ILA_FAILPOINTS="allocations.after_credit=exit@2,worker.after_slice=sleep:0.5"` ends the process, as a kill would,
when it passes the first place for the second time, and lets it sleep half a second each time it passes the second.
Settings refuse the variable in production.
"""

import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache

from ila.errors import Invalid

VARIABLE = "ILA_FAILPOINTS"
EXIT_CODE = 86
"""What a process that ended at a failpoint leaves behind."""

_SPECIFICATION = re.compile(r"([a-z_.]+)=(exit|raise|sleep:(\d+(?:\.\d+)?))(?:@(\d+))?")
_passed: Counter[str] = Counter()


class FailpointReached(Exception):
    """The defect that the action `raise` plants."""


@dataclass(frozen=True, slots=True)
class Failpoint:
    """What happens at a place, and at which passing of it: None means at each."""

    action: str
    seconds: float
    passing: int | None


def failpoint(name: str) -> None:
    """Do what ILA_FAILPOINTS says for this place; nothing where it says nothing."""
    text = os.environ.get(VARIABLE)
    if not text:
        return
    planted = failpoints(text).get(name)
    if planted is None:
        return
    _passed[name] += 1
    if planted.passing not in (None, _passed[name]):
        return
    match planted.action:
        case "exit":
            os._exit(EXIT_CODE)
        case "raise":
            raise FailpointReached(f"the failpoint {name} was reached")
        case _:
            time.sleep(planted.seconds)


@cache
def failpoints(text: str) -> dict[str, Failpoint]:
    """Read the value of the variable; raises `Invalid` for a part that says nothing known.

    >>> failpoints("worker.after_slice=sleep:0.5@3")
    {'worker.after_slice': Failpoint(action='sleep', seconds=0.5, passing=3)}
    """
    result = {}
    for part in text.split(","):
        found = _SPECIFICATION.fullmatch(part.strip())
        if found is None:
            raise Invalid(
                f"{VARIABLE} holds {part.strip()!r}; write place=action, where the action is exit, raise or"
                " sleep:SECONDS, and @N at its end for the Nth passing alone.",
                part=part.strip(),
            )
        name, action, seconds, passing = found.groups()
        result[name] = Failpoint(action.partition(":")[0], float(seconds or 0), int(passing) if passing else None)
    return result
