"""Ask which schemes, funds and parameter sets the platform knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ila.errors import NotFound
from ila.schemes.models import FundRow, ParameterSetRow, SchemeRow
from ila.schemes.parameters import ParameterSet


class NoSuchScheme(NotFound):
    """No scheme of this code has been registered."""

    code = "no_such_scheme"


class NoSuchFund(NotFound):
    """The scheme has no fund of this code."""

    code = "no_such_fund"


class NoSuchParameterSet(NotFound):
    """No parameter set of this digest has been stored."""

    code = "no_such_parameter_set"


@dataclass(frozen=True, slots=True)
class Scheme:
    """A registered scheme. Amounts under it are whole units of 10^-minor_units `unit`."""

    scheme_id: int
    code: str
    title: str
    unit: str
    minor_units: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class Fund:
    """A registered fund of a scheme."""

    fund_id: int
    scheme_id: int
    code: str
    title: str
    kind: str
    limited: bool


def _scheme(row: SchemeRow) -> Scheme:
    return Scheme(row.scheme_id, row.code, row.title, row.unit, row.minor_units, row.time_zone)


def _fund(row: FundRow) -> Fund:
    return Fund(row.fund_id, row.scheme_id, row.code, row.title, row.kind, row.limited)


def all_schemes(session: Session) -> Sequence[Scheme]:
    """Return every registered scheme, by code."""
    return [_scheme(row) for row in session.scalars(select(SchemeRow).order_by(SchemeRow.code))]


def scheme_of_code(session: Session, code: str) -> Scheme:
    """Return a scheme by its code; raises `NoSuchScheme` with the codes there are."""
    row = session.scalars(select(SchemeRow).where(SchemeRow.code == code)).one_or_none()
    if row is None:
        known = ", ".join(scheme.code for scheme in all_schemes(session)) or "none yet"
        raise NoSuchScheme(f"There is no scheme {code!r}; registered are: {known}.", code=code)
    return _scheme(row)


def scheme_of_id(session: Session, scheme_id: int) -> Scheme:
    """Return a scheme by its internal number."""
    return _scheme(session.get_one(SchemeRow, scheme_id))


def funds_of(session: Session, scheme_id: int) -> Sequence[Fund]:
    """Return the funds of a scheme, in the order they were opened."""
    rows = session.scalars(select(FundRow).where(FundRow.scheme_id == scheme_id).order_by(FundRow.fund_id))
    return [_fund(row) for row in rows]


THIRD_PARTY_KINDS = frozenset({"employer", "sector_fund", "citizen"})
"""Funds that pay contributions; a scheme's own credits come from the others."""


def fund_of_code(session: Session, scheme: Scheme, code: str | None) -> Fund:
    """Return a fund of a scheme by its code; without a code, the only one that pays the scheme's own credits."""
    funds = funds_of(session, scheme.scheme_id)
    if code is None:
        found = [fund for fund in funds if fund.kind not in THIRD_PARTY_KINDS]
    else:
        found = [fund for fund in funds if fund.code == code]
    if len(found) == 1:
        return found[0]
    known = ", ".join(fund.code for fund in funds)
    if code is None:
        raise NoSuchFund(f"Scheme {scheme.code} has several funds; name one of {known}.", scheme=scheme.code)
    raise NoSuchFund(f"Scheme {scheme.code} has no fund {code!r}; it has {known}.", scheme=scheme.code, fund=code)


def fund_of_id(session: Session, fund_id: int) -> Fund:
    """Return a fund by its internal number."""
    return _fund(session.get_one(FundRow, fund_id))


def stored_parameter_set(session: Session, digest: bytes) -> ParameterSet:
    """Rebuild the parameter set that decided something, from its snapshot alone."""
    canonical = session.scalars(select(ParameterSetRow.canonical).where(ParameterSetRow.digest == digest)).one_or_none()
    if canonical is None:
        raise NoSuchParameterSet(
            f"No parameter set {digest.hex()[:16]} is stored; register the scheme's files first.", digest=digest.hex()
        )
    return ParameterSet.from_canonical(canonical)
