"""What has expired goes back to the fund that gave it; what a run gave wrongly is taken back where it was not spent."""

from datetime import date

import pytest
from sqlalchemy import text

from ila import allocations, ledger, schemes
from ila.access.rules import CLOCK
from ila.allocations.rules import ApprovalByAuthor, PeriodAlreadyAllocated, PlanChanged, RunKind, RunState
from ila.db.session import WriteSession
from ila.ledger.chart import AccountKind
from ila.ledger.rules import Draw
from tests.conftest import NOW
from tests.factories import (
    ADULT,
    ANNA,
    BEN,
    TODAY,
    add_people,
    approve_and_start,
    finished_run,
    registered,
    work_through,
)

LONG_AFTER = date(2060, 1, 1)


def available_minor(session: WriteSession, citizen_id: int) -> int:
    return sum(each.available_minor for each in ledger.entitlements_of(session, citizen_id))


def spend(session: WriteSession, citizen_id: int, run_id: int, amount_minor: int) -> None:
    """Take an amount out of an entitlement, with its line, as a redemption does."""
    ledger.draw(session, citizen_id, [Draw(run_id, amount_minor)])


def open_expiry(session: WriteSession, today: date) -> int | None:
    parameters = registered(session, "eu_model")
    return allocations.open_expiry(session, CLOCK, parameters, slice_citizens=2, now=NOW, today=today)


def test_the_sweep_takes_what_has_expired_and_nothing_else(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    people = add_people(session, [ADULT] * 3)
    run_id = finished_run(session, parameters)
    expires_on = ledger.entitlements_of(session, people[0])[0].expires_on
    spend(session, people[1], run_id, 10_000)

    assert open_expiry(session, expires_on) is None, "its last day is usable"

    sweep_id = open_expiry(session, expires_on.replace(year=expires_on.year + 1))
    assert sweep_id is not None
    run = work_through(session, sweep_id)

    assert (run.kind, run.progress.credited, run.progress.amount_minor) == (RunKind.EXPIRY, 3, 80_000)
    assert [available_minor(session, person) for person in people] == [0, 0, 0]
    lines = session.execute(
        text(
            "SELECT sum(amount_minor) FROM ila.transfer WHERE debit_kind = :entitlement AND credit_kind = :expired"
            " AND debit_id = :run"
        ),
        {"entitlement": int(AccountKind.ENTITLEMENT), "expired": int(AccountKind.EXPIRED), "run": run_id},
    ).scalar_one()
    assert lines == 80_000


def test_a_day_is_swept_once(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    finished_run(session, parameters)
    sweep_id = open_expiry(session, LONG_AFTER)
    assert sweep_id is not None

    with pytest.raises(PeriodAlreadyAllocated, match=f"has run {sweep_id} already"):
        open_expiry(session, LONG_AFTER)

    work_through(session, sweep_id)
    assert open_expiry(session, LONG_AFTER) is None


def test_nothing_expired_opens_no_sweep(session: WriteSession) -> None:
    assert open_expiry(session, LONG_AFTER) is None


def reversal_of(session: WriteSession, run_id: int) -> int:
    reversal_id = allocations.open_reversal(session, ANNA, run_id, now=NOW, today=TODAY)
    allocations.preview(session, ANNA, reversal_id, facts_no=allocations.pin_facts(session), now=NOW)
    return reversal_id


def test_a_reversal_takes_back_everything_that_nobody_has_spent(session: WriteSession) -> None:
    parameters = registered(session, "eu_model", money_minor=1_000_000)
    people = add_people(session, [ADULT] * 3)
    run_id = finished_run(session, parameters, slice_citizens=1)
    spend(session, people[0], run_id, 10_000)
    spend(session, people[1], run_id, 30_000)
    scheme = schemes.scheme_of_code(session, "eu_model")
    fund = schemes.fund_of_code(session, scheme, "national")

    reversal_id = reversal_of(session, run_id)
    plan = allocations.run_view(session, reversal_id).plan
    approve_and_start(session, reversal_id, slice_citizens=2)
    reversal = work_through(session, reversal_id)

    assert plan
    assert (plan["citizens"], plan["credited"], plan["amount_minor"], plan["spent_minor"]) == (3, 2, 50_000, 40_000)
    assert (reversal.progress.credited, reversal.progress.amount_minor) == (2, 50_000)
    assert allocations.run_view(session, run_id).state is RunState.REVERSED
    assert [available_minor(session, person) for person in people] == [0, 0, 0]
    assert ledger.fund_available(session, fund.fund_id) == 1_000_000 - 90_000 + 50_000


def test_a_reversal_too_needs_a_second_person_and_the_plan_that_was_approved(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])
    run_id = finished_run(session, parameters)
    reversal_id = reversal_of(session, run_id)
    digest = allocations.run_view(session, reversal_id).plan_digest
    assert digest

    with pytest.raises(ApprovalByAuthor):
        allocations.approve(session, ANNA, reversal_id, digest, now=NOW)
    allocations.approve(session, BEN, reversal_id, digest, now=NOW)
    spend(session, person, run_id, 1)
    with pytest.raises(PlanChanged, match=r"amount was 300.00 EUR, is now 299.99 EUR"):
        allocations.start(session, ANNA, reversal_id, facts_no=1, slice_citizens=10, now=NOW, today=TODAY)

    assert available_minor(session, person) == 29_999


def test_a_run_is_reversed_once(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = finished_run(session, parameters)
    reversal_id = reversal_of(session, run_id)

    with pytest.raises(PeriodAlreadyAllocated, match=f"has the reversal {reversal_id} already"):
        allocations.open_reversal(session, ANNA, run_id, now=NOW, today=TODAY)


def test_a_reversed_period_can_be_allocated_anew(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])
    run_id = finished_run(session, parameters)
    reversal_id = reversal_of(session, run_id)
    approve_and_start(session, reversal_id)
    work_through(session, reversal_id)

    again = finished_run(session, parameters)

    held = {each.allocation_run_id: each.available_minor for each in ledger.entitlements_of(session, person)}
    assert held == {run_id: 0, again: 30_000}


def test_what_was_reversed_does_not_count_against_a_ceiling_over_a_whole_life(session: WriteSession) -> None:
    parameters = registered(session, "ca_ctc")
    (person,) = add_people(session, [ADULT])
    run_id = finished_run(session, parameters, period="2026")
    given_minor = allocations.explain(session, person, run_id).amount_minor
    assert given_minor > 0
    reversal_id = reversal_of(session, run_id)
    approve_and_start(session, reversal_id)
    work_through(session, reversal_id)

    again = finished_run(session, parameters, period="2026")

    explained = allocations.explain(session, person, again)
    assert [step.value for step in explained.steps if step.name == "counted"] == [0]
    assert explained.amount_minor == given_minor
