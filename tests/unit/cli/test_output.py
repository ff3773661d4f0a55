"""Results are JSON for scripts and tables for people; tokens come from a file or a variable."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ila.cli import context, output
from ila.errors import Invalid


@dataclass(frozen=True, slots=True)
class Line:
    amount_minor: int
    weight: Decimal
    expires_on: date
    recorded_at: datetime
    digest: bytes


LINE = Line(500_00, Decimal("1.60"), date(2028, 12, 31), datetime(2027, 1, 4, 9, tzinfo=UTC), b"\x9f\x3c")


def test_json_keeps_amounts_whole_and_decimals_exact() -> None:
    assert json.loads(output.as_json_text({"lines": [LINE]})) == {
        "lines": [
            {
                "amount_minor": 50000,
                "weight": "1.60",
                "expires_on": "2028-12-31",
                "recorded_at": "2027-01-04T09:00:00+00:00",
                "digest": "9f3c",
            }
        ]
    }


def test_emit_writes_for_one_reader_only(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit({"count": 1}, True, lambda: output.say("one"))
    for_scripts = capsys.readouterr().out
    output.emit({"count": 1}, False, lambda: output.say("one"))
    for_people = capsys.readouterr().out

    assert json.loads(for_scripts) == {"count": 1}
    assert for_people == "one\n"


def test_a_table_writes_brackets_as_they_are_and_groups_digits(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["what", "count"], [["[bold]x[/bold]", 1234567], [None, 5]], right=["count"])

    written = capsys.readouterr().out
    assert "[bold]x[/bold]" in written
    assert "1,234,567" in written


def test_a_token_comes_from_the_file_that_is_named_else_from_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text("ila_fromfile\n")
    monkeypatch.setenv("ILA_TOKEN", " ila_fromvariable ")

    assert context.token_text(file) == "ila_fromfile"
    assert context.token_text(None) == "ila_fromvariable"


def test_without_a_token_the_way_to_give_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ILA_TOKEN", raising=False)

    with pytest.raises(context.NoToken, match="set ILA_TOKEN, or name a file"):
        context.token_text(None)


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe\x00"])
def test_a_file_that_holds_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)

    with pytest.raises(Invalid, match="token file"):
        context.token_text(file)


def test_a_token_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="absent cannot be read: No such file or directory"):
        context.token_text(tmp_path / "absent")
