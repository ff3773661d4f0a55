"""Whether the caller has seen the present state of an account already."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app, make_response, request
from marshmallow import Schema

from ila import VERSION, citizens, clock, ledger, schemes, web


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
