"""What a pass is, and how passes are run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

STRETCH = 50_000
"""Citizens that a statement over single citizens looks at together."""

FIRST_FAULTS = 10
"""Offenders that are named for each check; there may be more."""

OnProgress = Callable[["Pass", int, int], None]
"""Called with the pass and how many of its steps are done."""


@dataclass(frozen=True, slots=True)
class Check:
    """One statement of a pass. Each row it returns is an offender, its columns say which.

    `fault` is the sentence for people. With `by_citizen` the statement has the parameters `first` and `last` and sees
    those citizens only. `search` computes what SQL alone cannot, in place of a statement.
    """

    fault: str
    statement: str = ""
    by_citizen: bool = False
    search: Callable[[Session], Iterable[Mapping[str, Any]]] | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """A named part of the whole: what it proves, and the checks that would find the contrary."""

    name: str
    proves: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One offender: what is wrong, and where. Ids are internal; the people behind them are not named."""

    sentence: str
    where: dict[str, Any]

    def __str__(self) -> str:
        """Return one readable line."""
        return f"{self.sentence}: " + ", ".join(f"{name} {value}" for name, value in self.where.items())


@dataclass(frozen=True, slots=True)
class PassResult:
    """What one pass found. `more` tells that some check has more offenders than are named."""

    name: str
    proves: str
    faults: tuple[Fault, ...]
    more: bool

    @property
    def clean(self) -> bool:
        """Tell whether nothing was found."""
        return not self.faults


def run(
    session: Session, passes: Sequence[Pass], *, on_progress: OnProgress | None = None, stretch: int = STRETCH
) -> Iterator[PassResult]:
    """Run passes one after the other in the session's transaction and yield what each found.

    The session should be READ ONLY at REPEATABLE READ, so that all passes see one state.
    """
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text("SET LOCAL work_mem = '256MB'"))
    session.execute(text("SET LOCAL jit = off"))
    stretches = _stretches(session, stretch)
    for each in passes:
        steps = sum(len(stretches) if check.by_citizen else 1 for check in each.checks)
        faults: list[Fault] = []
        more = False
        done = 0
        for check in each.checks:
            found: list[Fault] = []
            for bounds in stretches if check.by_citizen else [None]:
                if len(found) <= FIRST_FAULTS:
                    left = FIRST_FAULTS + 1 - len(found)
                    found += [Fault(check.fault, where) for where in _offenders(session, check, bounds, left)]
                done += 1
                if on_progress is not None:
                    on_progress(each, done, steps)
            more = more or len(found) > FIRST_FAULTS
            faults += found[:FIRST_FAULTS]
        yield PassResult(each.name, each.proves, tuple(faults), more)


def _offenders(session: Session, check: Check, bounds: tuple[int, int] | None, limit: int) -> list[dict[str, Any]]:
    if check.search is not None:
        return [dict(row) for _, row in zip(range(limit), check.search(session), strict=False)]
    parameters: dict[str, int] = {"limit": limit}
    if bounds is not None:
        parameters |= {"first": bounds[0], "last": bounds[1]}
    limited = text(f"SELECT * FROM ({check.statement}) AS offender LIMIT :limit")  # noqa: S608  our own text
    return [dict(row) for row in session.execute(limited, parameters).mappings()]


def _stretches(session: Session, size: int) -> list[tuple[int, int]]:
    first, last = session.execute(
        text(
            "SELECT min(first_id), max(last_id) FROM ("
            " SELECT min(citizen_id) AS first_id, max(citizen_id) AS last_id FROM ila.transfer"
            " UNION ALL SELECT min(citizen_id), max(citizen_id) FROM ila.entitlement"
            " UNION ALL SELECT min(citizen_id), max(citizen_id) FROM ila.journal_entry"
            " UNION ALL SELECT min(citizen_id), max(citizen_id) FROM ila.citizen) AS bounds"
        )
    ).one()
    if first is None:
        return []
    return [(start, min(start + size - 1, last)) for start in range(first, last + 1, size)]
