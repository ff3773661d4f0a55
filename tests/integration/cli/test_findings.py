"""`ila doctor` refuses what would hurt people, with the sentence that says what to do."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from ila import settings
from ila.cli import findings
from ila.cli.findings import Finding, Verdict
from ila.settings import Settings
from tests.conftest import Database


def settings_on(tmp_path: Path, **variables: str) -> Settings:
    return settings.load({"ILA_ENV": "test", "ILA_DATA_DIRECTORY": str(tmp_path), **variables})


def of_verdict(found: Iterable[Finding], verdict: Verdict) -> list[tuple[str, str]]:
    return [(each.subject, each.sentence) for each in found if each.verdict is verdict]


def test_a_database_with_the_right_roles_has_nothing_refused_but_what_tests_turn_off(
    database: Database, tmp_path: Path
) -> None:
    found = findings.all_findings(
        settings_on(tmp_path, ILA_DATABASE_URL=database.url("ila_app"), ILA_DATABASE_JOB_URL=database.url("ila_job"))
    )

    assert of_verdict(found, Verdict.REFUSED) == [("server", "fsync is off: a power cut loses money; turn it on")]
    assert ("role", "web application: ila_app owns nothing") in of_verdict(found, Verdict.OK)
    assert ("role", "jobs and command line: ila_job owns nothing") in of_verdict(found, Verdict.OK)


@pytest.mark.parametrize(("role", "power"), [("ila_owner", "owns the tables"), ("postgres", "is a superuser")])
def test_an_application_that_could_change_the_journal_is_refused(
    database: Database, tmp_path: Path, role: str, power: str
) -> None:
    found = findings.all_findings(settings_on(tmp_path, ILA_DATABASE_URL=database.url(role)))

    sentences = [sentence for subject, sentence in of_verdict(found, Verdict.REFUSED) if subject == "role"]
    assert len(sentences) == 2
    assert all(power in sentence and "append-only" in sentence for sentence in sentences)


def test_another_schema_is_refused(database: Database, tmp_path: Path) -> None:
    with database.engine("ila_owner").begin() as connection:
        connection.exec_driver_sql("UPDATE ila.alembic_version SET version_num = '0000'")

    found = findings.all_findings(settings_on(tmp_path, ILA_DATABASE_URL=database.url("ila_app")))

    assert any("run `ila db upgrade`" in sentence for _, sentence in of_verdict(found, Verdict.REFUSED))


def test_a_database_that_cannot_be_reached_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    absent = findings.all_findings(settings_on(tmp_path))
    gone = findings.all_findings(settings_on(tmp_path, ILA_DATABASE_URL=f"postgresql://ila_app@/ila?host={tmp_path}"))

    assert "start one with `ila serve`" in of_verdict(absent, Verdict.REFUSED)[0][1]
    assert "it cannot be reached" in of_verdict(gone, Verdict.REFUSED)[0][1]


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    key = tmp_path / "keys" / "identity_pepper"
    key.write_text("ab" * 32)
    key.chmod(0o644)

    found = findings.all_findings(settings_on(tmp_path))

    assert ("keys", f"{key} can be read by other accounts; run: chmod 600 {key}") in of_verdict(found, Verdict.REFUSED)


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("postgresql://ila_app@/ila?host=/run/postgresql", True),
        ("postgresql://ila_app@localhost/ila", True),
        ("postgresql://ila_app@db.example/ila", False),
        ("postgresql://ila_app@db.example/ila?sslmode=prefer", False),
        ("postgresql://ila_app@db.example/ila?sslmode=verify-full", True),
        ("postgresql://ila_app@/ila?host=db1:5432&host=db2:5432", False),
    ],
)
def test_an_address_without_tls_is_noticed(url: str, is_private: bool) -> None:
    assert findings._is_private(url) is is_private
