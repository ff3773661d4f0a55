"""What was approved is what runs: anything else stops the run before it posts, and money stops it where it ends."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ila import allocations, citizens, ledger, schemes
from ila.allocations.rules import AppropriationExceeded, PlanChanged, RunState, TooEarly
from ila.citizens.rules import ClosingReason, EvidenceSource, Need
from ila.db.session import WriteSession
from ila.schemes.parameters import ParameterSet
from tests.conftest import NOW, Database
from tests.factories import (
    ADULT,
    ANNA,
    BEN,
    TODAY,
    add_people,
    appropriated,
    approve_and_start,
    parameters_of,
    previewed_run,
    registered,
    with_needs,
    work_through,
)


def approved_run(session: WriteSession, parameters: ParameterSet) -> int:
    run_id = previewed_run(session, parameters)
    digest = allocations.run_view(session, run_id).plan_digest
    assert digest
    allocations.approve(session, BEN, run_id, digest, now=NOW)
    return run_id


def start(session: WriteSession, run_id: int, parameters: ParameterSet | None = None) -> None:
    allocations.start(
        session,
        ANNA,
        run_id,
        facts_no=allocations.pin_facts(session),
        slice_citizens=10,
        now=NOW,
        today=TODAY,
        parameters=parameters,
    )


def booked_lines(session: WriteSession) -> int:
    """Count the lines in citizens' names; appropriations stand under citizen 0."""
    return session.execute(text("SELECT count(*) FROM ila.transfer WHERE citizen_id > 0")).scalar_one()


def test_nobody_new_and_nothing_changed_starts(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = approved_run(session, parameters)

    start(session, run_id, parameters)

    assert allocations.run_view(session, run_id).state is RunState.RUNNING


def test_a_run_does_not_start_before_its_day(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = approved_run(session, parameters)

    with pytest.raises(TooEarly, match="start it when that day has come, today is 2026-12-31"):
        allocations.start(
            session,
            ANNA,
            run_id,
            facts_no=allocations.pin_facts(session),
            slice_citizens=10,
            now=NOW,
            today=date(2026, 12, 31),
        )

    assert booked_lines(session) == 0


def one_more(session: WriteSession, people: list[int]) -> None:
    add_people(session, [ADULT])


def one_closed(session: WriteSession, people: list[int]) -> None:
    citizens.close_account(
        session, ANNA, people[0], on=date(2026, 6, 1), reason=ClosingReason.DEATH, today=TODAY, now=NOW
    )


def one_corrected(session: WriteSession, people: list[int]) -> None:
    citizens.correct_facts(
        session, ANNA, people[0], {"born_on": date(2015, 1, 1)}, valid_from=date(2020, 1, 1), now=NOW
    )


def one_attested(session: WriteSession, people: list[int]) -> None:
    attest(session, people[0], "disabled")


def one_has_more_under_the_ceiling(session: WriteSession, people: list[int]) -> None:
    session.execute(
        text(
            "INSERT INTO ila.entitlement SELECT :citizen, 1, 299000, 299000, 0, '9999-12-31', fund_id, 0, scheme_id, 1"
            " FROM ila.fund WHERE code = 'national'"
        ),
        {"citizen": people[0]},
    )


def attest(session: WriteSession, citizen_id: int, criterion: str) -> None:
    need = Need(criterion, EvidenceSource.REGISTER, date(2020, 1, 1))
    citizens.attest_need(session, ANNA, citizen_id, need, now=NOW)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (one_more, "citizens was 3, is now 4"),
        (one_closed, "citizens was 3, is now 2"),
        (one_corrected, "AGE_OUT_OF_RANGE 1"),
        (one_attested, r"amount was .* EUR, is now .* EUR"),
        (one_has_more_under_the_ceiling, "lowered was 0, is now 1"),
    ],
)
def test_people_who_changed_since_the_approval_stop_a_run_before_it_posts(session: WriteSession, change, said) -> None:  # type: ignore[no-untyped-def]
    parameters = registered(session, "eu_model")
    people = add_people(session, [ADULT, ADULT, with_needs("disabled")])
    run_id = approved_run(session, parameters)
    change(session, people)

    with pytest.raises(PlanChanged, match=said):
        start(session, run_id)

    assert allocations.run_view(session, run_id).state is RunState.APPROVED
    assert booked_lines(session) == 0


