"""Under whose name the server runs: PostgreSQL refuses root, and its files must belong to whoever runs it.

An ordinary caller runs it himself. Root runs it as an existing account, `postgres` or else `nobody`; where that
account cannot reach the programs or the data (a virtual environment below a directory of mode 0700), inside a user
namespace, in which root's own files belong to an ordinary user. No account is ever created, and no directory above
the data is ever given other rights or another owner.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ila.db.embedded.binaries import Binaries
from ila.db.embedded.errors import NoAccount

ACCOUNTS = ("postgres", "nobody")
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """Who runs the programs of PostgreSQL, and who must own its files."""

    route: str
    """`caller`, `account` or `namespace`."""
    uid: int
    gid: int
    account: str
    """The name in the password file that initdb will find; empty where the caller runs the programs himself."""

    def launch(
        self, command: Sequence[str], *, death_signal: signal.Signals, output: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a program in a session of its own, so that Ctrl-C reaches the caller only.

        The program gets `death_signal` when the thread that called this ends, however it ends: call it from the main
        thread, which lives as long as the process.
        """
        account = self.route == "account"
        return subprocess.Popen(
            [*self._namespace(death_signal), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=clean_environment(),
            start_new_session=True,
            user=self.uid if account else None,
            group=self.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509 - main thread; it takes no lock
        )

    def _namespace(self, death_signal: signal.Signals) -> list[str]:
        """Return what precedes a command inside a user namespace; entering one clears the parent-death signal."""
        if self.route != "namespace":
            return []
        person = pwd.getpwnam(self.account)
        enter = ["unshare", "--user", f"--map-user={person.pw_uid}", f"--map-group={person.pw_gid}"]
        return [*enter, "setpriv", "--pdeathsig", death_signal.name.removeprefix("SIG")]

    def can_run(self, command: Sequence[str]) -> bool:
        """Say whether this identity can run `command` to a good end; for programs that answer at once."""
        try:
            return self.launch(command, death_signal=signal.SIGKILL, output=subprocess.DEVNULL).wait() == 0
        except (OSError, subprocess.SubprocessError):
            return False

    def take(self, directory: Path) -> None:
        """Make this identity the owner of `directory` and all below it; the directory itself comes last, as proof."""
        if os.geteuid() != 0 or directory.stat().st_uid == self.uid:
            return
        for parent, directories, files in os.walk(directory):
            for name in (*directories, *files):
                os.chown(Path(parent) / name, self.uid, self.gid, follow_symlinks=False)
        os.chown(directory, self.uid, self.gid)


def clean_environment() -> dict[str, str]:
    """Return the little the programs need: no `PG*`, which would change what they do, and none of our secrets."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "LC_ALL": "C"}


def choose_identity(binaries: Binaries, data_directory: Path) -> Identity:
    """Return who shall run the server: the caller, or for root an account, or a user namespace.

    Tries each by running the server's `--version` and by entering the directory above the data. Raises NoAccount,
    which names the directory that bars the way.
    """
    if os.geteuid() != 0:
        return Identity("caller", os.geteuid(), os.getegid(), "")
    account = _existing_account()
    as_account = Identity("account", account.pw_uid, account.pw_gid, account.pw_name)
    if _serves(as_account, binaries, data_directory.parent):
        return as_account
    in_namespace = Identity("namespace", 0, 0, account.pw_name)
    if shutil.which("unshare") and shutil.which("setpriv") and _serves(in_namespace, binaries, data_directory.parent):
        return in_namespace
    barred = _first_barred(binaries.directory, account) or _first_barred(data_directory.parent, account)
    raise NoAccount(
        f"PostgreSQL must not run as root, but neither the account {account.pw_name}, which cannot enter "
        f"{barred or 'some directory'}, nor a user namespace can run {binaries.directory} for {data_directory}; "
        "run ila as an ordinary user, or put it and its data where that account can read.",
        directory=barred,
        account=account.pw_name,
    )


def _existing_account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoAccount("PostgreSQL must not run as root, and there is no account postgres or nobody; run ila as another.")


def _serves(identity: Identity, binaries: Binaries, parent: Path) -> bool:
    programs = ("postgres", "initdb")
    can_enter = identity.can_run(["/bin/sh", "-c", 'cd "$0"', str(parent)])
    return can_enter and all(identity.can_run([binaries.program(name), "--version"]) for name in programs)


def _first_barred(directory: Path, account: pwd.struct_passwd) -> Path | None:
    """Return the highest directory on the way to `directory` that the account may not enter, by its mode."""
    groups = os.getgrouplist(account.pw_name, account.pw_gid)
    for place in reversed([directory, *directory.parents]):
        facts = place.stat()
        shift = 6 if facts.st_uid == account.pw_uid else 3 if facts.st_gid in groups else 0
        if not (facts.st_mode >> shift) & 1:
            return place
    return None


def dies_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return what a child does between the change of user, which clears the setting, and the program.

    Linux only: elsewhere a killed supervisor leaves its server to be found, and stopped, by the next start.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_for_signal() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died between fork and here: nobody would send the signal any more
            os._exit(1)

    return ask_for_signal
