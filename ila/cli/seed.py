"""`ila seed`: load the demonstration, real survey respondents and yearly runs of real schemes over all of them."""

import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ila import clock
from ila.cli import output
from ila.cli.context import Context, json_option, open_context
from ila.errors import Refused

if TYPE_CHECKING:
    from ila.allocations import Run

REFUSED_ROWS = "demo-refused-rows.csv"
TIME_ZONE = "Europe/Brussels"


class NotForProduction(Refused):
    """Invented administrators with tokens in a file have no place where real money is."""

    code = "not_for_production"


@click.group()
def commands() -> None:
    """Load the demonstration.

    \b
    Example:
      ila seed demo
    """


@commands.command("demo")
@json_option
def demo(as_json: bool) -> None:
    """Import the survey's respondents, run the schemes over them, and write tokens to look around with.

    What was cut off goes on where it stopped. Refused in production.

    \b
    Example:
      ila seed demo
    """
    with open_context("job") as context:
        if context.settings.env == "production":
            raise NotForProduction(
                "The demonstration is refused in production; use `ila citizens import` for real people."
            )
        runs = _loaded(context, today=clock.today(TIME_ZONE))
    shown = [_figures(run) for run in runs]
    output.emit(shown, as_json, lambda: _say(runs))


def _loaded(context: Context, *, today: date) -> "list[Run]":
    """Load everything; the file of tokens is written last and says that it is complete."""
    from ila import citizens
    from ila.cli import demonstration, respondents
    from ila.cli.population import imported, keys_of
    from ila.schemes.loader import load_all

    now = clock.now()
    with context.sessions.begin() as session:
        maker, checker, tokens = demonstration.staff(session, now=now)
    facts_from = date(today.year - demonstration.YEARS_OF_THE_MODEL, 1, 1)
    data_directory = context.settings.data_directory
    data_directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ila-demo-") as directory:
        file = Path(directory) / "respondents.csv"
        respondents.population(file, facts_from=facts_from, work_year=today.year - 1)
        imported(context, maker, file, data_directory / REFUSED_ROWS, today=today)
        identities = list(respondents.personas(file))
    runs = [
        demonstration.allocate(
            context.sessions,
            maker,
            checker,
            plan,
            slice_citizens=context.settings.allocation_slice_citizens,
            now=now,
            today=today,
        )
        for plan in demonstration.planned(load_all(context.settings.scheme_directory), today=today)
    ]
    keys = keys_of(context)
    with context.sessions.begin() as session:
        found = [
            demonstration.Persona(who, citizen_id)
            for who, identity in identities
            if (citizen_id := citizens.citizen_id_of_identity(session, keys, identity)) is not None
        ]
        tokens += demonstration.citizen_tokens(session, found, now=now)
    demonstration.write_tokens(data_directory, tokens)
    return runs


def _figures(run: "Run") -> dict[str, object]:
    return {
        "run": run.run_id,
        "scheme": run.scheme.code,
        "credit": run.credit_code,
        "period": run.period,
        "credited": run.progress.credited,
        "not_credited": run.progress.not_credited,
        "amount_minor": run.progress.amount_minor,
    }


def _say(runs: "list[Run]") -> None:
    from ila.money import decimal_from_minor

    for run in runs:
        amount = decimal_from_minor(run.progress.amount_minor, run.scheme.minor_units)
        output.say(
            f"{run.scheme.code:<18}{run.credit_code:<16}{run.period:<10}{run.progress.credited:>7,} credited"
            f"{amount:>18,} {run.scheme.unit}"
        )
