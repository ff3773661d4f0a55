"""`ila allocations`: everything that can be done with a run, from its draft to its reversal."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ila.cli import allocation_views as views
from ila.cli import output
from ila.cli.allocation_reading import explain, forecast, request
from ila.cli.context import Context, actor_of, json_option, open_context, token_option
from ila.cli.failures import REFUSED
from ila.cli.progress import Progress
from ila.money import decimal_from_minor

if TYPE_CHECKING:
    from ila.access.rules import Actor
    from ila.allocations import Run
    from ila.schemes.parameters import ParameterSet

DAY = click.DateTime(["%Y-%m-%d"])
SHORTEST_DIGEST = 16

scheme_option = click.option("--scheme", "scheme_code", required=True, help="Code of the scheme, such as eu_model.")
credit_option = click.option("--credit", "credit_code", required=True, help="Credit of the scheme, such as yearly.")
run_argument = click.argument("run_id", metavar="RUN", type=int)


def workers_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--workers` and `--no-wait`."""
    function = click.option("--no-wait", is_flag=True, help="Leave the work to the workers that run already.")(function)
    return click.option(
        "--workers", type=click.IntRange(1, 64), help="Worker processes to start here; default: allocation_workers."
    )(function)


@click.group("allocations")
def commands() -> None:
    """Open, preview, approve, run, explain and reverse allocation runs.

    \b
    Example, by two administrators:
      ila allocations open --scheme eu_model --credit yearly --period 2027 --fund national
      ila allocations preview 2027000000000041
      ila allocations approve 2027000000000041 --plan 9f3c...      (the other one)
      ila allocations run 2027000000000041
    """


@commands.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@json_option
def list_runs(limit: int, as_json: bool) -> None:
    """List runs, the newest first.

    \b
    Example:
      ila allocations list --limit 10
    """
    from ila import allocations

    with open_context("job") as context, context.read_sessions() as session:
        runs = allocations.run_views(session, limit=limit)
    output.emit([views.run_json(run) for run in runs], as_json, lambda: views.show_runs(runs))


@commands.command("show")
@run_argument
@json_option
def show(run_id: int, as_json: bool) -> None:
    """Show a run: where it stands, who did what, and its plan.

    \b
    Example:
      ila allocations show 2027000000000041
    """
    with open_context("job") as context:
        run = _view(context, run_id)
    _tell(run, as_json)


