"""What the supervisor may have to refuse; each message ends with the way out."""

from typing import ClassVar

from ila.errors import Conflict, Invalid, Refused


class NoPostgres(Refused):
    """No PostgreSQL of a supported major was found on this machine; fact `considered` lists what was looked at."""

    code: ClassVar[str] = "no_postgresql"


class NotPostgres(Invalid):
    """ILA_PG_BIN names a directory that holds no PostgreSQL server which runs here."""

    code: ClassVar[str] = "not_postgresql"


class WrongMajor(Refused):
    """The data directory was made by another major; facts `found`, `needed`, `data_directory`."""

    code: ClassVar[str] = "wrong_postgresql_major"


class UnusableDirectory(Refused):
    """The data directory, or one above it, cannot be used as it is; fact `directory`."""

    code: ClassVar[str] = "unusable_data_directory"


class NoAccount(Refused):
    """The caller is root and no other identity can run the server; fact `directory` is what bars the way, if known."""

    code: ClassVar[str] = "no_account_for_postgresql"


class StillBusy(Conflict):
    """Processes of an earlier server still work in the data directory; fact `pids`."""

    code: ClassVar[str] = "data_directory_busy"


class AlreadyRunning(Conflict):
    """Another supervisor holds the data directory; fact `data_directory`."""

    code: ClassVar[str] = "embedded_server_already_running"


class DidNotStart(Refused):
    """`initdb` or the server ended instead of starting; fact `log` holds the end of what it wrote."""

    code: ClassVar[str] = "embedded_server_did_not_start"


class NotRunning(Refused):
    """A client found no running server in the data directory; fact `data_directory`."""

    code: ClassVar[str] = "embedded_server_not_running"