def test_amounts_that_swapped_people_stop_a_run_although_every_total_agrees(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    plain, disabled = add_people(session, [ADULT, with_needs("disabled")])
    run_id = approved_run(session, parameters)
    before = allocations.run_view(session, run_id).plan
    citizens.withdraw_attestation(session, ANNA, disabled, "disabled", on=date(2000, 1, 1), now=NOW)
    attest(session, plain, "disabled")

    with pytest.raises(PlanChanged, match="totals agree, but single amounts moved between people"):
        start(session, run_id)

    after = allocations.preview(session, ANNA, run_id, facts_no=allocations.pin_facts(session), now=NOW)
    assert before
    assert {**after, "checksum": None} == {**before, "checksum": None}


def changed(parameters: ParameterSet) -> ParameterSet:
    """Return the scheme with another title of its base amount: the amounts stay, the rules are others."""
    rest = [each for each in parameters.parameters if each.name != "base_amount"]
    base = next(each for each in parameters.parameters if each.name == "base_amount")
    raised = replace(base, description="The yearly credit, as amended.")
    return replace(parameters, parameters=(*rest, raised))


def test_rules_that_changed_since_the_approval_stop_a_run(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = approved_run(session, parameters)

    with pytest.raises(PlanChanged, match=f"was approved under the rules {parameters.digest.hex()[:16]}"):
        start(session, run_id, changed(parameters))

    assert booked_lines(session) == 0


def test_a_further_preview_binds_a_run_to_the_rules_of_now(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    add_people(session, [ADULT])
    run_id = approved_run(session, parameters)
    amended = changed(parameters)

    facts_no = allocations.pin_facts(session)
    allocations.preview(session, ANNA, run_id, facts_no=facts_no, now=NOW, parameters=amended)

    run = allocations.run_view(session, run_id)
    assert (run.parameter_digest, run.state) == (amended.digest, RunState.PREVIEWED)
    approve_and_start(session, run_id)
    assert work_through(session, run_id).state is RunState.FINISHED


def test_a_plan_says_what_the_fund_lacks_and_cannot_be_approved(session: WriteSession) -> None:
    parameters = registered(session, "eu_model", money_minor=50_000)
    add_people(session, [ADULT, ADULT])
    run_id = previewed_run(session, parameters)

    plan = allocations.run_view(session, run_id).plan
    assert plan
    assert (plan["amount_minor"], plan["fund_available_minor"], plan["shortfall_minor"]) == (60_000, 50_000, 10_000)
    digest = allocations.run_view(session, run_id).plan_digest
    assert digest
    with pytest.raises(
        AppropriationExceeded, match=r"would give 600.00 EUR, the fund national holds 500.00 EUR: 100.00 EUR"
    ):
        allocations.approve(session, BEN, run_id, digest, now=NOW)


def test_money_that_left_the_fund_since_the_approval_stops_a_run_at_its_start(session: WriteSession) -> None:
    parameters = registered(session, "eu_model", money_minor=60_000)
    add_people(session, [ADULT, ADULT])
    run_id = approved_run(session, parameters)
    session.execute(text("UPDATE ila.fund_balance SET available_minor = 59999"))

    with pytest.raises(AppropriationExceeded, match=r"0.01 EUR are missing") as refusal:
        start(session, run_id)

    assert refusal.value.facts["shortfall_minor"] == 1
    assert booked_lines(session) == 0


def test_a_fund_without_a_limit_stops_nothing(session: WriteSession) -> None:
    code = next(code for code in ("ca_ctc", "fr_cpf") if not parameters_of(code).funds[0].limited)
    parameters = registered(session, code, money_minor=0)
    add_people(session, [ADULT])
    credit_code = parameters.credit_codes[0]

    run_id = previewed_run(session, parameters, credit_code=credit_code, period="2026")

    plan = allocations.run_view(session, run_id).plan
    assert plan
    assert (plan["fund_available_minor"], plan["shortfall_minor"]) == (None, 0)


def test_a_fund_drained_under_way_stops_the_slice_and_new_money_lets_the_run_go_on(session: WriteSession) -> None:
    parameters = registered(session, "eu_model", money_minor=90_000)
    people = add_people(session, [ADULT] * 3)
    run_id = approved_run(session, parameters)
    allocations.start(
        session, ANNA, run_id, facts_no=allocations.pin_facts(session), slice_citizens=1, now=NOW, today=TODAY
    )
    allocations.work_on_slice(session, run_id, now=NOW, today=TODAY)
    session.execute(text("UPDATE ila.fund_balance SET available_minor = 100 WHERE available_minor = 60000"))

    with (
        pytest.raises(AppropriationExceeded, match=r"needs 300.00 EUR, the fund national holds 1.00 EUR") as refusal,
        session.begin_nested(),
    ):
        allocations.work_on_slice(session, run_id, now=NOW, today=TODAY)
    allocations.fail(session, ANNA, run_id, refusal.value.message, now=NOW)

    assert allocations.run_view(session, run_id).failure == refusal.value.message
    assert booked_lines(session) == 1
    scheme = schemes.scheme_of_code(session, "eu_model")
    fund = schemes.fund_of_code(session, scheme, "national")
    appropriated(session, scheme, fund, parameters, 59_900, "supplementary budget")
    allocations.resume(session, ANNA, run_id, now=NOW)
    run = work_through(session, run_id)
    assert (run.state, run.failure, run.progress.credited) == (RunState.FINISHED, None, len(people))
    assert ledger.fund_available(session, fund.fund_id) == 0


INSERT = text(
    """
    INSERT INTO ila.allocation_run (allocation_run_id, scheme_id, fund_id, kind, credit_code, period, state,
        reference_on, effective_on, parameter_digest, plan_digest, approved_digest, opened_by, opened_at,
        previewed_by, approved_by, approved_at, reverses_run_id)
    SELECT :id, scheme_id, fund_id, :kind, 'yearly', '2027', :state, '2027-01-01', '2027-01-01',
        sha256('rules'), sha256('plan'), sha256(:approved), 101, now(), :previewed_by, :approved_by, now(), NULL
    FROM ila.fund WHERE code = 'national'
    """
)
GOOD = {"id": 1, "kind": "yearly", "state": "approved", "approved": b"plan", "previewed_by": 101, "approved_by": 102}


@pytest.fixture
def owner(database: Database) -> Iterator[WriteSession]:
    """A session of the tables' owner, whom no grant holds back, in a database that knows `eu_model`."""
    with database.sessions("ila_job").begin() as session:
        registered(session, "eu_model")
    with database.sessions("ila_owner")() as session:
        yield session


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"approved_by": 101, "previewed_by": 102}, "four_eyes"),
        ({"previewed_by": 102}, "four_eyes"),
        ({"previewed_by": 0}, "planned_by_a_person"),
        ({"approved_by": None}, "approved_before_running"),
        ({"approved": None, "state": "running"}, "approved_before_running"),
        ({"approved": b"another plan"}, "approved_plan"),
        ({"kind": "reversal"}, "reversal"),
        ({"state": "begun"}, "ck_allocation_run_state"),
        ({"kind": "gift"}, "ck_allocation_run_kind"),
    ],
)
def test_the_database_itself_refuses_a_run_that_breaks_the_rules(
    owner: WriteSession, changes: dict[str, object], broken: str
) -> None:
    with owner.begin_nested() as savepoint:
        owner.execute(INSERT, GOOD)
        savepoint.rollback()

    with pytest.raises(IntegrityError, match=broken):
        owner.execute(INSERT, GOOD | changes)


def test_the_database_itself_refuses_a_second_run_of_a_period(owner: WriteSession) -> None:
    owner.execute(INSERT, GOOD)

    with pytest.raises(IntegrityError, match="uq_allocation_run_period"):
        owner.execute(INSERT, GOOD | {"id": 2})


def test_the_database_itself_refuses_a_second_running_run_of_a_scheme(owner: WriteSession) -> None:
    owner.execute(INSERT, GOOD | {"state": "running"})

    with pytest.raises(IntegrityError, match="uq_allocation_run_running"):
        owner.execute(INSERT, GOOD | {"id": 2, "kind": "contribution", "state": "running"})
