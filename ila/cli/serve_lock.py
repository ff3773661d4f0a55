"""One supervisor for each data directory: the lock it holds for its life, and the address it wrote there."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ila.errors import Conflict, Refused


class AlreadyServed(Conflict):
    """A supervisor runs on this data directory; facts `pid`, `address`."""

    code = "already_served"


class UnusableDataDirectory(Refused):
    """The data directory cannot be made or written to."""

    code = "unusable_data_directory"


@dataclass(frozen=True, slots=True)
class ServeLock:
    """The exclusive lock `serve.lock` of a data directory; the kernel lets it go when the process ends."""

    handle: int

    @classmethod
    def take(cls, data_directory: Path, address: str) -> Self:
        """Take the lock and write down where this supervisor is; raises `AlreadyServed`, `UnusableDataDirectory`."""
        path = data_directory / "serve.lock"
        try:
            data_directory.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnusableDataDirectory(
                f"The data directory {data_directory} cannot be used ({error.strerror}); "
                "name another with ILA_DATA_DIRECTORY, or run ila as the account that owns it.",
                directory=data_directory,
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, served = os.pread(handle, 4096, 0).decode().strip().partition(" ")
            os.close(handle)
            raise AlreadyServed(
                f"ila already runs on {data_directory} at {served or 'an address it has not told yet'} "
                f"(process {pid or 'unknown'}); use that one, or stop it first.",
                pid=pid,
                address=served,
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {address}\n".encode(), 0)
        return cls(handle)

    def release(self) -> None:
        """Let the lock go; the file stays, a second one could be locked beside it."""
        os.ftruncate(self.handle, 0)
        os.close(self.handle)
