"""Logs are one line each, carry the request, and no personal data, not even in the trace of an error."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from ila import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the logging of the test process as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logs.clear()
    structlog.reset_defaults()


def test_a_line_names_the_request_and_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json", service="ila of Sealand")
    logs.bind(request_id="r-1", actor_id=7)

    structlog.get_logger("ila.test").info("run approved", allocation_run_id=2027)

    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "run approved"
    assert (line["request_id"], line["actor_id"], line["allocation_run_id"]) == ("r-1", 7, 2027)
    assert (line["service"], line["level"], line["logger"]) == ("ila of Sealand", "info", "ila.test")


def test_lines_of_libraries_have_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning", "json", service="ila")

    logging.getLogger("some.library").warning("cannot %s", "connect")
    logging.getLogger("some.library").info("not important")

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "cannot connect"


@pytest.mark.parametrize("form", ["json", "console"])
def test_values_with_personal_names_are_cut_out(capsys: pytest.CaptureFixture[str], form: str) -> None:
    logs.configure("info", form, service="ila")

    structlog.get_logger("ila.test").info("imported", name="Ann Bell", born_on="1980-02-29", rows=3)

    written = capsys.readouterr().err
    assert "rows" in written
    assert "Ann Bell" not in written
    assert "1980" not in written


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_trace_of_a_database_error_quotes_no_row(capsys: pytest.CaptureFixture[str], form: str) -> None:
    logs.configure("info", form, service="ila")
    person = "Ann Bell"

    try:
        raise RuntimeError(f"duplicate key\nDETAIL:  Key (name)=({person}) exists.\n[parameters: {{'n': '{person}'}}]")
    except RuntimeError:
        structlog.get_logger("ila.test").exception("failed")

    written = capsys.readouterr().err
    assert "duplicate key" in written
    assert "Ann Bell" not in written
