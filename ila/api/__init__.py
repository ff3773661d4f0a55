"""JSON for machines under `/api/v1`: one file per resource, schemas first, then views."""

import json
from typing import Any

from flask import Flask, current_app, request
from flask_smorest import Api

from ila.api import accounts, documentation, explanations, me, openapi, runs, schemes, statements
from ila.api.parsing import require_known_parameters
from ila.web.guard import API_PREFIX

RESOURCES = (accounts.blueprint, runs.blueprint, schemes.blueprint, me.blueprint)
"""The resources, in the order they are documented."""

VIEWS_OF_ACCOUNTS = (statements, explanations)
"""Modules that add their views to the resource of accounts when they are imported."""


class _Api(Api):  # type: ignore[misc]  # flask-smorest carries no types
    """flask-smorest without its own errors: `ila.web.refusals` answers for every path of the application."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors to the handler that all edges share."""


def register(app: Flask) -> None:
    """Add the API, its document and its pages to the application."""
    app.config.update(openapi.CONFIGURATION)
    api = _Api(app)
    api.ma_plugin.converter.add_attribute_function(_own_type)
    for resource in RESOURCES:
        api.register_blueprint(resource)
    app.register_blueprint(documentation.blueprint)
    app.extensions[documentation.DOCUMENT] = openapi.document(app, api.spec.to_dict())
    app.before_request(_require_known_parameters)


def openapi_text() -> str:
    """Return the OpenAPI document as the text of `docs/openapi.json`."""
    app = Flask("ila")
    register(app)
    return json.dumps(app.extensions[documentation.DOCUMENT], indent=2, ensure_ascii=False) + "\n"


def _own_type(_: Any, field: Any, **options: Any) -> dict[str, Any]:
    return openapi.documented_type(field, **options)


def _require_known_parameters() -> None:
    if request.endpoint is not None and request.path.startswith(API_PREFIX):
        require_known_parameters(current_app.view_functions[request.endpoint])
