"""`ila ledger`: prove that every cent is accounted for, read the books, export them, give a fund its money."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ila.cli import ledger_views as views
from ila.cli import output
from ila.cli.context import Context, actor_of, json_option, open_context, token_option
from ila.cli.failures import REFUSED
from ila.cli.progress import Progress
from ila.errors import Invalid

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ila.ledger import Part
    from ila.ledger.checks import Pass, PassResult
    from ila.schemes import Fund, Scheme
    from ila.schemes.parameters import ParameterSet

DAY = click.DateTime(["%Y-%m-%d"])
FORMAT_NAMES = ("beancount", "hledger", "csv")

scheme_option = click.option("--scheme", "scheme_code", help="Of this scheme alone, such as eu_model.")
until_option = click.option("--until", type=DAY, help="Only what counts on or before this day.")


@click.group("ledger")
def commands() -> None:
    """Check the ledger, show trial balance and statements, export, appropriate.

    \b
    Examples:
      ila ledger check
      ila ledger trial-balance --scheme eu_model
      ila ledger export --format beancount --period 2027 -o 2027.beancount
    """


@commands.command("check")
@click.option("--pass", "names", multiple=True, help="Only this pass; may be given several times.")
@json_option
def check(names: tuple[str, ...], as_json: bool) -> int:
    """Prove what must hold for everything stored, pass by pass, on one snapshot of the database.

    Ends with 1 when anything is wrong, and names the first offenders of each check. Nothing is changed, and the
    platform may be used meanwhile.

    \b
    Examples:
      ila ledger check
      ila ledger check --pass balances --pass runs --json
    """
    from ila.ledger import checks

    chosen = _passes(names)
    results: list[PassResult] = []
    with (
        open_context("job", snapshot=True) as context,
        context.read_sessions() as session,
        Progress("ledger check", total=len(chosen), unit="passes") as progress,
    ):

        def tell(each: "Pass", done: int, steps: int) -> None:
            progress.update(len(results), label=f"{each.name} {done}/{steps}")

        for result in checks.run(session, chosen, on_progress=tell):
            results.append(result)
            progress.update(len(results), label="ledger check")
    output.emit(views.check_json(results), as_json, lambda: views.show_check(results))
    return 0 if all(result.clean for result in results) else REFUSED


def _passes(names: tuple[str, ...]) -> "list[Pass]":
    from ila.ledger import checks

    known = {each.name: each for each in checks.PASSES}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise Invalid(f"There is no pass {unknown[0]!r}; there are {', '.join(known)}.", name=unknown[0])
    return [each for each in checks.PASSES if not names or each.name in names]


@commands.command("trial-balance")
@scheme_option
@until_option
@json_option
def trial_balance(scheme_code: str | None, until: datetime | None, as_json: bool) -> int:
    """Show what went into and out of every account, and that it adds up to zero in each scheme.

    Accounts of citizens are shown as one sum. Ends with 1 if a scheme does not add up.

    \b
    Example:
      ila ledger trial-balance --scheme eu_model --until 2027-12-31
    """
    from ila import ledger, schemes

    with open_context("job", snapshot=True) as context, context.read_sessions() as session:
        _no_time_limit(session)
        known = schemes.all_schemes(session)
        scheme_id = schemes.scheme_of_code(session, scheme_code).scheme_id if scheme_code else None
        totals = ledger.trial_balance(session, scheme_id=scheme_id, effective_until=_day(until))
        sheet = views.trial_balance_sheet(totals, known, _funds(session, known))
    output.emit(sheet, as_json, lambda: views.show_trial_balance(sheet))
    return 0 if all(each.balances for each in sheet) else REFUSED


@commands.command("statement")
@click.argument("reference", metavar="REF")
@scheme_option
@until_option
@json_option
def statement(reference: str, scheme_code: str | None, until: datetime | None, as_json: bool) -> None:
    """Show every line of the account REF with the balance after it. REF is the account's public reference.

    \b
    Example:
      ila ledger statement 3v8kq0m2zr5n9c1x7d4t6w8hjb
    """
    from ila import citizens, ledger, schemes

    with open_context("job", snapshot=True) as context, context.read_sessions() as session:
        scheme_id = schemes.scheme_of_code(session, scheme_code).scheme_id if scheme_code else None
        lines = ledger.statement(
            session,
            citizens.citizen_id_of(session, reference),
            scheme_id=scheme_id,
            effective_until=_day(until),
        )
        shown = views.statement_lines(lines, schemes.all_schemes(session))
    output.emit(shown, as_json, lambda: views.show_statement(reference, shown))


@commands.command("export")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), required=True)
@click.option("--citizen", "reference", help="Every line of the account with this public reference.")
@click.option("--fund", "fund_name", metavar="SCHEME/FUND", help="Every line of a fund, such as eu_model/national.")
@click.option("--period", type=click.IntRange(1990, 2199), help="Everything booked in a year, with opening balances.")
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="File to write; default: the terminal.")
def export(
    format_name: str, reference: str | None, fund_name: str | None, period: int | None, target: Path | None
) -> None:
    """Write the journal of a citizen, a fund or a year as text that another program can check.

    A year or a fund with more lines than text tools bear is summed by day or by month; the file says so. The same
    books give the same bytes.

    \b
    Examples:
      ila ledger export --format beancount --citizen 3v8kq0m2zr5n9c1x7d4t6w8hjb -o account.beancount
      ila ledger export --format csv --period 2027 -o 2027.csv
    """
    from ila import ledger, schemes
    from ila.ledger.document import FORMATS, Line

    if sum(given is not None for given in (reference, fund_name, period)) != 1:
        raise click.UsageError("Name what to export with one of --citizen, --fund and --period.")
    with open_context("job", snapshot=True) as context, context.read_sessions() as session:
        _no_time_limit(session)
        known = schemes.all_schemes(session)
        part, title = _part(session, reference, fund_name, period)
        detail = ledger.export_detail(session, part)
        header = views.export_header(part, title, detail)
        names = views.export_names(known, _funds(session, known))
        with _opened(target) as file, Progress("export", unit="lines") as progress:

            def counted(lines: Iterator[Line]) -> Iterator[Line]:
                for line in lines:
                    yield line
                    progress.advance(line.lines)

            lines = counted(ledger.export_lines(session, part, detail))
            for written in FORMATS[format_name](header, names, ledger.export_openings(session, part), lines):
                file.write(written)


def _part(session: "Session", reference: str | None, fund_name: str | None, period: int | None) -> tuple["Part", str]:
    from ila import citizens
    from ila.ledger import Part

    if reference is not None:
        return Part(citizen_id=citizens.citizen_id_of(session, reference)), f"Account {reference}"
    if fund_name is not None:
        scheme, fund = _fund(session, fund_name)
        return Part(fund_id=fund.fund_id), f"Fund {scheme.code}/{fund.code}"
    return Part(period=period), f"Booked in {period}"


@contextlib.contextmanager
def _opened(target: Path | None) -> Iterator[TextIO]:
    """Open the file to write, or standard output. A file appears whole or not at all; line ends are the format's."""
    if target is None:
        sys.stdout.flush()
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as file:
            yield file
        return
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        partial.replace(target)
    except OSError as error:
        raise Invalid(f"{target} cannot be written: {error.strerror}.", path=str(target)) from None
    finally:
        partial.unlink(missing_ok=True)


