"""What the API and the pages share: who asks, what each route lets whom do, and how a refusal is told.

Door: `access` declares a route's permission, `actor` and `database` are for views, `register` installs the guard.
"""

from flask import Flask

from ila.web import guard, refusals
from ila.web.declarations import access, declared_permission
from ila.web.guard import actor, current_token, database, read_session, settings

__all__ = [
    "access",
    "actor",
    "current_token",
    "database",
    "declared_permission",
    "read_session",
    "register",
    "settings",
]


def register(app: Flask) -> None:
    """Install the guard before every request and the answers to every refusal."""
    guard.install(app)
    refusals.install(app)
