"""Whole copies of the database by PostgreSQL's own programs, written and read all or nothing.

The embedded server is copied by its superuser; an operator's by the role that owns the tables, and what it may not
restore (owners and their privileges) is the operator's to set.
"""

import os
import re
import subprocess
from pathlib import Path

from ila.cli.progress import Progress
from ila.db import embedded
from ila.db.base import SCHEMA
from ila.db.session import database_engine
from ila.db.urls import database_urls
from ila.errors import Conflict, Invalid, Refused
from ila.settings import Settings

_TABLE = re.compile(r"(dumping contents of|processing data for) table")


class CopyFailed(Refused):
    """pg_dump or pg_restore refused; the message carries its last words."""

    code = "copy_failed"


class NotEmpty(Conflict):
    """The database already holds the platform's tables."""

    code = "database_not_empty"


def dump(settings: Settings, file: Path, *, replace: bool) -> int:
    """Write the database to `file` under another name first; return its size in bytes."""
    if file.exists() and not replace:
        raise Conflict(f"{file} exists; name another file, or replace it with --replace.", path=file)
    if not file.absolute().parent.is_dir():
        raise Invalid(f"There is no directory {file.absolute().parent}; make it first.", path=file)
    url = _url(settings)
    partial = file.with_name(f"{file.name}.partial")
    command = [_program("pg_dump"), "--format=custom", f"--schema={SCHEMA}", "--verbose", f"--file={partial}", url]
    try:
        _run(command, "dumping", _tables(url))
        partial.chmod(0o600)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file.stat().st_size


def restore(settings: Settings, file: Path) -> None:
    """Fill an empty database from `file` in one transaction; raises `NotEmpty` where tables exist."""
    url = _url(settings)
    if _tables(url):
        raise NotEmpty("The database already holds the platform's tables; restore into an empty one.")
    owner = [] if settings.is_embedded else ["--no-owner"]
    program = _program("pg_restore")
    listed = subprocess.run([program, "--list", str(file)], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Invalid(f"{file} is no copy made by `ila db dump`: {_last_line(listed.stderr)}.", path=file)
    options = ["--exit-on-error", "--single-transaction", "--verbose", *owner]
    _run([program, *options, f"--dbname={url}", str(file)], "restoring", listed.stdout.count(" TABLE DATA "))


def _url(settings: Settings) -> str:
    if settings.is_embedded:
        return embedded.require_running(settings.data_directory / "postgresql").superuser_url
    return database_urls(settings).owner


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


def _run(command: list[str], label: str, tables: int) -> None:
    """Run a program that tells on standard error what it does, table by table."""
    last = ""
    with Progress(label, total=tables, unit="tables") as progress:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        with process:
            for line in process.stderr:
                last = line.strip() or last
                if _TABLE.search(line):
                    progress.advance()
    if process.returncode != 0:
        raise CopyFailed(f"{Path(command[0]).name} stopped: {last}; nothing was changed.")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].rstrip(".") if lines else "it cannot be read"
