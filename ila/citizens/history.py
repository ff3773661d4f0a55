"""Everything ever known of one citizen: each fact with the days it holds and the changes it was known between."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ila.citizens.models import STILL_KNOWN, CitizenFactRow, FactChangeRow, NeedAttestationRow, WorkRecordRow
from ila.citizens.rules import ChangeKind, EvidenceSource
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
    kind: ChangeKind
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
    facts = fact_versions(session, citizen_id)
    needs = need_versions(session, citizen_id)
    work = work_versions(session, citizen_id)
    spans = [(each.recorded_no, each.superseded_no) for each in facts]
    spans += [(each.recorded_no, each.superseded_no) for each in needs]
    spans += [(each.recorded_no, each.superseded_no) for each in work]
    numbers = {number for span in spans for number in span if number is not None}
    return History(facts, needs, work, changes_of(session, numbers))


def fact_versions(session: Session, citizen_id: int, *, known: bool = False) -> tuple[FactVersion, ...]:
    """Return the facts of a citizen by change and day; with `known`, only those that nothing has corrected."""
    row = CitizenFactRow
    query = select(row).where(row.citizen_id == citizen_id).order_by(row.recorded_no, row.valid_from)
    if known:
        query = query.where(row.superseded_no == STILL_KNOWN)
    return tuple(
        FactVersion(
            valid_from=found.valid_from,
            valid_until=found.valid_until,
            recorded_no=found.recorded_no,
            superseded_no=_end(found.superseded_no),
            born_on=found.born_on,
            account_open=found.account_open,
            resides_here=found.resides_here,
            works_here=found.works_here,
            national=found.national,
            employment_status=found.employment_status,
            qualification_level=found.qualification_level,
            income_minor=found.income_minor,
            category=found.category,
            region=found.region,
        )
        for found in session.scalars(query, execution_options=_FRESH)
    )


def need_versions(
    session: Session, citizen_id: int, criterion: str | None = None, *, known: bool = False
) -> tuple[NeedVersion, ...]:
    """Return the attestations of a citizen, of one criterion or all, by change and day; `known` as above."""
    row = NeedAttestationRow
    query = select(row).where(row.citizen_id == citizen_id).order_by(row.recorded_no, row.criterion, row.valid_from)
    if criterion is not None:
        query = query.where(row.criterion == criterion)
    if known:
        query = query.where(row.superseded_no == STILL_KNOWN)
    return tuple(
        NeedVersion(
            found.criterion,
            found.source,
            found.valid_from,
            found.valid_until,
            found.recorded_no,
            _end(found.superseded_no),
        )
        for found in session.scalars(query, execution_options=_FRESH)
    )


def work_versions(
    session: Session, citizen_id: int, job_no: int | None = None, *, known: bool = False
) -> tuple[WorkVersion, ...]:
    """Return the working time of a citizen, in one job or all, by change and day; `known` as above."""
    row = WorkRecordRow
    query = select(row).where(row.citizen_id == citizen_id).order_by(row.recorded_no, row.job_no, row.valid_from)
    if job_no is not None:
        query = query.where(row.job_no == job_no)
    if known:
        query = query.where(row.superseded_no == STILL_KNOWN)
    return tuple(
        WorkVersion(
            job_no=found.job_no,
            basis=found.basis,
            worked=found.worked,
            reference=found.reference,
            valid_from=found.valid_from,
            valid_until=found.valid_until,
            recorded_no=found.recorded_no,
            superseded_no=_end(found.superseded_no),
        )
        for found in session.scalars(query, execution_options=_FRESH)
    )


def changes_of(session: Session, numbers: set[int]) -> tuple[FactChange, ...]:
    """Return changes of facts by their numbers, the oldest first."""
    row = FactChangeRow
    query = (
        select(row.fact_change_no, row.recorded_at, row.actor_id, row.kind, row.citizen_import_id)
        .where(row.fact_change_no.in_(sorted(numbers)))
        .order_by(row.fact_change_no)
    )
    return tuple(FactChange(*found) for found in session.execute(query))


def _end(superseded_no: int) -> int | None:
    return None if superseded_no == STILL_KNOWN else superseded_no


_FRESH = {"populate_existing": True}
"""Facts are superseded by statements that the session's own objects know nothing of."""
