"""The balance of one citizen in SQL beside the cheapest read there is, one row by its primary key; pgbench asks."""

import re
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from ila import ledger
from ila.db import embedded
from ila.db.session import database_engine
from ila.schemes.loader import load_scheme
from tests.bench.harness import REPETITIONS, Row, paired
from tests.bench.yearly_run import SCHEME, Copy, credit_everybody

CLIENTS = 8
SECONDS = 4
GOAL_RATIO = 0.5


def measure(server: embedded.Server, populated: str, citizens: int, workers: int, directory: Path) -> Sequence[Row]:
    """Ask for balances of random citizens after a yearly run, over 8 connections, in turn with the yardstick."""
    database = "bench_balance"
    with Copy(server, populated, database):
        job = database_engine(server.url("ila_job", database), pool_size=workers + 2)
        credit_everybody(job, load_scheme(SCHEME), workers)
        job.dispose()
        return _asked(server, database, citizens, directory)


def _asked(server: embedded.Server, database: str, citizens: int, directory: Path) -> Sequence[Row]:
    ours = directory / "balance.sql"
    ours.write_text(_script(ledger.balance_rows(CITIZEN, on=date(2027, 6, 1)), citizens))
    key = directory / "key.sql"
    key.write_text(
        f"\\set citizen random(1, {citizens})\n"
        "SELECT citizen_id, status FROM ila.citizen WHERE citizen_id = :citizen;\n"
    )
    pairs = [(_rate(server, database, ours), _rate(server, database, key)) for _ in range(REPETITIONS)]
    return [
        paired(
            f"balance query in SQL, {CLIENTS} connections", "queries/s", "SELECT by primary key", pairs,
            goal_ratio=GOAL_RATIO, note="all schemes of a random citizen, what is usable on a day",
        )
    ]  # fmt: skip


CITIZEN = 987_654_321_987
"""Stands for the citizen until the script of pgbench puts its variable there."""


def _script(query: Select[*tuple[object, ...]], citizens: int) -> str:
    """Return a pgbench script of the very statement that the ledger executes."""
    sql = str(query.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))
    return f"\\set citizen random(1, {citizens})\n{' '.join(sql.split()).replace(str(CITIZEN), ':citizen')};\n"


def _rate(server: embedded.Server, database: str, script: Path) -> float:
    """Return transactions per second as pgbench counts them, without the time to connect."""
    pgbench = server.binaries.program("pgbench")
    done = subprocess.run(
        [
            str(pgbench), "--no-vacuum", "--protocol=prepared", f"--file={script}", f"--client={CLIENTS}", "--jobs=2",
            f"--time={SECONDS}", server.url("ila_app", database),
        ],
        capture_output=True, text=True, check=True, timeout=SECONDS + 60,
    )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise AssertionError(f"pgbench said nothing of a rate: {done.stdout}")
    return float(found[1])
