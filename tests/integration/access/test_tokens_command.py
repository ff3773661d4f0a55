"""`ila tokens`: the token is shown once, and what is taken back is gone."""

import json
from typing import Any

import pytest

from ila import access, clock
from ila.cli import main
from tests.conftest import Database
from tests.factories import ADULT, add_people


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `ila tokens ... --json` on a database and return its exit code and what it wrote."""
    monkeypatch.setenv("ILA_ENV", "test")
    monkeypatch.setenv("ILA_DATABASE_URL", database.url("ila_job"))

    def command(*arguments: str) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["tokens", *arguments, "--json"])
        written = capsys.readouterr()
        return int(ended.value.code or 0), json.loads(written.out or written.err)

    return command


def test_a_user_gets_a_role_and_a_token_that_works_until_it_is_revoked(run: Any, database: Database) -> None:
    assert run("user", "add", "anna", "--role", "administrator")[1]["roles"] == ["administrator"]

    code, made = run("create", "--role", "administrator", "--user", "anna", "--label", "tests", "--days", "1")

    assert code == 0
    with database.read_sessions()() as session:
        assert access.authenticate(session, made["token"], now=clock.now()).name == "anna"
    listed = run("list")[1]
    assert [token["holder"] for token in listed] == ["anna"]
    assert made["token"] not in json.dumps(listed)
    assert run("revoke", str(made["id"]))[0] == 0
    with database.read_sessions()() as session, pytest.raises(access.NotAuthenticated):
        access.authenticate(session, made["token"], now=clock.now())


def test_a_token_of_an_account_is_named_by_its_reference(run: Any, database: Database) -> None:
    with database.sessions().begin() as session:
        add_people(session, [ADULT])
    with database.read_sessions()() as session:
        from ila import citizens

        reference = citizens.reference_of(session, 1)

    made = run("create", "--role", "citizen", "--account", reference, "--label", "tests")[1]

    with database.read_sessions()() as session:
        assert access.authenticate(session, made["token"], now=clock.now()).citizen_id == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "--role", "auditor", "--user", "nobody", "--label", "x"), "no_such_user"),
        (("create", "--role", "citizen", "--account", "nonsense", "--label", "x"), "no_such_citizen"),
        (("create", "--role", "auditor", "--label", "x"), "invalid"),
        (("revoke", "99"), "no_such_token"),
        (("user", "add", "Not A Name"), "invalid"),
    ],
)
def test_a_mistake_is_one_sentence_and_changes_nothing(run: Any, arguments: tuple[str, ...], code: str) -> None:
    exit_code, said = run(*arguments)

    assert exit_code == 1
    assert said["problem"]["code"] == code
    assert run("list")[1] == []


def test_a_disabled_user_gets_no_role_back(run: Any) -> None:
    run("user", "add", "anna", "--role", "auditor")
    assert run("user", "withdraw", "anna", "--role", "auditor")[1]["roles"] == []
    assert run("user", "grant", "anna", "--role", "auditor")[1]["roles"] == ["auditor"]
    assert run("user", "disable", "anna")[1]["disabled_at"]

    assert run("user", "grant", "anna", "--role", "administrator")[0] == 1
    assert [user["name"] for user in run("user", "list")[1]] == ["anna"]
