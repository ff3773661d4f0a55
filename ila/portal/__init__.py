"""Pages for people, rendered on the server. They need no script, and load nothing from elsewhere."""

from typing import Any

from flask import Flask, request

from ila import web
from ila.portal import formats, sign_in, views
from ila.web.guard import cookie_name
from ila.web.refusals import PAGE

BLUEPRINTS = (views.blueprint, sign_in.blueprint)


def register(app: Flask) -> None:
    """Add the pages, and the page that tells people of refusals, to the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.extensions[PAGE] = views.problem_page
    app.context_processor(_words_of_every_page)


def _words_of_every_page() -> dict[str, Any]:
    return {
        "asset": views.asset,
        "f": formats,
        "service_name": web.settings().service_name,
        "signed_in": cookie_name() in request.cookies,
    }
