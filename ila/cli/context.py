"""What a verb works with: the settings, the database, and who is at the terminal."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ila import logs, settings
from ila.errors import Invalid, Refused
from ila.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ila.access.rules import Actor
    from ila.db.session import ReadSessions, WriteSession, WriteSessions
    from ila.db.urls import DatabaseUrls

Role = Literal["app", "job", "owner"]
LONGEST_TOKEN_BYTES = 4096


class NoToken(Refused):
    """The verb needs to know who asks."""

    code = "no_token"


@dataclass(frozen=True, slots=True)
class Context:
    """The settings, and the database as one role reaches it. The verb opens its transactions itself."""

    settings: Settings
    urls: "DatabaseUrls"
    engine: "Engine"
    sessions: "WriteSessions"
    read_sessions: "ReadSessions"


def load_settings(*, is_service: bool = False) -> Settings:
    """Return the settings of this process and send its logs where they say.

    A verb that serves until stopped logs all that `log_level` lets through. One that answers and ends logs warnings
    alone, unless ILA_LOG_LEVEL asks for more: its answer is what people want to read.
    """
    loaded = settings.load(os.environ)
    is_asked_for = is_service or loaded.origins["log_level"] == settings.variable("log_level")
    level = loaded.log_level if is_asked_for or loaded.log_level == "error" else "warning"
    logs.configure(level, loaded.log_format, service=loaded.service_name)
    return loaded


@contextmanager
def open_context(role: Role = "job", *, snapshot: bool = False, is_service: bool = False) -> Iterator[Context]:
    """Give a verb its settings and database; connections are made at the first statement and closed at the end.

    With `snapshot`, all statements of one read session see the same state. Raises `InvalidSettings`, and `NotRunning`
    where the embedded server is meant and does not run.
    """
    from ila.db.session import database_engine, read_sessions, write_sessions
    from ila.db.urls import database_urls

    loaded = load_settings(is_service=is_service)
    urls = database_urls(loaded)
    pool_size = loaded.allocation_workers + 3
    engine = database_engine(getattr(urls, role), pool_size=pool_size, pooler=loaded.database_pooler)
    try:
        yield Context(loaded, urls, engine, write_sessions(engine), read_sessions(engine, snapshot=snapshot))
    finally:
        engine.dispose()


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`, given to the verb as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON for scripts.")(function)


def token_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--token-file`, given to the verb as `token_file`; see `actor_of`."""
    return click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help="File with your token; without it the variable ILA_TOKEN holds the token.",
    )(function)


def actor_of(session: "WriteSession", token_file: Path | None) -> "Actor":
    """Return who is at the terminal, by the token in the file or in ILA_TOKEN; raises `NoToken`."""
    from ila import access, clock

    return access.authenticate(session, token_text(token_file), now=clock.now())


def token_text(token_file: Path | None) -> str:
    """Return the token that was given; raises `NoToken` where there is none, `Invalid` where the file is no token."""
    if token_file is None:
        token = os.environ.get("ILA_TOKEN", "").strip()
        if not token:
            raise NoToken("This needs your token: set ILA_TOKEN, or name a file that holds it with --token-file.")
        return token
    try:
        with token_file.open(encoding="utf-8") as content:
            token = content.read(LONGEST_TOKEN_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Invalid(f"The token file {token_file} cannot be read: {reason}.", path=token_file) from None
    if not token or len(token.split()) != 1:
        raise Invalid(f"The token file {token_file} should hold one token and nothing else.", path=token_file)
    return token
