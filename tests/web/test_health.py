"""Health, version, headers and maintenance: what the application says before any resource is asked for."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from ila import VERSION, clock, settings
from ila.app import HEADERS, create_app
from ila.db import job_claims, migrations
from tests.conftest import Database


def app_on(database_url: str, tmp_path: Path, **variables: str) -> Flask:
    environ = {"ILA_ENV": "test", "ILA_DATA_DIRECTORY": str(tmp_path), "ILA_DATABASE_URL": database_url, **variables}
    return create_app(settings.load(environ))


def checks(app: Flask) -> tuple[int, Any]:
    answer = app.test_client().get("/readyz")
    app.extensions["ila_database"].close()
    return answer.status_code, answer.get_json()["checks"]


def test_readyz_names_what_is_missing_until_a_scheduler_lives(database: Database, tmp_path: Path) -> None:
    app = app_on(database.url("ila_app"), tmp_path)

    before = checks(app)
    with database.sessions().begin() as session:
        job_claims.claim_job(session, "scheduler", clock.now(), claimed_by="a test", now=clock.now())
    after = checks(app)

    assert before == (503, {"database": "ok", "schema": "ok", "scheduler": "never_ran"})
    assert after == (200, {"database": "ok", "schema": "ok", "scheduler": "ok"})


def test_readyz_notices_a_scheduler_that_fell_silent(database: Database, tmp_path: Path) -> None:
    long_ago = clock.now().replace(year=2026, month=1)
    with database.sessions().begin() as session:
        job_claims.claim_job(session, "scheduler", long_ago, claimed_by="a test", now=long_ago)

    assert checks(app_on(database.url("ila_app"), tmp_path))[1]["scheduler"] == "silent"


def test_readyz_notices_another_schema(database: Database, tmp_path: Path) -> None:
    with database.engine("ila_owner").begin() as connection:
        connection.exec_driver_sql("UPDATE ila.alembic_version SET version_num = '0000'")

    assert checks(app_on(database.url("ila_app"), tmp_path))[1]["schema"] == "schema_differs"


def test_without_a_database_the_process_is_healthy_and_not_ready(tmp_path: Path) -> None:
    app = app_on(f"postgresql://ila_app@/ila?host={tmp_path}", tmp_path)

    status, found = checks(app)

    assert app.test_client().get("/healthz").get_json() == {"status": "ok"}
    assert status == 503
    assert found == {"database": "unreachable", "schema": "unreachable", "scheduler": "unreachable"}


def test_version_tells_program_and_schema(tmp_path: Path) -> None:
    app = app_on("postgresql://nowhere/ila", tmp_path)

    assert app.test_client().get("/version").get_json() == {"version": VERSION, "schema": migrations.head()}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version", "/api/v1/nothing", "/nothing"])
def test_every_answer_carries_the_headers_that_protect_browsers(tmp_path: Path, path: str) -> None:
    answer = app_on(f"postgresql://ila_app@/ila?host={tmp_path}", tmp_path).test_client().get(path)

    assert {name for name in HEADERS if name not in answer.headers} == set()
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


def test_behind_https_browsers_are_told_to_stay_there(tmp_path: Path) -> None:
    app = app_on("postgresql://nowhere/ila", tmp_path, ILA_BASE_URL="https://ila.example")

    assert "max-age=" in app.test_client().get("/healthz").headers["Strict-Transport-Security"]


def test_a_request_id_is_kept_when_it_is_one_and_made_when_it_is_not(tmp_path: Path) -> None:
    client = app_on("postgresql://nowhere/ila", tmp_path).test_client()

    kept = client.get("/healthz", headers={"X-Request-ID": "a1b2c3d4-e5f6"}).headers["X-Request-ID"]
    made = client.get("/healthz", headers={"X-Request-ID": "a b\tc" * 30}).headers["X-Request-ID"]

    assert kept == "a1b2c3d4-e5f6"
    assert len(made) == 32


def test_maintenance_closes_everything_but_health(tmp_path: Path) -> None:
    client = app_on("postgresql://nowhere/ila", tmp_path, ILA_MAINTENANCE="true").test_client()

    closed = client.get("/api/v1/schemes")

    assert closed.status_code == 503
    assert int(closed.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200


def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    client = app_on("postgresql://nowhere/ila", tmp_path).test_client()

    assert client.post("/healthz", data=b"x" * 2 * 1024**2).status_code in (405, 413)
