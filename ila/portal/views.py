"""The pages: landing, balance, statement, explanation, and what each refusal means."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, send_from_directory, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as Redirect

from ila import allocations, citizens, ledger, schemes, web
from ila.access.rules import Permission, Role
from ila.ids import is_reference
from ila.portal import formats
from ila.portal.account_page import account_page
from ila.portal.charts import NARROW, WIDE, balance_chart, share_widths
from ila.portal.sign_in import forget
from ila.web.accounts import account_of
from ila.web.guard import cookie_name
from ila.web.problems import Problem, kinds

blueprint = Blueprint("portal", __name__, template_folder="templates")

STATIC = Path(__file__).parent / "static"
A_YEAR_SECONDS = 31_536_000
BAR_WIDTH, BAR_GAP = 600, 3
STATEMENT_LINES = 25
BEHIND_ALL: ledger.Position = (2**63 - 1, 2**15 - 1)


@blueprint.get("/")
@web.access(Permission.PUBLIC)
def show_landing() -> str:
    """Say what this is."""
    return render_template("landing.html")


@blueprint.get("/account")
@web.access(Permission.READ_OWN_ACCOUNT)
def show_account() -> Redirect | str | tuple[str, int]:
    """Go to the citizen's own account; ask staff which one."""
    actor = web.actor()
    if actor.role is Role.CITIZEN and actor.citizen_id is not None:
        reference = citizens.reference_of(web.read_session(), actor.citizen_id)
        return redirect(url_for("portal.show_balance", reference=reference), 303)
    wanted = "".join(request.args.get("reference", "").split()).lower()
    if not wanted:
        return render_template("look_up.html", error=None, wanted="")
    if not is_reference(wanted):
        error = "A reference has 26 letters and digits, such as 3v8kq 0m2zr 5n9c1 x7d4t 6w8hjb."
        return render_template("look_up.html", error=error, wanted=wanted), 422
    return redirect(url_for("portal.show_balance", reference=wanted), 303)


@blueprint.get("/accounts/<string:reference>")
@web.access(Permission.READ_OWN_ACCOUNT)
def show_balance(reference: str) -> str:
    """Show the balance, what it is made of, why, and what may become of it."""
    account = account_of(reference)
    page = account_page(account, request.args.get("scheme"))
    if page is None:
        return render_template("empty_account.html", account=account)
    parts = [page.available_minor, page.used_minor, page.expired_minor, page.taken_back_minor]
    label = f"Balance over time: {formats.money(page.available_minor, page.scheme)} today"
    if page.future:
        label += f", {formats.money(page.future[-1].balance_minor, page.scheme)} at the end of the forecast"
    charts = [
        balance_chart(
            page.past,
            page.future,
            today=page.today,
            label=f"{label}.",
            amount=lambda minor: formats.money(minor, page.scheme).removesuffix(".00"),
            day=lambda on: str(on.year),
            frame=frame,
        )
        for frame in (WIDE, NARROW)
        if page.past
    ]
    bar = share_widths(parts, BAR_WIDTH, BAR_GAP)
    return render_template("account.html", page=page, charts=charts, bar=bar, bar_width=BAR_WIDTH, bar_gap=BAR_GAP)


@blueprint.get("/accounts/<string:reference>/statement/<string:scheme_code>")
@web.access(Permission.READ_OWN_ACCOUNT)
def show_statement(reference: str, scheme_code: str) -> str:
    """Show every line of a scheme, the newest first."""
    session = web.read_session()
    account = account_of(reference)
    scheme = schemes.scheme_of_code(session, scheme_code)
    before = _position(request.args.get("before"))
    lines = ledger.statement(
        session, account.citizen_id, scheme_id=scheme.scheme_id, before=before or BEHIND_ALL, limit=STATEMENT_LINES + 1
    )
    page = lines[-STATEMENT_LINES:][::-1]
    return render_template(
        "statement.html",
        account=account,
        scheme=scheme,
        lines=page,
        titles=allocations.run_titles(session, [line.allocation_run_id for line in page]),
        older=f"{page[-1].journal_entry_id}.{page[-1].line}" if len(lines) > STATEMENT_LINES else None,
        first_page=before is None,
    )


def _position(text: str | None) -> ledger.Position | None:
    """Read where a page of the statement begins; what is no position leads to no page."""
    if text is None:
        return None
    entry, _, line = text.partition(".")
    if not (entry.isdecimal() and line.isdecimal() and len(text) < 30):
        raise NotFound
    return int(entry), int(line)


@blueprint.get("/accounts/<string:reference>/why/<int:run_id>")
@web.access(Permission.READ_OWN_ACCOUNT)
def show_explanation(reference: str, run_id: int) -> str:
    """Explain an amount step by step."""
    account = account_of(reference)
    found = allocations.explain(web.read_session(), account.citizen_id, run_id)
    return render_template("explanation.html", account=account, explained=found)


@blueprint.get("/problems")
@web.access(Permission.PUBLIC)
def show_problems() -> str:
    """List what the API may refuse."""
    return render_template("problems.html", kinds=kinds().values())


@blueprint.get("/problems/<string:slug>")
@web.access(Permission.PUBLIC)
def show_problem(slug: str) -> str:
    """Say what one refusal means and what to do."""
    kind = kinds().get(slug.replace("-", "_"))
    if kind is None:
        raise NotFound
    return render_template("problem_kind.html", kind=kind)


@blueprint.get("/static/<path:name>")
@web.access(Permission.PUBLIC)
def static_file(name: str) -> Response:
    """Serve style sheet and pictures; an address with the file's own hash may be kept for ever."""
    response = send_from_directory(STATIC, name)
    fresh = request.args.get("v") == _hash(name)
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR_SECONDS}, immutable" if fresh else "no-cache"
    return response


def asset(name: str) -> str:
    """Return the address of a file, which changes with its content."""
    return url_for("portal.static_file", name=name, v=_hash(name))


@cache
def _hash(name: str) -> str:
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def problem_page(problem: Problem) -> Response | Redirect:
    """Tell a person of a refusal; who is not signed in is asked to."""
    if problem.status == 401 and request.method == "GET":
        response = redirect(url_for("sign_in.show_form"), 303)
        if cookie_name() in request.cookies:
            forget(response)
        return response
    page = render_template("problem.html", problem=problem, request_id=g.get("request_id", ""))
    return current_app.response_class(page, status=problem.status)
