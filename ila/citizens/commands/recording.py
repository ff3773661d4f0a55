"""How a change of facts is written: what it replaces is superseded, what it leaves is recorded anew."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update

from ila.access.rules import Actor
from ila.citizens.history import FactVersion, NeedVersion, WorkVersion
from ila.citizens.models import CitizenFactRow, FactChangeRow, NeedAttestationRow, WorkRecordRow
from ila.citizens.rules import ChangeKind, Correction
from ila.db import locks
from ila.db.base import Base
from ila.db.session import WriteSession

FACT_COLUMNS = (
    "born_on",
    "resides_here",
    "works_here",
    "national",
    "employment_status",
    "qualification_level",
    "income_minor",
    "category",
    "region",
    "account_open",
)


def record_change(
    session: WriteSession, actor: Actor, kind: ChangeKind, *, now: datetime, citizen_import_id: int | None = None
) -> int:
    """Take the number of a change of facts and record who makes it."""
    change_no = locks.begin_fact_change(session)
    session.execute(
        insert(FactChangeRow).values(
            fact_change_no=change_no,
            recorded_at=now,
            actor_id=actor.actor_id,
            kind=kind,
            citizen_import_id=citizen_import_id,
        )
    )
    return change_no


def supersede_facts(
    session: WriteSession,
    change_no: int,
    citizen_id: int,
    cut: Correction[FactVersion],
    added: Sequence[dict[str, Any]],
) -> None:
    """Supersede facts and record the parts that stay, and the new ones with their days."""
    for fact in cut.superseded:
        row = CitizenFactRow
        _supersede(session, row, change_no, *_key(row, citizen_id, fact))
    kept = [
        fact_values(piece.of) | {"valid_from": piece.valid_from, "valid_until": piece.valid_until} for piece in cut.kept
    ]
    _record(session, CitizenFactRow, change_no, citizen_id, [*kept, *added])


def supersede_needs(
    session: WriteSession,
    change_no: int,
    citizen_id: int,
    cut: Correction[NeedVersion],
    added: Sequence[dict[str, Any]],
) -> None:
    """Supersede attestations and record the parts that stay, and the new ones."""
    for need in cut.superseded:
        row = NeedAttestationRow
        _supersede(session, row, change_no, *_key(row, citizen_id, need), row.criterion == need.criterion)
    kept = [
        {
            "criterion": piece.of.criterion,
            "source": piece.of.source,
            "valid_from": piece.valid_from,
            "valid_until": piece.valid_until,
        }
        for piece in cut.kept
    ]
    _record(session, NeedAttestationRow, change_no, citizen_id, [*kept, *added])


def supersede_work(
    session: WriteSession,
    change_no: int,
    citizen_id: int,
    superseded: Sequence[WorkVersion],
    added: Sequence[dict[str, Any]],
) -> None:
    """Supersede whole records of working time and record the new ones."""
    for work in superseded:
        row = WorkRecordRow
        _supersede(session, row, change_no, *_key(row, citizen_id, work), row.job_no == work.job_no)
    _record(session, WorkRecordRow, change_no, citizen_id, added)


def fact_values(fact: FactVersion) -> dict[str, Any]:
    """Return what a fact says, without the days it holds."""
    return {column: getattr(fact, column) for column in FACT_COLUMNS}


def _key(table: type[Base], citizen_id: int, version: FactVersion | NeedVersion | WorkVersion) -> tuple[Any, ...]:
    columns = table.__table__.c
    return (
        columns.citizen_id == citizen_id,
        columns.recorded_no == version.recorded_no,
        columns.valid_from == version.valid_from,
    )


def _supersede(session: WriteSession, table: type[Base], change_no: int, *key: Any) -> None:
    values = {"superseded_no": change_no}
    session.execute(update(table).where(*key).values(values), execution_options={"synchronize_session": False})


def _record(
    session: WriteSession, table: type[Base], change_no: int, citizen_id: int, rows: Sequence[dict[str, Any]]
) -> None:
    if rows:
        values = [{**row, "citizen_id": citizen_id, "recorded_no": change_no} for row in rows]
        session.execute(insert(table), values)
