"""What a running embedded server is like: its cluster, its settings, its socket, its roles."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from ila.db import embedded

LISTENING = "0A"
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module", params=["installed", "debian 15"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    """A temporary server of the binaries installed with the project, then of the oldest major served."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "debian 15":
            if not DEBIAN_15.is_dir():
                pytest.skip(f"there is no PostgreSQL 15 in {DEBIAN_15}; install Debian's postgresql-15")
            patch.setenv("ILA_PG_BIN", str(DEBIAN_15))
        directory = tmp_path_factory.mktemp("server")
        with embedded.temporary_server(directory, settings={"max_wal_size": "3GB"}) as started:
            yield started


def value(url: str, statement: str) -> object:
    """Return the single value of a statement."""
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def listening_inodes() -> set[str]:
    """Return the sockets that listen on TCP, version 4 or 6, on this machine."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[3] == LISTENING}


def socket_inodes(pid: int) -> set[str]:
    """Return the sockets that a process has open."""
    links = [str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()]
    return {link[8:-1] for link in links if link.startswith("socket:[")}


def test_every_cluster_has_utf8_checksums_and_one_byte_order(server: embedded.Server) -> None:
    encoding = "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database WHERE datname = 'ila'"
    in_order = "SELECT string_agg(word, '' ORDER BY word) FROM unnest(ARRAY['b', 'a', 'B', 'é', 'Z']) AS word"

    expected = "UTF8 C" if server.binaries.major >= 17 else "UTF8 C.UTF-8"
    assert value(server.owner_url, encoding) == expected
    assert value(server.owner_url, "SHOW data_checksums") == "on"
    assert value(server.owner_url, in_order) == "BZabé"
    assert value(server.owner_url, "SELECT upper('é')") == "É"


def test_settings_come_from_the_command_line_and_no_file_is_edited(server: embedded.Server) -> None:
    with psycopg.connect(server.superuser_url) as connection:
        sources = dict(connection.execute("SELECT lower(name), source FROM pg_settings").fetchall())
    automatic = (server.data_directory / "postgresql.auto.conf").read_text()
    log = server.log.read_text()

    assert {sources[name] for name in embedded.tuning(1024**3, 2, 100)} == {"command line"}
    assert value(server.superuser_url, "SHOW max_wal_size") == "3GB"
    assert [line for line in automatic.splitlines() if not line.startswith("#")] == []
    assert "-c max_wal_size=3GB" in log
    assert f"-D {server.data_directory}" in log


def test_statements_are_counted(server: embedded.Server) -> None:
    assert value(server.superuser_url, "SHOW shared_preload_libraries") == "pg_stat_statements"
    value(server.app_url, "SELECT 1 AS counted_by_a_test")
    counted = "SELECT sum(calls) FROM pg_stat_statements WHERE query ~ '^SELECT .* AS counted_by_a_test'"
    assert value(server.superuser_url, counted) == 1


def test_the_server_listens_on_a_private_socket_and_on_no_port(server: embedded.Server) -> None:
    socket = server.socket_directory / ".s.PGSQL.5432"

    assert socket.stat().st_mode & 0o777 == 0o700
    assert value(server.app_url, "SHOW listen_addresses") == ""
    assert socket_inodes(server.pid)
    assert not socket_inodes(server.pid) & listening_inodes()


def test_an_address_serves_sqlalchemy_too(server: embedded.Server) -> None:
    engine = create_engine(make_url(server.app_url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == "ila_app"


def test_roles_own_nothing_and_carry_their_time_limits(server: embedded.Server) -> None:
    with psycopg.connect(server.superuser_url) as connection:
        without_powers = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'ila%' AND rolcanlogin AND NOT (rolsuper OR"
            " rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls) ORDER BY rolname"
        ).fetchall()
        owners = connection.execute(
            "SELECT DISTINCT refobjid::regrole::text FROM pg_shdepend WHERE deptype = 'o'"
            " AND refclassid = 'pg_authid'::regclass AND refobjid::regrole::text LIKE 'ila%'"
        ).fetchall()
    limits = (
        "SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'),"
        " current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_read_only'))"
    )

    assert without_powers == [("ila_app",), ("ila_auditor",), ("ila_job",), ("ila_owner",)]
    assert owners == [("ila_owner",)]
    assert value(server.url("ila_app"), limits) == "5s 2s 10s off"
    assert value(server.url("ila_job"), limits) == "0 10s 1min off"
    assert value(server.url("ila_auditor"), limits) == "0 0 0 on"
    assert value(server.owner_url, limits) == "0 0 0 off"


@pytest.mark.parametrize("statement", ["CREATE TABLE mine ()", "SET ROLE ila_owner", "CREATE DATABASE mine"])
def test_the_application_can_neither_create_nor_take_over(server: embedded.Server, statement: str) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        psycopg.connect(server.app_url, autocommit=True) as connection,
    ):
        connection.execute(statement)


def test_the_application_cannot_touch_what_the_owner_made(server: embedded.Server) -> None:
    with psycopg.connect(server.owner_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS journal (line int)")
    for statement in ("DROP TABLE journal", "ALTER TABLE journal ADD mine int", "DELETE FROM journal"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(server.app_url) as connection:
            connection.execute(statement)
