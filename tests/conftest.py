"""A real PostgreSQL for every test process: one embedded server, migrated once, copied where a test commits.

`session` is rolled back after the test; `database` is a copy of its own, for tests with several connections,
processes or commits. `ILA_PG_BIN` chooses other binaries, so that the suite also runs on PostgreSQL 15.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ila.db import embedded, migrations
from ila.db.session import (
    ReadSessions,
    WriteSession,
    WriteSessions,
    database_engine,
    read_sessions,
    write_sessions,
)

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)

TEMPLATE = "ila_template"
"""A migrated database that nobody connects to: what `database` copies."""

_names = itertools.count(1)


def _execute(server: embedded.Server, statement: str) -> None:
    """Run one statement as the superuser, outside a transaction."""
    admin = database_engine(server.url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(statement))
    admin.dispose()


@dataclass(frozen=True, slots=True)
class Database:
    """One migrated database and the ways into it; `url(role)` for other processes."""

    name: str
    server: embedded.Server
    engines: dict[str, Engine] = field(default_factory=dict)

    def url(self, role: str = "ila_app") -> str:
        return self.server.url(role, self.name)

    def engine(self, role: str = "ila_app") -> Engine:
        if role not in self.engines:
            self.engines[role] = database_engine(self.url(role), pool_size=20)
        return self.engines[role]

    def sessions(self, role: str = "ila_job") -> WriteSessions:
        return write_sessions(self.engine(role))

    def read_sessions(self, role: str = "ila_app") -> ReadSessions:
        return read_sessions(self.engine(role))

    def close(self) -> None:
        for engine in self.engines.values():
            engine.dispose()


@pytest.fixture(scope="session", autouse=True)
def no_data_of_an_installation() -> Iterator[None]:
    """Keep the keys and tokens that `make run` left in this checkout out of every test, and of what tests start."""
    directory = tempfile.mkdtemp(prefix="ila-no-data-")
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("ILA_") and name != "ILA_PG_BIN"]:
            environment.delenv(name)
        environment.setenv("ILA_DATA_DIRECTORY", directory)
        yield
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[embedded.Server]:
    """The embedded server of this test process, without fsync."""
    directory = Path(tempfile.mkdtemp(prefix="ila-test-"))
    os.chmod(directory, 0o755)
    try:
        with embedded.temporary_server(directory) as running:
            migrations.upgrade(running.owner_url)
            _execute(running, f"CREATE DATABASE {TEMPLATE} TEMPLATE ila OWNER ila_owner")
            yield running
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def main_database(server: embedded.Server) -> Iterator[Database]:
    """The migrated database that `session` works in; nothing is ever committed to it."""
    database = Database("ila", server)
    yield database
    database.close()


@pytest.fixture
def session(main_database: Database) -> Iterator[WriteSession]:
    """A unit of work of the role `ila_job`, rolled back after the test."""
    with main_database.engine("ila_job").connect() as connection:
        outer = connection.begin()
        with WriteSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


@pytest.fixture
def database(server: embedded.Server) -> Iterator[Database]:
    """A migrated database of the test's own, dropped afterwards."""
    with copied_database(server) as database:
        yield database


@contextmanager
def copied_database(server: embedded.Server) -> Iterator[Database]:
    """Copy the migrated database, and drop the copy afterwards."""
    name = f"ila_{os.getpid()}_{next(_names)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER ila_owner")
    database = Database(name, server)
    try:
        yield database
    finally:
        database.close()
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")
