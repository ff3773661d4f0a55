"""The facts of a citizen as tables."""

from datetime import date
from typing import TYPE_CHECKING, Any

from ila.citizens.rules import NO_END
from ila.cli import output

if TYPE_CHECKING:
    from ila.citizens import History


def still_known(history: "History", whole: bool) -> "History":
    """Leave out what was corrected, unless the whole history is wanted."""
    from ila.citizens import History

    if whole:
        return history
    return History(
        tuple(fact for fact in history.facts if fact.superseded_no is None),
        tuple(need for need in history.needs if need.superseded_no is None),
        tuple(work for work in history.work if work.superseded_no is None),
        history.changes,
    )


def render_history(history: "History", whole: bool) -> None:
    """Write facts, needs, working time and changes; with `whole`, each version with the changes that bound it."""
    known = ["change", "until change"] if whole else []

    def numbers(version: Any) -> list[object]:
        return [str(version.recorded_no), str(version.superseded_no or "")] if whole else []

    output.table(
        [
            "from",
            "until",
            "born",
            "status",
            "resides",
            "works",
            "national",
            "level",
            "income",
            "region",
            "open",
            *known,
        ],
        [
            [
                fact.valid_from,
                _until(fact.valid_until),
                fact.born_on,
                fact.employment_status.value,
                _yes(fact.resides_here),
                _yes(fact.works_here),
                _yes(fact.national),
                fact.qualification_level,
                None if fact.income_minor is None else f"{fact.income_minor // 100:,}.{fact.income_minor % 100:02}",
                fact.region,
                _yes(fact.account_open),
                *numbers(fact),
            ]
            for fact in history.facts
        ],
        title="Facts",
    )
    if history.needs:
        output.table(
            ["criterion", "source", "from", "until", *known],
            [
                [need.criterion, need.source.value, need.valid_from, _until(need.valid_until), *numbers(need)]
                for need in history.needs
            ],
            title="Needs",
        )
    if history.work:
        output.table(
            ["job", "basis", "worked", "of", "from", "until", *known],
            [
                [
                    str(work.job_no),
                    work.basis.value,
                    f"{work.worked.normalize():f}",
                    None if work.reference is None else f"{work.reference.normalize():f}",
                    work.valid_from,
                    _until(work.valid_until),
                    *numbers(work),
                ]
                for work in history.work
            ],
            title="Working time",
        )
    output.table(
        ["change", "at", "kind", "actor"],
        [
            [
                str(change.fact_change_no),
                f"{change.recorded_at:%Y-%m-%d %H:%M} UTC",
                change.kind.value,
                str(change.actor_id),
            ]
            for change in history.changes
        ],
        title="Changes",
    )


def _until(day: date) -> str:
    return "" if day == NO_END else day.isoformat()


def _yes(value: bool) -> str:
    return "yes" if value else "no"
