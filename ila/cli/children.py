"""The processes beside the database: started by the supervisor, watched, and gone when it is gone.

Each has a session of its own, so that Ctrl-C reaches the supervisor alone; the kernel ends it when the supervisor is
killed; and whatever it started itself ends with its process group.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ila.db.embedded.identity import dies_with_parent
from ila.settings import ROOT

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process and what people call it."""

    name: str
    process: subprocess.Popen[bytes]

    def failed(self) -> int | None:
        """Return the exit code of a child that has ended by itself, 0 included; None while it lives."""
        code = self.process.poll()
        return None if code is None else 128 - code if code < 0 else code

    def stop(self) -> None:
        """Ask it to end what it is doing; force it, and all it started, after half a minute."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
        self.kill()

    def kill(self) -> None:
        """End it, and all it started, at once."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def launch(name: str, command: Sequence[str], environ: Mapping[str, str]) -> Child:
    """Start a child; to be called from the main thread, at whose end the kernel ends the child."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        env=environ,
        start_new_session=True,
        preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509  main thread; it takes no lock
    )
    return Child(name, process)
