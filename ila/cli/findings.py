"""What `ila doctor` looks at: the machine, then the database as each role reaches it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from ila import clock
from ila.db import embedded, migrations
from ila.db.embedded.binaries import SUPPORTED_MAJORS
from ila.db.session import database_engine
from ila.db.urls import database_urls
from ila.errors import DomainError
from ila.settings import KEY_FILES, Settings, variable

LARGEST_CLOCK_DIFFERENCE = timedelta(seconds=1)
C_COLLATIONS = ("C", "POSIX", "C.UTF-8", "C.utf8")


class Verdict(StrEnum):
    """What a finding means for people who are to be served."""

    OK = "ok"
    WARNING = "warning"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    verdict: Verdict
    subject: str
    sentence: str


def ok(subject: str, sentence: str) -> Finding:
    """Return a finding that asks for nothing."""
    return Finding(Verdict.OK, subject, sentence)


def warning(subject: str, sentence: str) -> Finding:
    """Return a finding that somebody should know."""
    return Finding(Verdict.WARNING, subject, sentence)


def refused(subject: str, sentence: str) -> Finding:
    """Return a finding that must be put right."""
    return Finding(Verdict.REFUSED, subject, sentence)


def all_findings(settings: Settings) -> list[Finding]:
    """Look at everything; what cannot be reached is itself a finding."""
    return [*_machine(settings), *_database(settings)]


def _machine(settings: Settings) -> Iterator[Finding]:
    yield ok("settings", f"valid; environment {settings.env}")
    try:
        binaries = embedded.find_binaries(os.environ)
        yield ok("programs", "; ".join(binaries.considered))
    except DomainError as error:
        verdict = refused if settings.is_embedded else warning
        yield verdict("programs", error.message)
    for name in KEY_FILES:
        if getattr(settings, name):
            yield ok("keys", f"{name} comes from {settings.origins[name]}")
        else:
            yield warning("keys", f"{variable(name)} is not set; `ila serve` makes it at the first start")
    directory = settings.data_directory / "keys"
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield refused("keys", f"{path} can be read by other accounts; run: chmod 600 {path}")


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        urls = database_urls(settings)
    except DomainError as error:
        yield refused("database", error.message)
        return
    if not settings.is_embedded and not _is_private(urls.app):
        yield warning("database", "the address uses TCP without sslmode=require or stronger; others may listen")
    engine = database_engine(urls.app)
    try:
        with engine.connect() as connection:
            yield from _server(connection)
            yield from _schema(connection)
    except DBAPIError as error:
        yield refused("database", f"it cannot be reached: {str(error.orig).strip().splitlines()[0]}")
        return
    finally:
        engine.dispose()
    for name, url in {"web application": urls.app, "jobs and command line": urls.job}.items():
        yield from _role(name, url)


def _is_private(url: str) -> bool:
    parsed = urlsplit(url)
    options = parse_qs(parsed.query)
    hosts = [parsed.hostname or "", *options.get("host", [])]
    over_tcp = any(
        host and not host.startswith("/") and host not in ("127.0.0.1", "::1", "localhost") for host in hosts
    )
    return not over_tcp or options.get("sslmode", [""])[0] in ("require", "verify-ca", "verify-full")


def _server(connection: Connection) -> Iterator[Finding]:
    def show(name: str) -> str:
        return str(connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())

    number = int(show("server_version_num"))
    major = number // 10000
    if major in SUPPORTED_MAJORS:
        yield ok("server", f"PostgreSQL {show('server_version')}")
    else:
        yield refused("server", f"PostgreSQL {major} is not of 15 to 18; use one that is")
    if show("server_encoding") != "UTF8":
        yield refused("server", f"the encoding is {show('server_encoding')}; make the database anew with UTF8")
    if show("fsync") != "on":
        yield refused("server", "fsync is off: a power cut loses money; turn it on")
    if show("synchronous_commit") == "off":
        yield warning("server", "synchronous_commit is off: a crash loses the last answers given")
    if show("data_checksums") != "on":
        yield warning("server", "there are no data checksums: a damaged disk goes unseen; pg_checksums adds them")
    collation = connection.execute(
        text("SELECT datcollate FROM pg_database WHERE datname = current_database()")
    ).scalar_one()
    if collation not in C_COLLATIONS:
        yield warning("server", f"the collation is {collation}: an upgrade of the system may reorder text indexes")
    there = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    difference = abs(clock.now() - there)
    if difference > LARGEST_CLOCK_DIFFERENCE:
        yield refused("clock", f"it differs from the server's by {difference.total_seconds():.1f} s; set both by NTP")
    else:
        yield ok("clock", "it agrees with the server's")


def _schema(connection: Connection) -> Iterator[Finding]:
    found, needed = migrations.current(connection), migrations.head()
    if found == needed:
        yield ok("schema", f"revision {found}")
    else:
        yield refused("schema", f"the revision is {found or 'none'}, this version needs {needed}; run `ila db upgrade`")


def _role(name: str, url: str) -> Iterator[Finding]:
    """A role that owns the tables, or may bypass what guards them, makes append-only an empty word."""
    engine = database_engine(url)
    try:
        with engine.connect() as connection:
            row = connection.execute(
                text(
                    "SELECT current_user AS name, rolsuper, rolbypassrls, EXISTS (SELECT FROM pg_class"
                    " WHERE relnamespace = to_regnamespace('ila') AND pg_has_role(relowner, 'MEMBER')) AS owns"
                    " FROM pg_roles WHERE rolname = current_user"
                )
            ).one()
    except DBAPIError as error:
        yield refused("role", f"{name}: it cannot connect: {str(error.orig).strip().splitlines()[0]}")
        return
    finally:
        engine.dispose()
    powers = [
        word for word, has in (("is a superuser", row.rolsuper), ("bypasses row security", row.rolbypassrls)) if has
    ]
    powers += ["owns the tables, or may become their owner"] if row.owns and not row.rolsuper else []
    if powers:
        advice = "give it a role of its own that owns nothing, so that the journal is append-only for it too"
        yield refused("role", f"{name}: {row.name} {' and '.join(powers)}; {advice}")
    else:
        yield ok("role", f"{name}: {row.name} owns nothing")
