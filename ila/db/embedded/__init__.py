"""The embedded PostgreSQL: binaries from a package or the system, the life cycle our own.

`start` and `running` supervise a server of this process; `connect_running` and `require_running` make a client of
somebody else's. Linux; on macOS a killed supervisor leaves its server to the next start. No TCP port is opened, and
whoever can reach the socket (mode 0700) is trusted.
"""

from ila.db.embedded.addresses import Addresses
from ila.db.embedded.binaries import Binaries, find_binaries
from ila.db.embedded.clients import connect_running, require_running
from ila.db.embedded.errors import (
    AlreadyRunning,
    DidNotStart,
    NoAccount,
    NoPostgres,
    NotPostgres,
    NotRunning,
    StillBusy,
    UnusableDirectory,
    WrongMajor,
)
from ila.db.embedded.supervisor import Server, running, start, temporary_server
from ila.db.embedded.tuning import Machine, connections, this_machine, tuning

__all__ = [
    "Addresses",
    "AlreadyRunning",
    "Binaries",
    "DidNotStart",
    "Machine",
    "NoAccount",
    "NoPostgres",
    "NotPostgres",
    "NotRunning",
    "Server",
    "StillBusy",
    "UnusableDirectory",
    "WrongMajor",
    "connect_running",
    "connections",
    "find_binaries",
    "require_running",
    "running",
    "start",
    "temporary_server",
    "this_machine",
    "tuning",
]
