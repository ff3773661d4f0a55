"""Which account a request is about, whether it is the caller's, and what may become of it."""

from collections.abc import Sequence

from ila import allocations, citizens, clock, ledger, schemes
from ila.access.rules import Permission, may
from ila.allocations import Assumptions, Forecast
from ila.errors import NotFound
from ila.schemes.parameters import NoSuchParameter, NoValueInForce, ParameterSet, SchemeNotInForce
from ila.web.guard import actor, read_session


class NoSuchAccount(NotFound):
    """No account has this reference, or the caller may not know that it does: both answers are the same."""

    code = "no_such_account"


def account_of(reference: str) -> citizens.Account:
    """Return the account of a reference; raises `NoSuchAccount`, for accounts of others as for references of nobody."""
    session = read_session()
    try:
        account = citizens.account(session, citizens.citizen_id_of(session, reference))
    except citizens.NoSuchCitizen:
        account = None
    if account is None or not may(actor(), Permission.READ_OWN_ACCOUNT, citizen_id=account.citizen_id):
        raise NoSuchAccount("You have no account of this reference; look whether it was copied whole.")
    return account


def schemes_of(held: Sequence[ledger.Entitlement]) -> dict[int, schemes.Scheme]:
    """Return the schemes that some entitlements are under, by number, in the order of their codes."""
    wanted = {each.scheme_id for each in held}
    return {each.scheme_id: each for each in schemes.all_schemes(read_session()) if each.scheme_id in wanted}


def forecasts_of(citizen_id: int, parameters: ParameterSet, assumptions: Assumptions) -> list[Forecast]:
    """Forecast every credit of a scheme that is in force today."""
    today = clock.today(parameters.time_zone)
    found = []
    for credit_code in parameters.credit_codes:
        try:
            parameters.policy(credit_code, today)
        except (NoValueInForce, NoSuchParameter, SchemeNotInForce):
            continue
        found.append(
            allocations.forecast(
                read_session(),
                citizen_id,
                parameters,
                credit_code=credit_code,
                today=today,
                assumptions=assumptions,
            )
        )
    return found