@commands.command("appropriate")
@click.option("--fund", "fund_name", metavar="SCHEME/FUND", required=True, help="Such as eu_model/national.")
@click.option("--amount", required=True, help="In the scheme's unit, with a point: 1000000.00.")
@click.option("--reference", required=True, help="The law or decision that gives the money.")
@click.option("--effective-on", type=DAY, help="The day it counts; default: today.")
@token_option
@json_option
def appropriate(
    fund_name: str,
    amount: str,
    reference: str,
    effective_on: datetime | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Give a fund money from outside under a legal reference. The same reference and amount again adds nothing.

    \b
    Example:
      ila ledger appropriate --fund eu_model/national --amount 1000000.00 --reference "Budget Act 2027, art. 12"
    """
    from ila import audit, clock, ledger, schemes
    from ila.access.rules import Permission, require

    now = clock.now()
    with open_context("job") as context:
        scheme_code = _codes(fund_name)[0]
        parameters = _parameters(context, scheme_code)
        with context.sessions.begin() as session:
            actor = actor_of(session, token_file)
            require(actor, Permission.MANAGE_FUNDS)
            schemes.register_parameter_set(session, parameters, now=now)
            scheme, fund = _fund(session, fund_name)
            amount_minor = _amount(amount, scheme)
            is_new = ledger.appropriation_of(session, fund.fund_id, reference) is None
            appropriation_id = ledger.appropriate(
                session,
                actor_id=actor.actor_id,
                fund_id=fund.fund_id,
                scheme_id=scheme.scheme_id,
                amount_minor=amount_minor,
                reference=reference,
                effective_on=_day(effective_on) or clock.today(scheme.time_zone),
                parameter_digest=parameters.digest,
                now=now,
            )
            if is_new:
                facts = {"appropriation_id": appropriation_id, "amount_minor": amount_minor, "reference": reference}
                audit.record(session, actor, "fund.appropriated", "fund", fund.fund_id, now=now, **facts)
            available_minor = ledger.fund_available(session, fund.fund_id) if fund.limited else None
    given = views.appropriation(appropriation_id, scheme, fund, amount_minor, reference, available_minor)
    output.emit(given, as_json, lambda: views.show_appropriation(given))


def _parameters(context: Context, scheme_code: str) -> "ParameterSet":
    from ila.schemes.loader import load_scheme

    directory = context.settings.scheme_directory / scheme_code
    if not directory.is_dir():
        raise Invalid(f"There is no scheme {scheme_code!r} in {context.settings.scheme_directory}.", code=scheme_code)
    return load_scheme(directory)


def _amount(text: str, scheme: "Scheme") -> int:
    from decimal import InvalidOperation

    from ila.money import minor_from_text

    try:
        amount_minor = minor_from_text(text, scheme.minor_units)
    except (InvalidOperation, ValueError, OverflowError):
        amount_minor = 0
    if not 0 < amount_minor < 2**63:
        raise Invalid(
            f"{text!r} is no amount of {scheme.unit}: write it with a point and at most {scheme.minor_units} decimals.",
            amount=text,
        )
    return amount_minor


def _codes(fund_name: str) -> tuple[str, str]:
    scheme_code, slash, fund_code = fund_name.partition("/")
    if not (scheme_code and slash and fund_code) or "/" in fund_code:
        raise Invalid(f"{fund_name!r} names no fund; write SCHEME/FUND, such as eu_model/national.", fund=fund_name)
    return scheme_code, fund_code


def _fund(session: "Session", fund_name: str) -> "tuple[Scheme, Fund]":
    from ila import schemes

    scheme_code, fund_code = _codes(fund_name)
    scheme = schemes.scheme_of_code(session, scheme_code)
    return scheme, schemes.fund_of_code(session, scheme, fund_code)


def _funds(session: "Session", known: "Sequence[Scheme]") -> "list[Fund]":
    from ila import schemes

    return [fund for scheme in known for fund in schemes.funds_of(session, scheme.scheme_id)]


def _no_time_limit(session: "Session") -> None:
    """Let a report that reads the whole journal take its time."""
    from sqlalchemy import text

    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text("SET LOCAL work_mem = '128MB'"))


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()
