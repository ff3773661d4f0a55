"""`ila scheduler`: claim due jobs, until stopped."""

import click

from ila.cli.context import open_context
from ila.cli.stopping import stop_on_signals


@click.command("scheduler")
def commands() -> None:
    """Look for due jobs and do those that no other scheduler has claimed.

    Several schedulers may run; each due time of a job is done by one of them. What the jobs are and what became of
    them: `ila jobs`. SIGTERM and Ctrl-C let the job under way end first.

    \b
    Example:
      ila scheduler
    """
    from ila import clock
    from ila.scheduling.jobs import Work
    from ila.scheduling.scheduler import Scheduler

    with open_context("job", is_service=True) as context, stop_on_signals() as stop:
        settings = context.settings
        work = Work(context.sessions, settings.scheme_directory, settings.allocation_slice_citizens, clock.now)
        Scheduler(work).run(stop, tick_seconds=settings.scheduler_tick_seconds)
