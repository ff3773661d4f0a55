"""How the command line ends: one sentence and a documented exit code, never a stack trace for a user's mistake."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

import ila.cli
from ila.cli import failures
from ila.errors import Conflict, Invalid, TryAgain
from ila.settings import ROOT, InvalidSettings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Exception | type[BaseException], list[str]], tuple[int, str, str]]:
    """Run `ila try` where the verb raises what the test says; return exit code, output and errors."""

    def run_raising(error: Exception | type[BaseException], arguments: list[str]) -> tuple[int, str, str]:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def verb(as_json: bool) -> None:
            raise error

        monkeypatch.setattr(ila.cli.Verbs, "get_command", lambda *_: verb)
        monkeypatch.delenv("ILA_DEBUG", raising=False)
        with pytest.raises(SystemExit) as ended:
            ila.cli.main(["try", *arguments])
        written = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, written.out, written.err

    return run_raising


def lost(sqlstate: str | None) -> psycopg.Error:
    error = psycopg.errors.lookup(sqlstate)("gone\nDETAIL: a row") if sqlstate else psycopg.OperationalError("refused")
    assert isinstance(error, psycopg.Error)
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Conflict("The year is allocated."), failures.REFUSED),
        (Invalid("The file is empty."), failures.REFUSED),
        (TryAgain("Busy."), failures.UNREACHABLE),
        (InvalidSettings(["port is wrong"]), failures.BAD_SETTINGS),
        (OperationalError("SELECT 1", {}, lost(None)), failures.UNREACHABLE),
        (lost("57P03"), failures.UNREACHABLE),
        (lost("57014"), failures.UNREACHABLE),
        (lost("53100"), failures.UNREACHABLE),
        (lost("40P01"), failures.UNREACHABLE),
        (lost("42P01"), failures.REFUSED),
        (lost("42501"), failures.REFUSED),
        (PoolTimeout(), failures.UNREACHABLE),
        (ZeroDivisionError("division by zero"), failures.DEFECT),
        (lost("23514"), failures.DEFECT),
        (KeyboardInterrupt, failures.INTERRUPTED),
    ],
)
def test_every_failure_is_one_sentence_and_an_exit_code(run: Run, error: Exception, code: int) -> None:
    ended, written, said = run(error, [])

    assert ended == code
    assert written == ""
    assert said.strip().startswith("ila: ")
    assert "Traceback" not in said
    assert "a row" not in said


def test_a_refusal_is_told_to_scripts_as_json(run: Run) -> None:
    ended, written, said = run(Conflict("The year is allocated.", year=2027, path=Path("here")), ["--json"])

    assert ended == failures.REFUSED
    assert said == ""
    assert json.loads(written) == {
        "problem": {"code": "conflict", "detail": "The year is allocated.", "facts": {"year": 2027, "path": "here"}}
    }


def ila_command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("ILA_") or name == "ILA_DATA_DIRECTORY"
    }
    return subprocess.run(
        [sys.executable, "-m", "ila", *arguments], cwd=ROOT, env=kept | variables, capture_output=True, text=True
    )


def test_a_command_that_is_not_understood_ends_with_2() -> None:
    answer = ila_command("serv")

    assert answer.returncode == 2
    assert "No such command 'serv'" in answer.stderr


def test_help_documents_every_exit_code() -> None:
    names = ("DONE", "REFUSED", "USAGE", "DEFECT", "UNREACHABLE", "BAD_SETTINGS", "INTERRUPTED")

    text = ila_command("--help").stdout

    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for code in (getattr(failures, name) for name in names):
        assert re.search(rf"^ +{code} +\w", text, re.MULTILINE), code
        assert f"| {code} |" in page


def test_settings_that_cannot_be_used_end_with_5() -> None:
    answer = ila_command("config", "show", ILA_PORT="0")

    assert answer.returncode == 5
    assert "port is 0 (from ILA_PORT)" in answer.stderr


def test_a_database_that_is_not_there_ends_with_4(tmp_path: Path) -> None:
    answer = ila_command("db", "info", ILA_DATABASE_URL=f"postgresql://ila_app@/ila?host={tmp_path}")

    assert answer.returncode == 4
    assert "The database cannot be reached" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_the_trace_of_an_error_is_shown_to_who_asks(tmp_path: Path) -> None:
    url = f"postgresql://ila_app@/ila?host={tmp_path}"

    assert "Traceback" in ila_command("db", "info", ILA_DATABASE_URL=url, ILA_DEBUG="1").stderr


def test_settings_are_shown_with_their_place_and_secrets_masked() -> None:
    answer = ila_command(
        "config", "show", "--json", ILA_PORT="9000", ILA_DATABASE_URL="postgresql://ila:hunter2@db/ila"
    )

    rows = {row["setting"]: row for row in json.loads(answer.stdout)}
    assert rows["port"] == {"setting": "port", "value": 9000, "origin": "ILA_PORT"}
    assert rows["database_url"]["value"] == "(set)"
    assert rows["encryption_key"]["value"] == "(not set)"
    assert "hunter2" not in answer.stdout
