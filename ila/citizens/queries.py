"""Ask who holds an account and what is true of them: selects that others join, and the facts of one citizen.

Every select over many citizens reads by `citizen_id`, the first column of each key, so a stretch of ids is one range
of an index; `first` and `last` become the bind parameters `first_citizen_id` and `last_citizen_id`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Numeric, Select, and_, bindparam, case, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ila.citizens.models import (
    STILL_KNOWN,
    CitizenFactRow,
    CitizenRow,
    NeedAttestationRow,
    WorkRecordRow,
)
from ila.citizens.rules import AccountStatus, EvidenceSource
from ila.errors import NotFound
from ila.ids import is_reference
from ila.schemes.facts import CitizenFacts, WorkRecord
from ila.schemes.policy import WorkBasis

Selected = Select[*tuple[Any, ...]]
"""A select whose columns its docstring shows."""

KNOWN_NOW = STILL_KNOWN - 1
"""The change number that stands for everything known by now."""

RATIO_SCALE = 40
"""Decimals of a single worked / reference; sums are rounded by whoever compares them."""


class NoSuchCitizen(NotFound):
    """No account has this reference."""

    code = "no_such_citizen"


class NoFacts(NotFound):
    """Nothing is known of this citizen on this day."""

    code = "no_facts"


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a citizen as others may see it."""

    citizen_id: int
    reference: str
    status: AccountStatus
    opened_on: date
    closed_on: date | None
    frozen_at: datetime | None


def citizen_id_of(session: Session, reference: str) -> int:
    """Return the internal id behind a public reference; raises `NoSuchCitizen`."""
    found = None
    if is_reference(reference):
        found = session.scalar(select(CitizenRow.citizen_id).where(CitizenRow.reference == reference))
    if found is None:
        raise NoSuchCitizen("No account has this reference; look whether it was copied whole.", reference=reference)
    return found


def reference_of(session: Session, citizen_id: int) -> str:
    """Return the public reference of an account; raises `NoSuchCitizen`."""
    return account(session, citizen_id).reference


def account(session: Session, citizen_id: int) -> Account:
    """Return an account; raises `NoSuchCitizen`."""
    row = session.execute(
        select(
            CitizenRow.citizen_id,
            CitizenRow.reference,
            CitizenRow.status,
            CitizenRow.opened_on,
            CitizenRow.closed_on,
            CitizenRow.frozen_at,
        ).where(CitizenRow.citizen_id == citizen_id)
    ).one_or_none()
    if row is None:
        raise NoSuchCitizen("There is no such account.")
    return Account(*row)


def id_range(session: Session) -> tuple[int, int]:
    """Return the lowest and the highest citizen_id; (1, 0), an empty range, where there is nobody."""
    lowest = session.scalar(select(func.min(CitizenRow.citizen_id)))
    highest = session.scalar(select(func.max(CitizenRow.citizen_id)))
    return (1, 0) if lowest is None or highest is None else (lowest, highest)


def facts_on(day: date, known_no: int, *, first: int | None = None, last: int | None = None) -> Selected:
    """Return one row per citizen: `citizen_id` and the circumstances that hold on a day, as known at a change.

    citizen_id  income_minor  born_on     qualification_level  account_open  resides_here  ...  category  region
    1041        2400000       1985-07-30  3                    true          true               NULL      BE10
    """
    row = CitizenFactRow
    return select(
        row.citizen_id,
        row.income_minor,
        row.born_on,
        row.qualification_level,
        row.account_open,
        row.resides_here,
        row.works_here,
        row.national,
        row.employment_status,
        row.category,
        row.region,
    ).where(
        *_within(row.citizen_id, first, last),
        *_known(row.recorded_no, row.superseded_no, known_no),
        *_holding(row.valid_from, row.valid_until, day),
    )


def needs_on(
    day: date, known_no: int, criteria: Sequence[str], *, first: int | None = None, last: int | None = None
) -> Selected:
    """Return one row per citizen with an attestation that holds on a day, one boolean column per criterion:

        citizen_id  low_qualified  disabled
        1041        true           false

    Whoever has none of these criteria has no row. `criteria` must not be empty.
    """
    row = NeedAttestationRow
    columns = [func.bool_or(row.criterion == criterion).label(criterion) for criterion in criteria]
    return _needs(day, known_no, criteria, columns, first, last)


def needs_by_source_on(
    day: date, known_no: int, criteria: Sequence[str], *, first: int | None = None, last: int | None = None
) -> Selected:
    """Return the rows of `needs_on` with a second boolean per criterion: `<criterion>_declared`, without evidence."""
    row = NeedAttestationRow
    columns: list[ColumnElement[Any]] = []
    for criterion in criteria:
        declared = and_(row.criterion == criterion, row.source == EvidenceSource.DECLARATION)
        columns.append(func.bool_or(row.criterion == criterion).label(criterion))
        columns.append(func.bool_or(declared).label(f"{criterion}_declared"))
    return _needs(day, known_no, criteria, columns, first, last)


