"""The command line of the server: every setting it runs with, and nothing in a file."""

from collections.abc import Mapping
from pathlib import Path

from ila.db.embedded.addresses import PORT
from ila.db.embedded.binaries import Binaries
from ila.db.embedded.tuning import Machine, tuning
from ila.errors import Invalid

STATISTICS = "pg_stat_statements"
DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


def scaled(machine: Machine, max_connections: int, *, durable: bool) -> dict[str, str]:
    """Return the settings that follow from the machine."""
    return tuning(
        machine.memory_bytes,
        machine.cpus,
        max_connections,
        shared_memory_bytes=machine.shared_memory_bytes,
        durable=durable,
    )


def fixed(binaries: Binaries, socket_directory: Path) -> dict[str, str]:
    """Return the settings that nobody chooses: a socket for us alone, no TCP, statistics where the build has them."""
    quoted = str(socket_directory).replace('"', '""')
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        "shared_preload_libraries": STATISTICS if binaries.has_library(STATISTICS) else "",
    }


def refuse_fixed(settings: Mapping[str, str]) -> None:
    """Refuse settings that would open the server to others, or lose what was committed; raises Invalid."""
    never = {*DURABILITY, "listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions"}
    if refused := sorted((never | {"shared_preload_libraries"}).intersection(settings)):
        raise Invalid(f"The embedded server fixes {', '.join(refused)}; leave that out of the settings.", names=refused)


def server_command(binaries: Binaries, data_directory: Path, settings: Mapping[str, str]) -> list[str]:
    """Return the program and its arguments; it runs the server itself, not `pg_ctl`."""
    given = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    return [binaries.program("postgres"), "-D", str(data_directory), *given]
