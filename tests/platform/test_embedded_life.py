"""The ordinary life of an embedded server: made once, started with given settings, reached, stopped."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ila.db import embedded
from ila.db.embedded import processes
from ila.errors import Invalid


def value(url: str, statement: str) -> object:
    """Return the single value of a statement."""
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def test_a_first_start_makes_the_data_and_a_second_keeps_them(place: Path, each_postgres: embedded.Binaries) -> None:
    data = place / "data"
    server = embedded.start(data, durable=False)
    assert (server.first_start, server.binaries.major) == (True, each_postgres.major)
    with psycopg.connect(server.owner_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert server.poll() is None
    assert server.stop() == 0
    assert not (data / "postmaster.pid").exists()

    server = embedded.start(data, durable=False)
    try:
        assert not server.first_start
        assert value(server.owner_url, "SELECT number FROM kept") == 7
    finally:
        server.stop()


def test_a_server_is_durable_unless_it_is_temporary(place: Path) -> None:
    with embedded.temporary_server(place) as temporary:
        assert value(temporary.app_url, "SHOW fsync") == "off"
    with embedded.running(place / "data") as server:
        shown = [value(server.app_url, f"SHOW {name}") for name in ("fsync", "full_page_writes", "synchronous_commit")]
    assert shown == ["on", "on", "on"]


def test_nothing_is_left_of_a_temporary_server(place: Path) -> None:
    with embedded.temporary_server(place):
        assert list(place.iterdir())
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["fsync", "listen_addresses", "unix_socket_permissions"])
def test_what_keeps_data_safe_and_private_cannot_be_set(place: Path, name: str) -> None:
    with pytest.raises(Invalid, match=f"fixes {name}; leave that out"):
        embedded.start(place / "data", settings={name: "off"})
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 90, "with, comma", 'with space and "quotes" 100% ü'])
def test_a_directory_of_any_name_will_do(place: Path, name: str) -> None:
    is_short = len(os.fsencode(place / name / ".s.PGSQL.5432")) <= 107 and "," not in name
    with embedded.temporary_server(place / name) as server:
        assert (server.socket_directory == place / name) == is_short
        assert server.socket_directory.stat().st_mode & 0o777 == 0o700 or is_short
        assert value(server.app_url, "SELECT 1") == 1
    assert server.socket_directory.exists() == is_short


def test_two_servers_below_one_directory_do_not_meet(place: Path) -> None:
    first = embedded.start(place / "first", durable=False)
    second = embedded.start(place / "second", durable=False)
    try:
        assert first.socket_directory == place != second.socket_directory
        assert value(first.superuser_url, "SHOW data_directory") == str(place / "first")
        assert value(second.superuser_url, "SHOW data_directory") == str(place / "second")
    finally:
        second.stop()
        first.stop()


def test_roles_are_put_right_at_each_start(place: Path) -> None:
    server = embedded.start(place / "data", durable=False)
    with psycopg.connect(server.superuser_url) as connection:
        connection.execute("ALTER ROLE ila_app SUPERUSER")
        connection.execute("ALTER ROLE ila_app SET lock_timeout = 0")
        connection.execute("DROP ROLE ila_auditor")
    server.stop()

    server = embedded.start(place / "data", durable=False)
    try:
        assert value(server.app_url, "SHOW lock_timeout") == "2s"
        assert value(server.app_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert value(server.url("ila_auditor"), "SELECT current_user") == "ila_auditor"
    finally:
        server.stop()


def test_data_of_another_major_are_refused_and_left_alone(place: Path) -> None:
    data = place / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n")
    (data / "postmaster.pid").write_text("1\n")

    with pytest.raises(embedded.WrongMajor, match="made by PostgreSQL 14") as refusal:
        embedded.start(data)

    needed = embedded.find_binaries(os.environ).major
    assert (refusal.value.facts["found"], refusal.value.facts["needed"]) == ("14", str(needed))
    for word in (str(data), f"is PostgreSQL {needed}", "set ILA_PG_BIN", "ila db dump FILE", "ila db restore FILE"):
        assert word in refusal.value.message
    assert sorted(path.name for path in data.iterdir()) == ["PG_VERSION", "postmaster.pid"]


def test_a_directory_with_other_things_in_it_is_refused(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "letter.txt").write_text("mine")

    with pytest.raises(embedded.UnusableDirectory, match="is not empty and holds no PostgreSQL data; name another"):
        embedded.start(place / "data")
    assert (place / "data" / "letter.txt").read_text() == "mine"


def test_an_empty_directory_is_filled_in_one_step(place: Path) -> None:
    (place / "data").mkdir()
    server = embedded.start(place / "data", durable=False)
    server.stop()
    assert server.first_start
    assert sorted(path.name for path in place.iterdir()) == ["data", "data.lock", "data.log"]


def test_a_server_that_cannot_start_says_why_and_frees_its_lock(place: Path) -> None:
    with pytest.raises(embedded.DidNotStart, match='unrecognized configuration parameter "no_such_setting"'):
        embedded.start(place / "data", durable=False, settings={"no_such_setting": "1"})
    assert embedded.connect_running(place / "data") is None

    embedded.start(place / "data", durable=False).stop()


def test_a_failed_initdb_leaves_no_data(
    place: Path, copied_binaries: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = copied_binaries(place / "copied")
    (programs.parent / "share" / "postgres.bki").unlink()
    monkeypatch.setenv("ILA_PG_BIN", str(programs))

    with pytest.raises(embedded.DidNotStart, match=r"(?s)initdb could not make .*postgres\.bki"):
        embedded.start(place / "data")
    assert sorted(path.name for path in place.iterdir()) == ["copied", "data.lock", "data.log"]


def test_rubbish_of_a_killed_start_is_removed_whatever_its_name(place: Path) -> None:
    rubbish = place / "data [1].initdb-abcdefgh"
    (rubbish / "base").mkdir(parents=True)
    other = place / "data 1.initdb-abcdefgh"
    other.mkdir()

    embedded.start(place / "data [1]", durable=False).stop()

    assert not rubbish.exists()
    assert other.exists()


def test_a_server_is_started_from_the_main_thread_only(place: Path) -> None:
    refusals: list[BaseException] = []

    def start() -> None:
        try:
            embedded.start(place / "data")
        except RuntimeError as refusal:
            refusals.append(refusal)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert [str(refusal) for refusal in refusals] == ["the embedded server must be started from the main thread"]
    assert list(place.iterdir()) == []


def test_without_a_server_a_client_is_told_how_to_start_one(place: Path) -> None:
    assert embedded.connect_running(place / "data") is None
    with pytest.raises(embedded.NotRunning, match="No database runs in .*start one with `ila serve`"):
        embedded.require_running(place / "data")
    assert list(place.iterdir()) == []


def test_a_large_log_is_put_aside(place: Path) -> None:
    log = place / "data.log"
    with log.open("wb") as written:
        written.truncate(17 * 1024**2)

    embedded.start(place / "data", durable=False).stop()

    assert (place / "data.log.1").stat().st_size == 17 * 1024**2
    assert log.stat().st_size < 1024**2


def test_a_server_that_does_not_stop_fast_is_stopped_at_once(place: Path) -> None:
    server = embedded.start(place / "data", durable=False)
    os.kill(server.pid, signal.SIGSTOP)  # it hears SIGINT and SIGQUIT only when it goes on
    threading.Timer(1.0, os.kill, (server.pid, signal.SIGCONT)).start()

    code = server.stop(patience_s=0.2)

    assert code in (0, 1)
    assert "immediate shutdown" in server.log.read_text()
    assert not processes.pids_inside(place / "data")
