"""What an earlier server left behind, and how to tell it from processes that merely have its number."""

import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from ila.db.embedded.errors import StillBusy, UnusableDirectory

PROC = Path("/proc")
ORPHANS_PATIENCE_S = 5.0
FAST_STOP_PATIENCE_S = 60.0
POLL_S = 0.01

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PidFile:
    """What `postmaster.pid` says: written by the server when it starts, gone when it stopped clean."""

    pid: int
    socket_directory: Path | None
    is_ready: bool


def read_pid_file(data_directory: Path) -> PidFile | None:
    """Return the parsed `postmaster.pid`; None where there is none, or one without a number."""
    try:
        lines = (data_directory / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].strip().isdecimal():
        return None
    socket_directory = Path(lines[4]) if len(lines) > 4 and lines[4] else None
    return PidFile(int(lines[0]), socket_directory, len(lines) > 7 and lines[7].strip() == "ready")


def is_server_of(pid: int, data_directory: Path) -> bool:
    """Say whether `pid` lives and is a PostgreSQL server started on this directory.

    A zombie has an empty command line and so is none: one whose parent died too may keep its number for ever, and
    PostgreSQL's own check takes it for a live server.
    """
    arguments = _command_line(pid)
    if not arguments or not Path(arguments[0]).name.startswith(("postgres", "postmaster")):
        return False
    return any(argument in (str(data_directory), f"-D{data_directory}") for argument in arguments)


def stop_server_of(data_directory: Path) -> None:
    """Stop a server that outlived its supervisor; nothing happens where `postmaster.pid` names no such server."""
    left = read_pid_file(data_directory)
    if left is None or not is_server_of(left.pid, data_directory):
        return
    logger.warning("a server left by a killed supervisor runs on %s (pid %s): stopping it", data_directory, left.pid)
    try:
        os.kill(left.pid, signal.SIGINT)
        deadline = time.monotonic() + FAST_STOP_PATIENCE_S
        while is_server_of(left.pid, data_directory):
            if time.monotonic() > deadline:
                os.kill(left.pid, signal.SIGQUIT)
                deadline += FAST_STOP_PATIENCE_S
            time.sleep(POLL_S)
    except ProcessLookupError:
        return
    except PermissionError:
        raise UnusableDirectory(
            f"A server of another account (pid {left.pid}) runs on {data_directory}; stop it as that account.",
            directory=data_directory,
        ) from None


def wait_for_orphans(data_directory: Path) -> None:
    """Wait until no process works in or on the directory: backends outlive a killed postmaster for a moment.

    Raises StillBusy, with their numbers, after `ORPHANS_PATIENCE_S`. Sees nothing where there is no /proc.
    """
    deadline = time.monotonic() + ORPHANS_PATIENCE_S
    while pids := sorted({*pids_inside(data_directory), *pids_of_initdb(data_directory)}):
        if time.monotonic() > deadline:
            raise StillBusy(
                f"Processes {', '.join(map(str, pids))} still work in {data_directory}; end them, then start again.",
                pids=pids,
            )
        time.sleep(POLL_S)


def pids_inside(directory: Path) -> list[int]:
    """Return the processes whose working directory is `directory` or below; those of others may be invisible."""
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            place = (entry / "cwd").readlink()
        except OSError:  # not ours to look at, or gone meanwhile
            continue
        if place.is_relative_to(directory):
            found.append(int(entry.name))
    return sorted(found)


def pids_of_initdb(directory: Path) -> list[int]:
    """Return the processes that make a cluster in `directory`; they work from elsewhere and tidy up as they end."""
    numbers = [int(entry.name) for entry in PROC.glob("[0-9]*")]
    return [pid for pid in numbers if f"--pgdata={directory}" in _command_line(pid)]


def remove_stale_files(data_directory: Path) -> None:
    """Delete `postmaster.pid` and the sockets it names; only under the lock, and after the server is known to be gone.

    A socket whose lock file names another data directory belongs to somebody else and stays.
    """
    left = read_pid_file(data_directory)
    places = {data_directory.parent, left.socket_directory if left and left.socket_directory else data_directory.parent}
    for lock in [lock for place in places for lock in place.glob(".s.PGSQL.*.lock")]:
        if socket_lock_owner(lock) == data_directory:
            lock.with_suffix("").unlink(missing_ok=True)
            lock.unlink(missing_ok=True)
    (data_directory / "postmaster.pid").unlink(missing_ok=True)


def socket_lock_owner(lock: Path) -> Path | None:
    """Return the data directory named in a socket's lock file; None where it cannot be read."""
    try:
        lines = lock.read_text().splitlines()
    except OSError:
        return None
    return Path(lines[1]) if len(lines) > 1 else None


def shut_down(server: subprocess.Popen[bytes], *, patience_s: float = FAST_STOP_PATIENCE_S) -> int:
    """Stop a server of ours fast (SIGINT), at once (SIGQUIT) only after `patience_s`; return its exit code.

    To be called last: the web server, the scheduler and the worker must have ended before.
    """
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
    try:
        return server.wait(patience_s)
    except subprocess.TimeoutExpired:
        logger.warning("PostgreSQL (pid %s) did not stop within %s s: stopping it at once", server.pid, patience_s)
        server.send_signal(signal.SIGQUIT)
        return server.wait()


def _command_line(pid: int) -> list[str]:
    if PROC.joinpath("self").exists():
        try:
            return (PROC / str(pid) / "cmdline").read_text(errors="surrogateescape").split("\0")[:-1]
        except OSError:
            return []
    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.split()
