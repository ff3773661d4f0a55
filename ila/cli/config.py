"""`ila config`: the settings in force, where each was made, and their documentation."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ila import settings
from ila.cli import output
from ila.cli.context import json_option, load_settings

_VALUE = re.compile(r"(?P<name>\w+) = (?P<default>.*?)\s+# (?P<unit>.+)")
_SECTION = re.compile(r"# --- (?P<title>.+) ---")


@dataclass(frozen=True, slots=True)
class Documented:
    """One setting as `config/defaults.toml` explains it."""

    section: str
    name: str
    default: str
    unit: str
    meaning: str


def documented(defaults: Path = settings.CONFIG_DIRECTORY / "defaults.toml") -> list[Documented]:
    """Return the settings in the order of the file, with what the comments around each say."""
    found: list[Documented] = []
    section = ""
    comment: list[str] = []
    for line in defaults.read_text(encoding="utf-8").splitlines():
        if heading := _SECTION.fullmatch(line):
            section, comment = heading["title"], []
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        elif value := _VALUE.fullmatch(line):
            found.append(Documented(section, value["name"], value["default"], value["unit"], " ".join(comment)))
            comment = []
        else:
            comment = []
    return found


def markdown() -> str:
    """Return `docs/settings.md`."""
    lines = [
        "# Settings",
        "",
        "Made by `make golden` from `config/defaults.toml`, which is the complete list; do not edit.",
        "",
        "A value comes from the last of these that has it: `config/defaults.toml`; `config/<env>.toml`; the variable",
        "`ILA_<NAME>` of the environment. Secrets stand in no file of the project: set the variable, or set",
        "`ILA_<NAME>_FILE` to the path of a file that holds the value. An unknown setting or variable stops the",
        "program, which names the nearest known one; all faults are told at once. `ila config show` tells what is in",
        "force and where it was made.",
    ]
    section = ""
    for setting in documented():
        if setting.section != section:
            section = setting.section
            lines += ["", f"## {section}", "", "| Variable | Default | Unit | Meaning |", "|---|---|---|---|"]
        default = setting.default.strip('"') or "(empty)"
        lines.append(f"| `ILA_{setting.name.upper()}` | `{default}` | {setting.unit} | {setting.meaning} |")
    lines += ["", "## Variables that are no settings", "", "| Variable | Meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in settings.OTHER_VARIABLES.items()]
    return "\n".join(lines) + "\n"


def in_force(loaded: settings.Settings) -> list[dict[str, Any]]:
    """Return each setting with its value, secrets masked, and where it was made."""
    return [
        {"setting": name, "value": _shown(name, getattr(loaded, name)), "origin": loaded.origins[name]}
        for name in settings.NAMES
    ]


def _shown(name: str, value: Any) -> Any:
    if name in settings.SECRETS:
        return "(set)" if value else "(not set)"
    return str(value) if isinstance(value, Path) else value


@click.group()
def commands() -> None:
    """Show the settings in force and where each was made."""


@commands.command(epilog="Example:  ILA_PORT=9000 ila config show")
@json_option
def show(as_json: bool) -> None:
    """Show every setting, its value, and where it was made; secrets are only said to be set."""
    rows = in_force(load_settings())
    output.emit(
        rows,
        as_json,
        lambda: output.table(
            ["setting", "value", "made in"], [[row["setting"], str(row["value"]), row["origin"]] for row in rows]
        ),
    )


@commands.command(epilog="Example:  ila config docs > docs/settings.md")
def docs() -> None:
    """Write the documentation of all settings, as Markdown."""
    click.echo(markdown(), nl=False)