@commands.command("open")
@scheme_option
@credit_option
@click.option("--period", required=True, help="What is credited: 2027, 2026/27 or 2027-01.")
@click.option("--fund", "fund_code", help="Who pays; needed where the scheme has several funds.")
@click.option("--reference-on", type=DAY, help="Facts and rules of this day decide; default: by the scheme.")
@click.option("--effective-on", type=DAY, help="The day the credit counts; default: by the scheme.")
@token_option
@json_option
def open_run(
    scheme_code: str,
    credit_code: str,
    period: str,
    fund_code: str | None,
    reference_on: datetime | None,
    effective_on: datetime | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Open a draft of the run that gives a credit for a period.

    \b
    Example:
      ila allocations open --scheme fr_cpf --credit employee --period 2026
    """
    from ila import allocations, clock

    with open_context("job") as context:
        parameters = _parameters(context, scheme_code)
        with context.sessions.begin() as session:
            run_id = allocations.open_run(
                session,
                actor_of(session, token_file),
                parameters,
                credit_code=credit_code,
                period=period,
                fund_code=fund_code,
                reference_on=_day(reference_on),
                effective_on=_day(effective_on),
                now=clock.now(),
                today=clock.today(parameters.time_zone),
            )
        run = _view(context, run_id)
    if as_json:
        output.emit(views.run_json(run), True, lambda: None)
    else:
        output.say(f"Run {run_id} is a draft; next: ila allocations preview {run_id}")


@commands.command("preview")
@run_argument
@token_option
@json_option
def preview(run_id: int, token_file: Path | None, as_json: bool) -> None:
    """Compute what a run would give to whom, and why the others get nothing. Posts nothing.

    \b
    Example:
      ila allocations preview 2027000000000041
    """
    with open_context("job") as context:
        _preview(context, _actor(context, token_file), run_id)
        run = _view(context, run_id)
    if as_json:
        output.emit(views.run_json(run), True, lambda: None)
        return
    assert run.plan is not None
    assert run.plan_digest is not None
    views.show_plan(run.plan)
    if run.plan["shortfall_minor"]:
        lacking = decimal_from_minor(run.plan["shortfall_minor"], run.scheme.minor_units)
        output.say(
            f"\nNext: ila ledger appropriate --fund {run.scheme.code}/{run.fund.code} --amount {lacking}"
            f' --reference "the law that grants it", then preview again.'
        )
    else:
        output.say(f"\nNext, by another administrator: ila allocations approve {run_id} --plan {run.plan_digest.hex()}")


@commands.command("approve")
@run_argument
@click.option("--plan", "digest", required=True, help=f"Digest of the plan you looked at; {SHORTEST_DIGEST} digits do.")
@token_option
@json_option
def approve(run_id: int, digest: str, token_file: Path | None, as_json: bool) -> None:
    """Approve the plan of a run as a second administrator.

    \b
    Example:
      ila allocations approve 2027000000000041 --plan 9f3c5a0be1d27c44
    """
    from ila import allocations, clock

    _require_digest(digest)
    with open_context("job") as context:
        with context.sessions.begin() as session:
            actor = actor_of(session, token_file)
            approved = _whole_digest(digest, allocations.run_view(session, run_id).plan_digest)
            allocations.approve(session, actor, run_id, approved, now=clock.now())
        run = _view(context, run_id)
    if as_json:
        output.emit(views.run_json(run), True, lambda: None)
    else:
        output.say(f"Run {run_id} is approved; next: ila allocations run {run_id}")


@commands.command("run")
@run_argument
@workers_options
@token_option
@json_option
def run(run_id: int, workers: int | None, no_wait: bool, token_file: Path | None, as_json: bool) -> int:
    """Start an approved run and work on it here.

    The plan is computed again first: if people or rules have changed since the approval, nothing is posted.

    \b
    Example:
      ila allocations run 2027000000000041 --workers 2
    """
    from ila import allocations, clock

    with open_context("job") as context:
        actor = _actor(context, token_file)
        found = _view(context, run_id)
        with context.sessions.begin() as session:
            facts_no = allocations.pin_facts(session)
        with Progress("comparing with the plan", unit="citizens") as progress, context.sessions.begin() as session:
            allocations.start(
                session,
                actor,
                run_id,
                facts_no=facts_no,
                slice_citizens=context.settings.allocation_slice_citizens,
                now=clock.now(),
                today=clock.today(found.scheme.time_zone),
                parameters=_parameters_of(context, found),
                on_progress=lambda done, total: progress.update(done, total=total),
            )
        return _work(context, run_id, workers, no_wait, as_json)


@commands.command("pause")
@run_argument
@token_option
@json_option
def pause(run_id: int, token_file: Path | None, as_json: bool) -> None:
    """Hand out no further slice of a run; those under way end.

    \b
    Example:
      ila allocations pause 2027000000000041
    """
    from ila import allocations

    _move(allocations.pause, run_id, token_file, as_json)


@commands.command("resume")
@run_argument
@workers_options
@token_option
@json_option
def resume(run_id: int, workers: int | None, no_wait: bool, token_file: Path | None, as_json: bool) -> int:
    """Go on with a paused or failed run, or put workers at one that lost its own.

    \b
    Example:
      ila allocations resume 2027000000000041
    """
    from ila import allocations, clock
    from ila.access.rules import Permission, require
    from ila.allocations.rules import RunState

    with open_context("job") as context:
        actor = _actor(context, token_file)
        require(actor, Permission.MANAGE_RUNS)
        if _view(context, run_id).state is not RunState.RUNNING:
            with context.sessions.begin() as session:
                allocations.resume(session, actor, run_id, now=clock.now())
        return _work(context, run_id, workers, no_wait, as_json)


@commands.command("cancel")
@run_argument
@token_option
@json_option
def cancel(run_id: int, token_file: Path | None, as_json: bool) -> None:
    """Give up a run that has not begun; its period is free for another.

    \b
    Example:
      ila allocations cancel 2027000000000041
    """
    from ila import allocations

    _move(allocations.cancel, run_id, token_file, as_json)


@commands.command("reverse")
@run_argument
@token_option
@json_option
def reverse(run_id: int, token_file: Path | None, as_json: bool) -> None:
    """Open and preview the run that takes back what RUN gave and nobody has spent.

    It is approved and run like any other.

    \b
    Example:
      ila allocations reverse 2027000000000041
    """
    from ila import allocations, clock

    with open_context("job") as context:
        actor = _actor(context, token_file)
        found = _view(context, run_id)
        with context.sessions.begin() as session:
            reversal_id = allocations.open_reversal(
                session, actor, run_id, now=clock.now(), today=clock.today(found.scheme.time_zone)
            )
        _preview(context, actor, reversal_id)
        reversal = _view(context, reversal_id)
    _tell(reversal, as_json)


@commands.command("expire")
@scheme_option
@workers_options
@token_option
@json_option
def expire(scheme_code: str, workers: int | None, no_wait: bool, token_file: Path | None, as_json: bool) -> int:
    """Sweep what has expired before today. The scheduler does this every day by itself.

    \b
    Example:
      ila allocations expire --scheme eu_model
    """
    from ila import allocations, clock

    with open_context("job") as context:
        parameters = _parameters(context, scheme_code)
        with context.sessions.begin() as session:
            run_id = allocations.open_expiry(
                session,
                actor_of(session, token_file),
                parameters,
                slice_citizens=context.settings.allocation_slice_citizens,
                now=clock.now(),
                today=clock.today(parameters.time_zone),
            )
        if run_id is None:
            output.emit(None, as_json, lambda: output.say(f"Nothing of {scheme_code} has expired."))
            return 0
        return _work(context, run_id, workers, no_wait, as_json)


def _preview(context: Context, actor: "Actor", run_id: int) -> None:
    """Preview in two transactions: a pin holds up changes of facts and must not last as long as the count."""
    from ila import allocations, clock
    from ila.access.rules import Permission, require

    require(actor, Permission.MANAGE_RUNS)
    parameters = _parameters_of(context, _view(context, run_id))
    with context.sessions.begin() as session:
        facts_no = allocations.pin_facts(session)
    with Progress("computing the plan", unit="citizens") as progress, context.sessions.begin() as session:
        allocations.preview(
            session,
            actor,
            run_id,
            facts_no=facts_no,
            now=clock.now(),
            parameters=parameters,
            on_progress=lambda done, total: progress.update(done, total=total),
        )


def _move(act: Callable[..., None], run_id: int, token_file: Path | None, as_json: bool) -> None:
    from ila import clock

    with open_context("job") as context:
        with context.sessions.begin() as session:
            act(session, actor_of(session, token_file), run_id, now=clock.now())
        found = _view(context, run_id)
    if as_json:
        output.emit(views.run_json(found), True, lambda: None)
    else:
        output.say(f"Run {run_id} is {found.state.value}.")


def _work(context: Context, run_id: int, workers: int | None, no_wait: bool, as_json: bool) -> int:
    """Work on a running run with processes of this machine and show how far it is; return the exit code."""
    from ila.allocations.rules import RunState
    from ila.scheduling.local import run_locally

    found = _view(context, run_id)
    if not no_wait:
        total = found.plan["citizens"] if found.plan else None
        with Progress(f"run {run_id}", total=total, unit="citizens") as progress:

            def follow(now: "Run") -> None:
                progress.update(now.progress.credited + now.progress.not_credited)

            count = workers or context.settings.allocation_workers
            found = run_locally(context.read_sessions, run_id, workers=count, on_progress=follow)
    output.emit(views.run_json(found), as_json, lambda: output.say(_outcome(found)))
    if found.state is RunState.FAILED and not as_json:
        output.warn(found.failure or "")
    return REFUSED if found.state is RunState.FAILED else 0


def _outcome(run: "Run") -> str:
    done = run.progress
    return (
        f"Run {run.run_id} is {run.state.value}: {done.slices_done} of {done.slices} slices, {done.credited:,} citizens"
        f" and {views.amount(done.amount_minor, views.unit_of(run))}, {done.not_credited:,} citizens with nothing."
    )


def _tell(run: "Run", as_json: bool) -> None:
    output.emit(views.run_json(run), as_json, lambda: views.show_run(run))


def _view(context: Context, run_id: int) -> "Run":
    from ila import allocations

    with context.read_sessions() as session:
        return allocations.run_view(session, run_id)


def _actor(context: Context, token_file: Path | None) -> "Actor":
    with context.sessions.begin() as session:
        return actor_of(session, token_file)


def _parameters(context: Context, scheme_code: str) -> "ParameterSet":
    from ila.schemes.loader import load_scheme

    return load_scheme(context.settings.scheme_directory / scheme_code)


def _parameters_of(context: Context, run: "Run") -> "ParameterSet | None":
    """Return the rules as the files have them now, for a run that gives credits; a reversal needs none."""
    return None if run.reverses_run_id is not None else _parameters(context, run.scheme.code)


def _require_digest(digest: str) -> None:
    from ila.errors import Invalid

    if not SHORTEST_DIGEST <= len(digest) <= 64 or set(digest.lower()) - set("0123456789abcdef"):
        raise Invalid(f"{digest!r} is no digest of a plan; copy at least {SHORTEST_DIGEST} digits from the preview.")


def _whole_digest(digest: str, known: bytes | None) -> bytes:
    """Return the digest that was meant; what is not the plan of now is refused by the command."""
    text = digest.lower()
    if known is not None and known.hex().startswith(text):
        return known
    return bytes.fromhex(text.ljust(64, "0"))


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


commands.add_command(explain)
commands.add_command(forecast)
commands.add_command(request)
