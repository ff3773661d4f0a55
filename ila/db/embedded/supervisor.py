"""The life of the embedded server: started as our direct child, watched, and gone when we are gone.

A lock beside the data is held for the life of the supervisor; whoever finds it taken is a client. The kernel stops
the server cleanly when the supervisor is killed. Settings are given on the command line alone, which is written to
the log: the configuration files of the cluster are never edited.
"""

import logging
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ila.db.embedded import cluster, processes
from ila.db.embedded.addresses import Addresses, choose_socket_directory, remove_socket_directory
from ila.db.embedded.binaries import Binaries, find_binaries
from ila.db.embedded.clients import connect_running
from ila.db.embedded.command_line import STATISTICS, fixed, refuse_fixed, scaled, server_command
from ila.db.embedded.errors import AlreadyRunning, DidNotStart, UnusableDirectory
from ila.db.embedded.identity import choose_identity
from ila.db.embedded.lock import Lock, lock_path
from ila.db.embedded.roles import ensure_roles
from ila.db.embedded.tuning import GIB, Machine, connections, this_machine

DEFAULT_CONNECTIONS = connections(workers=2, threads=4)
PROGRESS_EVERY_S = 5.0
POLL_S = 0.01
KEPT_LOG_BYTES = 16 * 1024**2

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Server(Addresses):
    """A server of this process: where it is reached, what it is made of, and how it is stopped."""

    data_directory: Path
    binaries: Binaries
    log: Path
    first_start: bool
    """True where this start made the data directory."""
    process: subprocess.Popen[bytes]
    lock: Lock

    @property
    def pid(self) -> int:
        """The number of the server's first process, the postmaster."""
        return self.process.pid

    def poll(self) -> int | None:
        """Return the exit code of a server that has ended by itself; None while it lives."""
        return self.process.poll()

    def stop(self, *, patience_s: float = processes.FAST_STOP_PATIENCE_S) -> int:
        """Stop the server, then let the lock go; return the server's exit code. To be called once, last of all."""
        code = processes.shut_down(self.process, patience_s=patience_s)
        remove_socket_directory(self.socket_directory, self.data_directory)
        self.lock.release()
        return code


