"""What the jobs do: the law's part by themselves, the people's part as a draft."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ila import allocations
from ila.allocations.rules import ApprovalByAuthor, PlannedByTheClock, RunKind, RunState
from ila.db.job_claims import JobState
from ila.db.session import WriteSessions
from ila.scheduling.jobs import JOBS, NoSchemeFiles, PutOff, Work, claimables, draft_yearly, expire, forget_claims
from ila.scheduling.scheduler import job_views, run_now
from ila.schemes import all_schemes
from tests.conftest import NOW, Database
from tests.factories import (
    ADULT,
    ANNA,
    BEN,
    SCHEME_DIRECTORY,
    add_people,
    approve_and_start,
    finished_run,
    previewed_run,
    registered,
    with_needs,
)

MONDAY = datetime(2027, 1, 4, tzinfo=UTC)
LONG_AFTER = datetime(2060, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def work(database: Database) -> Work:
    """A database with two people and `eu_model`."""
    with database.sessions().begin() as session:
        registered(session, "eu_model")
        add_people(session, [ADULT, with_needs("disabled")])
    return Work(database.sessions(), SCHEME_DIRECTORY, 100, Clock().now)


def runs(sessions: WriteSessions) -> Sequence[allocations.Run]:
    with sessions() as session:
        return allocations.run_views(session)


def test_a_yearly_credit_is_drafted_and_previewed_but_never_approved(work: Work) -> None:
    said = draft_yearly(work, "eu_model", MONDAY)

    (run,) = runs(work.sessions)
    assert said == f"run {run.run_id} drafts the credit yearly and waits for two administrators"
    assert (run.state, run.period, run.opened_by, run.approved_by) == (RunState.PREVIEWED, "2027", 0, None)
    assert run.plan
    assert run.plan["credited"] == 2
    assert draft_yearly(work, "eu_model", MONDAY) == "no yearly credit is due"


def test_a_draft_that_was_cut_off_before_its_preview_is_previewed_later(work: Work) -> None:
    from ila.access.rules import CLOCK

    with work.sessions.begin() as session:
        run_id = allocations.open_run(
            session, CLOCK, work.parameters("eu_model"), credit_code="yearly", period="2027", fund_code="national",
            now=NOW, today=NOW.date(),
        )  # fmt: skip

    draft_yearly(work, "eu_model", MONDAY)

    (run,) = runs(work.sessions)
    assert (run.run_id, run.state) == (run_id, RunState.PREVIEWED)


def test_a_draft_that_people_cancelled_is_not_opened_again(work: Work) -> None:
    draft_yearly(work, "eu_model", MONDAY)
    (run,) = runs(work.sessions)
    with work.sessions.begin() as session:
        allocations.cancel(session, ANNA, run.run_id, now=NOW)

    assert draft_yearly(work, "eu_model", MONDAY + timedelta(days=1)) == "no yearly credit is due"
    assert len(runs(work.sessions)) == 1


def test_a_run_that_people_opened_leaves_nothing_to_draft(work: Work) -> None:
    with work.sessions.begin() as session:
        previewed_run(session, work.parameters("eu_model"))

    assert draft_yearly(work, "eu_model", MONDAY) == "no yearly credit is due"


def test_the_clocks_draft_still_needs_two_people(work: Work) -> None:
    draft_yearly(work, "eu_model", MONDAY)
    (run,) = runs(work.sessions)
    assert run.plan_digest
    with pytest.raises(PlannedByTheClock), work.sessions.begin() as session:
        allocations.approve(session, BEN, run.run_id, run.plan_digest, now=NOW)

    with work.sessions.begin() as session:
        facts_no = allocations.pin_facts(session)
        allocations.preview(session, ANNA, run.run_id, facts_no=facts_no, now=NOW)
        with pytest.raises(ApprovalByAuthor, match="was previewed by anna"):
            allocations.approve(session, ANNA, run.run_id, run.plan_digest, now=NOW)
        allocations.approve(session, BEN, run.run_id, run.plan_digest, now=NOW)

    assert runs(work.sessions)[0].state is RunState.APPROVED


def test_what_expired_is_swept_by_a_run_of_its_day(work: Work) -> None:
    with work.sessions.begin() as session:
        finished_run(session, work.parameters("eu_model"))
    assert expire(work, "eu_model", MONDAY) == "nothing has expired"

    said = expire(work, "eu_model", LONG_AFTER)

    sweep = runs(work.sessions)[0]
    assert said == f"opened run {sweep.run_id}"
    assert (sweep.kind, sweep.state, sweep.effective_on) == (RunKind.EXPIRY, RunState.RUNNING, LONG_AFTER.date())
    assert expire(work, "eu_model", LONG_AFTER) == f"run {sweep.run_id} sweeps this day already"


def test_a_sweep_waits_for_the_run_that_is_running(work: Work) -> None:
    with work.sessions.begin() as session:
        finished_run(session, work.parameters("eu_model"), period="2026")
        approve_and_start(session, previewed_run(session, work.parameters("eu_model")))

    with pytest.raises(PutOff, match="another run of the scheme is running"):
        expire(work, "eu_model", LONG_AFTER)


def test_a_scheme_whose_files_are_gone_is_named(work: Work, tmp_path: Path) -> None:
    without = Work(work.sessions, tmp_path, 100, work.now)

    with pytest.raises(NoSchemeFiles, match="Scheme eu_model is registered, but there is no folder"):
        expire(without, "eu_model", MONDAY)


def test_forgetting_says_how_much(work: Work) -> None:
    assert forget_claims(work, "", MONDAY) == "forgot 0 outcomes older than 90 days"


def test_a_job_can_be_run_by_hand_again_and_again(work: Work) -> None:
    with work.sessions() as session:
        draft = next(each for each in claimables(all_schemes(session)) if each.name == "draft_yearly:eu_model")

    first, second = run_now(work, draft), run_now(work, draft)

    assert first
    assert second
    assert (first.state, first.tries) == (JobState.DONE, 1)
    assert (second.state, second.tries, second.outcome) == (JobState.DONE, 2, "no yearly credit is due")


def test_the_list_of_jobs_says_what_became_of_each_and_when_it_is_due(work: Work) -> None:
    with work.sessions() as session:
        names = [view.name for view in job_views(session, NOW)]
        views = {view.name: view for view in job_views(session, NOW)}

    assert names == ["expire:eu_model", "draft_yearly:eu_model", "forget_claims"]
    assert views["expire:eu_model"].last is None
    assert views["expire:eu_model"].next_due == datetime(2027, 1, 5, 3, tzinfo=UTC)


def test_the_table_of_jobs_names_each_once() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
