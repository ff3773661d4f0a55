"""Which account a request is about, whether it is the caller's, and whether the caller has seen its present state."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response, current_app, make_response, request
from marshmallow import Schema

from ila import VERSION, citizens, clock, ledger, schemes, web
from ila.access.rules import Permission, may
from ila.errors import NotFound


class NoSuchAccount(NotFound):
    """No account has this reference, or the caller may not know that it does: both answers are the same."""

    code = "no_such_account"


def account_of(reference: str) -> citizens.Account:
    """Return the account of a reference; raises `NoSuchAccount`, for accounts of others as for references of nobody."""
    session = web.read_session()
    try:
        account = citizens.account(session, citizens.citizen_id_of(session, reference))
    except citizens.NoSuchCitizen:
        account = None
    if account is None or not may(web.actor(), Permission.READ_OWN_ACCOUNT, citizen_id=account.citizen_id):
        raise NoSuchAccount("You have no account of this reference; look whether it was copied whole.")
    return account


def schemes_of(held: Sequence[ledger.Entitlement]) -> dict[int, schemes.Scheme]:
    """Return the schemes that some entitlements are under, by number, in the order of their codes."""
    wanted = {each.scheme_id for each in held}
    return {each.scheme_id: each for each in schemes.all_schemes(web.read_session()) if each.scheme_id in wanted}


def tagged(
    account: citizens.Account, schema: Schema, content: Callable[[], tuple[dict[str, Any], Mapping[str, str]]]
) -> Response:
    """Answer with a strong tag, or 304 to a caller who has seen this state; `content` is asked only when needed.

    The tag covers the account's place in the journal, its own state, the schemes and their day, and the address.
    """
    session = web.read_session()
    known = schemes.all_schemes(session)
    told = (
        VERSION,
        request.full_path,
        ledger.journal_version(session, account.citizen_id),
        account,
        known,
        sorted({clock.today(scheme.time_zone) for scheme in known}),
    )
    tag = hashlib.sha256(repr(told).encode()).hexdigest()[:32]
    if request.if_none_match.contains(tag):
        response = current_app.response_class(status=304)
    else:
        body, headers = content()
        response = make_response(schema.dump(body))
        response.headers.update(headers)
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response
