"""Everything ever known of one citizen: each fact with the days it holds and the changes it was known between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ila.citizens.models import STILL_KNOWN, CitizenFactRow, FactChangeRow, NeedAttestationRow, WorkRecordRow
from ila.citizens.rules import EvidenceSource
from ila.schemes.policy import EmploymentStatus, WorkBasis


@dataclass(frozen=True, slots=True)
class FactVersion:
    """Facts over one stretch of days, as known from one change until another. `superseded_no` None: still known."""

    valid_from: date
    valid_until: date
    recorded_no: int
    superseded_no: int | None
    born_on: date
    account_open: bool
    resides_here: bool
    works_here: bool
    national: bool
    employment_status: EmploymentStatus
    qualification_level: int | None
    income_minor: int | None
    category: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class NeedVersion:
    """One attestation of a need criterion, as known from one change until another."""

    criterion: str
    source: EvidenceSource
    valid_from: date
    valid_until: date
    recorded_no: int
    superseded_no: int | None


@dataclass(frozen=True, slots=True)
class WorkVersion:
    """Working time of one job in one stretch of days, as known from one change until another."""

    job_no: int
    basis: WorkBasis
    worked: Decimal
    reference: Decimal | None
    valid_from: date
    valid_until: date
    recorded_no: int
    superseded_no: int | None


@dataclass(frozen=True, slots=True)
class FactChange:
    """Who changed facts, when, and in what way."""

    fact_change_no: int
    recorded_at: datetime
    actor_id: int
    kind: str
    citizen_import_id: int | None


@dataclass(frozen=True, slots=True)
class History:
    """Everything ever known of a citizen, with the changes that said so; the oldest first."""

    facts: tuple[FactVersion, ...]
    needs: tuple[NeedVersion, ...]
    work: tuple[WorkVersion, ...]
    changes: tuple[FactChange, ...]


def history_of(session: Session, citizen_id: int) -> History:
    """Return everything ever known of a citizen, with the changes that recorded or superseded it."""
    facts = tuple(
        FactVersion(
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            recorded_no=row.recorded_no,
            superseded_no=_end(row.superseded_no),
            born_on=row.born_on,
            account_open=row.account_open,
            resides_here=row.resides_here,
            works_here=row.works_here,
            national=row.national,
            employment_status=row.employment_status,
            qualification_level=row.qualification_level,
            income_minor=row.income_minor,
            category=row.category,
            region=row.region,
        )
        for row in session.scalars(
            select(CitizenFactRow)
            .where(CitizenFactRow.citizen_id == citizen_id)
            .order_by(CitizenFactRow.recorded_no, CitizenFactRow.valid_from)
        )
    )
    needs = tuple(
        _need_version(row)
        for row in session.scalars(
            select(NeedAttestationRow)
            .where(NeedAttestationRow.citizen_id == citizen_id)
            .order_by(NeedAttestationRow.recorded_no, NeedAttestationRow.criterion, NeedAttestationRow.valid_from)
        )
    )
    work = tuple(
        WorkVersion(
            job_no=row.job_no,
            basis=row.basis,
            worked=row.worked,
            reference=row.reference,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            recorded_no=row.recorded_no,
            superseded_no=_end(row.superseded_no),
        )
        for row in session.scalars(
            select(WorkRecordRow)
            .where(WorkRecordRow.citizen_id == citizen_id)
            .order_by(WorkRecordRow.recorded_no, WorkRecordRow.job_no, WorkRecordRow.valid_from)
        )
    )
    spans = [(each.recorded_no, each.superseded_no) for each in facts]
    spans += [(each.recorded_no, each.superseded_no) for each in needs]
    spans += [(each.recorded_no, each.superseded_no) for each in work]
    numbers = {number for span in spans for number in span if number is not None}
    return History(facts, needs, work, tuple(changes_of(session, numbers)))


def changes_of(session: Session, numbers: set[int]) -> Sequence[FactChange]:
    """Return changes of facts by their numbers, the oldest first."""
    row = FactChangeRow
    query = (
        select(row.fact_change_no, row.recorded_at, row.actor_id, row.kind, row.citizen_import_id)
        .where(row.fact_change_no.in_(sorted(numbers)))
        .order_by(row.fact_change_no)
    )
    return [FactChange(*found) for found in session.execute(query)]


def _need_version(row: NeedAttestationRow) -> NeedVersion:
    return NeedVersion(
        row.criterion, row.source, row.valid_from, row.valid_until, row.recorded_no, _end(row.superseded_no)
    )


def _end(superseded_no: int) -> int | None:
    return None if superseded_no == STILL_KNOWN else superseded_no
