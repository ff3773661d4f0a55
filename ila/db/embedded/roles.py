"""The roles and the database of the embedded server, made or put right at each start by the superuser.

The application's roles own nothing: that the journal is append-only rests on what they were not granted, and an
owner or a superuser needs no grant. Time limits belong to the roles, so that they hold behind a pooler too.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from ila.db.embedded.addresses import DATABASE, Addresses
from ila.db.embedded.cluster import SUPERUSER

OWNER = "ila_owner"
LIMITS: Mapping[str, Mapping[str, str]] = {
    OWNER: {},
    "ila_app": {"statement_timeout": "5s", "lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s"},
    "ila_job": {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"},
    "ila_auditor": {"default_transaction_read_only": "on"},
}
"""Each role that may sign in, with the settings that hold for its sessions."""


def ensure_roles(addresses: Addresses, *, with_statistics: bool) -> None:
    """Make the roles, the database `ila` and, where the library is loaded, `pg_stat_statements`; again is harmless."""
    with psycopg.connect(addresses.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        for role, limits in LIMITS.items():
            _ensure_role(connection, role, limits)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            statement = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
    if with_statistics:
        with psycopg.connect(addresses.superuser_url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def _ensure_role(connection: psycopg.Connection, role: str, limits: Mapping[str, str]) -> None:
    name = sql.Identifier(role)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    powers = sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
    connection.execute(powers.format(name))
    for setting, value in limits.items():
        statement = sql.SQL("ALTER ROLE {} SET {} = {}")
        connection.execute(statement.format(name, sql.Identifier(setting), sql.Literal(value)))
