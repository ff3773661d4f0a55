"""The yearly run of a nation beside a plain INSERT ... SELECT of the very same rows.

The yardstick copies the rows that the run wrote, from tables in key order, into the same two tables with only their
primary keys, over the same number of connections and in slices of the same size: what PostgreSQL needs at least.
"""

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine, text

from ila import allocations, ledger
from ila.access.rules import Actor, Role
from ila.db import embedded
from ila.db.session import database_engine, write_sessions
from ila.schemes.loader import load_scheme
from ila.schemes.parameters import ParameterSet
from tests.bench.harness import REPETITIONS, Row, paired
from tests.bench.population import populate

SCHEME = Path(__file__).resolve().parents[2] / "config" / "schemes" / "eu_model"
FIRST_YEAR = 2027
NOW = datetime(2027, 1, 2, 6, 0, tzinfo=UTC)
CITIZENS_PER_SLICE = 100_000
GOAL_RATIO, GOAL_CITIZENS_PER_SECOND = 0.8, 300_000

MAKER = Actor(1, Role.ADMINISTRATOR, "maker")
CHECKER = Actor(2, Role.ADMINISTRATOR, "checker")


def measure(server: embedded.Server, populated: str, citizens: int, workers: int) -> Sequence[Row]:
    """Credit `citizens` people in `REPETITIONS` copies of a database, each beside its yardstick."""
    parameters = load_scheme(SCHEME)
    pairs, previews = [], []
    for repetition in range(1, REPETITIONS + 1):
        name = f"bench_run_{repetition}"
        with Copy(server, populated, name) as owner:
            job = database_engine(server.url("ila_job", name), pool_size=workers + 2)
            credited, run_seconds, preview_seconds = credit_everybody(job, parameters, workers)
            yardstick_seconds = _yardstick(owner, workers, citizens)
            pairs.append((citizens / run_seconds, citizens / yardstick_seconds))
            previews.append((citizens / preview_seconds, citizens / run_seconds))
            job.dispose()
    return [
        paired(
            f"yearly run, {citizens:,} citizens, {workers} workers",
            "citizens/s",
            "plain INSERT ... SELECT",
            pairs,
            goal_ratio=GOAL_RATIO,
            goal_value=GOAL_CITIZENS_PER_SECOND,
            note=f"eu_model with needs and ceiling from balances; {credited:,} were credited, the others got a reason",
        ),
        paired(
            f"preview of {citizens:,} citizens", "citizens/s", "the run", previews, goal_ratio=2,
            note="one statement; the goal is half the time of the run",
        ),
    ]  # fmt: skip


def populated(server: embedded.Server, citizens: int) -> str:
    """Make the database with the population that every measurement copies; return its name."""
    name = "bench_population"
    parameters = load_scheme(SCHEME)
    _admin(server, f"CREATE DATABASE {name} TEMPLATE ila OWNER ila_owner")
    owner = database_engine(server.url("postgres", name))
    with owner.begin() as connection:
        populate(connection, citizens, parameters.policy("yearly", date(FIRST_YEAR, 1, 1)))
        connection.execute(
            text("INSERT INTO ila.user_account (name, created_at) VALUES ('maker', now()), ('checker', now())")
        )
    _settle(owner)
    owner.dispose()
    return name


class Copy:
    """A copy of a database, dropped afterwards."""

    def __init__(self, server: embedded.Server, template: str, name: str) -> None:
        self.server, self.template, self.name = server, template, name

    def __enter__(self) -> Engine:
        _admin(self.server, f"CREATE DATABASE {self.name} TEMPLATE {self.template} STRATEGY FILE_COPY OWNER ila_owner")
        self.engine = database_engine(self.server.url("postgres", self.name), pool_size=16)
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()
        _admin(self.server, f"DROP DATABASE {self.name} WITH (FORCE)")


