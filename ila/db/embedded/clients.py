"""How a process that supervises nothing finds the embedded server: by its lock and socket, never by starting one."""

from pathlib import Path

from ila.db.embedded.addresses import Addresses, addresses_of_ready_server
from ila.db.embedded.errors import NotRunning, UnusableDirectory
from ila.db.embedded.lock import is_held_by_ready_supervisor


def connect_running(data_directory: Path) -> Addresses | None:
    """Return the addresses of the server that a supervisor runs on `data_directory`; None where there is none.

    Never starts one. Raises UnusableDirectory where the caller may not look.
    """
    data_directory = data_directory.resolve()
    try:
        is_held = is_held_by_ready_supervisor(data_directory)
        return addresses_of_ready_server(data_directory) if is_held else None
    except PermissionError:
        raise UnusableDirectory(
            f"{data_directory} may not be read; run this as the account that owns it, or set ILA_DATABASE_URL.",
            directory=data_directory,
        ) from None


def require_running(data_directory: Path) -> Addresses:
    """Return what `connect_running` returns; raises NotRunning, which says how to start."""
    addresses = connect_running(data_directory)
    if addresses is None:
        raise NotRunning(
            f"No database runs in {data_directory}; start one with `ila serve`, or set ILA_DATABASE_URL.",
            data_directory=data_directory,
        )
    return addresses
