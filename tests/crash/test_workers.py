"""Workers are killed between any two statements; what comes out is what an undisturbed run leaves, row for row."""

import json
import signal
from typing import Any

import pytest
from sqlalchemy import text

from ila import allocations, schemes
from ila.allocations.rules import RunState
from ila.errors import Invalid
from ila.failpoints import EXIT_CODE, failpoints
from ila.scheduling.local import WorkersLost, run_locally
from tests.conftest import NOW
from tests.crash.conftest import SLICES, RunUnderWay, environment_of, wait_until
from tests.factories import ANNA, appropriated, parameters_of

Rows = dict[str, list[Any]]


def test_a_worker_killed_within_a_slice_leaves_nothing_of_it_and_another_does_it(
    under_way: RunUnderWay, undisturbed: Rows
) -> None:
    worker = under_way.worker("allocations.after_credit=sleep:60@3")
    wait_until(lambda: under_way.view().progress.slices_done == 2 and under_way.is_within_a_slice())

    worker.kill()
    worker.wait()

    wait_until(lambda: not under_way.is_within_a_slice())
    halfway = under_way.rows()
    assert len({row[1] for row in halfway["transfer"] if row[0] > 0}) == 2, "lines of two slices"
    assert len(halfway["journal_entry"]) < len(undisturbed["journal_entry"])
    assert under_way.view().state is RunState.RUNNING
    assert under_way.finish().state is RunState.FINISHED
    assert under_way.rows() == undisturbed


@pytest.mark.parametrize(
    "failpoint",
    [
        "allocations.slice_taken=exit@1",
        "allocations.slice_taken=exit@4",
        "allocations.after_credit=exit@1",
        "allocations.after_credit=exit@6",
        "worker.after_slice=exit@3",
        "worker.after_slice=exit@6",
        "allocations.before_finish=exit",
    ],
)
def test_a_worker_that_ends_at_any_place_changes_nothing_of_what_comes_out(
    under_way: RunUnderWay, undisturbed: Rows, failpoint: str
) -> None:
    worker = under_way.worker(failpoint)
    assert worker.wait(timeout=60) == EXIT_CODE

    assert under_way.finish().state is RunState.FINISHED
    assert under_way.rows() == undisturbed


def test_a_run_whose_workers_are_all_killed_again_and_again_comes_out_alike(
    under_way: RunUnderWay, undisturbed: Rows
) -> None:
    for killed_at in range(1, 4):
        workers = [under_way.worker("allocations.after_credit=sleep:60") for _ in range(2)]
        wait_until(under_way.is_within_a_slice)
        for worker in workers:
            worker.kill()
            worker.wait()
        wait_until(lambda: not under_way.is_within_a_slice())
        assert under_way.view().progress.slices_done == killed_at - 1
        under_way.worker("worker.after_slice=exit@1").wait(timeout=60)

    assert under_way.finish().state is RunState.FINISHED
    assert under_way.rows() == undisturbed


def test_workers_share_the_slices_and_none_is_done_twice(under_way: RunUnderWay, undisturbed: Rows) -> None:
    workers = [under_way.worker("allocations.after_credit=sleep:0.4") for _ in range(2)]

    written = [worker.communicate(timeout=60)[0].decode() for worker in workers]

    slices = [[each["slice_no"] for each in read_json(text_)] for text_ in written]
    assert sorted(slices[0] + slices[1]) == list(range(1, SLICES + 1))
    assert slices[0]
    assert slices[1]
    assert under_way.rows() == undisturbed


def read_json(written: str) -> list[dict[str, Any]]:
    """Read the JSON objects that a worker wrote one after the other."""
    found, decoder, rest = [], json.JSONDecoder(), written.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


def test_a_slice_done_again_adds_nothing(under_way: RunUnderWay, undisturbed: Rows) -> None:
    under_way.worker("worker.after_slice=exit@4").wait(timeout=60)
    with under_way.database.sessions().begin() as session:
        session.execute(text("UPDATE ila.allocation_slice SET state = 'open' WHERE slice_no IN (1, 2)"))

    assert under_way.finish().state is RunState.FINISHED

    assert under_way.rows() == undisturbed


