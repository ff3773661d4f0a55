"""Sign in with an access token, and out again. The token stands in a cookie that scripts cannot read.

Every request checks the token anew, so a revoked one ends at once. A form is only taken from this service's own pages.
"""

from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from ila import access, clock, web
from ila.access.rules import NotAuthenticated, Permission
from ila.errors import Refused
from ila.web.guard import cookie_name, is_encrypted

blueprint = Blueprint("sign_in", __name__)

LONGEST_TOKEN = 200


class ForeignForm(Refused):
    """The form was not sent from a page of this service."""

    code = "not_allowed"


@blueprint.get("/sign-in")
@web.access(Permission.PUBLIC)
def show_form() -> str:
    """Show the form."""
    return render_template("sign_in.html", error=None)


@blueprint.post("/sign-in")
@web.access(Permission.PUBLIC)
def sign_in() -> Redirect | tuple[str, int]:
    """Take a token, and go to the account if it is valid."""
    require_own_page()
    token = request.form.get("token", "").strip()[:LONGEST_TOKEN]
    if not token:
        return render_template("sign_in.html", error="Enter your access token."), 422
    try:
        access.authenticate(web.read_session(), token, now=clock.now())
    except NotAuthenticated:
        sentence = "This token is not valid (any more). Check that you copied it whole, or ask for a new one."
        return render_template("sign_in.html", error=sentence), 422
    response = redirect(url_for("portal.show_account"), 303)
    response.set_cookie(cookie_name(), token, secure=is_encrypted(), httponly=True, samesite="Strict", path="/")
    return response


@blueprint.post("/sign-out")
@web.access(Permission.PUBLIC)
def sign_out() -> Redirect:
    """Forget the token, and what the browser has kept."""
    require_own_page()
    response = redirect(url_for("portal.show_landing"), 303)
    forget(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def forget(response: Response | Redirect) -> None:
    """Take the cookie back."""
    response.delete_cookie(cookie_name(), secure=is_encrypted(), httponly=True, samesite="Strict", path="/")


def require_own_page() -> None:
    """Raise `ForeignForm` unless the browser says that one of our own pages sent this form."""
    own = {request.host, urlsplit(web.settings().base_url).netloc}
    if urlsplit(request.headers.get("Origin", "")).netloc not in own:
        raise ForeignForm("This form did not come from a page of this service; open the page and send it again.")
