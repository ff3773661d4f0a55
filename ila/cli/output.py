"""How results are written: JSON for scripts, or tables and sentences for people, always on standard output."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from typing import Any

import click
import orjson

WIDTH_WITHOUT_TERMINAL = 160
_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS


def emit(data: Any, as_json: bool, render: Callable[[], None]) -> None:
    """Write `data` as JSON, or let `render` write it for people."""
    if as_json:
        click.echo(as_json_text(data))
    else:
        render()


def as_json_text(data: Any) -> str:
    """Return JSON: dataclasses as objects, days and instants as ISO 8601, decimals as text."""
    return orjson.dumps(data, default=_plain, option=_OPTIONS).decode()


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", right: Sequence[str] = ()
) -> None:
    """Write a table; the columns named in `right` are aligned to the right, as numbers are."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL, highlight=False)
    made = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    console.print(made)


def say(sentence: str) -> None:
    """Write one sentence for people."""
    click.echo(sentence)


def warn(sentence: str) -> None:
    """Write one sentence to standard error."""
    click.echo(f"ila: {sentence}", err=True)


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(str(value))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)
