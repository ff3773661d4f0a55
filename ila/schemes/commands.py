"""Register schemes, their funds and the parameter sets that are about to decide something."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from ila.db.session import WriteSession
from ila.errors import Conflict
from ila.schemes.models import FundRow, ParameterSetRow, SchemeRow
from ila.schemes.parameters import ParameterSet
from ila.schemes.queries import Scheme, scheme_of_code


class UnitChanged(Conflict):
    """A scheme's files name another unit than the amounts already booked under it."""

    code = "unit_changed"


def register_parameter_set(session: WriteSession, parameters: ParameterSet, *, now: datetime) -> Scheme:
    """Store a parameter set under its digest, with its scheme and funds; a second time changes nothing.

    Raises `UnitChanged` where the scheme is known in another unit: amounts of two units never meet.
    """
    session.execute(
        insert(SchemeRow)
        .values(
            code=parameters.code,
            title=parameters.title,
            unit=parameters.unit,
            minor_units=parameters.minor_units,
            time_zone=parameters.time_zone,
        )
        .on_conflict_do_nothing(index_elements=["code"])
    )
    scheme = scheme_of_code(session, parameters.code)
    if (scheme.unit, scheme.minor_units) != (parameters.unit, parameters.minor_units):
        raise UnitChanged(
            f"Scheme {scheme.code} is booked in {scheme.unit} with {scheme.minor_units} decimals, its files say "
            f"{parameters.unit} with {parameters.minor_units}; give the rules of another unit a scheme of their own.",
            scheme=scheme.code,
        )
    for fund in parameters.funds:
        session.execute(
            insert(FundRow)
            .values(scheme_id=scheme.scheme_id, code=fund.code, title=fund.title, kind=fund.kind, limited=fund.limited)
            .on_conflict_do_nothing(index_elements=["scheme_id", "code"])
        )
    session.execute(
        insert(ParameterSetRow)
        .values(
            digest=parameters.digest,
            scheme_id=scheme.scheme_id,
            canonical=parameters.canonical(),
            registered_at=now,
        )
        .on_conflict_do_nothing(index_elements=["digest"])
    )
    return scheme
