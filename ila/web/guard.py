"""Before each request: who asks, and whether they may. A route without a declaration is open to nobody."""

from typing import cast

from flask import Flask, current_app, g, request

from ila import access, clock, logs
from ila.access.rules import Actor, NotAuthenticated, Permission, require
from ila.db.lazy import LazyDatabase
from ila.db.session import ReadSession, read_sessions
from ila.settings import Settings
from ila.web.declarations import declared_permission

API_PREFIX = "/api/"
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class NoToken(NotAuthenticated):
    """The request carries no bearer token."""

    code = "no_token"

    def __init__(self) -> None:
        super().__init__()
        self.message = "This needs a token; send it in the header Authorization, as: Bearer ila_..."


def install(app: Flask) -> None:
    """Check every request against the declaration of its route."""
    app.before_request(_check)
    app.teardown_request(_close)


def _check() -> None:
    g.actor = None
    if request.endpoint is None:
        return
    permission = declared_permission(current_app, request.endpoint)
    if permission is None:
        raise AssertionError(f"the route {request.endpoint} declares no permission")
    if permission is Permission.PUBLIC:
        return
    token = current_token()
    if token is None:
        raise NoToken
    found = access.authenticate(read_session(), token, now=clock.now())
    g.actor = found
    if request.method not in READING:
        _close()  # a view that writes has a transaction of its own; nobody holds two connections
    logs.bind(actor_id=found.actor_id)
    # Whose account a view is about is known to the view alone: here the role counts.
    require(found, permission, citizen_id=found.citizen_id)


def read_session() -> ReadSession:
    """Return the READ ONLY transaction of this request; all that an answer tells is of one snapshot."""
    if "read_session" not in g:
        g.read_session = read_sessions(database().engine, snapshot=True)()
    return cast(ReadSession, g.read_session)


def _close(_: BaseException | None = None) -> None:
    session = g.pop("read_session", None)
    if session is not None:
        session.close()


def is_api_request() -> bool:
    """Tell whether the request is one of a program; all others are of people with browsers."""
    return request.path.startswith(API_PREFIX)


def current_token() -> str | None:
    """Return the token of the request: a program's from its header, never a cookie; a browser's from its cookie."""
    if is_api_request():
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None
    return request.cookies.get(cookie_name()) or None


def cookie_name() -> str:
    """Return the name of the browser's cookie; over https browsers themselves bind the name to this host."""
    return "__Host-ila" if is_encrypted() else "ila"


def is_encrypted() -> bool:
    """Tell whether people reach the service over https."""
    return settings().base_url.startswith("https://")


def actor() -> Actor:
    """Return who asks, in a view whose route is not public."""
    found = g.get("actor")
    if found is None:
        raise AssertionError("a public route has no actor")
    return cast(Actor, found)


def database() -> LazyDatabase:
    """Return the database of the application."""
    return cast(LazyDatabase, current_app.extensions["ila_database"])


def settings() -> Settings:
    """Return the settings of the application."""
    return cast(Settings, current_app.extensions["ila_settings"])
