"""`make bench`: measure, print the table, write build/bench.json.

N citizens (default 1,000,000), WORKERS connections of the run (default 2), ROWS a comma-separated choice of `run` and
`balance` (default all). The server is an embedded one of its own with durable settings, removed afterwards.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from sqlalchemy import text

from ila.db import embedded, migrations
from ila.db.session import database_engine
from tests.bench import balance, yearly_run
from tests.bench.harness import Row, machine, report

TARGET = Path(__file__).resolve().parents[2] / "build" / "bench.json"
SHOWN_SETTINGS = (
    "shared_buffers", "work_mem", "max_wal_size", "fsync", "full_page_writes", "synchronous_commit", "data_checksums",
    "wal_compression",
)  # fmt: skip


def main() -> int:
    """Measure the rows asked for; returns 0 also where a goal is not met, for the figures are the result."""
    citizens = int(os.environ.get("N", "1000000"))
    workers = int(os.environ.get("WORKERS", "2"))
    wanted = os.environ.get("ROWS", "run,balance").split(",")
    console = Console(width=None if sys.stdout.isatty() else 140)
    directory = Path(tempfile.mkdtemp(prefix="ila-bench-"))
    directory.chmod(0o755)
    try:
        server = embedded.start(directory / "postgresql")  # with the settings that `make run` would give it
        try:
            migrations.upgrade(server.owner_url)
            described = _described(server)
            rows = _measured(server, wanted, citizens, workers, directory)
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    report(rows, described, TARGET, console=console)
    return 0


def _measured(
    server: embedded.Server, wanted: Sequence[str], citizens: int, workers: int, directory: Path
) -> Sequence[Row]:
    rows: list[Row] = []
    populated = yearly_run.populated(server, citizens)
    if "run" in wanted:
        rows.extend(yearly_run.measure(server, populated, citizens, workers))
    if "balance" in wanted:
        rows.extend(balance.measure(server, populated, citizens, workers, directory))
    return rows


def _described(server: embedded.Server) -> dict[str, object]:
    engine = database_engine(server.app_url)
    with engine.connect() as connection:
        settings = {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in SHOWN_SETTINGS}
    engine.dispose()
    return machine(server.binaries.version, settings)


if __name__ == "__main__":
    sys.exit(main())
