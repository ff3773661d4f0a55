"""`ila ledger` after a real run: what is said, what is written, and with which exit code it ends."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from sqlalchemy import text

import ila.cli
from ila import access
from ila.access.rules import Role
from tests.conftest import TEMPLATE, Database, _execute
from tests.factories import ADULT, add_people, finished_run, registered, with_needs

Terminal = Callable[..., tuple[int, str, str]]
FUND = "eu_model/national"


@pytest.fixture(scope="module")
def ran(server):
    """A database in which a yearly run has credited three people; committed, for the tests that only read it."""
    name = "ila_ledger_terminal"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER ila_owner")
    database = Database(name, server)
    run_for_three(database)
    yield database
    database.close()
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def run_for_three(database: Database) -> None:
    with database.sessions().begin() as session:
        parameters = registered(session, "eu_model", money_minor=10_000_000)
        add_people(session, [ADULT, with_needs("disabled"), ADULT])
        finished_run(session, parameters)


def terminal_at(database: Database, monkeypatch, capfd) -> Terminal:
    variables = {
        "ILA_ENV": "test",
        "ILA_DATABASE_URL": database.url("ila_app"),
        "ILA_DATABASE_JOB_URL": database.url("ila_job"),
        "ILA_LOG_LEVEL": "error",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            ila.cli.main(["ledger", *arguments])
        shown = capfd.readouterr()
        assert isinstance(end.value.code, int)
        return end.value.code, shown.out, shown.err

    return run


@pytest.fixture
def terminal(ran: Database, monkeypatch, capfd) -> Terminal:
    return terminal_at(ran, monkeypatch, capfd)


@pytest.fixture
def own_terminal(database: Database, monkeypatch, capfd) -> Terminal:
    """A terminal at a database of the test's own."""
    run_for_three(database)
    return terminal_at(database, monkeypatch, capfd)


@pytest.fixture
def reference(ran: Database) -> str:
    with ran.sessions()() as session:
        return session.scalar(text("SELECT reference FROM ila.citizen ORDER BY citizen_id LIMIT 1"))


def token(database: Database, role: Role) -> str:
    now = datetime.now(UTC)
    with database.sessions().begin() as session:
        user = access.create_user(session, f"{role.value}.one", now)
        access.grant_role(session, user, role, now)
        return access.issue_token(
            session, role=role, label="terminal", expires_at=now + timedelta(days=1), now=now, user=user
        )


def answer(result: tuple[int, str, str]) -> Any:
    code, out, err = result
    assert code == 0, out + err
    return json.loads(out)


def test_a_clean_ledger_ends_with_zero_and_names_every_pass(terminal: Terminal):
    code, out, err = terminal("check")

    assert code == 0, out
    assert "All passes are clean." in out and "conservation" in out
    assert "ledger check: 15 of 15 passes" in err


def test_a_damaged_ledger_ends_with_one_and_names_the_offender(database: Database, own_terminal: Terminal):
    with database.sessions("postgres").begin() as session:
        session.execute(text("UPDATE ila.entitlement SET available_minor = 1 WHERE citizen_id = 1"))

    code, out, _ = own_terminal("check")
    assert code == 1
    assert "an entitlement does not hold what its transfers say: citizen_id 1" in out
    assert "2 of 15 passes found something." in out

    code, out, _ = own_terminal("check", "--json", "--pass", "balances")
    found = json.loads(out)
    assert code == 1 and not found["clean"]
    assert found["passes"][0]["faults"][0]["where"]["available_minor"] == 1


def test_a_pass_that_does_not_exist_is_refused_with_those_that_do(terminal: Terminal):
    code, _, err = terminal("check", "--pass", "everything")

    assert code == 1 and "There is no pass 'everything'; there are grants, entries" in err


def test_the_trial_balance_adds_up_in_the_scheme_s_unit(terminal: Terminal):
    code, out, _ = terminal("trial-balance", "--scheme", "eu_model")
    assert code == 0 and "eu_model, in EUR" in out and "national" in out

    (sheet,) = answer(terminal("trial-balance", "--json"))
    assert sheet["balances"] and sheet["debit"] == sheet["credit"]
    outside = next(line for line in sheet["lines"] if line["account"] == "outside")
    assert outside["balance"] == "-200000.00"


def test_before_anything_counted_the_trial_balance_is_empty(terminal: Terminal):
    assert answer(terminal("trial-balance", "--until", "2001-01-01", "--json")) == []
    code, out, _ = terminal("trial-balance", "--until", "2001-01-01")
    assert code == 0 and "Nothing has been booked yet." in out


def test_a_statement_shows_each_line_with_the_balance_after_it(terminal: Terminal, reference: str):
    code, out, _ = terminal("statement", reference)
    assert code == 0 and reference in out and "allocation" in out

    (line,) = answer(terminal("statement", reference, "--json"))
    assert line["amount"] == line["balance"] and line["scheme"] == "eu_model"
    assert "citizen_id" not in line


