"""The OpenAPI 3.1 document, made from the views and what they declare; a copy is kept in `docs/openapi.json`.

flask-smorest writes paths, parameters and schemas. This module adds what every operation has in common: who may call
it, the Idempotency-Key, and refusals as `application/problem+json`.
"""

from collections.abc import Iterator
from typing import Any

from flask import Flask
from marshmallow import fields

from ila import VERSION
from ila.access.rules import GRANTS, Permission
from ila.api.parsing import DEEPEST_JSON
from ila.api.request_keys import HEADER, REPLAYED
from ila.web import declared_permission
from ila.web.problems import ADVICE, RETRY_AFTER_SECONDS
from ila.web.refusals import MEDIA_TYPE

PREFIX = "/api/v1"
METHODS = ("get", "post")

CONFIGURATION = {
    "API_TITLE": "Individual Learning Accounts",
    "API_VERSION": VERSION,
    "OPENAPI_VERSION": "3.1.0",
}

DESCRIPTION = f"""
Balances, statements, explanations and forecasts of learning accounts, and the allocation runs that fill them.

**Who is asking.** Send a token in the header `Authorization: Bearer ila_…`. Rights are read with each request: a
token that is revoked is revoked now. Cookies are never read here.

**Amounts** are whole numbers of minor units of the scheme's unit (cents of `EUR` where `minor_units` is 2; whole
hours where it is 0). There is no floating-point number anywhere.

**Accounts** are named by their public reference. The account of somebody else and one that does not exist give the
same answer.

**Acts** (every POST) need an `{HEADER}` of 16 to 64 characters, fresh for each act. The same key with the same
request gives the same answer without acting again, with the header `{REPLAYED}: true`; with another request it is
refused. After a lost connection or a 503, repeat under the same key.

**Refusals** are problem documents (RFC 9457); `type` is the address of a page that says what to do.

**Pages** are followed by cursors, in the body and as `Link` headers. JSON bodies are at most one mebibyte,
{DEEPEST_JSON} levels deep, and hold no key twice and nothing unknown.
""".strip()

PROBLEM = {
    "type": "object",
    "description": "A refusal or a fault (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/appropriation-exceeded"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence: what is wrong, and what to do next."},
        "code": {"type": "string", "description": "Stable; made for programs.", "examples": ["appropriation_exceeded"]},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Single faults of what was sent.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "parameter": {"type": "string", "description": "Name of a parameter of the address."},
                },
            },
        },
        "facts": {"type": "object", "description": "The facts behind the refusal, by name."},
    },
}

REFUSALS = {
    400: "The request cannot be understood.",
    401: "No valid token was sent.",
    403: "The role of the token does not permit this.",
    404: "It does not exist, or it is not yours.",
    409: "It does not fit the present state.",
    415: "The body is not JSON.",
    422: "A rule refuses it; the same request will be refused again.",
    503: "The database cannot be reached or is too busy.",
}


def document(app: Flask, written: dict[str, Any]) -> dict[str, Any]:
    """Complete the document that flask-smorest has written."""
    written["info"]["description"] = DESCRIPTION
    written["info"]["license"] = {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}
    components = written.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token as `ila tokens create` shows it once."}
    }
    components["responses"] = {f"Refusal{status}": _refusal(status) for status in REFUSALS}
    components["parameters"] = {"IdempotencyKey": _key_parameter()}
    for endpoint, path, method, operation in _operations(app, written):
        permission = declared_permission(app, endpoint)
        if permission is None:
            raise AssertionError(f"the route {endpoint} declares no permission")
        operation["operationId"] = endpoint.partition(".")[2]
        _complete(operation, permission, method, path)
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return written


def _operations(app: Flask, written: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield the endpoint, path and method of each operation of the document."""
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for converter in ("string", "int"):
            path = path.replace(f"<{converter}:", "{")
        operations = written["paths"].get(path.replace(">", "}"), {})
        for method in METHODS:
            if method in operations and method.upper() in (rule.methods or ()):
                yield rule.endpoint, rule.rule, method, operations[method]


def _complete(operation: dict[str, Any], permission: Permission, method: str, path: str) -> None:
    roles = sorted(role.value for role, granted in GRANTS.items() if _carries(granted, permission))
    operation["security"] = [{"token": []}]
    operation["x-permission"] = permission.value
    operation["x-roles"] = roles
    said = operation.get("description", "")
    operation["description"] = f"{said}\n\nRoles: {', '.join(roles)}.".strip()
    statuses = {401, 403, 422, 503}
    if method == "post":
        statuses |= {400, 409}
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
    if "requestBody" in operation:
        statuses.add(415)
    if "<" in path:
        statuses.add(404)
    for status in sorted(statuses):
        operation["responses"][str(status)] = {"$ref": f"#/components/responses/Refusal{status}"}
    if "If-None-Match" in str(operation["responses"]):
        operation["responses"]["304"] = {"description": "Nothing has changed since the tag that was sent."}
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _carries(granted: frozenset[Permission], permission: Permission) -> bool:
    of_any = permission is Permission.READ_OWN_ACCOUNT and Permission.READ_ANY_ACCOUNT in granted
    return permission in granted or of_any


def _refusal(status: int) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": f"{REFUSALS[status]} {ADVICE.get(status, '')}".strip(),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == 503:
        seconds = {"type": "integer", "examples": [RETRY_AFTER_SECONDS]}
        refusal["headers"] = {"Retry-After": {"description": "Seconds.", "schema": seconds}}
    if status == 401:
        refusal["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return refusal


def _key_parameter() -> dict[str, Any]:
    return {
        "name": HEADER,
        "in": "header",
        "required": True,
        "description": "16 to 64 visible ASCII characters, fresh for each act, the same for its repeats.",
        "schema": {"type": "string", "minLength": 16, "maxLength": 64, "pattern": "^[!-~]+$"},
    }


def documented_type(field: Any, **_: Any) -> dict[str, Any]:
    """Tell apispec what our own fields look like."""
    name = type(field).__name__
    if name == "StepValue":
        return {"type": ["integer", "string", "null"]}
    if name == "Words":
        return {"type": "string", "examples": ["low_qualified,caregiver"]}
    if isinstance(field, fields.Raw) and type(field) is fields.Raw:
        return {"type": ["object", "array", "string", "integer", "boolean", "null"]}
    return {}
