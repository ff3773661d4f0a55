"""What a run gave is explained to the cent: at once, after corrections, and after the money was spent."""

import random
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from ila import allocations, citizens, ledger
from ila.allocations import Explanation
from ila.citizens.rules import EvidenceSource, Need
from ila.db.session import WriteSession
from ila.ledger.rules import Draw
from ila.schemes.parameters import NoValueInForce, SchemeNotInForce
from ila.schemes.policy import AccrualMode, EmploymentStatus, Reason
from tests.conftest import NOW
from tests.factories import (
    ADULT,
    ANNA,
    TODAY,
    add_people,
    approve_and_start,
    finished_run,
    parameters_of,
    previewed_run,
    random_person,
    registered,
    shipped_schemes,
    with_needs,
    work_through,
)

PEOPLE = 60
YEAR = "2026"


def runnable() -> list[tuple[str, str]]:
    """Return scheme and credit of everything that a run gives for the year."""
    found = []
    for code in shipped_schemes():
        parameters = parameters_of(code)
        for credit_code in parameters.credit_codes:
            try:
                policy = parameters.policy(credit_code, date(2026, 12, 31))
            except (NoValueInForce, SchemeNotInForce):
                continue
            if policy.accrual_mode is not AccrualMode.ON_REQUEST:
                found.append((code, credit_code))
    return found


def test_most_schemes_that_credit_by_runs_are_covered() -> None:
    assert {code for code, _ in runnable()} >= {"eu_model", "fr_cpf", "fr_cpf_public", "sg_sfc", "ca_ctc"}


@pytest.mark.parametrize(("code", "credit_code"), runnable())
def test_each_amount_is_explained_to_the_cent_now_and_after_everything_changed(
    session: WriteSession, code: str, credit_code: str
) -> None:
    parameters = registered(session, code)
    chance = random.Random(code + credit_code)
    people = add_people(
        session, [random_person(chance, sorted(parameters.criteria)) for _ in range(PEOPLE)], worked_in=2026
    )
    planned = {person: _planned(session, person, code, credit_code) for person in people}
    run_id = finished_run(session, parameters, credit_code=credit_code, period=YEAR, slice_citizens=17)

    explained = {person: _explained(session, person, run_id) for person in people}

    for person in people:
        given_minor = sum(each.granted_minor for each in ledger.entitlements_of(session, person))
        line = explained[person]
        assert given_minor == (line.amount_minor if line else 0)
        if line:
            assert line.amount_minor or line.reason, "nothing is given without a reason"
            assert line.steps[-1].value in (line.amount_minor, line.reason)
        before = planned[person]
        if before is not None and before.reason is not Reason.CLOSED:
            assert line is not None
            assert (before.amount_minor, before.reason, before.steps) == (line.amount_minor, line.reason, line.steps)

    spend_and_correct_everybody(session, people)

    assert {person: _explained(session, person, run_id) for person in people} == explained


def _planned(session: WriteSession, person: int, code: str, credit_code: str) -> Explanation | None:
    return allocations.explain_planned(session, person, parameters_of(code), credit_code=credit_code, period=YEAR)


def _explained(session: WriteSession, person: int, run_id: int) -> Explanation | None:
    try:
        return allocations.explain(session, person, run_id)
    except allocations.NotConsidered:
        return None


