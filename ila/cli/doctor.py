"""`ila doctor`: look for what would go wrong, before it does."""

import click

from ila.cli import findings, output
from ila.cli.context import json_option, load_settings
from ila.cli.failures import DONE, REFUSED
from ila.cli.findings import Verdict

_MARKS = {Verdict.OK: "ok", Verdict.WARNING: "warning", Verdict.REFUSED: "REFUSED"}


@click.command(epilog="Example:  ila doctor --json")
@json_option
def commands(as_json: bool) -> int:
    """Check settings, keys, PostgreSQL, roles, schema and clock; say what is wrong and what to do.

    Ends with 1 where something must be put right before people are served; warnings alone end with 0.
    """
    found = findings.all_findings(load_settings())

    def render() -> None:
        output.table(["", "what", "finding"], [[_MARKS[each.verdict], each.subject, each.sentence] for each in found])

    output.emit(found, as_json, render)
    return REFUSED if any(each.verdict is Verdict.REFUSED for each in found) else DONE
