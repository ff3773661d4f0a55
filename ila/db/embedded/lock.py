"""The lock beside a data directory: who holds it is the supervisor, who finds it taken is a client.

The file `<data>.lock` says three things, a line each: the supervisor's pid, the socket directory, and `ready` once
roles and database exist. It is never deleted: a second file of the same name could be locked beside the first.
"""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ila.db.embedded.errors import AlreadyRunning, UnusableDirectory

PATIENCE_S = 0.2
"""How long to insist: a client that looks whether the lock is taken holds it, shared, for a moment."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The exclusive lock of a data directory, held until it is released or the process ends."""

    path: Path
    handle: int

    @classmethod
    def take(cls, data_directory: Path) -> Self:
        """Take the lock without waiting for a holder to end; raises AlreadyRunning, UnusableDirectory."""
        path = lock_path(data_directory)
        handle = _open(path, os.O_RDWR | os.O_CREAT)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return cls(path, handle)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(handle)
                    raise AlreadyRunning(
                        f"Another process runs, starts or stops the database in {data_directory}; "
                        "use that one, or wait until it has ended.",
                        data_directory=data_directory,
                    ) from None
                time.sleep(0.01)

    def socket_directory(self) -> Path | None:
        """Return the socket directory that this or an earlier holder wrote down."""
        return _written(self.handle)[0]

    def write(self, socket_directory: Path, *, is_ready: bool) -> None:
        """Write down where the socket is, and whether clients may come."""
        text = f"{os.getpid()}\n{socket_directory}\n{'ready' if is_ready else 'starting'}\n"
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, os.fsencode(text), 0)

    def give_to(self, uid: int, gid: int) -> None:
        """Let the server's account read it, for clients that gave up root's rights."""
        if os.geteuid() == 0:
            os.fchown(self.handle, uid, gid)

    def release(self) -> None:
        """Let the lock go; only once, and after the server has stopped."""
        os.close(self.handle)


def is_held_by_ready_supervisor(data_directory: Path) -> bool:
    """Say whether a supervisor lives and has said that clients may come; raises UnusableDirectory."""
    path = lock_path(data_directory)
    if not path.exists():
        return False
    handle = _open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(handle)[1]
    finally:
        os.close(handle)
    return False


def lock_path(data_directory: Path) -> Path:
    """Return the path of the lock file of a data directory."""
    return data_directory.with_name(f"{data_directory.name}.lock")


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UnusableDirectory(
            f"The lock of the database, {path}, cannot be opened ({error.strerror}); "
            "run ila as the account that owns the data.",
            directory=path.parent,
        ) from error


def _written(handle: int) -> tuple[Path | None, bool]:
    lines = os.fsdecode(os.pread(handle, 8192, 0)).splitlines()
    return (Path(lines[1]), lines[2] == "ready") if len(lines) == 3 else (None, False)
