"""`ila allocations explain`, `request` and `forecast`: one citizen's amounts, past, present and to come."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ila.cli import allocation_views as views
from ila.cli import output
from ila.cli.context import Context, actor_of, json_option, open_context, token_option

if TYPE_CHECKING:
    from ila.schemes.parameters import ParameterSet
    from ila.schemes.policy import EmploymentStatus

citizen_option = click.option("--citizen", "reference", required=True, metavar="REF", help="Reference of the account.")


@click.command("explain")
@citizen_option
@click.option("--run", "run_id", type=int, metavar="RUN", help="What this run gave.")
@click.option("--scheme", "scheme_code", help="Or what a run of today would give: the scheme,")
@click.option("--credit", "credit_code", help="its credit,")
@click.option("--period", help="and the period.")
@token_option
@json_option
def explain(
    reference: str,
    run_id: int | None,
    scheme_code: str | None,
    credit_code: str | None,
    period: str | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Explain an amount step by step: the facts used, each rule with its law, the result.

    \b
    Example:
      ila allocations explain --citizen 3v8kq0m2zr5n9c1x7d4t6w8hjb --run 2027000000000041
      ila allocations explain --citizen 3v8kq0m2zr5n9c1x7d4t6w8hjb --scheme eu_model --credit yearly --period 2028
    """
    from ila import allocations

    planned = (scheme_code, credit_code, period)
    if (run_id is None) == (None in planned) or (run_id is not None and any(planned)):
        raise click.UsageError("Name a run with --run, or all of --scheme, --credit and --period.")
    with open_context("job") as context:
        citizen_id = _citizen(context, reference, token_file)
        with context.read_sessions() as session:
            if run_id is not None:
                explained = allocations.explain(session, citizen_id, run_id)
            else:
                assert scheme_code is not None
                assert credit_code is not None
                assert period is not None
                parameters = _parameters(context, scheme_code)
                explained = allocations.explain_planned(
                    session, citizen_id, parameters, credit_code=credit_code, period=period
                )
    output.emit(views.explanation_json(explained), as_json, lambda: views.show_explanation(explained))


@click.command("request")
@citizen_option
@click.option("--scheme", "scheme_code", required=True, help="Code of the scheme.")
@click.option("--credit", "credit_code", required=True, help="Credit of the scheme, one that is given on request.")
@token_option
@json_option
def request(reference: str, scheme_code: str, credit_code: str, token_file: Path | None, as_json: bool) -> None:
    """Give a citizen a credit that the scheme gives when asked, once a period; explain the amount.

    \b
    Example:
      ila allocations request --citizen 3v8kq0m2zr5n9c1x7d4t6w8hjb --scheme lt_kursuok --credit yearly
    """
    from ila import allocations, citizens, clock

    with open_context("job") as context:
        parameters = _parameters(context, scheme_code)
        with context.sessions.begin() as session:
            actor = actor_of(session, token_file)
            citizen_id = citizens.citizen_id_of(session, reference)
        with context.sessions.begin() as session:
            facts_no = allocations.pin_facts(session)
        with context.sessions.begin() as session:
            run_id = allocations.request_credit(
                session,
                actor,
                citizen_id,
                parameters,
                credit_code=credit_code,
                facts_no=facts_no,
                now=clock.now(),
                today=clock.today(parameters.time_zone),
            )
            explained = allocations.explain(session, citizen_id, run_id)
    output.emit(views.explanation_json(explained), as_json, lambda: views.show_explanation(explained))


@click.command("forecast")
@citizen_option
@click.option("--scheme", "scheme_code", required=True, help="Code of the scheme.")
@click.option("--credit", "credit_code", required=True, help="Credit of the scheme.")
@click.option("--years", type=click.IntRange(1, 60), help="How far ahead; default: forecast_years.")
@click.option("--spend", default="0", metavar="AMOUNT", help="Assume that so much is used each year, in the unit.")
@click.option("--status", help="Assume this employment status from now on.")
@click.option("--income", metavar="AMOUNT", help="Assume this income a year from now on.")
@click.option("--qualification", type=click.IntRange(0, 8), help="Assume this level from now on.")
@click.option("--need", "needs_added", multiple=True, help="Assume that this need holds from now on; may be repeated.")
@click.option("--without-need", "needs_ended", multiple=True, help="Assume that this need ends; may be repeated.")
@token_option
@json_option
def forecast(
    reference: str,
    scheme_code: str,
    credit_code: str,
    years: int | None,
    spend: str,
    status: str | None,
    income: str | None,
    qualification: int | None,
    needs_added: tuple[str, ...],
    needs_ended: tuple[str, ...],
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Look ahead: expected credits and expiries, the day the ceiling is met, under assumptions that you give.

    \b
    Example:
      ila allocations forecast --citizen 3v8kq0m2zr5n9c1x7d4t6w8hjb --scheme eu_model --credit yearly --spend 200.00
    """
    from ila import allocations, clock
    from ila.allocations import Assumptions

    with open_context("job") as context:
        parameters = _parameters(context, scheme_code)
        _require_needs(parameters, needs_added + needs_ended)
        assumptions = Assumptions(
            years=years or context.settings.forecast_years,
            spent_minor_a_year=_minor(spend, parameters.minor_units, "--spend"),
            employment_status=_status(status) if status else None,
            income_minor=None if income is None else _minor(income, 2, "--income"),
            qualification_level=qualification,
            needs_added=frozenset(needs_added),
            needs_ended=frozenset(needs_ended),
        )
        citizen_id = _citizen(context, reference, token_file)
        with context.read_sessions() as session:
            found = allocations.forecast(
                session,
                citizen_id,
                parameters,
                credit_code=credit_code,
                today=clock.today(parameters.time_zone),
                assumptions=assumptions,
            )
    output.emit(views.forecast_json(found), as_json, lambda: views.show_forecast(found))


def _citizen(context: Context, reference: str, token_file: Path | None) -> int:
    """Return the account's internal id, for somebody who may read it."""
    from ila import access, citizens

    with context.sessions.begin() as session:
        actor = actor_of(session, token_file)
        citizen_id = citizens.citizen_id_of(session, reference)
        access.require(actor, access.Permission.READ_OWN_ACCOUNT, citizen_id=citizen_id)
    return citizen_id


def _parameters(context: Context, scheme_code: str) -> "ParameterSet":
    from ila.schemes.loader import load_scheme

    return load_scheme(context.settings.scheme_directory / scheme_code)


def _minor(text: str, minor_units: int, option: str) -> int:
    from decimal import InvalidOperation

    from ila.money import minor_from_text

    try:
        amount_minor = minor_from_text(text, minor_units)
    except (ValueError, OverflowError, InvalidOperation):
        raise click.UsageError(f"{option} is an amount such as 200.00, with at most {minor_units} decimals.") from None
    if amount_minor < 0:
        raise click.UsageError(f"{option} is zero or more.")
    return amount_minor


def _status(text: str) -> "EmploymentStatus":
    from ila.schemes.policy import EmploymentStatus

    try:
        return EmploymentStatus(text)
    except ValueError:
        raise click.UsageError(f"--status is one of {', '.join(EmploymentStatus)}.") from None


def _require_needs(parameters: "ParameterSet", criteria: tuple[str, ...]) -> None:
    unknown = sorted(set(criteria) - parameters.criteria)
    if unknown:
        known = ", ".join(sorted(parameters.criteria)) or "none"
        raise click.UsageError(f"{parameters.code} knows no need {', '.join(unknown)}; it knows {known}.")
