"""The database of a process that forks or may start before its database: nothing is opened before the first use."""

import threading

from sqlalchemy import Engine

from ila.db.session import ReadSessions, WriteSessions, database_engine, read_sessions, write_sessions
from ila.db.urls import database_urls
from ila.settings import Settings


class LazyDatabase:
    """Sessions of the web application, made in the process and at the moment that first needs them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine, with one connection for each thread; raises `NotRunning` where the embedded server is down."""
        with self._lock:
            if self._engine is None:
                url = database_urls(self.settings).app
                pool_size, pooler = self.settings.web_threads, self.settings.database_pooler
                self._engine = database_engine(url, pool_size=pool_size, pooler=pooler)
            return self._engine

    @property
    def sessions(self) -> WriteSessions:
        """The maker of units of work that may write."""
        return write_sessions(self.engine)

    @property
    def read_sessions(self) -> ReadSessions:
        """The maker of READ ONLY units of work."""
        return read_sessions(self.engine)

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = None
