"""The command `ila`: one module for each group of verbs, imported only when the verb is used.

Each module exposes `commands`, a click command or group. Results go to standard output, progress and refusals to
standard error; nothing is asked when standard input is no terminal.
"""

import importlib
import os
import sys

import click

from ila import VERSION
from ila.cli.failures import INTERRUPTED, USAGE, failure_of

VERBS: dict[str, tuple[str, str]] = {
    "serve": ("ila.cli.serve", "Start the database, the web server, the scheduler and the worker."),
    "scheduler": ("ila.cli.scheduler", "Claim due jobs, until stopped."),
    "worker": ("ila.cli.worker", "Do the long work unit by unit, until stopped."),
    "db": ("ila.cli.db", "Migrate, check, dump and restore the database."),
    "schemes": ("ila.cli.schemes", "Check and show the rules of the schemes."),
    "citizens": ("ila.cli.citizens", "Import people, attest needs, close and reopen accounts."),
    "allocations": ("ila.cli.allocations", "Explain, preview, approve, run and resume allocation runs."),
    "ledger": ("ila.cli.ledger", "Check the ledger, show trial balance and statements, export."),
    "tokens": ("ila.cli.tokens", "Create, list and revoke tokens of the API and the command line."),
    "jobs": ("ila.cli.jobs", "Show the jobs of the clock and what became of them."),
    "seed": ("ila.cli.seed", "Load the demonstration: real survey respondents and their allocations."),
    "config": ("ila.cli.config", "Show the settings in force and where each was made."),
    "doctor": ("ila.cli.doctor", "Look for what would go wrong: versions, roles, settings, clock."),
}
"""Each verb, the module that has it, and its line in `ila --help`."""

HELP = """Individual Learning Accounts: ledgers of training entitlements, their schemes and their yearly runs.

\b
Examples:
  ila serve --demo            a demonstration on http://127.0.0.1:8000
  ila ledger check            prove that every cent is accounted for
  ila allocations --help      what can be done with a run

\b
Exit codes:
  0    done
  1    a rule refused, or a check found something
  2    the command was not understood
  3    a defect of the program
  4    the database is not reachable or too busy: try again
  5    the settings cannot be used
  130  interrupted
"""


class Verbs(click.Group):
    """The verbs of the table; `--help` shows their lines without importing their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(VERBS[cmd_name][0]).commands
        if not isinstance(command, click.Command):
            raise AssertionError(f"{VERBS[cmd_name][0]}.commands is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the lines of the table."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])


@click.group(cls=Verbs, help=HELP, context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="ila")
def commands() -> None:
    """Hold the verbs; each does its own work."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with one of the documented exit codes."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = commands.main(arguments, prog_name="ila", standalone_mode=False)
    except click.Abort:
        click.echo("ila: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE if isinstance(error, click.UsageError) else error.exit_code)
    except Exception as error:
        if os.environ.get("ILA_DEBUG") == "1":
            raise
        failure = failure_of(error)
        failure.show(as_json="--json" in arguments)
        sys.exit(failure.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
