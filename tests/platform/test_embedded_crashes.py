"""Supervisor, server or both killed, and what others find afterwards: no leak, no lie, no lost row."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ila.db import embedded
from ila.db.embedded import processes

Wait = Callable[[Callable[[], bool], str], None]
BOUND_S = {"server gone": 2.0, "restart with recovery": 4.0, "healed": 4.0}
"""Ten times the measured times of the platform's table, and not below what a busy machine of two processors needs."""


@pytest.fixture
def foreigner() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def keep_a_row(url: str) -> None:
    """Commit one row that must survive whatever follows."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")


def kept_row(url: str) -> object:
    """Return what `keep_a_row` committed."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT number FROM kept").fetchone()


@pytest.mark.parametrize("mode", [0o700, 0o755])  # as root: in a user namespace, and as another account
def test_a_killed_supervisor_takes_its_server_with_it(
    place: Path, mode: int, supervise: Callable[..., Any], wait_until: Wait, is_gone: Callable[[int], bool]
) -> None:
    place.chmod(mode)
    data = place / "data"
    supervisor = supervise(data)
    supervisor.line()
    server = supervisor.line()
    keep_a_row(server["url"])
    with psycopg.connect(server["url"]):  # a client at work does not hold it up
        killed_at = time.monotonic()
        supervisor.kill()
        wait_until(lambda: not (data / "postmaster.pid").exists() and is_gone(server["server"]), "the server is gone")
        assert time.monotonic() - killed_at < BOUND_S["server gone"]
    assert "database system is shut down" in (place / "data.log").read_text()
    assert embedded.connect_running(data) is None

    with embedded.running(data) as again:
        assert kept_row(again.superuser_url) == (7,)
        assert "database system was shut down at" in (place / "data.log").read_text().split("starting as")[-1]
        assert server["sockets"] == str(place) or not Path(server["sockets"]).exists()


def test_the_terminal_interrupts_the_supervisor_and_not_the_server(place: Path, supervise: Callable[..., Any]) -> None:
    supervisor = supervise(place / "data", start_new_session=True)
    supervisor.line()
    server = supervisor.line()

    assert os.getpgid(server["server"]) == server["server"] != os.getpgid(supervisor.process.pid)
    os.killpg(supervisor.process.pid, signal.SIGINT)  # Ctrl-C
    assert supervisor.process.wait(20) != 0
    assert not (place / "data" / "postmaster.pid").exists()


def test_a_killed_server_is_noticed_and_starts_again_with_its_data(place: Path) -> None:
    data = place / "data"
    server = embedded.start(data)
    keep_a_row(server.superuser_url)
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    assert server.poll() == -signal.SIGKILL
    server.stop()
    assert (data / "postmaster.pid").exists()
    assert embedded.connect_running(data) is None

    began_at = time.monotonic()
    server = embedded.start(data)
    try:
        assert time.monotonic() - began_at < BOUND_S["restart with recovery"]
        assert kept_row(server.superuser_url) == (7,)
    finally:
        server.stop()
    assert "automatic recovery in progress" in server.log.read_text()


def test_a_zombie_server_is_not_taken_for_a_live_one(place: Path) -> None:
    dead = embedded.start(place / "data", durable=False)
    keep_a_row(dead.superuser_url)
    os.kill(dead.pid, signal.SIGKILL)
    dead.lock.release()  # the parent that never reads its child's end

    server = embedded.start(place / "data", durable=False)
    try:
        assert dead.process.returncode is None
        assert Path(f"/proc/{dead.pid}").exists()
        assert kept_row(server.superuser_url) == (7,)
    finally:
        server.stop()
        dead.process.wait()


def test_supervisor_and_server_killed_together_start_again(
    place: Path, supervise: Callable[..., Any], is_gone: Callable[[int], bool], wait_until: Wait
) -> None:
    supervisor = supervise(place / "data")
    supervisor.line()
    server = supervisor.line()
    keep_a_row(server["url"])
    os.kill(supervisor.process.pid, signal.SIGSTOP)  # it must not tidy up between the two
    os.kill(server["server"], signal.SIGKILL)
    supervisor.kill()
    assert (place / "data" / "postmaster.pid").exists()

    began_at = time.monotonic()
    again = embedded.start(place / "data")
    try:
        assert time.monotonic() - began_at < BOUND_S["restart with recovery"]
        assert kept_row(again.superuser_url) == (7,)
    finally:
        again.stop()