def _needs(
    day: date,
    known_no: int,
    criteria: Sequence[str],
    columns: Sequence[ColumnElement[Any]],
    first: int | None,
    last: int | None,
) -> Selected:
    if not criteria:
        raise ValueError("needs are asked for by name: name at least one criterion")
    row = NeedAttestationRow
    return (
        select(row.citizen_id, *columns)
        .where(
            *_within(row.citizen_id, first, last),
            row.criterion.in_(criteria),
            *_known(row.recorded_no, row.superseded_no, known_no),
            *_holding(row.valid_from, row.valid_until, day),
        )
        .group_by(row.citizen_id)
    )


def work_on(
    period_from: date,
    period_until: date,
    known_no: int,
    references: Mapping[WorkBasis, Decimal],
    *,
    first: int | None = None,
    last: int | None = None,
) -> Selected:
    """Return one row per citizen with a record in a period (the end excluded): the share of a full year worked.

        citizen_id  ratio
        1041        0.5000000000000000000000000000000000000000

    `ratio` sums worked / reference over all jobs and is not capped; the record's own reference goes before that of
    `references`. It is NULL where no record has either.
    """
    row = WorkRecordRow
    reference: ColumnElement[Decimal | None] = row.reference.expression
    if references:
        own = case(
            *((row.basis == basis, literal(amount, Numeric)) for basis, amount in sorted(references.items())),
            else_=None,
        )
        reference = func.coalesce(row.reference, own)
    ratio = func.sum(func.round(row.worked, RATIO_SCALE) / func.nullif(reference, 0))
    return (
        select(row.citizen_id, ratio.label("ratio"))
        .where(
            *_within(row.citizen_id, first, last),
            *_known(row.recorded_no, row.superseded_no, known_no),
            row.valid_from < literal(period_until, Date),
            row.valid_until > literal(period_from, Date),
        )
        .group_by(row.citizen_id)
    )


def facts_of(
    session: Session, citizen_id: int, day: date, known_no: int, *, period: tuple[date, date] | None = None
) -> CitizenFacts:
    """Return what is known of one citizen on a day, for the rules in Python; raises `NoFacts`.

    Working time is that of `period` (the end excluded); without one, of the newest calendar year up to the day that
    has any, which is what a look ahead can build on.
    """
    found = session.execute(facts_on(day, known_no, first=citizen_id, last=citizen_id)).mappings().one_or_none()
    if found is None:
        raise NoFacts(f"Nothing is known of this account on {day}; record its facts first.", on=day)
    return CitizenFacts(
        born_on=found["born_on"],
        employment_status=found["employment_status"],
        resides_here=found["resides_here"],
        works_here=found["works_here"],
        national=found["national"],
        qualification_level=found["qualification_level"],
        income_minor=found["income_minor"],
        category=found["category"],
        region=found["region"],
        attested=attested_on(session, citizen_id, day, known_no),
        work_records=_work_records(session, citizen_id, day, known_no, period),
        open=found["account_open"],
    )


def attested_on(session: Session, citizen_id: int, day: date, known_no: int) -> frozenset[str]:
    """Return the criteria of one citizen's attestations that hold on a day, as known at a change."""
    row = NeedAttestationRow
    query = select(row.criterion).where(
        row.citizen_id == citizen_id,
        *_known(row.recorded_no, row.superseded_no, known_no),
        *_holding(row.valid_from, row.valid_until, day),
    )
    return frozenset(session.scalars(query))


def _work_records(
    session: Session, citizen_id: int, day: date, known_no: int, period: tuple[date, date] | None
) -> tuple[WorkRecord, ...]:
    row = WorkRecordRow
    known = (row.citizen_id == citizen_id, *_known(row.recorded_no, row.superseded_no, known_no))
    if period is None:
        newest = session.scalar(select(func.max(row.valid_from)).where(*known, row.valid_from <= day))
        year = day.year if newest is None else newest.year
        period = date(year, 1, 1), date(year + 1, 1, 1)
    query = select(row).where(*known, row.valid_from < period[1], row.valid_until > period[0])
    return tuple(
        WorkRecord(found.basis, found.worked, found.reference)
        for found in session.scalars(query.order_by(row.job_no, row.valid_from))
    )


def _known(
    recorded_no: InstrumentedAttribute[int], superseded_no: InstrumentedAttribute[int], known_no: int
) -> tuple[ColumnElement[bool], ...]:
    return recorded_no <= literal(known_no, BigInteger), superseded_no > literal(known_no, BigInteger)


def _holding(
    valid_from: InstrumentedAttribute[date], valid_until: InstrumentedAttribute[date], day: date
) -> tuple[ColumnElement[bool], ...]:
    return valid_from <= literal(day, Date), valid_until > literal(day, Date)


def _within(
    citizen_id: InstrumentedAttribute[int], first: int | None, last: int | None
) -> tuple[ColumnElement[bool], ...]:
    bounds: list[ColumnElement[bool]] = []
    if first is not None:
        bounds.append(citizen_id >= bindparam("first_citizen_id", first, BigInteger))
    if last is not None:
        bounds.append(citizen_id <= bindparam("last_citizen_id", last, BigInteger))
    return tuple(bounds)
