"""`ila citizens`: import, look, attest, correct, close and erase at a terminal, and what each refusal says."""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import ila.cli
from ila import access
from ila.access.rules import Role
from tests.conftest import Database

from .files import row, text_of

NAMES = {"anna": Role.ADMINISTRATOR, "otto": Role.AUDITOR}


@dataclass(frozen=True, slots=True)
class Terminal:
    """`ila citizens` for a person with a token."""

    database: Database
    directory: Path
    tokens: dict[str, str]
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str, by: str | None = "anna") -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        if by is None:
            self.monkeypatch.delenv("ILA_TOKEN", raising=False)
        else:
            self.monkeypatch.setenv("ILA_TOKEN", self.tokens[by])
        with pytest.raises(SystemExit) as ended:
            ila.cli.main(["citizens", *arguments])
        written = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, written.out, written.err

    def json(self, *arguments: str) -> Any:
        """Run a verb that must succeed, with `--json`."""
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, out + err
        return json.loads(out)

    def file(self, content: str) -> str:
        """Write a population file and return its name."""
        path = self.directory / "population.csv"
        path.write_text(content, encoding="utf-8")
        return str(path)

    def reference(self) -> str:
        """The reference of the only account."""
        with self.database.read_sessions("ila_job")() as session:
            return str(session.execute(text("SELECT reference FROM ila.citizen")).scalar_one())


