"""Progress says count, rate and time left, on a terminal and off it, and never on standard output."""

import os
import pty
import subprocess
import sys

import pytest

from ila.cli import progress
from ila.cli.progress import Progress
from ila.settings import ROOT


def test_off_a_terminal_a_plain_line_now_and_then_has_all_facts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 6.0, 6.0, 6.0, 6.0, 7.0, 20.0, 20.0])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds, 20.0))

    with Progress("importing", total=1000, unit="rows") as shown:
        shown.advance(250)
        shown.update(400)
        shown.update(1000)

    written = capsys.readouterr()
    assert written.out == ""
    first, *_, last = written.err.splitlines()
    assert first == "importing: 250 of 1,000 rows, 41 rows/s, 18 s left"
    assert last == "importing: 1,000 of 1,000 rows, 50 rows/s in 20 s"


def test_an_unknown_total_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("reading", unit="entries") as shown:
        shown.advance(3)

    assert shown.left_s() is None
    assert capsys.readouterr().err.startswith("reading: 3 entries, ")


def test_work_that_fails_claims_no_end(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with Progress("importing", total=2) as shown:
            shown.advance()
            raise ValueError("bad row")

    with pytest.raises(ValueError, match="bad row"):
        work()

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3600 * 2 + 120, "2 h 02 min")]
)
def test_durations_are_told_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert progress._duration(seconds) == words


def test_on_a_terminal_a_bar_is_drawn_on_standard_error() -> None:
    program = (
        "from ila.cli.progress import Progress\n"
        "with Progress('importing', total=10, unit='rows') as shown:\n"
        "    for _ in range(10): shown.advance()\n"
    )
    terminal, other_end = pty.openpty()

    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=other_end,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm"},
    )
    os.close(other_end)
    drawn = os.read(terminal, 65536).decode()
    os.close(terminal)

    assert answer.stdout == b""
    assert "importing" in drawn
    assert "10/10" in drawn
    assert "rows/s" in drawn
