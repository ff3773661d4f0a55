"""Who runs the server: an ordinary caller himself; for root an account, a user namespace, or a clear refusal."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ila.db import embedded
from ila.db.embedded import identity

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run servers as others; run this test as root")
ROOT = Path(__file__).parents[2]
NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")


def rights(directory: Path) -> list[tuple[int, int, int]]:
    """Return mode, owner and group of a directory and of all above it."""
    facts = [place.stat() for place in (directory, *directory.parents)]
    return [(stat.S_IMODE(fact.st_mode), fact.st_uid, fact.st_gid) for fact in facts]


def owner_in_proc(pid: int) -> int:
    """Return the real user number of a process."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Uid:"))
    return int(line.split()[1])


def account() -> pwd.struct_passwd:
    """Return the account that root's servers run as."""
    names = {person.pw_name: person for person in pwd.getpwall()}
    return names["postgres"] if "postgres" in names else names["nobody"]


def require_readable_binaries() -> None:
    """Skip where the account cannot run the programs that are installed."""
    program = embedded.find_binaries(os.environ).program("postgres")
    try:
        subprocess.run([program, "--version"], user=account().pw_uid, group=account().pw_gid, check=True, cwd="/")
    except (OSError, subprocess.SubprocessError):
        pytest.skip(f"{account().pw_name} cannot run {program}; install the environment where others can read it")


def require_namespaces() -> None:
    """Skip where this system makes no user namespaces."""
    if shutil.which("unshare") is None or subprocess.call([*NAMESPACE, "true"]):
        pytest.skip("this system allows no user namespaces; enable them or install util-linux")


@needs_root
def test_root_runs_the_server_as_an_existing_account(open_place: Path, each_postgres: embedded.Binaries) -> None:
    require_readable_binaries()
    (open_place / "above").mkdir()
    before, accounts = rights(open_place / "above"), Path("/etc/passwd").read_text()

    with embedded.temporary_server(open_place / "above") as server:
        assert owner_in_proc(server.pid) == account().pw_uid
        assert server.data_directory.stat().st_uid == account().pw_uid
        assert server.socket_directory.stat().st_uid == account().pw_uid
        assert stat.S_IMODE(server.socket_directory.stat().st_mode) == 0o700
        with psycopg.connect(server.app_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("ila_app",)

    assert not server.socket_directory.exists()
    assert (rights(open_place / "above"), Path("/etc/passwd").read_text()) == (before, accounts)


@needs_root
def test_below_a_closed_directory_root_runs_the_server_in_a_user_namespace(
    place: Path, each_postgres: embedded.Binaries
) -> None:
    require_namespaces()
    before, accounts = rights(place), Path("/etc/passwd").read_text()

    with embedded.temporary_server(place) as server:
        assert owner_in_proc(server.pid) == 0
        assert os.readlink(f"/proc/{server.pid}/ns/user") != os.readlink("/proc/self/ns/user")
        assert server.data_directory.stat().st_uid == 0
        with psycopg.connect(server.app_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("ila_app",)

    assert (rights(place), Path("/etc/passwd").read_text()) == (before, accounts)


@needs_root
def test_programs_below_a_closed_directory_are_run_in_a_user_namespace(
    open_place: Path, copied_binaries: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    require_namespaces()
    closed = open_place / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("ILA_PG_BIN", str(copied_binaries(closed)))

    chosen = identity.choose_identity(embedded.find_binaries(os.environ), open_place / "data")

    assert (chosen.route, chosen.uid) == ("namespace", 0)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@needs_root
def test_where_neither_account_nor_namespace_will_do_the_closed_directory_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # without unshare and setpriv

    with pytest.raises(embedded.NoAccount, match=f"which cannot enter {place}, nor a user namespace") as refusal:
        embedded.start(place / "data")

    assert refusal.value.facts["directory"] == place
    assert [path.name for path in place.iterdir()] == ["data.lock"]


@needs_root
def test_data_move_from_an_account_to_a_namespace_and_back(open_place: Path) -> None:
    require_readable_binaries()
    require_namespaces()
    owners = []
    for mode in (0o755, 0o700, 0o755):
        open_place.chmod(mode)
        server = embedded.start(open_place / "data", durable=False)
        owners.append(server.data_directory.stat().st_uid)
        try:
            with psycopg.connect(server.owner_url) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept ()")
        finally:
            server.stop()
    assert owners == [account().pw_uid, 0, account().pw_uid]


@needs_root
def test_the_server_sees_neither_our_secrets_nor_settings_of_other_clients(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPORT", "PGDATA", "ILA_SECRET_KEYS"):
        monkeypatch.setenv(name, "6543")

    with embedded.temporary_server(place) as server:
        environment = Path(f"/proc/{server.pid}/environ").read_text().split("\0")

        assert "LC_ALL=C" in environment
        assert not [line for line in environment if line.endswith("=6543")]
        assert os.readlink(f"/proc/{server.pid}/cwd") == str(server.data_directory)


def test_an_ordinary_caller_runs_the_server_himself(
    open_place: Path, supervise: Callable[..., Any], is_gone: Callable[[int], bool], wait_until: Callable[..., None]
) -> None:
    (open_place / "own").mkdir()
    before, options = (), {}
    python = sys.executable
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(open_place / "own", nobody.pw_uid, nobody.pw_gid)
        as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
        python = next((one for one in (sys.executable, "/usr/bin/python3") if runs_ila(one, as_nobody)), "")
        if not python:
            pytest.skip("no Python of this version can be run by nobody; install one that others can read")
        options = as_nobody

    supervisor = supervise(open_place / "own" / "data", python=python, before=before, **options)
    supervisor.line()
    server = supervisor.line()

    assert server["supervises"]
    assert server["sockets"] == str(open_place / "own")
    assert owner_in_proc(server["server"]) == owner_in_proc(supervisor.process.pid) != 0
    assert "starting as caller" in (open_place / "own" / "data.log").read_text()
    supervisor.kill()
    wait_until(lambda: is_gone(server["server"]), "the server is gone")
    assert not (open_place / "own" / "data" / "postmaster.pid").exists()


def test_an_unprivileged_user_of_a_namespace_needs_no_other_account(place: Path, supervise: Callable[..., Any]) -> None:
    require_namespaces()
    supervisor = supervise(place / "data", before=NAMESPACE)
    supervisor.line()
    server = supervisor.line()

    assert server["supervises"]
    assert "starting as caller" in (place / "data.log").read_text()
    assert supervisor.end() == 0


@needs_root
def test_data_of_another_account_are_refused_with_its_number(open_place: Path, supervise: Callable[..., Any]) -> None:
    data = open_place / "data"
    data.mkdir()
    os.chown(data, 12345, 12345)
    identity_program = (
        "import os, sys, pathlib; from ila.db.embedded import supervisor\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: supervisor._require_own(pathlib.Path(sys.argv[1]))\n"
        "except Exception as refusal: print(type(refusal).__name__, refusal)"
    )
    command = [sys.executable, "-c", identity_program, str(data)]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert "UnusableDirectory" in answer.stdout and "uid 12345" in answer.stdout


def runs_ila(python: str, options: dict[str, Any]) -> bool:
    """Say whether an interpreter can be run with these options and has what the supervisor needs."""
    from_here = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(psycopg.__file__).parents[1])])}
    try:
        program = [python, "-c", "import ila.db.embedded"]
        return subprocess.run(program, env=from_here, capture_output=True, **options).returncode == 0
    except OSError:
        return False
