"""`ila serve`: the supervisor of everything on one machine.

It starts, in this order: the embedded database (unless there is one of the operator's), migrations, the
demonstration, then the web server, the scheduler and the worker. It stops them in the order web server, scheduler,
worker, database, and ends with the exit code of the first one that failed.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType

import click

from ila.cli import output
from ila.cli.children import Child, launch
from ila.cli.context import load_settings
from ila.cli.keys import ensure_keys
from ila.cli.serve_lock import ServeLock
from ila.cli.welcome import DEMO_TOKENS, welcome
from ila.db import embedded
from ila.db.urls import DatabaseUrls, database_urls, urls_of_embedded
from ila.errors import Conflict, Refused
from ila.settings import ROOT, InvalidSettings, Settings

WATCH_EVERY_S = 0.1
WEB_PATIENCE_S = 60.0
WORKER_MEMORY_MIB = 1024


class PortTaken(Conflict):
    """Another program listens where the web server should."""

    code = "port_taken"


class DidNotStart(Refused):
    """A child ended, or said nothing, while everything was being started."""

    code = "did_not_start"


class _Stop(BaseException):
    """A signal asks the supervisor to end; no error, so nothing but the supervisor may catch it."""


@dataclass(slots=True)
class _Signals:
    """SIGINT, SIGTERM and SIGHUP stop the supervisor once; while it stops, they change nothing."""

    armed: bool = True

    def receive(self, number: int, frame: FrameType | None) -> None:
        if self.armed:
            self.armed = False
            raise _Stop
        os.write(sys.stderr.fileno(), b"ila: stopping, one moment\n")

    def disarm(self) -> None:
        self.armed = False


@dataclass(slots=True)
class _Database:
    """Where the database is, how it came to run, and the server if it is ours to stop."""

    urls: DatabaseUrls
    told: str
    server: embedded.Server | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


@click.command(epilog="Examples:  ila serve\n\n  ILA_PORT=9000 ila serve --demo")
@click.option("--demo", is_flag=True, help="Load the demonstration at the first start.")
def commands(demo: bool) -> int:
    """Start the database, the web server, the scheduler and the worker; Ctrl-C stops them all.

    With ILA_DATABASE_URL set, that server is used and none is started. Data, keys and logs of the embedded database
    lie in ILA_DATA_DIRECTORY and are used again at the next start.
    """
    if demo:
        os.environ.setdefault("ILA_ENV", "demo")
    settings = load_settings(is_service=True)
    if demo and settings.env == "production":
        raise InvalidSettings(["env is production, where no demonstration may be loaded: leave out --demo"])
    signals = _Signals()
    try:
        with _handled(signals), ExitStack() as running:
            return _serve(settings, signals, running, demo=demo)
    except _Stop:
        output.say("ila: everything has stopped")
        return 0


def _serve(settings: Settings, signals: _Signals, running: ExitStack, *, demo: bool) -> int:
    started = time.monotonic()
    lock = ServeLock.take(settings.data_directory, settings.base_url)
    running.callback(lock.release)
    _require_free_port(settings)
    database = _database(settings, running)

    from ila.db import migrations

    before, after = migrations.upgrade(database.urls.owner)
    schema = f"{after}, as before" if before == after else f"migrated from {before or 'nothing'} to {after}"
    if demo and not (settings.data_directory / DEMO_TOKENS).exists():
        _seed(database)

    children: list[Child] = []
    running.callback(_stop, children)
    running.callback(signals.disarm)
    children.append(launch("web server", _web_command(settings), database.environ))
    _wait_for_web(settings, children[0])  # first, alone: on a small machine it is up a second earlier
    if not settings.maintenance:
        for name in ("scheduler", "worker"):
            children.append(launch(name, [sys.executable, "-m", "ila", name], database.environ))
    welcome(settings, database=database.told, schema=schema, seconds=time.monotonic() - started)
    return _watch(children, database.server)


@contextmanager
def _handled(signals: _Signals) -> Iterator[None]:
    """Let the signals that end a program reach `signals` for the length of a block."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signals.receive) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_free_port(settings: Settings) -> None:
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise PortTaken(
            f"Port {settings.port} of {settings.host} cannot be listened on ({error.strerror}); "
            "choose another, as in ILA_PORT=8001.",
            host=settings.host,
            port=settings.port,
        ) from None