def test_a_stale_number_that_now_belongs_to_another_process_heals(
    place: Path, foreigner: subprocess.Popen[bytes]
) -> None:
    data = place / "data"
    server = embedded.start(data)
    keep_a_row(server.superuser_url)
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    for stale in (data / "postmaster.pid", place / ".s.PGSQL.5432.lock"):  # as after a reboot
        stale.write_text(stale.read_text().replace(str(server.pid), str(foreigner.pid), 1))

    began_at = time.monotonic()
    server = embedded.start(data)
    try:
        assert time.monotonic() - began_at < BOUND_S["healed"]
        assert server.socket_directory == place
        assert kept_row(server.superuser_url) == (7,)
    finally:
        server.stop()
    assert foreigner.poll() is None


def test_a_process_that_only_mentions_the_data_is_not_a_server(place: Path) -> None:
    mentions = subprocess.Popen([sys.executable, "-c", "input()", str(place / "data")], stdin=subprocess.PIPE)
    try:
        assert not processes.is_server_of(mentions.pid, place / "data")
    finally:
        mentions.communicate(b"\n")


def test_a_server_that_outlived_its_supervisor_is_stopped_before_the_next(place: Path) -> None:
    orphan = embedded.start(place / "data", durable=False)
    keep_a_row(orphan.superuser_url)
    orphan.lock.release()  # as where the kernel knows no parent-death signal

    server = embedded.start(place / "data", durable=False)
    try:
        assert orphan.process.wait(20) == 0
        assert server.pid != orphan.pid
        assert kept_row(server.superuser_url) == (7,)
    finally:
        server.stop()


def test_a_process_in_the_data_directory_stops_the_start(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = place / "data"
    embedded.start(data, durable=False).stop()
    (data / "postmaster.pid").write_text("999999999\n")
    monkeypatch.setattr(processes, "ORPHANS_PATIENCE_S", 0.3)
    backend = subprocess.Popen(["sleep", "600"], cwd=data)
    try:
        with pytest.raises(embedded.StillBusy, match=f"Processes {backend.pid} still work in .* end them") as refusal:
            embedded.start(data)
        assert refusal.value.facts["pids"] == [backend.pid]
        assert (data / "postmaster.pid").exists()
    finally:
        backend.kill()
        backend.wait()


def test_a_start_killed_during_initdb_leaves_no_half_directory(
    place: Path, supervise: Callable[..., Any], wait_until: Wait
) -> None:
    supervisor = supervise(place / "data")
    wait_until(lambda: any(place.glob("data.initdb-*/PG_VERSION")), "initdb has begun")
    supervisor.kill()
    wait_until(lambda: not processes.pids_inside(place), "initdb is gone")
    assert not (place / "data").exists()

    embedded.start(place / "data", durable=False).stop()
    assert sorted(path.name for path in place.iterdir()) == ["data", "data.lock", "data.log"]


def test_a_start_interrupted_during_initdb_leaves_nothing(
    place: Path, supervise: Callable[..., Any], wait_until: Wait
) -> None:
    supervisor = supervise(place / "data")
    wait_until(lambda: any(place.glob("data.initdb-*/PG_VERSION")), "initdb has begun")
    supervisor.process.send_signal(signal.SIGINT)
    assert supervisor.process.wait(20) != 0
    assert sorted(path.name for path in place.iterdir()) == ["data.lock", "data.log"]


def test_a_second_supervisor_becomes_a_client_and_leaves_the_server_alone(
    place: Path, supervise: Callable[..., Any]
) -> None:
    first, second = supervise(place / "data"), None
    first.line()
    server = first.line()
    with pytest.raises(embedded.AlreadyRunning, match="use that one, or wait until it has ended"):
        embedded.start(place / "data")

    second = supervise(place / "data")
    second.line()
    client = second.line()

    assert (server["supervises"], client["supervises"]) == (True, False)
    assert client["url"] == server["url"]
    assert second.end() == 0
    assert embedded.require_running(place / "data").superuser_url == server["url"]
    assert first.end() == 0
    assert embedded.connect_running(place / "data") is None


def test_four_clients_at_once_use_one_server(place: Path) -> None:
    client = (
        "import sys, pathlib, psycopg; from ila.db import embedded; "
        "print(psycopg.connect(embedded.require_running(pathlib.Path(sys.argv[1])).app_url).execute('SELECT 7')"
        ".fetchone()[0])"
    )
    with embedded.temporary_server(place) as server:
        command = [sys.executable, "-c", client, str(server.data_directory)]
        root = Path(__file__).parents[2]
        clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(4)]
        assert [client.communicate()[0] for client in clients] == ["7\n"] * 4
        assert server.poll() is None
