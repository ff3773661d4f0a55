"""Whole copies of the database by PostgreSQL's own programs, written and read all or nothing.

The embedded server is copied by its superuser; an operator's by the role that owns the tables, and what it may not
restore (owners and their privileges) is the operator's to set.
"""

import os
import re
import subprocess
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from ila.cli.progress import Progress
from ila.db import embedded
from ila.db.base import SCHEMA
from ila.db.session import database_engine
from ila.db.urls import database_urls
from ila.errors import Conflict, Invalid, Refused
from ila.settings import Settings

TABLES_OF_WORTH = ("citizen", "journal_entry", "transfer", "entitlement", "allocation_run", "user_account", "api_token")
"""Tables whose rows no restore may replace; all others are filled by a start as well."""

_TABLE = re.compile(r"(dumping contents of|processing data for) table")


class CopyFailed(Refused):
    """pg_dump or pg_restore refused; the message carries its last words."""

    code = "copy_failed"


class NotEmpty(Conflict):
    """The database already holds accounts, runs, entries or people at work; fact `table` names one table."""

    code = "database_not_empty"


def dump(settings: Settings, file: Path, *, replace: bool) -> int:
    """Write the database to `file` under another name first; return its size in bytes."""
    if file.exists() and not replace:
        raise Conflict(f"{file} exists; name another file, or replace it with --replace.", path=file)
    if not file.absolute().parent.is_dir():
        raise Invalid(f"There is no directory {file.absolute().parent}; make it first.", path=file)
    url = _url(settings)
    partial = file.with_name(f"{file.name}.partial")
    command = [_program("pg_dump"), "--format=custom", f"--schema={SCHEMA}", "--verbose", f"--file={partial}"]
    try:
        _run(command, url, "dumping", _tables(url), after="nothing was changed")
        partial.chmod(0o600)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file.stat().st_size


def restore(settings: Settings, file: Path) -> None:
    """Fill a database that holds nobody's data from `file`, all or nothing; raises `NotEmpty`, `Invalid`.

    The empty tables that a start has made give way to those of the copy.
    """
    program = _program("pg_restore")
    listed = subprocess.run([program, "--list", str(file)], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Invalid(f"{file} is no copy made by `ila db dump`: {_last_line(listed.stderr)}.", path=file)
    url = _url(settings)
    _make_room(url)
    owner = [] if settings.is_embedded else ["--no-owner"]
    options = ["--exit-on-error", "--single-transaction", "--verbose", *owner]
    _run(
        [program, *options, str(file)],
        url,
        "restoring",
        listed.stdout.count(" TABLE DATA "),
        after="the database is empty, `ila db upgrade` makes its tables again",
    )


def _make_room(url: str) -> None:
    """Drop the tables where they are there and hold nothing that anybody would miss."""
    engine = database_engine(url)
    try:
        with engine.begin() as connection:
            for table in TABLES_OF_WORTH:
                name = f"{SCHEMA}.{table}"
                if connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is None:
                    continue
                if connection.scalar(text(f"SELECT EXISTS (SELECT FROM {name})")):  # noqa: S608  constants
                    raise NotEmpty(
                        f"The database holds data already: the table {table} has rows; restore into an empty one.",
                        table=table,
                    )
            connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    finally:
        engine.dispose()


def _url(settings: Settings) -> str:
    if settings.is_embedded:
        return embedded.require_running(settings.data_directory / "postgresql").superuser_url
    return database_urls(settings).owner


def _target(url: str) -> tuple[str, dict[str, str]]:
    """Return the address in libpq's form, and the environment that carries the password past the process list."""
    engine = database_engine(url)
    _, arguments = engine.dialect.create_connect_args(engine.url)
    password = arguments.pop("password", None)
    arguments.pop("context", None)  # the driver's own, unknown to libpq
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return make_conninfo(**arguments), environ | ({"PGPASSWORD": str(password)} if password else {})


def _program(name: str) -> str:
    return embedded.find_binaries(os.environ).program(name)


def _tables(url: str) -> int:
    engine = database_engine(url)
    try:
        with engine.connect() as connection:
            statement = "SELECT count(*) FROM pg_tables WHERE schemaname = %s"
            return int(connection.exec_driver_sql(statement, (SCHEMA,)).scalar_one())
    finally:
        engine.dispose()


def _run(command: list[str], url: str, label: str, tables: int, *, after: str) -> None:
    """Run a program on a database; it tells on standard error what it does, table by table."""
    last = ""
    with Progress(label, total=tables, unit="tables") as progress:
        target, environ = _target(url)
        process = subprocess.Popen(
            [*command, f"--dbname={target}"], env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        with process:
            for line in process.stderr:
                last = line.strip() or last
                if _TABLE.search(line):
                    progress.advance()
    if process.returncode != 0:
        raise CopyFailed(f"{Path(command[0]).name} stopped: {last}; {after}.")


def _last_line(written: str) -> str:
    lines = written.strip().splitlines()
    return lines[-1].rstrip(".") if lines else "it cannot be read"
