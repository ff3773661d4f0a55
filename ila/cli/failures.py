"""What the command line says, and how it ends, when something was refused or failed: one sentence, one exit code."""

import json
from dataclasses import dataclass, field
from typing import Any

import click

from ila.errors import DomainError, TryAgain

DONE = 0
REFUSED = 1
USAGE = 2
DEFECT = 3
UNREACHABLE = 4
BAD_SETTINGS = 5
INTERRUPTED = 130

UNREACHABLE_CODES = frozenset({"embedded_server_not_running", "embedded_server_already_running"})
"""Refusals that pass once somebody has started, or finished starting, the database."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The end of a command that did not do what was asked."""

    exit_code: int
    code: str
    message: str
    facts: dict[str, Any] = field(default_factory=dict)

    def show(self, *, as_json: bool) -> None:
        """Write the sentence to standard error, or the whole as JSON to standard output for a script."""
        if as_json:
            problem = {"code": self.code, "detail": self.message, "facts": self.facts}
            click.echo(json.dumps({"problem": problem}, default=str, ensure_ascii=False))
        else:
            click.echo(f"ila: {self.message}", err=True)


def failure_of(error: Exception) -> Failure:
    """Tell what an exception means to somebody at a terminal. Nothing of the program's inside is shown."""
    if isinstance(error, DomainError):
        return Failure(_exit_code(error), error.code, error.message, dict(error.facts))
    return _failure_of_database(error) or Failure(
        DEFECT,
        "defect",
        f"This is a defect of the program ({type(error).__name__}: {_first_line(error)}); "
        "run it again with ILA_DEBUG=1 and report what it then says.",
    )


def _exit_code(error: DomainError) -> int:
    if error.code == "invalid_settings":
        return BAD_SETTINGS
    if isinstance(error, TryAgain) or error.code in UNREACHABLE_CODES:
        return UNREACHABLE
    return REFUSED


def _failure_of_database(error: Exception) -> Failure | None:
    import psycopg
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    if isinstance(error, PoolTimeout):
        return Failure(UNREACHABLE, "try_again", "All database connections are in use; try again in a few seconds.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return None
    state = cause.sqlstate or ""
    if state in ("42P01", "3F000"):
        return Failure(REFUSED, "schema_differs", "The database lacks tables of this version; run `ila db upgrade`.")
    if state == "42501":
        sentence = "The database does not let this role do that; `ila doctor` says which role each address should have."
        return Failure(REFUSED, "not_granted", sentence)
    if state == "57014":
        return Failure(UNREACHABLE, "try_again", "The database stopped the work at its time limit; try again.")
    if state in ("53100", "53200"):
        return Failure(
            UNREACHABLE, "database_full", "The database has no disk space or memory left; make room, try again."
        )
    if isinstance(cause, psycopg.OperationalError) or state.startswith(("08", "53", "57P", "40", "55P03")):
        return Failure(
            UNREACHABLE,
            "database_unreachable",
            f"The database cannot be reached or is too busy ({_first_line(cause)}); "
            "look whether it runs (`ila serve`, ILA_DATABASE_URL), then try again.",
        )
    return None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no more is known"