@pytest.fixture
def terminal(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    for name in [name for name in os.environ if name.startswith("ILA_") and name != "ILA_DATA_DIRECTORY"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ILA_ENV", "test")
    monkeypatch.setenv("ILA_DATABASE_URL", database.url("ila_app"))
    monkeypatch.setenv("ILA_DATABASE_JOB_URL", database.url("ila_job"))
    monkeypatch.setenv("ILA_IDENTITY_PEPPER", "11" * 32)
    monkeypatch.setenv("ILA_ENCRYPTION_KEY", "22" * 32)
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    now = datetime.now(UTC)
    tokens = {}
    with database.sessions().begin() as session:
        for name, role in NAMES.items():
            user = access.create_user(session, name, now)
            access.grant_role(session, user, role, now)
            tokens[name] = access.issue_token(
                session, role=role, user=user, label="test", expires_at=now + timedelta(hours=1), now=now
            )
    yield Terminal(database, tmp_path, tokens, monkeypatch, capsys)
    logger.handlers, logger.level = handlers, level


def test_an_import_tells_its_counts_shows_progress_and_leaves_refused_rows_in_a_file(terminal: Terminal) -> None:
    file = terminal.file(text_of([row(1), row(2, born_on="never"), row(3)]))

    code, out, err = terminal.run("import", file)

    assert code == 0
    assert "3 rows read: 2 accounts opened, 0 updated, 0 unchanged, 1 refused." in out
    assert f"{file}.refused.csv" in out
    assert "importing population.csv: 3 of 3 rows" in err
    refused = Path(f"{file}.refused.csv")
    assert refused.stat().st_mode & 0o777 == 0o600
    assert "born_on: 'never' is no day" in refused.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_imported_is_one_sentence_and_exit_code_1(terminal: Terminal) -> None:
    code, out, err = terminal.run("import", terminal.file("name,born\nWim,1985-07-30\n"))

    assert (code, out) == (1, "")
    assert err.startswith("ila: ")
    assert "column 'name' is unknown" in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(("by", "sentence"), [(None, "set ILA_TOKEN"), ("otto", "The role auditor may not do this")])
def test_an_import_needs_the_token_of_an_administrator(terminal: Terminal, by: str | None, sentence: str) -> None:
    code, _, err = terminal.run("import", terminal.file(text_of([row(1)])), by=by)

    assert code == 1
    assert sentence in err


def test_without_the_keys_of_personal_data_nothing_is_imported(terminal: Terminal) -> None:
    terminal.monkeypatch.delenv("ILA_ENCRYPTION_KEY")

    code, _, err = terminal.run("import", terminal.file(text_of([row(1)])))

    assert code == 5
    assert "ILA_ENCRYPTION_KEY is not set" in err


def test_the_template_can_be_imported_as_it_is(terminal: Terminal) -> None:
    _, template, _ = terminal.run("template", by=None)

    assert terminal.json("import", terminal.file(template))["opened"] == 1


def test_the_template_explains_each_column(terminal: Terminal) -> None:
    _, out, _ = terminal.run("template", "--explain", by=None)

    assert "qualification_level" in out
    assert "European Qualifications Framework" in out


def test_an_account_is_shown_without_the_name_unless_it_is_asked_for(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(text_of([row(1)])))
    reference = terminal.reference()

    _, out, _ = terminal.run("show", reference)
    _, personal, _ = terminal.run("show", reference, "--personal", "--history")

    assert "Wilhelmina" not in out
    assert "Wilhelmina Testperson" in personal
    for shown in (out, personal):
        assert all(word in shown for word in (reference, "24,000.50", "low_qualified", "803.5", "import"))


def test_the_json_of_an_account_holds_no_internal_id(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(text_of([row(1)])))

    shown = terminal.json("show", terminal.reference(), "--personal")

    assert "citizen_id" not in json.dumps(shown)
    assert shown["person"]["family_name"] == "Testperson"
    assert shown["needs"][0]["criterion"] == "low_qualified"


def test_facts_are_attested_withdrawn_and_corrected(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(text_of([row(1)])))
    reference = terminal.reference()

    attested = terminal.json("attest", reference, "disabled", "--source", "register", "--from", "2026-02-01")
    again = terminal.json("attest", reference, "disabled", "--source", "register", "--from", "2026-02-01")
    terminal.json("withdraw", reference, "low_qualified", "--on", "2026-03-01")
    terminal.json(
        "correct", reference, "--set", "income=30000", "--set", "region=", "--set", "works_here=no",
        "--from", "2026-04-01", "--until", "2026-05-01",
    )  # fmt: skip

    shown = terminal.json("show", reference)
    assert attested["fact_change_no"] is not None
    assert again["fact_change_no"] is None
    assert {need["criterion"]: need["valid_until"] for need in shown["needs"]} == {
        "disabled": "9999-12-31",
        "low_qualified": "2026-03-01",
    }
    corrected = next(fact for fact in shown["facts"] if fact["valid_from"] == "2026-04-01")
    assert (corrected["income_minor"], corrected["region"], corrected["works_here"]) == (3_000_000, None, False)
    assert [change["kind"] for change in shown["changes"]] == ["import", "attestation", "attestation", "correction"]


def test_a_criterion_that_only_a_shipped_scheme_names_can_be_attested(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(text_of([row(1)])))

    code, _, err = terminal.run(
        "attest", terminal.reference(), "starts_higher_education", "--source", "attestation", "--from", "2026-09-01"
    )

    assert code == 0, err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("attest", "REF", "poor", "--source", "register", "--from", "2026-01-01"), "no need criterion 'poor'"),
        (("withdraw", "REF", "disabled", "--on", "2026-01-01"), "No attestation of disabled"),
        (("correct", "REF", "--set", "income", "--from", "2026-01-01"), "'income' sets nothing"),
        (("correct", "REF", "--set", "wealth=1", "--from", "2026-01-01"), "There is no fact 'wealth'"),
        (("correct", "REF", "--set", "income=much", "--from", "2026-01-01"), "'much' is no amount"),
        (("correct", "REF", "--set", "income=1", "--from", "1999-01-01", "--until", "2000-01-01"), "Nothing is known"),
        (("close", "REF", "--reason", "death", "--on", "2999-01-01"), "not ahead of 2999-01-01"),
        (("reopen", "REF"), "The account is open"),
        (("erase", "REF"), "repeat the command with --yes"),
        (("erase", "REF", "--yes"), "close it before"),
        (("show", "nobody"), "No account has this reference"),
    ],
)
def test_each_refusal_is_one_sentence(terminal: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    terminal.run("import", terminal.file(text_of([row(1)])))
    reference = terminal.reference()

    code, out, err = terminal.run(*(reference if argument == "REF" else argument for argument in arguments))

    assert (code, out) == (1, "")
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_an_account_is_frozen_closed_reopened_and_erased(terminal: Terminal) -> None:
    terminal.run("import", terminal.file(text_of([row(1)])))
    reference = terminal.reference()

    states = [
        terminal.json(*arguments)["state"]
        for arguments in (
            ("freeze", reference),
            ("unfreeze", reference),
            ("close", reference, "--reason", "age"),
            ("reopen", reference),
            ("close", reference, "--reason", "death"),
            ("erase", reference, "--yes"),
        )
    ]
    code, _, err = terminal.run("show", reference, "--personal")

    assert states == ["frozen", "not frozen", "closed", "open", "closed", "erased"]
    assert code == 1
    assert "were erased" in err
