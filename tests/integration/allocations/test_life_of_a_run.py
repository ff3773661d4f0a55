"""A run from a draft to its reversal, and every move that is refused on the way."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from ila import allocations, audit, ledger, schemes
from ila.access.rules import NotAllowed
from ila.allocations.rules import (
    MOVES,
    AnotherRunIsRunning,
    ApprovalByAuthor,
    PeriodAlreadyAllocated,
    PlanChanged,
    RunState,
    RunStateConflict,
)
from ila.db.session import WriteSession
from ila.errors import Invalid, Refused
from ila.schemes.parameters import NoSuchCredit, SchemeNotInForce
from tests.conftest import NOW
from tests.factories import (
    ADULT,
    ANNA,
    BEN,
    OTTO,
    TODAY,
    add_people,
    approve_and_start,
    finished_run,
    parameters_of,
    previewed_run,
    registered,
    with_needs,
    work_through,
)


def test_a_run_gives_what_was_previewed_and_everybody_has_a_line(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    child = replace(ADULT, born_on=date(2015, 1, 1))
    closed = replace(ADULT, open=False)
    people = add_people(session, [ADULT, with_needs("disabled"), child, closed])
    run_id = previewed_run(session, parameters)
    plan = allocations.run_view(session, run_id).plan
    approve_and_start(session, run_id, slice_citizens=2)

    run = work_through(session, run_id)

    assert plan is not None
    assert (plan["citizens"], plan["credited"], plan["reasons"]) == (3, 2, {"AGE_OUT_OF_RANGE": 1})
    assert (run.progress.credited, run.progress.not_credited) == (2, 1)
    assert run.progress.amount_minor == plan["amount_minor"]
    assert (run.progress.slices, run.progress.slices_done) == (2, 2)
    given = [sum(each.granted_minor for each in ledger.entitlements_of(session, person)) for person in people]
    assert given[0] == 30_000
    assert given[1] > given[0]
    assert given[2:] == [0, 0]
    assert allocations.explain(session, people[2], run_id).reason == "AGE_OUT_OF_RANGE"
    with pytest.raises(allocations.NotConsidered):
        allocations.explain(session, people[3], run_id)


def test_every_act_on_a_run_is_recorded_with_who_did_it(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])

    run_id = finished_run(session, parameters)

    acts = session.scalars(audit.of_subject("allocation_run", run_id)).all()
    assert [(act.act.removeprefix("allocation_run."), act.actor_id) for act in acts] == [
        ("opened", ANNA.actor_id),
        ("previewed", ANNA.actor_id),
        ("approved", BEN.actor_id),
        ("running", ANNA.actor_id),
        ("finished", 0),
    ]


ACTS = {
    "preview": lambda session, run_id: allocations.preview(session, ANNA, run_id, facts_no=1, now=NOW),
    "approve": lambda session, run_id: allocations.approve(session, BEN, run_id, b"", now=NOW),
    "start": lambda session, run_id: allocations.start(
        session, ANNA, run_id, facts_no=1, slice_citizens=10, now=NOW, today=TODAY
    ),
    "pause": lambda session, run_id: allocations.pause(session, ANNA, run_id, now=NOW),
    "resume": lambda session, run_id: allocations.resume(session, ANNA, run_id, now=NOW),
    "cancel": lambda session, run_id: allocations.cancel(session, ANNA, run_id, now=NOW),
    "reverse": lambda session, run_id: allocations.open_reversal(session, ANNA, run_id, now=NOW, today=TODAY),
}
LEADS_FROM = {
    "preview": {RunState.DRAFT, RunState.PREVIEWED, RunState.APPROVED},
    "approve": {RunState.PREVIEWED},
    "start": {RunState.APPROVED},
    "pause": {RunState.RUNNING},
    "resume": {RunState.PAUSED, RunState.FAILED},
    "cancel": {RunState.DRAFT, RunState.PREVIEWED, RunState.APPROVED},
    "reverse": {RunState.FINISHED},
}


ILLEGAL = [(act, state) for act in ACTS for state in RunState if state not in LEADS_FROM[act]]


@pytest.mark.parametrize(("act", "state"), ILLEGAL)
def test_an_act_is_refused_from_every_state_it_does_not_lead_from(
    session: WriteSession, act: str, state: RunState
) -> None:
    run_id = _run_in(session, state)

    with pytest.raises(RunStateConflict, match=f"is .*{state.value}"):
        ACTS[act](session, run_id)

    assert allocations.run_view(session, run_id).state is state


def test_a_run_that_was_not_started_cannot_become_running_by_resuming(session: WriteSession) -> None:
    registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = previewed_run(session, parameters_of("eu_model"))
    digest = allocations.run_view(session, run_id).plan_digest
    assert digest
    allocations.approve(session, BEN, run_id, digest, now=NOW)

    with pytest.raises(RunStateConflict, match="only a paused or failed run can be resumed"):
        allocations.resume(session, ANNA, run_id, now=NOW)


def test_the_table_of_moves_names_every_state() -> None:
    assert set(MOVES) == set(RunState)


def _run_in(session: WriteSession, state: RunState) -> int:
    """Return a run in a state, put there by legal moves alone."""
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT, ADULT])
    if state is RunState.DRAFT:
        return allocations.open_run(
            session, ANNA, parameters, credit_code="yearly", period="2027", fund_code="national", now=NOW, today=TODAY
        )
    run_id = previewed_run(session, parameters)
    if state is RunState.PREVIEWED:
        return run_id
    if state is RunState.CANCELLED:
        allocations.cancel(session, ANNA, run_id, now=NOW)
        return run_id
    if state is RunState.APPROVED:
        digest = allocations.run_view(session, run_id).plan_digest
        assert digest
        allocations.approve(session, BEN, run_id, digest, now=NOW)
        return run_id
    approve_and_start(session, run_id, slice_citizens=1)
    if state is RunState.PAUSED:
        allocations.pause(session, ANNA, run_id, now=NOW)
    if state is RunState.FAILED:
        allocations.fail(session, ANNA, run_id, "planted", now=NOW)
    if state in (RunState.FINISHED, RunState.REVERSED):
        work_through(session, run_id)
    if state is RunState.REVERSED:
        reversal_id = allocations.open_reversal(session, ANNA, run_id, now=NOW, today=TODAY)
        allocations.preview(session, ANNA, reversal_id, facts_no=allocations.pin_facts(session), now=NOW)
        approve_and_start(session, reversal_id)
        work_through(session, reversal_id)
    assert allocations.run_view(session, run_id).state is state
    return run_id


def test_a_paused_run_hands_out_no_slice_and_goes_on_where_it_stopped(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    people = add_people(session, [ADULT] * 3)
    run_id = previewed_run(session, parameters)
    approve_and_start(session, run_id, slice_citizens=1)
    allocations.work_on_slice(session, run_id, now=NOW, today=TODAY)

    allocations.pause(session, BEN, run_id, now=NOW)
    assert allocations.work_on_slice(session, run_id, now=NOW, today=TODAY) is None
    assert allocations.close_run(session, run_id, now=NOW) is RunState.PAUSED

    allocations.resume(session, ANNA, run_id, now=NOW)
    run = work_through(session, run_id)
    assert run.progress.credited == len(people)


def test_who_opened_a_run_cannot_approve_it(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = previewed_run(session, parameters)
    digest = allocations.run_view(session, run_id).plan_digest
    assert digest

    with pytest.raises(ApprovalByAuthor, match="was opened by anna; another administrator"):
        allocations.approve(session, ANNA, run_id, digest, now=NOW)


def test_an_approval_is_for_one_plan_and_falls_with_a_further_preview(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = previewed_run(session, parameters)
    seen = allocations.run_view(session, run_id).plan_digest
    assert seen
    add_people(session, [ADULT])
    allocations.preview(session, ANNA, run_id, facts_no=allocations.pin_facts(session), now=NOW)

    with pytest.raises(PlanChanged, match="is not the one approved"):
        allocations.approve(session, BEN, run_id, seen, now=NOW)

    now_seen = allocations.run_view(session, run_id).plan_digest
    assert now_seen
    allocations.approve(session, BEN, run_id, now_seen, now=NOW)
    allocations.preview(session, ANNA, run_id, facts_no=allocations.pin_facts(session), now=NOW)
    run = allocations.run_view(session, run_id)
    assert (run.state, run.approved_by) == (RunState.PREVIEWED, None)


@pytest.mark.parametrize("act", ["preview", "start", "pause", "resume", "cancel", "reverse"])
def test_an_auditor_can_do_nothing_to_a_run(session: WriteSession, act: str) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = previewed_run(session, parameters)
    acts = {
        "preview": lambda: allocations.preview(session, OTTO, run_id, facts_no=1, now=NOW),
        "start": lambda: allocations.start(session, OTTO, run_id, facts_no=1, slice_citizens=10, now=NOW, today=TODAY),
        "pause": lambda: allocations.pause(session, OTTO, run_id, now=NOW),
        "resume": lambda: allocations.resume(session, OTTO, run_id, now=NOW),
        "cancel": lambda: allocations.cancel(session, OTTO, run_id, now=NOW),
        "reverse": lambda: allocations.open_reversal(session, OTTO, run_id, now=NOW, today=TODAY),
    }

    with pytest.raises(NotAllowed):
        acts[act]()


def test_a_period_is_allocated_once(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = finished_run(session, parameters)

    with pytest.raises(PeriodAlreadyAllocated, match=f"has run {run_id} already, which is finished") as refusal:
        previewed_run(session, parameters)

    assert refusal.value.facts["run_id"] == run_id


def test_a_cancelled_run_leaves_its_period_to_another(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    first = previewed_run(session, parameters)
    allocations.cancel(session, ANNA, first, now=NOW)

    second = previewed_run(session, parameters)

    scheme = schemes.scheme_of_code(session, "eu_model")
    assert [run.run_id for run in allocations.runs_of_period(session, scheme.scheme_id, "yearly", "2027")] == [
        first,
        second,
    ]


def test_a_scheme_runs_one_run_at_a_time(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    first = previewed_run(session, parameters)
    second = previewed_run(session, parameters, period="2026")
    approve_and_start(session, first)

    with pytest.raises(AnotherRunIsRunning, match=f"Run {second} has to wait"), session.begin_nested():
        approve_and_start(session, second)


def test_a_paused_run_is_not_resumed_beside_another_one(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    first = previewed_run(session, parameters)
    second = previewed_run(session, parameters, period="2026")
    approve_and_start(session, first)
    allocations.pause(session, ANNA, first, now=NOW)
    approve_and_start(session, second)

    with pytest.raises(AnotherRunIsRunning), session.begin_nested():
        allocations.resume(session, ANNA, first, now=NOW)


def test_two_schemes_run_side_by_side(session: WriteSession) -> None:
    add_people(session, [ADULT])
    runs = [previewed_run(session, registered(session, code), period=period) for code, period in SIDE_BY_SIDE]
    for run_id in runs:
        approve_and_start(session, run_id)

    assert sorted(session.scalars(allocations.running_runs())) == sorted(runs)


SIDE_BY_SIDE = [("eu_model", "2027"), ("ca_ctc", "2026")]


def test_a_period_a_credit_or_a_day_that_the_scheme_does_not_know_is_refused(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    with pytest.raises(Invalid, match="'next year' is no period"):
        previewed_run(session, parameters, period="next year")
    with pytest.raises(NoSuchCredit, match="has no credit weekly; it has yearly"):
        previewed_run(session, parameters, credit_code="weekly")
    with pytest.raises(SchemeNotInForce):
        previewed_run(session, parameters, period="2020", reference_on=date(2020, 1, 1))


def test_a_credit_on_request_is_not_given_by_a_run_for_everybody(session: WriteSession) -> None:
    parameters = registered(session, "kr_card")

    with pytest.raises(Refused, match="is given when a citizen asks"):
        previewed_run(session, parameters)


def test_a_run_over_nobody_ends_with_nothing(session: WriteSession) -> None:
    session.execute(text("SELECT 1"))
    parameters = registered(session, "eu_model")

    run = allocations.run_view(session, finished_run(session, parameters))

    assert (run.progress.slices, run.progress.credited, run.progress.amount_minor) == (0, 0, 0)
