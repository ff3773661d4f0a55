"""`ila worker`: do the long work slice by slice, until stopped."""

from typing import TYPE_CHECKING

import click

from ila.cli import output
from ila.cli.context import json_option, open_context
from ila.cli.stopping import stop_on_signals

if TYPE_CHECKING:
    from ila.allocations import SliceDone


@click.command("worker")
@click.option("--run", "run_id", type=int, metavar="RUN", help="Work on this allocation run alone.")
@click.option("--until-idle", is_flag=True, help="End when no run is running.")
@click.option(
    "--idle-seconds",
    type=click.FloatRange(0.05, 60),
    default=1.0,
    show_default=True,
    help="How long to wait before looking again.",
)
@json_option
def commands(run_id: int | None, until_idle: bool, idle_seconds: float, as_json: bool) -> None:
    """Work on running allocation runs, slice by slice.

    Any number of workers may run on any number of machines. SIGTERM and Ctrl-C let the slice under way end first; a
    worker that is killed loses nothing but that slice, which another worker takes.

    \b
    Example:
      ila worker                            until stopped
      ila worker --run 2027000000000041 --until-idle
    """
    from ila import clock
    from ila.scheduling.worker import work

    def say_slice(done: "SliceDone") -> None:
        if as_json:
            output.emit(done, True, lambda: None)

    with open_context("job", is_service=True) as context, stop_on_signals() as stop:
        posted = work(
            context.sessions,
            clock=clock.now,
            stop=stop,
            only_run=run_id,
            until_idle=until_idle,
            idle_seconds=idle_seconds,
            on_slice=say_slice,
        )
    if not as_json:
        output.say(f"{posted} slice{'' if posted == 1 else 's'} posted")
