"""`ila schemes`: look at the rules, check them and their cases, and register them."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ila.cli import output
from ila.cli.context import actor_of, json_option, load_settings, open_context, token_option
from ila.cli.failures import REFUSED

if TYPE_CHECKING:
    from ila.schemes.parameters import ParameterSet

DAY = click.DateTime(["%Y-%m-%d"])

on_option = click.option("--on", type=DAY, help="As it is on this day; default: today in the scheme's zone.")
credit_option = click.option("--credit", "credit_code", help="For this credit of the scheme.")


@click.group("schemes")
def commands() -> None:
    """Look at the rules of schemes, check them, and register them.

    \b
    Example:
      ila schemes check
      ila schemes value eu_model base_amount --credit yearly --on 2027-01-01
    """


@commands.command("list")
@json_option
def list_schemes(as_json: bool) -> None:
    """List the schemes of the scheme directory.

    \b
    Example:
      ila schemes list
    """
    from ila.schemes.loader import load_all

    found = load_all(load_settings().scheme_directory)
    rows = [_summary(each) for each in found]
    output.emit(
        rows,
        as_json,
        lambda: output.table(
            ["Scheme", "Title", "Unit", "From", "Until", "Credits", "Digest"],
            [
                [row["scheme"], row["title"], row["unit"], row["first_on"], row["last_on"], ", ".join(row["credits"]),
                 row["digest"][:16]]
                for row in rows
            ],
        ),
    )  # fmt: skip


@commands.command("show")
@click.argument("scheme_code", metavar="SCHEME")
@credit_option
@on_option
@json_option
def show(scheme_code: str, credit_code: str | None, on: datetime | None, as_json: bool) -> None:
    """Show every value in force on a day, with the law behind it.

    \b
    Example:
      ila schemes show fr_cpf --credit employee --on 2026-12-31
    """
    from ila.schemes.parameters import NoValueInForce
    from ila.schemes.values import value_json

    parameters = _parameters(scheme_code)
    day = _day(on, parameters)
    rules = parameters.on(day, credit_code or parameters.credit_codes[0])
    rows: list[dict[str, Any]] = []
    for name in rules.names():
        try:
            value = rules.value_or_none(name)
        except NoValueInForce:
            continue
        if value is not None:
            rows.append(_row(parameters, rules.credit_code, name, value_json(value), rules.citation(name)))
    for criterion, dated in rules.needs():
        titles = "; ".join(reference.title for reference in dated.references)
        rows.append(_row(parameters, rules.credit_code, f"needs.{criterion}", value_json(dated.value), titles))
    data = {**_summary(parameters), "on": day, "credit": rules.credit_code, "values": rows}
    output.emit(
        data,
        as_json,
        lambda: output.table(
            ["Parameter", "Value", "Law"],
            [[row["name"], row["shown"], row["reference"]] for row in rows],
            title=f"{parameters.title}, {rules.credit_code}, on {day}",
        ),
    )


@commands.command("value")
@click.argument("scheme_code", metavar="SCHEME")
@click.argument("name", metavar="PARAMETER")
@credit_option
@on_option
@json_option
def value(scheme_code: str, name: str, credit_code: str | None, on: datetime | None, as_json: bool) -> None:
    """Show one value on a day. Before its first day there is none, and that is said.

    \b
    Example:
      ila schemes value eu_model base_amount --credit yearly --on 2027-01-01
    """
    from ila.schemes.values import value_json

    parameters = _parameters(scheme_code)
    day = _day(on, parameters)
    rules = parameters.on(day, credit_code)
    row = _row(parameters, credit_code, name, value_json(rules.value(name)), rules.citation(name))
    data = {"scheme": scheme_code, "on": day, **row}
    output.emit(data, as_json, lambda: output.say(f"{row['shown']}    ({row['reference'] or 'no reference'})"))


@commands.command("check")
@click.argument("scheme_code", metavar="[SCHEME]", required=False)
@json_option
def check(scheme_code: str | None, as_json: bool) -> int:
    """Check the files of all schemes, or of one, and run the cases beside them.

    Every fault names scheme, file, line, key and reason. Ends with 1 if there is any.

    \b
    Example:
      ila schemes check
    """
    results = _checked(load_settings().scheme_directory, scheme_code)
    faults = [fault for result in results for fault in result["faults"]]

    def render() -> None:
        output.table(
            ["Scheme", "Cases", "Faults"],
            [[result["scheme"], result["cases"], len(result["faults"])] for result in results],
            right=["Cases", "Faults"],
        )
        for fault in faults:
            output.say(fault)

    output.emit({"schemes": results, "faults": len(faults)}, as_json, render)
    return REFUSED if faults else 0


@commands.command("register")
@click.argument("scheme_code", metavar="SCHEME")
@token_option
@json_option
def register(scheme_code: str, token_file: Path | None, as_json: bool) -> None:
    """Register a scheme with its funds, and its rules under their digest. A second time changes nothing.

    \b
    Example:
      ila schemes register eu_model
    """
    from ila import clock, schemes
    from ila.access.rules import Permission, require

    parameters = _parameters(scheme_code)
    with open_context("job") as context, context.sessions.begin() as session:
        require(actor_of(session, token_file), Permission.MANAGE_FUNDS)
        scheme = schemes.register_parameter_set(session, parameters, now=clock.now())
        funds = [fund.code for fund in schemes.funds_of(session, scheme.scheme_id)]
    data = {**_summary(parameters), "funds": funds}
    output.emit(data, as_json, lambda: output.say(f"{scheme_code} is registered; its funds are {', '.join(funds)}."))


def _checked(directory: Path, scheme_code: str | None) -> list[dict[str, Any]]:
    """Load each scheme and run its cases; a conversion case looks into the other schemes."""
    from ila.schemes.cases import InvalidCases, load_cases, run_case
    from ila.schemes.loader import InvalidScheme, load_scheme

    loaded: dict[str, ParameterSet] = {}
    results: dict[str, dict[str, Any]] = {}
    folders = sorted(path for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []
    if scheme_code is not None and scheme_code not in {folder.name for folder in folders}:
        folders.append(directory / scheme_code)
    for folder in folders:
        results[folder.name] = {"scheme": folder.name, "cases": 0, "faults": []}
        try:
            loaded[folder.name] = load_scheme(folder)
        except InvalidScheme as invalid:
            results[folder.name]["faults"] += invalid.faults
    for code, parameters in loaded.items():
        if scheme_code not in (None, code):
            continue
        try:
            cases = load_cases(directory / code, parameters)
        except InvalidCases as invalid:
            results[code]["faults"].append(invalid.message)
            continue
        results[code]["cases"] = len(cases)
        for case in cases:
            results[code]["faults"] += [
                f"{code}, case {case.id}: {each}" for each in run_case(parameters, case, loaded)
            ]
    return [result for code, result in results.items() if scheme_code in (None, code)]


def _parameters(scheme_code: str) -> "ParameterSet":
    from ila.schemes.loader import load_scheme

    return load_scheme(load_settings().scheme_directory / scheme_code)


def _day(on: datetime | None, parameters: "ParameterSet") -> date:
    from ila import clock

    return clock.today(parameters.time_zone) if on is None else on.date()


def _summary(parameters: "ParameterSet") -> dict[str, Any]:
    return {
        "scheme": parameters.code,
        "title": parameters.title,
        "unit": parameters.unit,
        "first_on": parameters.first_on.isoformat(),
        "last_on": parameters.last_on.isoformat() if parameters.last_on else None,
        "credits": list(parameters.credit_codes),
        "digest": parameters.digest.hex(),
    }


def _row(
    parameters: "ParameterSet", credit_code: str | None, name: str, stored: Any, reference: str | None
) -> dict[str, Any]:
    """Return a value with its unit: as it is stored (amounts in minor units) and as people read it."""
    parameter = parameters.parameter(name, credit_code)
    unit = parameter.unit if parameter else ""
    return {
        "name": name,
        "unit": unit,
        "value": stored,
        "shown": _shown(stored, unit, parameters),
        "reference": reference,
    }


def _shown(stored: Any, unit: str, parameters: "ParameterSet") -> str:
    from ila.money import decimal_from_minor

    if isinstance(stored, int) and not isinstance(stored, bool) and unit.partition("/")[0] == parameters.unit:
        return f"{decimal_from_minor(stored, parameters.minor_units):,} {unit}"
    if isinstance(stored, dict) and isinstance(stored.get("amount"), int):
        whole = f"{decimal_from_minor(stored['amount'], parameters.minor_units):,} {parameters.unit}"
        return _plain({**stored, "amount": whole})
    return _plain(stored)


def _plain(stored: Any) -> str:
    """Return a value without the tags of its JSON, for people."""
    match stored:
        case {"$decimal": text} | {"$date": text}:
            return str(text)
        case dict():
            return ", ".join(f"{key} {_plain(each)}" for key, each in stored.items() if each is not None)
        case list():
            return "; ".join(_plain(each) for each in stored)
        case _:
            return str(stored)
