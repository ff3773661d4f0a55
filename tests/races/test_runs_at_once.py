"""Two people act on the same run or the same scheme in the same instant: one act stands, the other is told why not."""

import threading
from collections.abc import Callable

import pytest

from ila import allocations
from ila.access.rules import Actor
from ila.allocations.rules import AnotherRunIsRunning, PeriodAlreadyAllocated, RunState, RunStateConflict
from ila.db.session import WriteSession
from ila.errors import DomainError
from tests.conftest import NOW, Database
from tests.factories import ADULT, ANNA, BEN, TODAY, add_people, parameters_of, previewed_run, registered

AT_ONCE = 4


@pytest.fixture
def ready(database: Database) -> Database:
    with database.sessions().begin() as session:
        registered(session, "eu_model")
        add_people(session, [ADULT] * 20)
    return database


def at_once(database: Database, acts: list[Callable[[WriteSession], object]]) -> list[object]:
    """Do each act in a transaction of its own, all in the same instant; return results or refusals."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(number: int, act: Callable[[WriteSession], object]) -> None:
        barrier.wait()
        try:
            with database.sessions().begin() as session:
                results[number] = act(session)
        except DomainError as refusal:
            results[number] = refusal

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def open_run(actor: Actor) -> Callable[[WriteSession], int]:
    return lambda session: allocations.open_run(
        session, actor, parameters_of("eu_model"), credit_code="yearly", period="2027", fund_code="national",
        now=NOW, today=TODAY,
    )  # fmt: skip


def start(run_id: int) -> Callable[[WriteSession], RunState]:
    def act(session: WriteSession) -> RunState:
        facts_no = allocations.pin_facts(session)
        allocations.start(session, ANNA, run_id, facts_no=facts_no, slice_citizens=7, now=NOW, today=TODAY)
        return RunState.RUNNING

    return act


def approved(database: Database, period: str) -> int:
    with database.sessions().begin() as session:
        run_id = previewed_run(session, parameters_of("eu_model"), period=period)
        digest = allocations.run_view(session, run_id).plan_digest
        assert digest
        allocations.approve(session, BEN, run_id, digest, now=NOW)
    return run_id


def test_a_period_opened_by_several_at_once_has_one_run(ready: Database) -> None:
    results = at_once(ready, [open_run(ANNA) for _ in range(AT_ONCE)])

    opened = [result for result in results if isinstance(result, int)]
    refused = [result for result in results if isinstance(result, PeriodAlreadyAllocated)]
    assert (len(opened), len(refused)) == (1, AT_ONCE - 1)
    assert all(refusal.facts["run_id"] == opened[0] for refusal in refused)


def test_a_run_started_by_several_at_once_starts_once(ready: Database) -> None:
    run_id = approved(ready, "2027")

    results = at_once(ready, [start(run_id) for _ in range(AT_ONCE)])

    assert results.count(RunState.RUNNING) == 1
    assert sum(isinstance(result, RunStateConflict) for result in results) == AT_ONCE - 1
    with ready.sessions()() as session:
        assert allocations.run_view(session, run_id).progress.slices == 3


def test_of_two_runs_of_a_scheme_started_at_once_one_runs(ready: Database) -> None:
    runs = [approved(ready, period) for period in ("2026", "2027")]

    results = at_once(ready, [start(run_id) for run_id in runs])

    assert results.count(RunState.RUNNING) == 1
    assert sum(isinstance(result, AnotherRunIsRunning) for result in results) == 1


def test_workers_at_once_post_each_slice_once_and_one_closes_the_run(ready: Database) -> None:
    run_id = approved(ready, "2027")
    with ready.sessions().begin() as session:
        start(run_id)(session)

    def next_slice(session: WriteSession) -> int | None:
        done = allocations.work_on_slice(session, run_id, now=NOW, today=TODAY)
        return None if done is None else done.slice_no

    first = at_once(ready, [next_slice] * AT_ONCE)
    closed = at_once(ready, [lambda session: allocations.close_run(session, run_id, now=NOW)] * AT_ONCE)

    assert sorted(each for each in first if isinstance(each, int)) == [1, 2, 3]
    assert closed == [RunState.FINISHED] * AT_ONCE
    with ready.sessions()() as session:
        acts = session.connection().exec_driver_sql(
            "SELECT count(*) FROM ila.audit_event WHERE act = 'allocation_run.finished'"
        )
        assert acts.scalar_one() == 1
