"""A whole run from the command line, by two administrators with tokens; and what each refusal says at a terminal."""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

import ila.cli
from ila import access
from ila.access.rules import Role
from ila.db.session import WriteSession
from tests.conftest import Database
from tests.factories import ADULT, add_people, registered, with_needs


@dataclass(frozen=True, slots=True)
class Terminal:
    """`ila` for a person with a token."""

    database: Database
    tokens: dict[str, str]
    reference: str
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def ila(self, *arguments: str, by: str | None = "anna") -> tuple[int, str, str]:
        """Run a verb in this process; return exit code, standard output and standard error."""
        if by is None:
            self.monkeypatch.delenv("ILA_TOKEN", raising=False)
        else:
            self.monkeypatch.setenv("ILA_TOKEN", self.tokens[by])
        with pytest.raises(SystemExit) as ended:
            ila.cli.main(list(arguments))
        written = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, written.out, written.err

    def json(self, *arguments: str, by: str | None = "anna") -> Any:
        """Run a verb that must succeed, with `--json`."""
        code, out, err = self.ila(*arguments, "--json", by=by)
        assert code == 0, out + err
        return json.loads(out)


@pytest.fixture
def terminal(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    for name in [name for name in os.environ if name.startswith("ILA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ILA_ENV", "test")
    monkeypatch.setenv("ILA_DATABASE_URL", database.url("ila_app"))
    monkeypatch.setenv("ILA_DATABASE_JOB_URL", database.url("ila_job"))
    monkeypatch.setenv("ILA_ALLOCATION_SLICE_CITIZENS", "2")
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    with database.sessions().begin() as session:
        registered(session, "eu_model", money_minor=10_000_000)
        people = add_people(session, [ADULT, with_needs("disabled"), ADULT, ADULT, ADULT])
        tokens = {name: token_of(session, name, role) for name, role in WHO.items()}
        reference = session.execute(
            text("SELECT reference FROM ila.citizen WHERE citizen_id = :id"), {"id": people[1]}
        ).scalar_one()
    yield Terminal(database, tokens, reference, monkeypatch, capsys)
    logger.handlers, logger.level = handlers, level


WHO = {"anna": Role.ADMINISTRATOR, "ben": Role.ADMINISTRATOR, "otto": Role.AUDITOR}


def token_of(session: WriteSession, name: str, role: Role) -> str:
    now = datetime.now(UTC)
    user = access.create_user(session, name, now)
    access.grant_role(session, user, role, now)
    return access.issue_token(
        session, role=role, label="terminal", expires_at=now + timedelta(days=1), now=now, user=user
    )


OPEN = ("allocations", "open", "--scheme", "eu_model", "--credit", "yearly", "--period", "2026", "--fund", "national")


def test_a_run_is_opened_previewed_approved_run_explained_and_reversed(terminal: Terminal) -> None:
    run = str(terminal.json(*OPEN)["run"])

    code, shown, _ = terminal.ila("allocations", "preview", run)
    assert code == 0
    assert "Citizens considered" in shown
    assert "EUR" in shown
    assert "█" in shown
    digest = terminal.json("allocations", "show", run)["plan_digest"]
    assert digest in shown

    code, _, said = terminal.ila("allocations", "approve", run, "--plan", digest)
    assert (code, said.strip()) == (1, f"ila: Run {run} was opened by anna; another administrator has to approve it.")
    assert terminal.json("allocations", "approve", run, "--plan", digest[:16], by="ben")["state"] == "approved"

    code, told, progress = terminal.ila("allocations", "run", run, "--workers", "2")
    assert code == 0, told + progress
    assert f"Run {run} is finished: 3 of 3 slices, 5 citizens and" in told
    assert f"run {run}: 5 of 5 citizens" in progress

    explained = terminal.json("allocations", "explain", "--citizen", terminal.reference, "--run", run)
    assert explained["needs"] == ["disabled"]
    assert explained["amount"] == next(step["value"] for step in explained["steps"] if step["name"] == "amount")
    assert all(step["reference"] for step in explained["steps"][:-1])

    reversal = str(terminal.json("allocations", "reverse", run)["run"])
    digest = terminal.json("allocations", "show", reversal)["plan_digest"]
    terminal.json("allocations", "approve", reversal, "--plan", digest, by="ben")
    assert terminal.json("allocations", "run", reversal)["state"] == "finished"
    assert terminal.json("allocations", "show", run)["state"] == "reversed"
    assert [each["run"] for each in terminal.json("allocations", "list")] == [int(reversal), int(run)]


def test_a_run_is_paused_and_resumed(terminal: Terminal) -> None:
    run = str(terminal.json(*OPEN)["run"])
    digest = terminal.json("allocations", "preview", run)["plan_digest"]
    terminal.json("allocations", "approve", run, "--plan", digest, by="ben")
    assert terminal.json("allocations", "run", run, "--no-wait")["state"] == "running"
    assert terminal.json("allocations", "pause", run)["state"] == "paused"

    assert terminal.json("allocations", "resume", run)["state"] == "finished"


def test_a_plan_and_a_forecast_are_read_before_anything_is_given(terminal: Terminal) -> None:
    credit = ("--citizen", terminal.reference, "--scheme", "eu_model", "--credit", "yearly")
    code, explained, _ = terminal.ila("allocations", "explain", *credit, "--period", "2026", by="otto")
    assert code == 0
    assert "as a run of today would give it" in explained

    forecast = terminal.json("allocations", "forecast", *credit, "--years", "3", "--spend", "100.00")
    credits = [event for event in forecast["events"] if event["kind"] == "credit"]
    uses = [event["amount"] for event in forecast["events"] if event["kind"] == "use"]
    assert len(credits) == 3
    assert uses == ["-100.00"] * 3


@pytest.mark.parametrize(
    ("arguments", "by", "code", "sentence"),
    [
        (("allocations", "show", "17"), "anna", 1, "There is no run 17"),
        ((*OPEN[:2], "--scheme", "eu_modell", *OPEN[4:]), "anna", 1, "eu_modell is not a folder"),
        (OPEN, None, 1, "This needs your token"),
        (OPEN, "otto", 1, "The role auditor may not do this"),
        ((*OPEN[:6], "--period", "soon"), "anna", 1, "'soon' is no period"),
        (("allocations", "approve", "17", "--plan", "short"), "anna", 1, "'short' is no digest of a plan"),
        (("allocations", "explain", "--citizen", "x"), "anna", 2, "Name a run with --run, or all of"),
        (("allocations", "explain", "--citizen", "x", "--run", "1"), "anna", 1, "No account has this reference"),
        (("allocations", "expire", "--scheme", "eu_model"), "otto", 1, "The role auditor may not do this"),
        (("jobs", "run", "sleep"), None, 1, "There is no job sleep; the jobs are expire, draft_yearly"),
        (("jobs", "run", "expire"), None, 1, "The job expire is run for one scheme"),
    ],
)
def test_a_refusal_is_one_sentence_and_an_exit_code(
    terminal: Terminal, arguments: tuple[str, ...], by: str | None, code: int, sentence: str
) -> None:
    found, out, err = terminal.ila(*arguments, by=by)

    assert found == code, out + err
    assert sentence in err
    assert "Traceback" not in err


def test_nothing_expired_is_said(terminal: Terminal) -> None:
    assert terminal.ila("allocations", "expire", "--scheme", "eu_model")[:2] == (
        0,
        "Nothing of eu_model has expired.\n",
    )


def test_jobs_are_listed_and_run_by_hand(terminal: Terminal) -> None:
    ran = terminal.json("jobs", "run", "draft_yearly", "--scheme", "eu_model", by=None)
    assert ran["state"] == "done"

    listed = terminal.json("jobs", "list", by=None)
    outcomes = {job["name"]: job["last"] and job["last"]["outcome"] for job in listed["jobs"]}
    assert outcomes["draft_yearly:eu_model"] == ran["outcome"]
    assert outcomes["expire:eu_model"] is None
    assert listed["scheduler_seen_at"] is None


def test_schemes_are_checked_listed_and_registered(terminal: Terminal) -> None:
    checked = terminal.json("schemes", "check", by=None)
    assert checked["faults"] == 0
    assert all(scheme["cases"] for scheme in checked["schemes"])

    code, shown, _ = terminal.ila(
        "schemes", "value", "eu_model", "base_amount", "--credit", "yearly", "--on", "2027-01-01"
    )
    assert (code, shown[:15]) == (0, "300.00 EUR/year")
    registered_now = terminal.json("schemes", "register", "sg_sfc")
    assert registered_now["funds"]
    assert terminal.ila("schemes", "register", "sg_sfc", by="otto")[0] == 1
