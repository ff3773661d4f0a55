"""The document of the API, and the pages that show it and let one try it; nothing is loaded from elsewhere."""

from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, send_from_directory

from ila import web
from ila.access.rules import Permission

DOCUMENT = "ila_openapi"
"""Extension of the application that holds the document."""

STATIC = Path(__file__).parent / "static"
UI_VERSION = "5.35.0"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""As for every page, but pictures may come from the style sheet itself."""
A_YEAR_SECONDS = 31_536_000

blueprint = Blueprint("documentation", __name__, template_folder="templates")


@blueprint.get("/api/v1/openapi.json")
@web.access(Permission.PUBLIC)
def openapi() -> Response:
    """Answer with the OpenAPI document."""
    response: Response = current_app.json.response(current_app.extensions[DOCUMENT])  # type: ignore[assignment]
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/docs")
@web.access(Permission.PUBLIC)
def docs() -> Response:
    """Show the API to people."""
    page = render_template("documentation.html", service_name=web.settings().service_name, ui_version=UI_VERSION)
    response = current_app.response_class(page)
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/docs/static/<path:name>")
@web.access(Permission.PUBLIC)
def docs_static(name: str) -> Response:
    """Serve the files of the documentation pages; addresses of the vendor's carry their version."""
    response = send_from_directory(STATIC, name)
    versioned = name.startswith("vendor/")
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR_SECONDS}, immutable" if versioned else "no-cache"
    return response