def test_a_worker_asked_to_stop_ends_its_slice_first(under_way: RunUnderWay) -> None:
    worker = under_way.worker("allocations.after_credit=sleep:1@2")
    wait_until(lambda: under_way.view().progress.slices_done == 1 and under_way.is_within_a_slice())

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=30) == 0
    run = under_way.view()
    assert (run.state, run.progress.slices_done) == (RunState.RUNNING, 2)


def test_a_defect_fails_the_run_with_a_sentence_and_it_can_be_resumed(
    under_way: RunUnderWay, undisturbed: Rows
) -> None:
    worker = under_way.worker("allocations.after_credit=raise@3")
    assert worker.wait(timeout=60) == 0

    failed = under_way.view()
    assert (failed.state, failed.progress.slices_done) == (RunState.FAILED, 2)
    assert failed.failure
    assert (
        "A defect stopped it (FailpointReached: the failpoint allocations.after_credit was reached)" in failed.failure
    )
    with under_way.database.sessions().begin() as session:
        allocations.resume(session, ANNA, under_way.run_id, now=NOW)
    assert under_way.finish().state is RunState.FINISHED
    assert under_way.rows() == undisturbed


def test_a_fund_drained_under_way_fails_the_run_and_new_money_lets_it_finish(under_way: RunUnderWay) -> None:
    under_way.worker("worker.after_slice=exit@2").wait(timeout=60)
    with under_way.database.sessions().begin() as session:
        held_minor = session.execute(text("SELECT max(available_minor) FROM ila.fund_balance")).scalar_one()
        session.execute(text("UPDATE ila.fund_balance SET available_minor = 1"))

    assert under_way.worker().wait(timeout=60) == 0

    failed = under_way.view()
    assert (failed.state, failed.progress.slices_done) == (RunState.FAILED, 2)
    assert failed.failure
    assert "the fund national holds 0.01 EUR; appropriate more, then resume the run" in failed.failure
    with under_way.database.sessions().begin() as session:
        scheme = schemes.scheme_of_code(session, "eu_model")
        fund = schemes.fund_of_code(session, scheme, "national")
        appropriated(session, scheme, fund, parameters_of("eu_model"), held_minor, "supplementary budget")
        allocations.resume(session, ANNA, under_way.run_id, now=NOW)
    assert under_way.finish().state is RunState.FINISHED


def test_the_workers_of_a_run_on_this_machine_do_it_and_show_how_far_they_are(
    under_way: RunUnderWay, undisturbed: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(under_way, monkeypatch)
    seen: list[int] = []

    run = run_locally(
        under_way.database.read_sessions("ila_job"),
        under_way.run_id,
        workers=2,
        on_progress=lambda now: seen.append(now.progress.slices_done),
    )

    assert (run.state, seen[-1]) == (RunState.FINISHED, SLICES)
    assert seen == sorted(seen)
    assert under_way.rows() == undisturbed


def test_losing_every_worker_is_said_and_nothing_is_lost(
    under_way: RunUnderWay, undisturbed: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(under_way, monkeypatch, ILA_FAILPOINTS="allocations.after_credit=exit@2")

    with pytest.raises(WorkersLost, match=f"nothing is lost: go on with `ila allocations resume {under_way.run_id}`"):
        run_locally(
            under_way.database.read_sessions("ila_job"), under_way.run_id, workers=2, on_progress=lambda now: None
        )

    assert under_way.view().state is RunState.RUNNING
    assert under_way.finish().state is RunState.FINISHED
    assert under_way.rows() == undisturbed


def set_environment(under_way: RunUnderWay, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    for name, value in (environment_of(under_way.database) | more).items():
        if name.startswith("ILA_"):
            monkeypatch.setenv(name, value)


def test_a_failpoint_that_says_nothing_known_is_refused() -> None:
    with pytest.raises(Invalid, match="write place=action"):
        failpoints("allocations.after_credit=explode")
