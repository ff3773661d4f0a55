"""Where a running server is reached: a socket directory and one address per role. There is no TCP port."""

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ila.db.embedded import processes
from ila.db.embedded.cluster import SUPERUSER
from ila.db.embedded.errors import UnusableDirectory
from ila.db.embedded.identity import Identity

DATABASE = "ila"
PORT = 5432
"""Part of the socket's name, and of each address: a client's PGPORT would win over a port left out."""
SOCKET = f".s.PGSQL.{PORT}"
LONGEST_SOCKET_PATH_BYTES = 107
PRIVATE_PREFIX = "ila-socket-"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a running embedded server, for libpq and SQLAlchemy alike."""

    socket_directory: Path

    def url(self, role: str, database: str = DATABASE) -> str:
        """Return the address of `database` for `role`."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket_directory))}&port={PORT}"

    @property
    def superuser_url(self) -> str:
        """The address for the cluster's superuser: the supervisor's, backups' and tests' alone."""
        return self.url(SUPERUSER)

    @property
    def owner_url(self) -> str:
        """The address for migrations."""
        return self.url("ila_owner")

    @property
    def app_url(self) -> str:
        """The address for the application."""
        return self.url("ila_app")


def choose_socket_directory(data_directory: Path, identity: Identity) -> Path:
    """Return the directory above the data where it will do, else a new private one of mode 0700.

    It will do if the path of the socket has at most 107 bytes and no comma (which would make it a list of hosts), the
    server's account may write there, nobody else may, and no socket of another server is in the way.
    """
    parent = data_directory.parent
    is_taken = (parent / SOCKET).exists() or (parent / f"{SOCKET}.lock").exists()
    if _fits(parent) and _is_writable_by_it_alone(parent, identity) and not is_taken:
        return parent
    for place in (Path(tempfile.gettempdir()), Path("/tmp")):
        if _fits(place / f"{PRIVATE_PREFIX}12345678") and identity.can_run(["/bin/sh", "-c", 'cd "$0"', str(place)]):
            private = Path(tempfile.mkdtemp(prefix=PRIVATE_PREFIX, dir=place))
            identity.take(private)
            return private
    raise UnusableDirectory(
        f"No directory is short enough for the socket of {data_directory}: its path may have "
        f"{LONGEST_SOCKET_PATH_BYTES} bytes; set TMPDIR to a short directory that the server's account can enter.",
        directory=parent,
    )


def remove_socket_directory(socket_directory: Path, data_directory: Path) -> None:
    """Remove a private socket directory of ours; the directory above the data stays."""
    if socket_directory == data_directory.parent or not socket_directory.name.startswith(PRIVATE_PREFIX):
        return
    for left in (socket_directory / SOCKET, socket_directory / f"{SOCKET}.lock"):
        left.unlink(missing_ok=True)
    if socket_directory.is_dir():
        socket_directory.rmdir()


def addresses_of_ready_server(data_directory: Path) -> Addresses | None:
    """Return the addresses of the server whose `postmaster.pid` says ready; None where there is none."""
    server = processes.read_pid_file(data_directory)
    if server is None or not server.is_ready or server.socket_directory is None:
        return None
    if not processes.is_server_of(server.pid, data_directory) or not (server.socket_directory / SOCKET).exists():
        return None
    return Addresses(server.socket_directory)


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / SOCKET)) <= LONGEST_SOCKET_PATH_BYTES and "," not in str(directory)


def _is_writable_by_it_alone(directory: Path, identity: Identity) -> bool:
    facts = directory.stat()
    return facts.st_uid == identity.uid and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
