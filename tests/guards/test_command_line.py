"""Every verb can be found, explains itself with an example, and costs nothing until it is used."""

import importlib
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from ila.cli import VERBS


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the verbs that do something, below a group."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves(below, f"{path} {name}")
    else:
        yield path, command


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_of_the_table_has_its_module(verb: str) -> None:
    module, line = VERBS[verb]

    commands = importlib.import_module(module).commands

    assert isinstance(commands, click.Command)
    assert line.endswith(".")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself_with_an_example(verb: str) -> None:
    for path, command in leaves(importlib.import_module(VERBS[verb][0]).commands, f"ila {verb}"):
        context = click.Context(command, info_name=path)
        text = command.get_help(context)
        assert "Example" in text, f"{path} --help shows no example"
        assert path in text.partition("Example")[2], f"the example of {path} does not use it"


def test_help_imports_neither_the_database_nor_the_web() -> None:
    program = (
        "import sys; sys.argv = ['ila', '--help']\n"
        "from ila.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('sqlalchemy', 'psycopg', 'flask', 'alembic', 'rich') if name in sys.modules])"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.splitlines()[-1] == "[]"
