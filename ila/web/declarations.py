"""Each route says, as data beside its view, what its caller must be permitted to do."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

from ila.access.rules import Permission

View = TypeVar("View", bound=Callable[..., Any])

_ATTRIBUTE = "ila_permission"


def access(permission: Permission) -> Callable[[View], View]:
    """Declare what the caller of a view must be permitted to do; `PUBLIC` needs nobody.

    For an account, `READ_OWN_ACCOUNT` lets in citizens and staff; the view then checks whose account is meant.
    """

    def declare(view: View) -> View:
        setattr(view, _ATTRIBUTE, permission)
        return view

    return declare


def declared_permission(app: Flask, endpoint: str) -> Permission | None:
    """Return what a route declares; None for a route that declares nothing, which nobody may then call."""
    found = getattr(app.view_functions[endpoint], _ATTRIBUTE, None)
    return found if isinstance(found, Permission) else None