def start(
    data_directory: Path,
    *,
    environ: Mapping[str, str] | None = None,
    max_connections: int = DEFAULT_CONNECTIONS,
    settings: Mapping[str, str] | None = None,
    machine: Machine | None = None,
    durable: bool = True,
) -> Server:
    """Start the server on `data_directory`, which is made if it does not exist, and return when it is ready.

    `settings` go over those scaled from the machine, e.g. for bulk work; `durable=False` is for tests alone. To be
    called from the main thread: the kernel stops the server when the thread that started it ends. There is no time
    limit, since recovery after a crash may take minutes.

    Raises AlreadyRunning where another supervisor holds the data, WrongMajor, UnusableDirectory, StillBusy, NoAccount,
    NoPostgres, NotPostgres and DidNotStart, each with the way out.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("the embedded server must be started from the main thread")
    refuse_fixed(settings or {})
    environ = os.environ if environ is None else environ
    data_directory = data_directory.resolve()
    _make_parent(data_directory)

    with ExitStack() as undo:
        lock = Lock.take(data_directory)
        undo.callback(lock.release)
        _require_own(data_directory)
        binaries = find_binaries(environ)
        first_start = not cluster.exists(data_directory)
        if not first_start:
            cluster.require_major(data_directory, binaries)
        _clear_away_an_earlier_life(data_directory, lock)

        identity = choose_identity(binaries, data_directory)
        lock.give_to(identity.uid, identity.gid)
        log = _open_log(data_directory)
        if first_start:
            cluster.create(data_directory, binaries, identity, log=log, durable=durable)
        identity.take(data_directory)
        socket_directory = choose_socket_directory(data_directory, identity)
        undo.callback(remove_socket_directory, socket_directory, data_directory)
        lock.write(socket_directory, is_ready=False)

        given = {
            **scaled(machine or this_machine(), max_connections, durable=durable),
            **(settings or {}),
            **fixed(binaries, socket_directory),
        }
        command = server_command(binaries, data_directory, given)
        beginning = log.stat().st_size
        with log.open("ab") as output:
            output.write(f"starting as {identity.route}: {shlex.join(command)}\n".encode())
            output.flush()
            process = identity.launch(command, death_signal=signal.SIGINT, output=output)
        undo.callback(processes.shut_down, process)
        _wait_until_ready(process, data_directory, log, beginning)
        ensure_roles(Addresses(socket_directory), with_statistics=binaries.has_library(STATISTICS))
        lock.write(socket_directory, is_ready=True)
        undo.pop_all()
    return Server(socket_directory, data_directory, binaries, log, first_start, process, lock)


@contextmanager
def running(
    data_directory: Path,
    *,
    environ: Mapping[str, str] | None = None,
    max_connections: int = DEFAULT_CONNECTIONS,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Addresses]:
    """Start the server for the length of a block; where one runs already, be its client and leave it running.

    Yields a `Server` to the supervisor, bare `Addresses` to a client. Raises AlreadyRunning where the other supervisor
    is only just starting or stopping, else as `start`.
    """
    server: Server | None = None
    try:
        server = start(data_directory, environ=environ, max_connections=max_connections, settings=settings)
        addresses: Addresses = server
    except AlreadyRunning:
        found = connect_running(data_directory)
        if found is None:
            raise
        addresses = found
    try:
        yield addresses
    finally:
        if server is not None:
            server.stop()


@contextmanager
def temporary_server(
    directory: Path, *, durable: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a small server in `directory` for the length of a block and remove it afterwards; for tests and drills."""
    data_directory = directory / "postgresql"
    machine = replace(this_machine(), memory_bytes=GIB)
    server = start(data_directory, machine=machine, durable=durable, settings=settings, max_connections=100)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.data_directory)
        server.log.unlink()
        lock_path(server.data_directory).unlink()


def _clear_away_an_earlier_life(data_directory: Path, lock: Lock) -> None:
    processes.stop_server_of(data_directory)
    processes.wait_for_orphans(data_directory)
    processes.remove_stale_files(data_directory)
    cluster.remove_unfinished(data_directory)
    if (left := lock.socket_directory()) is not None:
        remove_socket_directory(left, data_directory)


def _wait_until_ready(process: subprocess.Popen[bytes], data_directory: Path, log: Path, beginning: int) -> None:
    report_at = time.monotonic() + PROGRESS_EVERY_S
    while True:
        server = processes.read_pid_file(data_directory)
        if server is not None and server.is_ready and server.pid == process.pid:
            return
        code = process.poll()
        if code is not None:
            end = cluster.log_since(log, beginning)
            raise DidNotStart(f"PostgreSQL ended with code {code} while it started, see {log}: {end}", log=end)
        if time.monotonic() > report_at:
            logger.info("PostgreSQL is still starting: %s", cluster.log_since(log, beginning, lines=1))
            report_at += PROGRESS_EVERY_S
        time.sleep(POLL_S)


def _make_parent(data_directory: Path) -> None:
    try:
        data_directory.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableDirectory(
            f"{data_directory.parent} cannot be made ({error.strerror}); name another place for the database.",
            directory=data_directory.parent,
        ) from error


def _require_own(data_directory: Path) -> None:
    if os.geteuid() != 0 and data_directory.exists() and data_directory.stat().st_uid != os.geteuid():
        raise UnusableDirectory(
            f"{data_directory} belongs to another account (uid {data_directory.stat().st_uid}); "
            "run ila as that account, or name another place for the database.",
            directory=data_directory,
        )


def _open_log(data_directory: Path) -> Path:
    """Return the server's log, `<data>.log`; one that has grown large is put aside as `<data>.log.1`."""
    log = data_directory.with_name(f"{data_directory.name}.log")
    if log.exists() and log.stat().st_size > KEPT_LOG_BYTES:
        log.rename(log.with_name(f"{log.name}.1"))
    log.touch(mode=0o600)
    return log
