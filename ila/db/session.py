"""Engines and units of work: who may write, and how long anybody may wait.

Edges write `with sessions.begin() as session:` and nothing below them commits. A `ReadSession` works in a READ ONLY
transaction, so a signature tells whether a function may write. Row order of work and locks: `docs/ledger.md`.
"""

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker


class WriteSession(Session):
    """A unit of work that may change rows."""


class ReadSession(Session):
    """A unit of work in a READ ONLY transaction; PostgreSQL refuses a write (SQLSTATE 25006)."""


WriteSessions = sessionmaker[WriteSession]
ReadSessions = sessionmaker[ReadSession]


def database_engine(url: str, *, pool_size: int = 5, pooler: str = "") -> Engine:
    """Return an engine on the psycopg driver for a `postgresql://` URL.

    The pool has no overflow: a request that finds no connection within 5 s is told to try again. Behind a pooler in
    transaction mode prepared statements are off, because the server connection changes under the client.
    Errors quote no parameters: they are personal data.
    """
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    arguments: dict[str, object] = {"connect_timeout": 5, "application_name": "ila"}
    if pooler == "transaction":
        arguments["prepare_threshold"] = None
    return create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args=arguments,
    )


def write_sessions(engine: Engine) -> WriteSessions:
    """Return the maker of units of work that may write."""
    return sessionmaker(engine, class_=WriteSession, expire_on_commit=False)


def read_sessions(engine: Engine, *, snapshot: bool = False) -> ReadSessions:
    """Return the maker of READ ONLY units of work; with `snapshot`, all statements of one see the same state."""
    options: dict[str, object] = {"postgresql_readonly": True}
    if snapshot:
        options["isolation_level"] = "REPEATABLE READ"
    return sessionmaker(engine.execution_options(**options), class_=ReadSession, expire_on_commit=False)
