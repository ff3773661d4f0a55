"""The import of a population at a terminal: settings, progress and the file of refused rows around the importer."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ila import clock
from ila.cli.context import Context

if TYPE_CHECKING:
    from ila.access.rules import Actor
    from ila.citizens import IdentityKeys
    from ila.citizens.importing import ImportCounts
    from ila.db.session import WriteSession

Result = TypeVar("Result")


def imported(context: Context, actor: "Actor", file: Path, refused: Path, *, today: date) -> "ImportCounts":
    """Import a file with progress, each batch in a transaction of its own; refused rows go to the other file."""
    from ila.citizens.importing import RefusalFile, import_population, inspected
    from ila.cli.progress import Progress
    from ila.db.retry import attempt

    def transact(work: Callable[["WriteSession"], Result]) -> Result:
        return attempt(context.sessions, work)

    keys, of_schemes = keys_of(context), criteria_of_schemes(context)
    inspection = inspected(file)
    with (
        RefusalFile(refused, inspection.columns) as refusals,
        Progress(f"importing {file.name}", inspection.rows, "rows") as progress,
    ):
        return import_population(
            transact,
            inspection,
            actor=actor,
            keys=keys,
            today=today,
            now=clock.now(),
            batch_rows=context.settings.import_batch_rows,
            of_schemes=of_schemes,
            on_refused=refusals.add,
            on_progress=progress.update,
        )


def keys_of(context: Context) -> "IdentityKeys":
    """Return the keys of personal data; raises `InvalidSettings` where one is not set."""
    from ila.citizens import IdentityKeys

    return IdentityKeys.of(*context.settings.require_keys())


def criteria_of_schemes(context: Context) -> frozenset[str]:
    """Return every need criterion that the files of a scheme name."""
    from ila.schemes.loader import load_all

    found: set[str] = set()
    return frozenset(found.union(*(scheme.criteria for scheme in load_all(context.settings.scheme_directory))))
