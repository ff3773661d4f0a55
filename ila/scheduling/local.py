"""Run an allocation run on this machine: some worker processes, and the progress that the database shows."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ila import allocations
from ila.allocations import Run
from ila.allocations.rules import RunState
from ila.db.session import ReadSessions
from ila.errors import TryAgain

LOOK_EVERY_SECONDS = 0.2
ROOT = Path(__file__).resolve().parents[2]


class WorkersLost(TryAgain):
    """Every worker process has ended, but the run is still running."""

    code = "workers_lost"


def run_locally(read_sessions: ReadSessions, run_id: int, *, workers: int, on_progress: Callable[[Run], None]) -> Run:
    """Start worker processes for a running run and wait until it is no longer running; return it as it is then.

    When this is interrupted the workers finish the slices they are at and stop; the run stays running and goes on
    where any worker takes it up. Raises `WorkersLost` when all of them end before the run does.
    """
    with ExitStack() as stack:
        processes = [start_worker(run_id) for _ in range(workers)]
        stack.callback(_stop, processes)
        while True:
            run = _look(read_sessions, run_id)
            on_progress(run)
            if run.state is not RunState.RUNNING:
                return run
            if all(process.poll() is not None for process in processes):
                run = _look(read_sessions, run_id)
                if run.state is not RunState.RUNNING:
                    continue
                codes = ", ".join(str(process.returncode) for process in processes)
                raise WorkersLost(
                    f"All {workers} workers have ended (exit codes {codes}) while run {run_id} is running; nothing is"
                    f" lost: go on with `ila allocations resume {run_id}`.",
                    run_id=run_id,
                )
            time.sleep(LOOK_EVERY_SECONDS)


def start_worker(run_id: int, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a worker process for one run; it ends when the run does."""
    paths = os.pathsep.join(path for path in (str(ROOT), os.environ.get("PYTHONPATH")) if path)
    command = [sys.executable, "-m", "ila", "worker", "--run", str(run_id), "--until-idle"]
    settings: dict[str, Any] = {"env": {**os.environ, "PYTHONPATH": paths, **environment}}
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **settings)


def _look(read_sessions: ReadSessions, run_id: int) -> Run:
    with read_sessions() as session:
        return allocations.run_view(session, run_id)


def _stop(processes: "list[subprocess.Popen[bytes]]") -> None:
    """Ask the workers that still run to stop after their slice, and wait for them."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()