def test_a_statement_of_an_unknown_account_is_refused_without_a_trace(terminal: Terminal):
    code, _, err = terminal("statement", "nobody")

    assert code == 1 and "No account has this reference" in err and "Traceback" not in err


@pytest.mark.parametrize("chosen", ["citizen", "fund", "period"])
def test_beancount_accepts_what_is_exported(terminal: Terminal, reference: str, chosen: str, tmp_path: Path):
    value = {"citizen": reference, "fund": FUND, "period": "2027"}[chosen]
    target = tmp_path / "books.beancount"

    code, out, _ = terminal("export", "--format", "beancount", f"--{chosen}", value, "-o", str(target))

    assert (code, out) == (0, "")
    entries, errors, _ = loader.load_file(str(target))
    assert entries and not errors
    assert [path.name for path in tmp_path.iterdir()] == ["books.beancount"]


def test_an_export_to_the_terminal_is_the_file_byte_for_byte(terminal: Terminal, tmp_path: Path):
    target = tmp_path / "books.csv"
    terminal("export", "--format", "csv", "--period", "2027", "-o", str(target))

    code, out, err = terminal("export", "--format", "csv", "--period", "2027")

    assert code == 0 and out.encode() == target.read_bytes()
    rows = list(csv.DictReader(out.splitlines()))
    assert rows[-1]["on"] == "total" and rows[-1]["lines"] == "5"
    assert "export: 5 lines" in err


@pytest.mark.parametrize("arguments", [(), ("--period", "2027", "--fund", FUND)])
def test_one_subject_has_to_be_named(terminal: Terminal, arguments: tuple[str, ...]):
    code, _, err = terminal("export", "--format", "csv", *arguments)

    assert code == 2 and "one of --citizen, --fund and --period" in err


@pytest.mark.parametrize("fund", ["national", "eu_model/", "/national", "eu_model/a/b"])
def test_a_fund_is_named_by_scheme_and_code(terminal: Terminal, fund: str):
    code, _, err = terminal("export", "--format", "csv", "--fund", fund)

    assert code == 1 and "write SCHEME/FUND" in err


def test_a_file_that_cannot_be_written_is_refused_and_leaves_nothing(terminal: Terminal, tmp_path: Path):
    target = tmp_path / "missing" / "books.csv"

    code, _, err = terminal("export", "--format", "csv", "--period", "2027", "-o", str(target))

    assert code == 1 and "cannot be written" in err and list(tmp_path.iterdir()) == []


def appropriate(run: Terminal, amount: str, *more: str) -> tuple[int, str, str]:
    return run("appropriate", "--fund", FUND, "--amount", amount, "--reference", "Act 12", *more)


def test_an_appropriation_is_booked_and_audited_once(database: Database, own_terminal: Terminal, monkeypatch):
    monkeypatch.setenv("ILA_TOKEN", token(database, Role.ADMINISTRATOR))

    first = answer(appropriate(own_terminal, "1000000.00", "--json"))
    again = answer(appropriate(own_terminal, "1000000.00", "--json"))
    code, out, _ = appropriate(own_terminal, "1000000")

    assert first == again and first["amount"] == "1000000.00"
    assert code == 0 and "1000000.00 EUR are appropriated to eu_model/national (Act 12)" in out
    with database.sessions()() as session:
        acts = session.scalar(text("SELECT count(*) FROM ila.audit_event WHERE act = 'fund.appropriated'"))
        assert acts == 1
    assert own_terminal("check")[0] == 0


def test_a_reference_with_another_amount_is_refused(database: Database, own_terminal: Terminal, monkeypatch):
    monkeypatch.setenv("ILA_TOKEN", token(database, Role.ADMINISTRATOR))
    appropriate(own_terminal, "100")

    code, _, err = appropriate(own_terminal, "200")

    assert code == 1 and "stands for 10000 minor units already, not 20000" in err


@pytest.mark.parametrize("amount", ["1.005", "-5", "0", "much", "1,5", "1e400", "NaN", "99999999999999999999"])
def test_what_is_no_amount_is_refused_in_one_sentence(database, own_terminal, monkeypatch, amount: str):
    monkeypatch.setenv("ILA_TOKEN", token(database, Role.ADMINISTRATOR))

    code, _, err = appropriate(own_terminal, amount)

    assert code == 1 and "is no amount of EUR" in err and len(err.splitlines()) == 1


def test_only_an_administrator_gives_money_to_a_fund(database: Database, own_terminal: Terminal, monkeypatch):
    code, _, err = appropriate(own_terminal, "100")
    assert code == 1 and "needs your token" in err

    monkeypatch.setenv("ILA_TOKEN", token(database, Role.AUDITOR))
    code, _, err = appropriate(own_terminal, "100")
    assert code == 1 and "may not do this" in err
