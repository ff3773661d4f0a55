"""What requests may hold: strict JSON, known parameters, each once."""

import json
from collections.abc import Callable
from typing import Any, NoReturn, cast

import marshmallow
from flask import Request, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from webargs import core
from webargs.flaskparser import FlaskParser, abort
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from ila.errors import Invalid

DEEPEST_JSON = 20
LARGEST_MINOR = 2**63 - 1

View = Callable[..., Any]


class UnknownParameter(Invalid):
    """The address carries a parameter that this resource does not know, or one of them twice."""

    code = "unknown_parameter"


class StrictParser(FlaskParser):
    """JSON without repeated keys, without NaN and of limited depth; parameters that are known."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {  # noqa: RUF012  the library reads it as an attribute
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
    }

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True)
        if not body:
            return core.missing
        if req.mimetype != "application/json":
            raise UnsupportedMediaType
        try:
            return strict_json(body)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            self._refuse(reason)

    def _refuse(self, reason: str) -> NoReturn:
        abort(400, messages={"json": [f"The body is no acceptable JSON: {reason}."]})


def strict_json(body: bytes) -> Any:
    """Parse JSON; raises `ValueError` for repeated keys, NaN, numbers with a fraction, U+0000 and deep nesting."""
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_refuse_constant,
            parse_float=_refuse_fraction,
        )
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg.lower()} at line {error.lineno}, column {error.colno}") from None
    _require_plain(parsed, DEEPEST_JSON)
    return parsed


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return result


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _refuse_fraction(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number; amounts are whole minor units")


def _require_plain(value: Any, depth: int) -> None:
    if depth < 0:
        raise ValueError(f"it is nested more than {DEEPEST_JSON} deep")
    match value:
        case dict():
            for name, below in value.items():
                _require_plain(name, depth)
                _require_plain(below, depth - 1)
        case list():
            for below in value:
                _require_plain(below, depth - 1)
        case str() if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("a text holds U+0000 or half a surrogate pair")


class Resource(Blueprint):  # type: ignore[misc]  # flask-smorest carries no types
    """A blueprint of the API: strict parsing, and only parameters that its views name."""

    ARGUMENTS_PARSER = StrictParser()
    PAGINATION_HEADER_NAME = None

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Add a view to the API and to its document."""
        return cast(Callable[[View], View], super().route(rule, **options))

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[View], View]:
        """Give a view the body of the request, loaded by a schema, as its first argument."""
        return cast(Callable[[View], View], super().arguments(schema, **options))

    def response(self, status_code: int, schema: type[Schema], **options: Any) -> Callable[[View], View]:
        """Answer with what the view returns, dumped by a schema."""
        return cast(Callable[[View], View], super().response(status_code, schema, **options))

    def query(self, schema: type[Schema]) -> Callable[[View], View]:
        """Give a view the parameters of its address, loaded by a schema, as its first argument."""
        names = frozenset(field.data_key or name for name, field in schema().fields.items())

        def decorate(view: View) -> View:
            decorated = self.arguments(schema, location="query")(view)
            decorated.ila_query = names  # type: ignore[attr-defined]
            return decorated

        return decorate


def require_known_parameters(view: View) -> None:
    """Raise `UnknownParameter` unless the view names every parameter of the address, and each stands once."""
    known: frozenset[str] = getattr(view, "ila_query", frozenset())
    for name, values in request.args.lists():
        if name not in known:
            listed = f"; it knows {', '.join(sorted(known))}" if known else ""
            raise UnknownParameter(
                f"This resource has no parameter {name!r}{listed}.",
                errors=[{"parameter": name, "detail": "Unknown parameter."}],
            )
        if len(values) > 1:
            raise UnknownParameter(
                f"The parameter {name} stands {len(values)} times; send it once.",
                errors=[{"parameter": name, "detail": "Stands more than once."}],
            )
    if request.method in ("GET", "HEAD") and request.content_length:
        raise BadRequest


class Words(fields.Field[list[str]]):
    """A list of words in one parameter, with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> list[str]:
        return [word.strip() for word in str(value).split(",") if word.strip()]


def minor(**options: Any) -> fields.Integer:
    """Return a field of an amount in an address: a whole number of minor units within 64 bits, never below zero."""
    return fields.Integer(validate=validate.Range(0, LARGEST_MINOR), **options)
