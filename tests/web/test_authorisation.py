"""Who may call what: every route declares it, and the matrix of routes and roles holds for own and foreign accounts."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from ila import access
from ila.access.rules import Actor, Permission, Role, may
from ila.web import declared_permission
from tests.conftest import NOW
from tests.web.world import STAFF, World, application

ROUTES = application("postgresql://nobody@127.0.0.1:9/none")
CALLERS = [None, "needy", "plain", *STAFF]
OPEN_TO_ALL = {"/healthz", "/readyz", "/version", "/", "/sign-in", "/sign-out", "/docs", "/docs/static/<path:name>"} | {
    "/static/<path:name>", "/problems", "/problems/<string:slug>", "/api/v1/openapi.json",
}  # fmt: skip


def guarded(app: Flask) -> list[tuple[str, str, Permission]]:
    """Each method and path under the API, and what it declares."""
    found = []
    for rule in app.url_map.iter_rules():
        permission = declared_permission(app, rule.endpoint)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            if rule.rule.startswith("/api/") and permission not in (None, Permission.PUBLIC):
                assert permission is not None
                found.append((method, rule.rule, permission))
    return sorted(found)


def test_every_route_declares_who_may_call_it() -> None:
    undeclared = [rule.rule for rule in ROUTES.url_map.iter_rules() if not declared_permission(ROUTES, rule.endpoint)]

    assert undeclared == []


def test_only_the_routes_listed_here_are_open_to_everybody() -> None:
    public = {
        rule.rule
        for rule in ROUTES.url_map.iter_rules()
        if declared_permission(ROUTES, rule.endpoint) is Permission.PUBLIC
    }

    assert public == OPEN_TO_ALL


def test_a_route_that_declares_nothing_is_open_to_nobody() -> None:
    app = application("postgresql://nobody@127.0.0.1:9/none")
    app.add_url_rule("/api/v1/forgotten", "forgotten", lambda: "everything")

    assert app.test_client().get("/api/v1/forgotten").status_code == 500


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize(("method", "rule", "permission"), guarded(ROUTES))
def test_the_matrix_of_routes_and_roles_holds(
    world: World, method: str, rule: str, permission: Permission, who: str | None
) -> None:
    path = rule.replace("<string:reference>", world.accounts["needy"]).replace("<string:code>", "eu_model")
    path = path.replace("<int:run_id>", str(world.runs[0]))

    # An act is called without its key: who may not act is refused before, who may is told that the key is missing.
    answer = world.client().open(
        path, method=method, headers=world._authorized(who), json={} if method == "POST" else None
    )

    if who is None:
        assert answer.status_code == 401
        return
    actor = world_actor(who)
    if not may(actor, permission, citizen_id=actor.citizen_id):
        assert (answer.status_code, answer.get_json()["code"]) == (403, "not_allowed")
    elif "<string:reference>" in rule and who == "plain":
        assert (answer.status_code, answer.get_json()["code"]) == (404, "no_such_account")
    elif method == "POST":
        assert answer.get_json()["code"] in ("key_missing", "invalid")
    else:
        assert answer.status_code == 200


def world_actor(who: str) -> Actor:
    if who in STAFF:
        return Actor(1, STAFF[who], who)
    return Actor(-1, Role.CITIZEN, "citizen", 1)


ACCOUNT_PATHS = sorted({rule for _, rule, _ in guarded(ROUTES) if "<string:reference>" in rule})


@pytest.mark.parametrize("rule", ACCOUNT_PATHS)
def test_a_foreign_account_and_one_that_does_not_exist_give_the_same_answer(world: World, rule: str) -> None:
    said = []
    for reference in (world.accounts["plain"], "0" * 26, "nonsense"):
        path = rule.replace("<string:reference>", reference).replace("<int:run_id>", str(world.runs[0]))
        answer = world.get("needy", path)
        headers = {name: value for name, value in answer.headers if name not in ("X-Request-ID", "Content-Length")}
        body = re.sub(r'"request_id":"\w+"', "", answer.get_data(as_text=True))
        said.append((answer.status_code, headers, body))

    assert said[0] == said[1] == said[2]
    assert said[0][0] == 404


def test_the_api_never_reads_a_cookie(world: World) -> None:
    assert world.browser("needy").get("/api/v1/me").status_code == 401


def test_a_page_never_reads_a_header(world: World) -> None:
    answer = world.get("needy", f"/accounts/{world.accounts['needy']}")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer ila_nonsense", f"Bearer ila_{'x' * 43}", "ila_x"]
)
def test_whatever_is_no_token_is_answered_with_401(world: World, header: str) -> None:
    answer = world.client().get("/api/v1/me", headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("ended", ["revoked", "expired", "disabled", "role withdrawn"])
def test_what_was_taken_back_is_refused_with_the_next_request(
    own_world: World, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_world.get("otto", "/api/v1/me").status_code == 200

    with own_world.database.sessions().begin() as session:
        otto = access.user_of_name(session, "otto")
        match ended:
            case "revoked":
                known = access.tokens(session, token_text=own_world.tokens["otto"])[0]
                access.revoke_token(session, known.api_token_id, NOW)
            case "disabled":
                access.disable_user(session, "otto", NOW)
            case "role withdrawn":
                access.revoke_role(session, otto, Role.AUDITOR, NOW)
            case "expired":
                monkeypatch.setattr("ila.clock.now", lambda: NOW + timedelta(days=31))

    answer = own_world.get("otto", "/api/v1/me")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "not_authenticated")
