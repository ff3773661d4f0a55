"""Import of a population: wall time, processor time and peak memory, on an embedded server with durable settings.

    python -m tests.bench.bench_import [ROWS]        default 1,000,000

Three figures: everybody is new; the same file again; a second file in which one row in twenty says something new.
Each import is a process of its own, so that its peak memory is its own.
"""

import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from ila import clock
from ila.access.rules import CLOCK
from ila.citizens import importing
from ila.citizens.identity import IdentityKeys
from ila.db import embedded, migrations
from ila.db.retry import attempt
from ila.db.session import database_engine, write_sessions

KEYS = IdentityKeys.of(bytes(range(32)), bytes(range(32, 64)))
BATCH_ROWS = 50_000
SEED = 2026

GIVEN_NAMES = ("Anna", "Jan", "Zoë", "Mehmet", "Ioana", "Lars", "Sofía", "Wim")
FAMILY_NAMES = ("Peeters", "Dubois", "Müller", "Ionescu", "García", "Jansen", "O'Neil")
STATUSES = ("employee",) * 6 + ("self_employed", "public_agent", "jobseeker", "inactive", "student", "retired")


def population(rows: int, *, changed_of: int | None = None) -> Iterator[str]:
    """Yield a header and invented people; about every second has a need, two of three a record of work.

    With `changed_of`, one row in so many has another income, from a later day.
    """
    yield ",".join(column.name for column in importing.COLUMNS)
    chance = random.Random(SEED)
    for number in range(1, rows + 1):
        status, level = chance.choice(STATUSES), chance.randint(1, 8)
        needs = []
        if level < 4:
            needs.append("low_qualified:register:2026-01-01")
        if chance.random() < 0.08:
            needs.append("disabled:register:2024-05-01:2029-05-01")
        if status == "jobseeker":
            needs.append("unemployed:register:2026-01-01:2027-01-01")
        works = status in ("employee", "public_agent")
        work = f"hours,{chance.randint(200, 1700)}.5,1607,2026" if works else ",,,"
        given, family = chance.choice(GIVEN_NAMES), chance.choice(FAMILY_NAMES)
        born_on = date(chance.randint(1950, 2008), chance.randint(1, 12), chance.randint(1, 28))
        income, since = chance.randint(0, 90_000), "2026-01-01"
        if changed_of and number % changed_of == 0:
            income, since = income + 1, "2026-07-01"
        yield (
            f"BE,national_number,{born_on:%y.%m.%d}-{number:09},{given},{family},{given}.{number}@example.org,{born_on},"
            f"yes,{chance.choice(('yes', 'no'))},yes,{status},{level},{income}.50,BE{chance.randint(10, 35)},,"
            f"{';'.join(needs)},{work},{since}"
        )


def main() -> int:
    """Measure, print, and leave nothing behind."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    directory = Path(tempfile.mkdtemp(prefix="ila-bench-import-"))
    directory.chmod(0o755)
    try:
        first, second = directory / "first.csv", directory / "second.csv"
        for path, changed_of in ((first, None), (second, 20)):
            with path.open("w", encoding="utf-8") as stream:
                stream.writelines(f"{line}\n" for line in population(rows, changed_of=changed_of))
        print(f"{rows:,} rows, {first.stat().st_size / 1e6:,.0f} MB, {len(os.sched_getaffinity(0))} processors,"
              f" load before {os.getloadavg()[0]:.2f}")  # fmt: skip
        server = embedded.start(directory / "postgresql")
        try:
            migrations.upgrade(server.owner_url)
            for label, path in (("everybody is new", first), ("the same file", first), ("1 in 20 changed", second)):
                print(f"{label}: ", end="", flush=True)
                command = [
                    sys.executable,
                    "-m",
                    "tests.bench.bench_import",
                    "--child",
                    server.url("ila_job"),
                    str(path),
                ]
                subprocess.run(command, check=True)
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


def measured_import(url: str, path: Path) -> None:
    """Import a file and print what it took."""
    engine = database_engine(url)
    sessions = write_sessions(engine)
    started = time.perf_counter()
    inspection = importing.inspected(path)
    inspected_s = time.perf_counter() - started
    counts = importing.import_population(
        lambda work: attempt(sessions, work),
        inspection,
        actor=CLOCK,
        keys=KEYS,
        today=date(2026, 11, 24),
        now=clock.now(),
        batch_rows=BATCH_ROWS,
    )
    wall_s = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_mb = (used.ru_maxrss + children.ru_maxrss) / 1024
    print(
        f"{wall_s:.1f} s wall (looking through {inspected_s:.1f} s), {used.ru_utime + used.ru_stime:.1f} s of Python,"
        f" peak {peak_mb:.0f} MB, {counts.read / wall_s:,.0f} rows/s; opened {counts.opened:,}, updated"
        f" {counts.updated:,}, unchanged {counts.unchanged:,}, refused {counts.refused:,}"
    )
    engine.dispose()


if __name__ == "__main__":
    if "--child" in sys.argv:
        measured_import(sys.argv[-2], Path(sys.argv[-1]))
    else:
        sys.exit(main())