def spend_and_correct_everybody(session: WriteSession, people: list[int]) -> None:
    """Spend from each entitlement and learn that nothing known of anybody was true."""
    for person in people:
        for held in ledger.entitlements_of(session, person):
            if held.available_minor > 1:
                ledger.draw(session, person, [Draw(held.allocation_run_id, held.available_minor // 2)])
        citizens.correct_facts(
            session,
            ANNA,
            person,
            {"born_on": date(1999, 9, 9), "employment_status": EmploymentStatus.RETIRED, "income_minor": 1},
            valid_from=date(2001, 1, 1),
            now=NOW,
        )
        need = Need("disabled", EvidenceSource.REGISTER, date(2001, 1, 1))
        citizens.attest_need(session, ANNA, person, need, now=NOW)


def test_an_explanation_names_facts_rule_law_and_result_of_each_step(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [with_needs("disabled", qualification_level=2)])
    run_id = finished_run(session, parameters)

    explained = allocations.explain(session, person, run_id)

    names = [step.name for step in explained.steps]
    assert names[:2] == ["eligibility", "base"]
    assert names[-5:] == ["rounded", "ceiling", "counted", "room", "amount"]
    assert {f"need.{criterion}" for criterion in explained.needs} <= set(names)
    assert "disabled" in explained.needs
    assert all(step.reference for step in explained.steps if step.name != "amount")
    by_name = {step.name: step.value for step in explained.steps}
    assert (by_name["base"], by_name["counted"]) == (30_000, 0)
    assert by_name["amount"] == explained.amount_minor > 30_000
    assert explained.facts["age"] == 41
    assert explained.parameter_digest == parameters.digest


def test_who_gets_nothing_learns_why_with_the_law(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (child,) = add_people(session, [replace(ADULT, born_on=date(2015, 1, 1))])
    run_id = finished_run(session, parameters)

    explained = allocations.explain(session, child, run_id)

    assert [step.name for step in explained.steps] == ["eligibility"]
    assert explained.steps[0].text == "Not eligible on 2027-01-01: the age is outside the scheme's bounds."
    assert explained.steps[0].reference
    assert (explained.amount_minor, explained.reason, explained.expires_on) == (0, Reason.AGE_OUT_OF_RANGE, None)


def test_everything_that_runs_gave_a_citizen_is_told_the_newest_first(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])
    runs = [finished_run(session, parameters, period=period) for period in ("2026", "2027")]

    told = allocations.explanations_of(session, person)

    assert [each.run_id for each in told] == runs[::-1]
    assert [each.period for each in told] == ["2027", "2026"]


def test_what_is_no_run_of_credits_is_not_explained(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])
    run_id = finished_run(session, parameters)
    reversal_id = allocations.open_reversal(session, ANNA, run_id, now=NOW, today=TODAY)

    for no_run in (reversal_id, 17):
        with pytest.raises(allocations.NoSuchRun, match=f"no run {no_run} that gave credits"):
            allocations.explain(session, person, no_run)


def test_the_ceiling_cuts_and_then_stops_a_credit_and_says_so(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    ceiling_minor = parameters.policy("yearly", TODAY).ceiling.amount_minor
    assert ceiling_minor
    nearly, full = add_people(session, [ADULT, ADULT])
    for person, held_minor in ((nearly, ceiling_minor - 100), (full, ceiling_minor)):
        _hold(session, person, held_minor)
    run_id = previewed_run(session, parameters)
    plan = allocations.run_view(session, run_id).plan
    approve_and_start(session, run_id)
    work_through(session, run_id)

    lowered, nothing = (allocations.explain(session, person, run_id) for person in (nearly, full))

    assert plan
    assert (plan["lowered"], plan["reasons"], plan["amount_minor"]) == (1, {"CEILING": 1}, 100)
    assert (lowered.amount_minor, lowered.reason) == (100, Reason.CEILING)
    assert (nothing.amount_minor, nothing.reason) == (0, Reason.CEILING)
    assert [step.value for step in nothing.steps if step.name in ("counted", "room")] == [ceiling_minor, 0]


def _hold(session: WriteSession, person: int, amount_minor: int) -> None:
    session.execute(
        text(
            "INSERT INTO ila.entitlement"
            " SELECT :citizen, 1, :amount, :amount, 0, '9999-12-31', fund_id, 0, scheme_id, 1"
            " FROM ila.fund WHERE code = 'national'"
        ),
        {"citizen": person, "amount": amount_minor},
    )


def test_a_credit_of_once_in_a_life_is_given_once(session: WriteSession) -> None:
    parameters = registered(session, "sg_sfc")
    of_1984, of_1985 = add_people(session, [replace(ADULT, born_on=date(year, 2, 2)) for year in (1984, 1985)])
    first = finished_run(session, parameters, credit_code="mid_career", period="2024", on=date(2024, 5, 1))

    second = finished_run(session, parameters, credit_code="mid_career", period="2025")

    assert [each.allocation_run_id for each in ledger.entitlements_of(session, of_1984)] == [first]
    assert [each.allocation_run_id for each in ledger.entitlements_of(session, of_1985)] == [second]
    explained = allocations.explain(session, of_1984, second)
    assert (explained.amount_minor, explained.reason) == (0, Reason.ALREADY_CREDITED)
    assert "given once, and has been" in explained.steps[0].text


def test_a_plan_is_explained_before_there_is_a_run(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])

    explained = allocations.explain_planned(session, person, parameters, credit_code="yearly", period="2027")

    assert (explained.run_id, explained.amount_minor, explained.effective_on) == (None, 30_000, date(2027, 1, 1))


def test_without_facts_on_the_day_there_is_nothing_to_explain(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT], since=date(2027, 6, 1))

    with pytest.raises(allocations.NotConsidered, match="no facts on 2027-01-01"):
        allocations.explain_planned(session, person, parameters, credit_code="yearly", period="2027")
