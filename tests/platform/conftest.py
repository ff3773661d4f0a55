"""A short directory for each server, supervisors in processes of their own, and the proof that nothing stays behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ila.db import embedded
from ila.db.embedded import processes
from ila.db.embedded.addresses import PRIVATE_PREFIX

ROOT = Path(__file__).parents[2]
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
PYTHON_PATH = os.pathsep.join([str(ROOT), str(Path(psycopg.__file__).parents[1])])
"""For an interpreter outside the virtual environment."""
HANG_S = 20.0
"""No step of a test takes longer, on any machine; not a figure of speed."""

SUPERVISOR = """
import json, os, signal, sys
from pathlib import Path
from ila.db import embedded
print(json.dumps({"pid": os.getpid()}), flush=True)
with embedded.running(Path(sys.argv[1])) as server:
    print(json.dumps({"supervises": isinstance(server, embedded.Server), "url": server.superuser_url,
        "server": getattr(server, "pid", None), "sockets": str(server.socket_directory)}), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """A supervisor in a process of its own; it stops its server when its standard input is closed."""

    process: subprocess.Popen[str]

    def line(self) -> dict[str, Any]:
        """Return the next line it has printed; an empty one where it has ended instead."""
        assert self.process.stdout is not None
        written = self.process.stdout.readline()
        return json.loads(written) if written else {}

    def kill(self) -> None:
        """Kill it as the kernel does when memory is short."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(HANG_S)

    def end(self) -> int:
        """Let it stop its server, and return its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(HANG_S)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of mode 0700 with a short path; what a test leaves running or lying about fails it."""
    directory = Path(tempfile.mkdtemp(prefix="ila-t-")).resolve()
    yield directory
    deadline = time.monotonic() + HANG_S  # backends whose server was killed need a moment
    while (left := processes.pids_inside(directory)) and time.monotonic() < deadline:
        time.sleep(0.01)
    for pid in left:
        os.kill(pid, signal.SIGQUIT)
    sockets = _private_socket_directories_of(directory)
    shutil.rmtree(directory)
    assert not left, f"processes {left} outlived the test"
    assert not sockets, f"{sockets} outlived the test"


@pytest.fixture
def open_place(place: Path) -> Path:
    """The same with mode 0755: root's servers there run as another account."""
    place.chmod(0o755)
    return place


@pytest.fixture(params=["installed", "debian 15"])
def each_postgres(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> embedded.Binaries:
    """The binaries installed with the project, then those of the oldest major served, where they are."""
    if request.param == "debian 15":
        if not DEBIAN_15.is_dir():
            pytest.skip(f"there is no PostgreSQL 15 in {DEBIAN_15}; install Debian's postgresql-15")
        monkeypatch.setenv("ILA_PG_BIN", str(DEBIAN_15))
    return embedded.find_binaries(os.environ)


@pytest.fixture
def copied_binaries() -> Callable[[Path], Path]:
    """Copy the programs of the installed package, with what they load and read, below a directory."""

    def copy(to: Path) -> Path:
        binaries = embedded.find_binaries({})
        if not binaries.source.startswith("package"):
            pytest.skip("only the programs of a package can be copied whole; install the extra `embedded`")
        package = binaries.directory.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, to / part.name, symlinks=True)
        return to / package.name / "pginstall" / "bin"

    return copy


@pytest.fixture
def supervise() -> Iterator[Callable[..., Supervisor]]:
    """Start supervisors: `supervise(data_directory, python=…, before=[…], **options of Popen)`."""
    started: list[Supervisor] = []

    def begin(data: Path, *, python: str = sys.executable, before: tuple[str, ...] = (), **options: Any) -> Supervisor:
        supervisor = Supervisor(
            subprocess.Popen(
                [*before, python, "-c", SUPERVISOR, str(data)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": PYTHON_PATH},
                **options,
            )
        )
        started.append(supervisor)
        return supervisor

    yield begin
    for supervisor in started:
        if supervisor.process.poll() is None:
            supervisor.kill()
        for stream in (supervisor.process.stdin, supervisor.process.stdout):
            if stream is not None and not stream.closed:
                stream.close()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool], str], None]:
    """Wait for something that is about to be so; a hang fails the test."""

    def wait(is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + HANG_S
        while not is_so():
            assert time.monotonic() < deadline, f"still not so after {HANG_S} s: {what}"
            time.sleep(0.005)

    return wait


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Say whether a process has ended; a zombie that nobody has read yet counts as ended."""

    def gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return gone


def _private_socket_directories_of(directory: Path) -> list[Path]:
    """Return the private socket directories that locks below `directory` name and that are still there."""
    named = [line for lock in directory.rglob("*.lock") if lock.is_file() for line in lock.read_text().splitlines()]
    return [Path(line) for line in named if PRIVATE_PREFIX in line and Path(line).exists()]