def _database(settings: Settings, running: ExitStack) -> _Database:
    """Start the embedded server or find the operator's; return where it is and the environment for children."""
    server: embedded.Server | None = None
    keys = ensure_keys(settings)
    if settings.is_embedded:
        connections = embedded.connections(settings.web_workers, settings.web_threads)
        server = embedded.start(
            settings.data_directory / "postgresql", max_connections=connections + settings.allocation_workers
        )
        running.callback(server.stop)
        urls = urls_of_embedded(server)
        life = "made just now" if server.first_start else "used again"
        told = f"PostgreSQL {server.binaries.version}, embedded; {server.data_directory}, {life}"
    else:
        urls = database_urls(settings)
        told = "the server of ILA_DATABASE_URL; none was started"
    environ = {name: value for name, value in os.environ.items() if name != "ILA_DATABASE_OWNER_URL"}
    environ |= {
        "ILA_ENV": settings.env,
        "ILA_DATA_DIRECTORY": str(settings.data_directory),
        "ILA_SCHEME_DIRECTORY": str(settings.scheme_directory),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        **keys,
    }
    if server is not None:
        environ |= {
            "ILA_DATABASE_URL": urls.app,
            "ILA_DATABASE_JOB_URL": urls.job,
            "ILA_DATABASE_DIRECT_URL": urls.direct,
        }
    return _Database(urls, told, server, environ)


def _seed(database: _Database) -> None:
    command = [sys.executable, "-m", "ila", "seed", "demo"]
    code = subprocess.run(command, env=dict(database.environ), check=False).returncode
    if code != 0:
        raise DidNotStart(f"The demonstration could not be loaded (`ila seed demo` ended with {code}).", exit_code=code)


def _web_command(settings: Settings) -> list[str]:
    """Return the web server's command line; see `docs/operations.md` for why each option stands there."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", settings.host, "--port", str(settings.port)),
        *("--workers", str(settings.web_workers), "--blocking-threads", str(settings.web_threads)),
        *("--backpressure", str(settings.web_threads * 4)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "30", "--workers-max-rss", str(WORKER_MEMORY_MIB)),
        *("--no-access-log", "--log-level", "error"),
        "wsgi:app",
    ]


def _wait_for_web(settings: Settings, web: Child) -> None:
    """Return when the web server answers; raises `DidNotStart` where it ends or says nothing for a minute."""
    deadline = time.monotonic() + WEB_PATIENCE_S
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  asked, not bound
    while True:
        connection = http.client.HTTPConnection(host, settings.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        if (code := web.failed()) is not None:
            raise DidNotStart(f"The web server ended with code {code} while it started; its log above says why.")
        if time.monotonic() > deadline:
            raise DidNotStart(f"The web server did not answer within {WEB_PATIENCE_S:.0f} s; its log above says why.")
        time.sleep(0.02)


def _watch(children: list[Child], server: embedded.Server | None) -> int:
    """Wait until something ends by itself; return its exit code, 1 where it was 0. A signal ends it by `_Stop`."""
    while True:
        time.sleep(WATCH_EVERY_S)
        for child in children:
            if (code := child.failed()) is not None:
                output.warn(f"the {child.name} ended with code {code}; stopping everything")
                return code or 1
        if server is not None and (code := server.poll()) is not None:
            output.warn(f"the database ended with code {code}, see {server.log}; stopping everything")
            return code if code > 0 else 1


def _stop(children: list[Child]) -> None:
    for child in children:
        child.stop()
