"""Every POST about money has one effect for each Idempotency-Key, whatever is repeated, lost or tried again.

The key is claimed by the first write of the transaction that does the work, and the answer is stored with it. A
refusal by a rule is an answer too: a no does not turn into a yes behind the caller's back. Passing faults are never
stored. Source: draft-ietf-httpapi-idempotency-key-header.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import orjson
from flask import Response, current_app, g, request
from sqlalchemy.exc import DBAPIError

from ila import access, clock, web
from ila.access.rules import Actor, NotAuthenticated, require
from ila.db import idempotency
from ila.db.errors import Fault, fault_of
from ila.db.idempotency import Answer
from ila.db.retry import attempt
from ila.db.session import WriteSession
from ila.errors import Conflict, DomainError, Invalid, TryAgain
from ila.web.guard import NoToken
from ila.web.problems import RETRY_AFTER_SECONDS, problem_of
from ila.web.refusals import MEDIA_TYPE

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"


class KeyMissing(Invalid):
    """A POST about money carries no Idempotency-Key."""

    code = "key_missing"


class RequestUnderWay(Conflict):
    """The first request under this key has not ended yet."""

    code = "request_under_way"


@dataclass(frozen=True, slots=True)
class Done:
    """What a command answers with: a JSON body, its status, and where to look further."""

    body: dict[str, Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Command = Callable[..., Done]


def once_per_key(prepare: Callable[[], dict[str, Any]] = dict) -> Callable[[Command], Callable[..., Response]]:
    """Turn a command `(session, actor, *arguments, **path)` into a view with one effect per Idempotency-Key.

    `prepare` does what must be committed before the command's transaction begins, and returns further arguments.
    """

    def decorate(command: Command) -> Callable[..., Response]:
        @wraps(command)
        def view(*arguments: Any, **path: Any) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                raise KeyMissing(f"This request needs the header {HEADER}: 16 to 64 random characters.")
            caller = web.actor()
            digest = idempotency.content_digest(_content(caller, arguments, path))
            prepared = prepare()

            def work(session: WriteSession) -> tuple[Answer, bool]:
                known = _claim(session, caller, key, digest)
                if known is not None:
                    return known, True
                answer = _act(session, caller, command, arguments, {**path, **prepared})
                idempotency.remember(session, caller.actor_id, key, answer)
                return answer, False

            answer, replayed = attempt(web.database().sessions, work)
            return _response(answer, replayed=replayed)

        return view

    return decorate


def _act(
    session: WriteSession, caller: Actor, command: Command, arguments: tuple[Any, ...], named: dict[str, Any]
) -> Answer:
    """Run the command; a refusal undoes what the command did and is an answer like any other."""
    actor = _rights_again(session, caller)
    try:
        with session.begin_nested():
            return _stored(command(session, actor, *arguments, **named))
    except TryAgain:
        raise
    except DomainError as refusal:
        return _stored_refusal(refusal)


def _content(caller: Actor, arguments: tuple[Any, ...], path: dict[str, Any]) -> bytes:
    """Return what tells two requests apart: method, route, principal and the loaded request, in canonical form."""
    route = request.url_rule.rule if request.url_rule else ""
    principal = [caller.actor_id, caller.role]
    return orjson.dumps(
        [request.method, route, path, principal, list(arguments)], default=str, option=orjson.OPT_SORT_KEYS
    )


def _claim(session: WriteSession, caller: Actor, key: str, digest: bytes) -> Answer | None:
    try:
        return idempotency.claim(session, caller.actor_id, key, digest, now=clock.now())
    except DBAPIError as error:
        if fault_of(error) is Fault.BUSY:
            raise RequestUnderWay(
                "A request with this Idempotency-Key is still being worked on; repeat it in a few seconds.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            ) from error
        raise


def _rights_again(session: WriteSession, caller: Actor) -> Actor:
    """Read the rights once more, in the transaction that acts: what was revoked meanwhile is revoked."""
    token = web.current_token()
    if token is None:
        raise NoToken
    actor = access.authenticate(session, token, now=clock.now())
    if actor != caller or request.endpoint is None:
        raise NotAuthenticated
    permission = web.declared_permission(current_app, request.endpoint)
    if permission is None:
        raise AssertionError(f"the route {request.endpoint} declares no permission")
    require(actor, permission)
    return actor


def _stored(done: Done) -> Answer:
    return Answer(done.status, {"text": orjson.dumps(done.body, default=str).decode(), "headers": done.headers})


def _stored_refusal(refusal: DomainError) -> Answer:
    problem = problem_of(refusal)
    text = orjson.dumps(problem.body(g.get("request_id", ""))).decode()
    return Answer(problem.status, {"text": text, "headers": dict(problem.headers)})


def _response(answer: Answer, *, replayed: bool) -> Response:
    response = current_app.response_class(answer.body["text"], status=answer.status)
    response.mimetype = MEDIA_TYPE if answer.status >= 400 else "application/json"
    response.headers.update(answer.body["headers"])
    if replayed:
        response.headers[REPLAYED] = "true"
    return response
