"""Allocation runs: drafted, previewed, approved by a second person, worked on in slices, reversible."""

from datetime import datetime
from typing import Any

from marshmallow import Schema, fields, validate

from ila import access, allocations, clock, web
from ila.access.rules import Actor, Permission
from ila.allocations import Run
from ila.api.fields import CODE, amount, described
from ila.api.paging import DEFAULT_LIMIT, LARGEST_LIMIT, Cursor, Links, cursor_of, cursor_text
from ila.api.parsing import Resource
from ila.api.request_keys import Done, once_per_key
from ila.db.retry import attempt
from ila.db.session import ReadSession, WriteSession
from ila.schemes.parameters import ParameterSet
from ila.web.policies import policy_of

blueprint = Resource(
    "runs", __name__, url_prefix="/api/v1", description="Allocation runs and their progress; four eyes on each."
)


class ProgressSchema(Schema):
    """How far the slices of a run are."""

    slices = fields.Integer(required=True)
    slices_done = fields.Integer(required=True)
    citizens = fields.Integer(required=True, metadata=described("Citizens considered so far."))
    credited = fields.Integer(required=True)
    not_credited = fields.Integer(required=True)
    amount_minor = amount("Credited so far.")
    citizens_per_second = fields.Integer(required=True, allow_none=True)
    seconds_left = fields.Integer(
        required=True, allow_none=True, metadata=described("At the pace so far; null where none is known.")
    )


class RunSchema(Schema):
    """A run. `plan_digest` is what an approval names: it covers totals, rules, facts and every single amount."""

    run_id = fields.Integer(required=True, metadata=described("Booking year, then a number.", example=2027000000000041))
    scheme = fields.String(required=True)
    unit = fields.String(required=True)
    minor_units = fields.Integer(required=True)
    fund = fields.String(required=True)
    kind = fields.String(required=True)
    credit = fields.String(required=True, metadata=described("Which credit of the scheme; empty for other kinds."))
    period = fields.String(required=True, metadata=described("2027, 2026/27 or 2027-01.", example="2027"))
    state = fields.String(required=True)
    reference_on = fields.Date(required=True, metadata=described("Facts and policy of this day decide."))
    effective_on = fields.Date(required=True, metadata=described("The day the credit counts."))
    parameter_digest = fields.String(required=True, allow_none=True)
    plan = fields.Dict(required=True, allow_none=True, metadata=described("What the preview found."))
    plan_digest = fields.String(required=True, allow_none=True)
    opened_by = fields.String(required=True)
    opened_at = fields.AwareDateTime(required=True)
    approved_by = fields.String(required=True, allow_none=True)
    approved_at = fields.AwareDateTime(required=True, allow_none=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)
    reverses_run_id = fields.Integer(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True, metadata=described("Why it failed, in one sentence."))
    progress = fields.Nested(ProgressSchema, required=True)


class RunsSchema(Schema):
    """A page of runs, the newest first."""

    runs = fields.List(fields.Nested(RunSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata=described("Cursor of the next page."))


class RunsQuery(Schema):
    """Which page of runs."""

    cursor = fields.String(metadata=described("A cursor that an earlier page gave."))
    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, LARGEST_LIMIT))


class DraftSchema(Schema):
    """What a run shall give, and when. Without days the scheme's way of accruing decides them."""

    scheme = fields.String(required=True, validate=validate.Regexp(CODE), metadata={"example": "eu_model"})
    credit = fields.String(required=True, validate=validate.Regexp(CODE), metadata={"example": "yearly"})
    period = fields.String(required=True, validate=validate.Length(4, 7), metadata={"example": "2027"})
    fund = fields.String(validate=validate.Regexp(CODE), metadata=described("Needed where the scheme has several."))
    reference_on = fields.Date()
    effective_on = fields.Date()


class ApprovalSchema(Schema):
    """The plan that is approved: the `plan_digest` of the preview that was looked at."""

    plan_digest = fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))


