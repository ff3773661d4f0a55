"""`ila jobs`: the jobs of the clock, what became of them, and running one by hand."""

from typing import TYPE_CHECKING

import click

from ila.cli import output
from ila.cli.context import Context, json_option, open_context
from ila.cli.failures import REFUSED

if TYPE_CHECKING:
    from datetime import datetime

    from ila.scheduling.jobs import Claimable, Work
    from ila.scheduling.scheduler import JobView


@click.group("jobs", invoke_without_command=True)
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Show the jobs of the clock and what became of them; run one by hand.

    \b
    Example:
      ila jobs list
      ila jobs run expire --scheme eu_model
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_jobs, as_json=False)


@commands.command("list", epilog="Example: ila jobs list --json")
@json_option
def list_jobs(as_json: bool) -> None:
    """List every job for every registered scheme: last outcome and next due time (UTC).

    \b
    Example:
      ila jobs list
    """
    from ila import clock
    from ila.scheduling.scheduler import job_views, last_heartbeat

    with open_context("job") as context, context.read_sessions() as session:
        views = job_views(session, clock.now())
        heartbeat = last_heartbeat(session)
    output.emit({"scheduler_seen_at": heartbeat, "jobs": views}, as_json, lambda: _show(views, heartbeat))


@commands.command("run")
@click.argument("job")
@click.option("--scheme", "scheme_code", help="For this scheme alone; a job of schemes needs it.")
@json_option
def run_job(job: str, scheme_code: str | None, as_json: bool) -> int:
    """Run JOB for its latest due time, also if that was done before. Jobs are idempotent.

    \b
    Example:
      ila jobs run draft_yearly --scheme eu_model
    """
    from ila.db.job_claims import JobState
    from ila.errors import Conflict
    from ila.scheduling.scheduler import run_now

    with open_context("job") as context:
        work = _work(context)
        run = run_now(work, _claimable(work, job, scheme_code))
    if run is None:
        raise Conflict(f"The job {job} is under way in another process; look at it with `ila jobs list`.")
    output.emit(run, as_json, lambda: output.say(f"{run.job}, {_time(run.scheduled_for)}: {run.outcome}"))
    return 0 if run.state is JobState.DONE else REFUSED


def _work(context: Context) -> "Work":
    from ila import clock
    from ila.scheduling.jobs import Work

    settings = context.settings
    return Work(context.sessions, settings.scheme_directory, settings.allocation_slice_citizens, clock.now)


def _claimable(work: "Work", job: str, scheme_code: str | None) -> "Claimable":
    """Return the job for the scheme named; raises `NotFound` where there is no such job or scheme."""
    from ila import schemes
    from ila.errors import Invalid, NotFound
    from ila.scheduling.jobs import JOBS, claimables

    with work.sessions() as session:
        if scheme_code is not None:
            schemes.scheme_of_code(session, scheme_code)
        found = [each for each in claimables(schemes.all_schemes(session)) if each.job.name == job]
    if job not in {each.name for each in JOBS}:
        raise NotFound(f"There is no job {job}; the jobs are {', '.join(each.name for each in JOBS)}.", job=job)
    wanted = [each for each in found if each.scheme_code in ("", scheme_code)]
    if not wanted:
        raise Invalid(f"The job {job} is run for one scheme; name it with --scheme.", job=job)
    return wanted[0]


def _show(views: "list[JobView]", heartbeat: "datetime | None") -> None:
    output.table(
        ["Job", "What it does", "Missed", "Last due", "State", "Outcome", "Next due"],
        [
            [
                view.name,
                view.title,
                view.missed.value,
                _time(view.last.scheduled_for) if view.last else "never",
                view.last.state.value if view.last else "",
                (view.last.outcome if view.last else "") or "",
                _time(view.next_due),
            ]
            for view in views
        ],
    )
    output.say(f"A scheduler was last seen at {_time(heartbeat)} UTC." if heartbeat else "No scheduler is running.")


def _time(instant: "datetime") -> str:
    return f"{instant:%Y-%m-%d %H:%M}"
