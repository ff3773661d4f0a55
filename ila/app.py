"""The web application: settings, database, blueprints, health, and the headers every answer carries.

Blueprints find `current_app.extensions["ila_settings"]` (`Settings`) and `["ila_database"]` (`LazyDatabase`).
"""

import os
import re
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import ServiceUnavailable

from ila import VERSION, api, clock, logs, portal, web
from ila.access.rules import Permission
from ila.db import job_claims, migrations
from ila.db.lazy import LazyDatabase
from ila.errors import DomainError
from ila.settings import Settings, load

LONGEST_BODY_BYTES = 1024**2
MISSED_TICKS = 3
SCHEDULER = "scheduler"
"""The job whose claims are the schedulers themselves."""
HEALTH = frozenset({"/healthz", "/readyz", "/version"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What an answer carries unless its view says otherwise; pages of people are kept by no cache."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}\Z")

logger = structlog.get_logger("ila.web")


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; without settings it reads those of the process. It opens no connection."""
    settings = load(os.environ) if settings is None else settings
    logs.configure(settings.log_level, settings.log_format, service=settings.service_name)
    app = Flask("ila", static_folder=None, template_folder=None)
    app.json = _Json(app)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY_BYTES
    app.config["PROPAGATE_EXCEPTIONS"] = False
    if settings.secret_keys:
        app.config["SECRET_KEY"] = settings.secret_keys[0]
        app.config["SECRET_KEY_FALLBACKS"] = list(settings.secret_keys[1:])
    app.extensions["ila_settings"] = settings
    app.extensions["ila_database"] = LazyDatabase(settings)
    _log_requests(app)
    _close_for_maintenance(app, settings)
    _add_headers(app, settings)
    _add_health(app)
    web.register(app)
    api.register(app)
    portal.register(app)
    return app


class _Json(JSONProvider):
    """JSON by orjson: days and instants as ISO 8601, keys in the order they were given."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


def _log_requests(app: Flask) -> None:
    """Write one line for each request: its route, never its path or query, which may name an account."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(16)
        g.started = time.monotonic()
        logs.clear()
        logs.bind(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        if request.path not in HEALTH:
            route = request.url_rule.rule if request.url_rule else "(no route)"
            elapsed_ms = int((time.monotonic() - g.get("started", time.monotonic())) * 1000)
            logger.info("request", method=request.method, route=route, status=response.status_code, ms=elapsed_ms)
        return response


def _close_for_maintenance(app: Flask, settings: Settings) -> None:
    if not settings.maintenance:
        return

    @app.before_request
    def closed() -> None:
        if request.path not in HEALTH:
            raise ServiceUnavailable("The service is being maintained; try again later.", retry_after=600)


def _add_headers(app: Flask, settings: Settings) -> None:
    encrypted = settings.base_url.startswith("https://")

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if encrypted:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        return response


def _add_health(app: Flask) -> None:
    @app.get("/healthz")
    @web.access(Permission.PUBLIC)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    @web.access(Permission.PUBLIC)
    def readyz() -> tuple[dict[str, Any], int]:
        checks = {name: _outcome(check, app.extensions["ila_database"]) for name, check in READINESS.items()}
        ready = all(outcome == "ok" for outcome in checks.values())
        return {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503

    @app.get("/version")
    @web.access(Permission.PUBLIC)
    def version() -> dict[str, str]:
        return {"version": VERSION, "schema": migrations.head()}


def _answers(database: LazyDatabase) -> str:
    with database.read_sessions() as session:
        session.execute(text("SELECT 1"))
    return "ok"


def _has_schema(database: LazyDatabase) -> str:
    migrations.require_head(database.engine)
    return "ok"


def _has_scheduler(database: LazyDatabase) -> str:
    with database.read_sessions() as session:
        heartbeat_at = job_claims.newest_heartbeat(session, SCHEDULER)
    if heartbeat_at is None:
        return "never_ran"
    silence = clock.now() - heartbeat_at
    return "ok" if silence <= MISSED_TICKS * timedelta(seconds=database.settings.scheduler_tick_seconds) else "silent"


READINESS: dict[str, Callable[[LazyDatabase], str]] = {
    "database": _answers,
    "schema": _has_schema,
    "scheduler": _has_scheduler,
}
"""What `/readyz` looks at; each answers `ok` or a code."""


def _outcome(check: Callable[[LazyDatabase], str], database: LazyDatabase) -> str:
    try:
        return check(database)
    except DomainError as error:
        return error.code
    except (DBAPIError, PoolTimeout):
        return "unreachable"
