"""The data directory: of which major it is, and how a new one comes into being whole or not at all."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

from ila.db.embedded import processes
from ila.db.embedded.binaries import Binaries
from ila.db.embedded.errors import DidNotStart, UnusableDirectory, WrongMajor
from ila.db.embedded.identity import Identity

SUPERUSER = "postgres"
UNFINISHED = ".initdb-"
"""What stands between the name of a data directory and a random ending while it is being made."""


def exists(data_directory: Path) -> bool:
    """Say whether there is a cluster in `data_directory`; raises UnusableDirectory where something else is there."""
    if (data_directory / "PG_VERSION").is_file():
        return True
    if not data_directory.exists():
        return False
    if not data_directory.is_dir() or any(data_directory.iterdir()):
        raise UnusableDirectory(
            f"{data_directory} is not empty and holds no PostgreSQL data; name another place for the database.",
            directory=data_directory,
        )
    if data_directory.is_mount():
        raise UnusableDirectory(
            f"{data_directory} is itself a mounted volume, where new data cannot be put in one step; "
            f"name a directory inside it, such as {data_directory / 'postgresql'}.",
            directory=data_directory,
        )
    return False


def require_major(data_directory: Path, binaries: Binaries) -> None:
    """Refuse data made by another major than that of the binaries: nothing is upgraded silently, nothing deleted."""
    found = (data_directory / "PG_VERSION").read_text().strip()
    if found == str(binaries.major):
        return
    raise WrongMajor(
        f"{data_directory} was made by PostgreSQL {found}, but {binaries.directory} is PostgreSQL {binaries.major}: "
        f"set ILA_PG_BIN to the programs of PostgreSQL {found}, run `ila db dump FILE`, move the directory away, "
        "unset ILA_PG_BIN, start again and run `ila db restore FILE`.",
        found=found,
        needed=str(binaries.major),
        data_directory=data_directory,
    )


def remove_unfinished(data_directory: Path) -> None:
    """Remove what starts killed during initdb left beside `data_directory`; only under the lock."""
    beginning = data_directory.name + UNFINISHED
    for unfinished in [path for path in data_directory.parent.iterdir() if path.name.startswith(beginning)]:
        processes.wait_for_orphans(unfinished)
        shutil.rmtree(unfinished)


def create(data_directory: Path, binaries: Binaries, identity: Identity, *, log: Path, durable: bool) -> None:
    """Make a cluster under another name, see it on the disk, and only then give it its own.

    UTF-8, one byte order everywhere, checksums, access left to the socket. Raises DidNotStart with the end of the log.
    """
    unfinished = Path(tempfile.mkdtemp(prefix=data_directory.name + UNFINISHED, dir=data_directory.parent))
    identity.take(unfinished)
    command = [
        binaries.program("initdb"),
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        "--auth=trust",
        "--encoding=UTF8",
        "--data-checksums",
        "--no-instructions",
        *_locale(binaries.major),
        *([] if durable else ["--no-sync"]),
    ]
    beginning = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        # Told to end, initdb removes what it has made; the directory itself goes at the next start.
        process = identity.launch(command, death_signal=signal.SIGTERM, output=output)
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            processes.wait_for_orphans(unfinished)
            shutil.rmtree(unfinished)
            raise
    if code != 0:
        shutil.rmtree(unfinished)
        end = log_since(log, beginning)
        raise DidNotStart(f"initdb could not make {data_directory}, see {log}: {end}", log=end)
    unfinished.rename(data_directory)
    _sync(data_directory.parent)


def log_since(log: Path, beginning: int, *, lines: int = 12) -> str:
    """Return the last lines of what was written to `log` after byte `beginning`."""
    with log.open("rb") as written:
        written.seek(beginning)
        text = written.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def _locale(major: int) -> list[str]:
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
