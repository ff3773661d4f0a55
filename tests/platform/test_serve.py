"""`ila serve` as people use it: a process of its own, from the first start to the last child's end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ila.db import embedded
from ila.settings import ROOT
from tests.platform.conftest import HANG_S

START_S = 90.0
"""A hang, not a speed: a start on a busy machine is far shorter."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port


@dataclass(slots=True)
class Serve:
    """A supervisor on a data directory and a port."""

    data: Path
    port: int
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        return subprocess.run(
            [sys.executable, "-m", "ila", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=START_S,
        )

    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("ILA_") or name == "ILA_PG_BIN"
        }
        mine = {"ILA_ENV": "test", "ILA_DATA_DIRECTORY": str(self.data), "ILA_PORT": str(self.port)}
        return {**kept, **mine, **self.environ}

    def start(self) -> str:
        """Start it and return what it says when everything runs."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ila", "serve"],
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("Ctrl-C stops everything"):
                return said
        raise AssertionError(f"it ended with {self.process.wait()} and said: {said}")

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, as Ctrl-C does, and return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.ended()[0]

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return the exit code and what it has said since it was up."""
        assert self.process is not None
        said, _ = self.process.communicate(timeout=START_S)
        return self.process.returncode, said

    def get(self, path: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        connection.request("GET", path)
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    def processes(self) -> set[int]:
        """Return the living processes, zombies aside, that were started with this data directory."""
        marks = (f"ILA_DATA_DIRECTORY={self.data}".encode(), str(self.data / "postgresql").encode())
        found = set()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                written = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if any(mark in written for mark in marks):
                found.add(int(entry.name))
        return found


@pytest.fixture
def serve(open_place: Path) -> Iterator[Serve]:
    serve = Serve(open_place / "data", free_port())
    yield serve
    if serve.process is not None and serve.process.poll() is None:
        serve.end(signal.SIGTERM)


WaitUntil = Callable[[Callable[[], bool], str], None]


def test_everything_starts_answers_and_stops(serve: Serve, wait_until: WaitUntil) -> None:
    said = serve.start()

    assert f"http://127.0.0.1:{serve.port}" in said
    assert "made just now" in said
    assert serve.get("/healthz") == (200, {"status": "ok"})
    wait_until(lambda: serve.get("/readyz")[0] == 200, "/readyz says ready")
    assert serve.get("/readyz")[1]["checks"] == {"database": "ok", "schema": "ok", "scheduler": "ok"}
    assert {path.name for path in (serve.data / "keys").iterdir()} == {
        "identity_pepper",
        "encryption_key",
        "secret_keys",
    }
    assert {path.stat().st_mode & 0o777 for path in (serve.data / "keys").iterdir()} == {0o600}

    second = serve.command("serve")

    assert second.returncode == 1
    assert f"ila already runs on {serve.data} at http://127.0.0.1:{serve.port}" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1

    assert serve.end() == 0
    assert serve.processes() == set()
    assert embedded.connect_running(serve.data / "postgresql") is None


def test_a_second_start_uses_data_and_keys_again(serve: Serve) -> None:
    serve.start()
    made = {path.name: path.read_bytes() for path in (serve.data / "keys").iterdir()}
    serve.end()

    said = serve.start()

    assert "used again" in said
    assert "0001, as before" in said or "as before" in said
    assert {path.name: path.read_bytes() for path in (serve.data / "keys").iterdir()} == made
    assert serve.end(signal.SIGTERM) == 0


def test_nothing_outlives_a_killed_supervisor(serve: Serve, wait_until: WaitUntil) -> None:
    serve.start()
    assert len(serve.processes()) >= 4

    serve.end(signal.SIGKILL)

    wait_until(lambda: serve.processes() == set(), "all children are gone")
    serve.start()
    assert serve.get("/healthz")[0] == 200


def test_when_one_process_fails_everything_stops_with_its_exit_code(serve: Serve, wait_until: WaitUntil) -> None:
    serve.start()
    wait_until(lambda: any(is_running(pid, b"scheduler") for pid in serve.processes()), "the scheduler runs")
    (scheduler,) = [pid for pid in serve.processes() if is_running(pid, b"scheduler")]

    os.kill(scheduler, signal.SIGKILL)

    code, said = serve.ended()
    assert code == 128 + signal.SIGKILL
    assert "the scheduler ended with code 137; stopping everything" in said
    assert serve.processes() == set()


def test_a_taken_port_is_one_sentence_and_starts_nothing(serve: Serve) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", serve.port))
        other.listen()

        refused = serve.command("serve")

    assert refused.returncode == 1
    assert f"Port {serve.port} of 127.0.0.1 cannot be listened on" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert not (serve.data / "postgresql").exists()


def test_a_database_without_its_keys_is_not_started(serve: Serve) -> None:
    serve.start()
    serve.end()
    (serve.data / "keys" / "identity_pepper").unlink()

    refused = serve.command("serve")

    assert refused.returncode == 1
    assert "was filled with keys that are missing" in refused.stderr
    assert serve.processes() == set()


def test_a_database_of_the_operator_is_used_and_none_is_started(serve: Serve, open_place: Path) -> None:
    with embedded.temporary_server(open_place / "other") as other:
        serve.environ = {
            "ILA_DATABASE_URL": other.app_url,
            "ILA_DATABASE_JOB_URL": other.url("ila_job"),
            "ILA_DATABASE_OWNER_URL": other.owner_url,
        }

        said = serve.start()

        assert "none was started" in said
        assert serve.get("/readyz")[1]["checks"]["database"] == "ok"
        assert not (serve.data / "postgresql").exists()
        assert serve.end() == 0
        assert other.poll() is None


def test_verbs_find_the_running_server_and_say_how_to_start_one(serve: Serve) -> None:
    before = serve.command("db", "info")
    serve.start()
    during = serve.command("db", "info", "--json")

    assert before.returncode == 4
    assert "start one with `ila serve`" in before.stderr
    assert during.returncode == 0
    assert json.loads(during.stdout)["embedded"] is True


def test_maintenance_answers_503_and_starts_no_jobs(serve: Serve) -> None:
    serve.environ = {"ILA_MAINTENANCE": "1"}

    said = serve.start()

    assert "closed for maintenance" in said
    assert serve.get("/healthz")[0] == 200
    assert serve.get("/api/v1/schemes")[0] == 503
    assert not any(is_running(pid, b"scheduler") for pid in serve.processes())


def test_settings_that_cannot_be_used_are_told_at_once(serve: Serve) -> None:
    serve.environ = {"ILA_WEB_WORKERS": "none", "ILA_LOG_LEVEL": "loud"}

    refused = serve.command("serve")

    assert refused.returncode == 5
    assert "ILA_WEB_WORKERS" in refused.stderr
    assert "ILA_LOG_LEVEL" in refused.stderr
    assert "Traceback" not in refused.stderr


def is_running(pid: int, verb: bytes) -> bool:
    """Say whether a process is a verb of the command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2:-1] == [verb]
    except OSError:
        return False


def test_the_time_of_a_second_start_is_told(serve: Serve) -> None:
    serve.start()
    serve.end()
    began = time.monotonic()

    said = serve.start()

    told = float(said.partition("it was up in ")[2].partition(" s")[0])
    assert 0 < told <= time.monotonic() - began