@blueprint.route("/runs")
@web.access(Permission.READ_RUNS)
@blueprint.query(RunsQuery)
@blueprint.response(200, RunsSchema)
def list_runs(query: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """List the runs, the newest first."""
    session = web.read_session()
    cursor = cursor_of(query.get("cursor"), length=1)
    found = allocations.run_views(session, before=cursor.key[0] if cursor else None, limit=query["limit"] + 1)
    page = found[: query["limit"]]
    following = cursor_text(Cursor((page[-1].run_id,))) if len(found) > len(page) else None
    links = Links(following, None).header()
    names = _names(session)
    shown = [_shown(run, names) for run in page]
    return {"runs": shown, "next": following}, 200, {"Link": links} if links else {}


@blueprint.route("/runs/<int:run_id>")
@web.access(Permission.READ_RUNS)
@blueprint.response(200, RunSchema)
def show_run(run_id: int) -> dict[str, Any]:
    """Show a run with its plan and its progress."""
    session = web.read_session()
    return _shown(allocations.run_view(session, run_id), _names(session))


@blueprint.route("/runs", methods=["POST"])
@web.access(Permission.MANAGE_RUNS)
@blueprint.arguments(DraftSchema)
@blueprint.response(201, RunSchema)
@once_per_key()
def open_run(session: WriteSession, actor: Actor, draft: dict[str, Any]) -> Done:
    """Draft a run."""
    parameters = policy_of(draft["scheme"])
    run_id = allocations.open_run(
        session,
        actor,
        parameters,
        credit_code=draft["credit"],
        period=draft["period"],
        fund_code=draft.get("fund"),
        reference_on=draft.get("reference_on"),
        effective_on=draft.get("effective_on"),
        now=clock.now(),
        today=clock.today(parameters.time_zone),
    )
    return _done(session, run_id, 201)


def _pinned_facts() -> dict[str, int]:
    """Settle which facts count, in a transaction of its own: a pin holds up changes of facts for its length."""
    return {"facts_no": attempt(web.database().sessions, allocations.pin_facts)}


def _rules_of(run: Run) -> ParameterSet | None:
    """Return the rules as the files have them now, for a run that gives credits; a reversal needs none."""
    return None if run.reverses_run_id is not None else policy_of(run.scheme.code)


@blueprint.route("/runs/<int:run_id>/preview", methods=["POST"])
@web.access(Permission.MANAGE_RUNS)
@blueprint.response(200, RunSchema)
@once_per_key(_pinned_facts)
def preview_run(session: WriteSession, actor: Actor, run_id: int, facts_no: int) -> Done:
    """Compute what a run would give, without giving it."""
    parameters = _rules_of(allocations.run_view(session, run_id))
    allocations.preview(session, actor, run_id, facts_no=facts_no, now=clock.now(), parameters=parameters)
    return _done(session, run_id, 200)


@blueprint.route("/runs/<int:run_id>/approve", methods=["POST"])
@web.access(Permission.APPROVE_RUNS)
@blueprint.arguments(ApprovalSchema)
@blueprint.response(200, RunSchema)
@once_per_key()
def approve_run(session: WriteSession, actor: Actor, approval: dict[str, Any], run_id: int) -> Done:
    """Approve a plan as a second person."""
    allocations.approve(session, actor, run_id, bytes.fromhex(approval["plan_digest"]), now=clock.now())
    return _done(session, run_id, 200)


@blueprint.route("/runs/<int:run_id>/start", methods=["POST"])
@web.access(Permission.MANAGE_RUNS)
@blueprint.response(202, RunSchema, description="Started; the workers go on with it.")
@once_per_key(_pinned_facts)
def start_run(session: WriteSession, actor: Actor, run_id: int, facts_no: int) -> Done:
    """Start an approved run, if reality still gives the plan that was approved."""
    run = allocations.run_view(session, run_id)
    allocations.start(
        session,
        actor,
        run_id,
        facts_no=facts_no,
        slice_citizens=web.settings().allocation_slice_citizens,
        now=clock.now(),
        today=clock.today(run.scheme.time_zone),
        parameters=_rules_of(run),
    )
    return _done(session, run_id, 202)


@blueprint.route("/runs/<int:run_id>/pause", methods=["POST"])
@web.access(Permission.MANAGE_RUNS)
@blueprint.response(202, RunSchema, description="No further slice begins; those under way end.")
@once_per_key()
def pause_run(session: WriteSession, actor: Actor, run_id: int) -> Done:
    """Pause a run between two slices."""
    allocations.pause(session, actor, run_id, now=clock.now())
    return _done(session, run_id, 202)


@blueprint.route("/runs/<int:run_id>/resume", methods=["POST"])
@web.access(Permission.MANAGE_RUNS)
@blueprint.response(202, RunSchema, description="The workers go on with it.")
@once_per_key()
def resume_run(session: WriteSession, actor: Actor, run_id: int) -> Done:
    """Resume a paused or failed run where it stopped."""
    allocations.resume(session, actor, run_id, now=clock.now())
    return _done(session, run_id, 202)


@blueprint.route("/runs/<int:run_id>/cancel", methods=["POST"])
@web.access(Permission.MANAGE_RUNS)
@blueprint.response(200, RunSchema)
@once_per_key()
def cancel_run(session: WriteSession, actor: Actor, run_id: int) -> Done:
    """Give up a run that has not begun."""
    allocations.cancel(session, actor, run_id, now=clock.now())
    return _done(session, run_id, 200)


@blueprint.route("/runs/<int:run_id>/reverse", methods=["POST"])
@web.access(Permission.MANAGE_RUNS)
@blueprint.response(201, RunSchema, description="The draft of the run that takes back what nobody has spent.")
@once_per_key()
def reverse_run(session: WriteSession, actor: Actor, run_id: int) -> Done:
    """Draft the reversal of a finished run; it is previewed and approved like any other."""
    run = allocations.run_view(session, run_id)
    today = clock.today(run.scheme.time_zone)
    reversal_id = allocations.open_reversal(session, actor, run_id, now=clock.now(), today=today)
    return _done(session, reversal_id, 201)


def _done(session: WriteSession, run_id: int, status: int) -> Done:
    session.flush()
    run = allocations.run_view(session, run_id)
    body = RunSchema().dump(_shown(run, _names(session)))
    headers = {"Location": f"/api/v1/runs/{run_id}"} if status in (201, 202) else {}
    return Done(body, status, headers)


def _names(session: ReadSession | WriteSession) -> dict[int, str]:
    return {user.user_account_id: user.name for user in access.users(session)}


def _shown(run: Run, names: dict[int, str]) -> dict[str, Any]:
    plain = {
        name: getattr(run, name)
        for name in (
            "run_id", "period", "reference_on", "effective_on", "plan", "opened_at", "approved_at", "started_at",
            "finished_at", "reverses_run_id", "failure",
        )
    }  # fmt: skip
    return plain | {
        "scheme": run.scheme.code,
        "unit": run.scheme.unit,
        "minor_units": run.scheme.minor_units,
        "fund": run.fund.code,
        "kind": run.kind.value,
        "credit": run.credit_code,
        "state": run.state.value,
        "parameter_digest": run.parameter_digest.hex() if run.parameter_digest else None,
        "plan_digest": run.plan_digest.hex() if run.plan_digest else None,
        "opened_by": names.get(run.opened_by, "the clock"),
        "approved_by": names.get(run.approved_by) if run.approved_by else None,
        "progress": _progress(run, clock.now()),
    }


def _progress(run: Run, now: datetime) -> dict[str, Any]:
    progress = run.progress
    citizens = progress.credited + progress.not_credited
    worked = ((run.finished_at or now) - run.started_at).total_seconds() if run.started_at else 0
    pace = citizens / worked if worked > 0 else 0
    left = progress.slices - progress.slices_done
    seconds_left = int(left * worked / progress.slices_done) if progress.slices_done and left else None
    return {
        "slices": progress.slices,
        "slices_done": progress.slices_done,
        "citizens": citizens,
        "credited": progress.credited,
        "not_credited": progress.not_credited,
        "amount_minor": progress.amount_minor,
        "citizens_per_second": int(pace) if pace else None,
        "seconds_left": seconds_left if run.state.value == "running" else None,
    }