def _admin(server: embedded.Server, statement: str) -> None:
    engine = database_engine(server.url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _settle(owner: Engine) -> None:
    """Vacuum and checkpoint, so that neither falls into a measurement."""
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (FREEZE, ANALYZE)"))
        connection.execute(text("CHECKPOINT"))


def credit_everybody(job: Engine, parameters: ParameterSet, workers: int) -> tuple[int, float, float]:
    """Plan, approve and work on one yearly run; return who was credited, and the seconds of run and preview.

    The seconds of the run are those of the slices, from the first to the last commit and the final reconciliation.
    """
    sessions = write_sessions(job)
    today = date(FIRST_YEAR, 1, 2)
    with sessions.begin() as session:
        run_id = allocations.open_run(
            session, MAKER, parameters, credit_code="yearly", period=str(FIRST_YEAR), now=NOW, today=today
        )
        run = allocations.run_view(session, run_id)
        ledger.appropriate(
            session,
            actor_id=MAKER.actor_id,
            fund_id=run.fund.fund_id,
            scheme_id=run.scheme.scheme_id,
            amount_minor=10**13,
            reference="bench",
            effective_on=today,
            parameter_digest=parameters.digest,
            now=NOW,
        )
    with sessions.begin() as session:
        facts_no = allocations.pin_facts(session)
    began = time.perf_counter()
    with sessions.begin() as session:
        allocations.preview(session, MAKER, run_id, facts_no=facts_no, now=NOW)
    preview_seconds = time.perf_counter() - began
    with sessions.begin() as session:
        allocations.approve(session, CHECKER, run_id, allocations.run_view(session, run_id).plan_digest or b"", now=NOW)
    with sessions.begin() as session:
        facts_no = allocations.pin_facts(session)
    with sessions.begin() as session:
        allocations.start(
            session, MAKER, run_id, facts_no=facts_no, slice_citizens=CITIZENS_PER_SLICE, now=NOW, today=today
        )

    def work() -> None:
        while True:
            with sessions.begin() as session:
                if allocations.work_on_slice(session, run_id, now=NOW, today=today) is None:
                    return

    began = time.perf_counter()
    in_parallel([work] * workers)
    with sessions.begin() as session:
        allocations.close_run(session, run_id, now=NOW)
    run_seconds = time.perf_counter() - began
    with sessions.begin() as session:
        finished = allocations.run_view(session, run_id)
    if finished.state is not allocations.RunState.FINISHED:
        raise AssertionError(f"the run is {finished.state}: {finished.failure}")
    return finished.progress.credited, run_seconds, preview_seconds


def in_parallel(works: Sequence[Callable[[], None]]) -> None:
    """Run the works in threads of their own and raise what any of them raised."""
    faults: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def _yardstick(owner: Engine, workers: int, citizens: int) -> float:
    """Copy the rows of the run into bare tables over `workers` connections; return the seconds."""
    with owner.begin() as connection:
        for statement in (
            "CREATE SCHEMA bare",
            "CREATE TABLE bare.source_entitlement AS SELECT * FROM ila.entitlement ORDER BY citizen_id",
            "CREATE TABLE bare.source_transfer AS SELECT * FROM ila.transfer WHERE citizen_id > 0 ORDER BY citizen_id",
            "CREATE INDEX ON bare.source_entitlement (citizen_id)",
            "CREATE INDEX ON bare.source_transfer (citizen_id)",
            "CREATE TABLE bare.entitlement (LIKE ila.entitlement, PRIMARY KEY (citizen_id, allocation_run_id))",
            "CREATE TABLE bare.transfer (LIKE ila.transfer, PRIMARY KEY (citizen_id, journal_entry_id, line))",
        ):
            connection.execute(text(statement))
    _settle(owner)
    bounds = iter(range(1, citizens + 1, CITIZENS_PER_SLICE))
    taking = threading.Lock()

    def copy() -> None:
        while True:
            with taking:
                first = next(bounds, None)
            if first is None:
                return
            with owner.begin() as connection:
                for table in ("entitlement", "transfer"):
                    connection.execute(
                        text(
                            f"INSERT INTO bare.{table} SELECT * FROM bare.source_{table}"
                            " WHERE citizen_id BETWEEN :first AND :last"
                        ),
                        {"first": first, "last": first + CITIZENS_PER_SLICE - 1},
                    )

    began = time.perf_counter()
    in_parallel(list(itertools.repeat(copy, workers)))
    return time.perf_counter() - began
