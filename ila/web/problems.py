"""Every refusal and fault as one value, told to programs as an RFC 9457 problem and to people as a page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from ila.db.errors import Fault, fault_of
from ila.errors import Conflict, DomainError, Invalid, NotFound, TryAgain

RETRY_AFTER_SECONDS = 5
HIDDEN_FACTS = frozenset({"citizen_id", "data_directory", "path", "directory"})
"""Facts that are for the operator alone."""

STATUS_OF_CODE = {
    "not_authenticated": 401,
    "no_token": 401,
    "not_allowed": 403,
    "approval_by_author": 403,
    "key_invalid": 400,
    "key_missing": 400,
    "embedded_server_not_running": 503,
    "invalid_settings": 500,
    "invalid_scheme": 500,
}
STATUS_OF_KIND: tuple[tuple[type[DomainError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (TryAgain, 503),
    (DomainError, 422),
)

CODE_OF_STATUS = {
    400: "bad_request",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    414: "address_too_long",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    503: "try_again",
}

ADVICE = {
    400: "Correct the request: its syntax or a header is wrong. Nothing was done.",
    401: "Send a token that is valid. Tokens expire, and can be revoked at any moment.",
    403: "Use a token of somebody who may do this. Nothing was done.",
    404: "Check the address. Things that are not yours answer as if they did not exist.",
    405: "Use one of the methods that the header Allow lists.",
    409: "Look at the present state of the thing and decide anew. Nothing was done.",
    413: "Send less in one request.",
    415: "Send JSON, with the header Content-Type: application/json.",
    422: "Change the request: as it is, it will be refused again. Nothing was done.",
    500: "This is a defect of the service. Report the request id; it is safe to repeat under the same Idempotency-Key.",
    503: "Repeat the request after the seconds that Retry-After names, under the same Idempotency-Key. "
    "Whether anything was done, the repeat will tell.",
}

_SENTENCES = {
    "bad_request": "The request cannot be understood.",
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address does not answer to that method.",
    "body_too_large": "The body of the request is too large; one mebibyte is the most.",
    "unsupported_media_type": "The body has to be JSON, sent with Content-Type: application/json.",
    "invalid": "Some of what was sent cannot be accepted; `errors` says what and why.",
    "try_again": "The database cannot be reached or is too busy; repeat the request in a few seconds.",
    "internal_error": "Something went wrong that should not have; the request id helps to find it.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal or a fault: a stable code, the status, one sentence, and what is known about it."""

    code: str
    status: int
    detail: str
    errors: tuple[Mapping[str, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """A short name, the same for every problem of the code."""
        return title_of(self.code)

    @property
    def type(self) -> str:
        """The address of the page about problems of this code."""
        return f"/problems/{self.code.replace('_', '-')}"

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the members of the problem document."""
        members: dict[str, Any] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            members["errors"] = list(self.errors)
        if self.facts:
            members["facts"] = dict(self.facts)
        return members


def title_of(code: str) -> str:
    """Return the title of a code.

    >>> title_of("appropriation_exceeded")
    'Appropriation exceeded'
    """
    return code.replace("_", " ").capitalize()


def problem_of(error: BaseException) -> Problem:
    """Turn whatever a view raised into a problem; what is no expected refusal tells nothing of the inside."""
    match error:
        case DomainError():
            return _of_refusal(error)
        case HTTPException():
            return _of_http(error)
        case PoolTimeout():
            return _busy()
        case DBAPIError() if fault_of(error) in (Fault.RETRY, Fault.BUSY, Fault.LOST, Fault.SLOW, Fault.FULL):
            return _busy()
    return Problem("internal_error", 500, _SENTENCES["internal_error"])


def _of_refusal(error: DomainError) -> Problem:
    status = status_of(type(error))
    if status == 503:
        detail = error.message if isinstance(error, TryAgain) else _SENTENCES["try_again"]
        return Problem("try_again", 503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    if status == 500:
        return Problem("internal_error", 500, _SENTENCES["internal_error"])
    headers = {"WWW-Authenticate": 'Bearer realm="ila"'} if status == 401 else {}
    if "retry_after_seconds" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after_seconds"])
    facts = {name: _plain(value) for name, value in error.facts.items() if name not in HIDDEN_FACTS}
    errors = tuple(error.facts.get("errors", ())) if isinstance(error, Invalid) else ()
    facts.pop("errors", None)
    return Problem(error.code, status, error.message, errors=errors, facts=facts, headers=headers)


def status_of(kind: type[DomainError]) -> int:
    """Return the status with which refusals of a class are answered."""
    if kind.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[kind.code]
    return next(status for base, status in STATUS_OF_KIND if issubclass(kind, base))


def _of_http(error: HTTPException) -> Problem:
    status = error.code or 500
    if status >= 500 and status != 503:
        return Problem("internal_error", 500, _SENTENCES["internal_error"])
    code = CODE_OF_STATUS.get(status, "bad_request" if status < 500 else "try_again")
    said = error.description if status == 503 and error.description else None
    headers = {
        name: value
        for name, value in error.get_response().headers.items()
        if name in ("Allow", "Retry-After", "WWW-Authenticate", "Location")
    }
    if status == 503:
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    errors = tuple(_errors(getattr(error, "data", None) or {}))
    return Problem(
        code, status, said or _SENTENCES.get(code, error.description or code), errors=errors, headers=headers
    )


def _busy() -> Problem:
    return Problem("try_again", 503, _SENTENCES["try_again"], headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _errors(data: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield what a schema refused: a JSON pointer into the body, or the name of a parameter."""
    messages = data.get("messages") or {}
    for place, tree in messages.items():
        for path, sentence in _leaves(tree, ()):
            if place == "json":
                yield {"pointer": "#" + "".join(f"/{_escaped(part)}" for part in path), "detail": sentence}
            else:
                yield {"parameter": path[0] if path else place, "detail": sentence}


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, Mapping):
        for key, below in tree.items():
            yield from _leaves(below, path if key == "_schema" else (*path, str(key)))
    elif isinstance(tree, list):
        for below in tree:
            yield from _leaves(below, path)
    else:
        yield path, str(tree)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def _plain(value: Any) -> Any:
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    return str(value)


@dataclass(frozen=True, slots=True)
class Kind:
    """What the page about a code says."""

    code: str
    title: str
    status: int
    meaning: str
    advice: str


def kinds() -> dict[str, Kind]:
    """Return every code that an answer can carry, with what it means and what to do."""
    found: dict[str, Kind] = {}
    for code in (*CODE_OF_STATUS.values(), "internal_error"):
        status = next((status for status, named in CODE_OF_STATUS.items() if named == code), 500)
        meaning = _SENTENCES.get(code, f"The request was answered with the status {status}.")
        found[code] = Kind(code, title_of(code), status, meaning, ADVICE.get(status, ADVICE[422]))
    for kind in _refusals(DomainError):
        status = status_of(kind)
        if status != 500:
            meaning = (kind.__doc__ or "").strip().partition("\n\n")[0]
            found[kind.code] = Kind(kind.code, title_of(kind.code), status, meaning, ADVICE[status])
    return dict(sorted(found.items()))


def _refusals(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _refusals(below)
