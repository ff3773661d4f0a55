"""Credits that are given when a citizen asks: once a period, by the law alone."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ila import allocations, ledger, schemes
from ila.access.rules import NotAllowed
from ila.allocations.rules import AlreadyRequested, NotOnRequest, RequestRefused
from ila.db.session import WriteSession
from ila.ledger import checks
from ila.ledger.rules import Draw
from tests.conftest import NOW, Database
from tests.factories import ADULT, ANNA, OTTO, TODAY, add_people, parameters_of

SCHEME = "be_vl_cheque"  # a school year, no limit of its fund


def ask(session: WriteSession, citizen_id: int, scheme: str = SCHEME, *, today: date = TODAY) -> int:
    parameters = parameters_of(scheme)
    facts_no = allocations.pin_facts(session)
    credit_code = parameters.credit_codes[0]
    return allocations.request_credit(
        session, ANNA, citizen_id, parameters, credit_code=credit_code, facts_no=facts_no, now=NOW, today=today
    )


def test_who_asks_gets_what_the_scheme_gives_and_an_explanation(session: WriteSession) -> None:
    (person,) = add_people(session, [ADULT])

    run_id = ask(session, person)

    (held,) = ledger.entitlements_of(session, person)
    explained = allocations.explain(session, person, run_id)
    assert (held.allocation_run_id, held.available_minor) == (run_id, explained.amount_minor)
    assert held.available_minor > 0
    assert explained.period == "2026/27"
    assert allocations.run_view(session, run_id).progress.amount_minor == held.granted_minor


def test_a_period_is_used_up_by_the_first_request(session: WriteSession) -> None:
    (person,) = add_people(session, [ADULT])
    ask(session, person)

    with pytest.raises(AlreadyRequested, match="was given for 2026/27; ask again in the next period"):
        ask(session, person, today=TODAY + timedelta(days=30))

    (held,) = ledger.entitlements_of(session, person)
    ledger.draw(session, person, [Draw(held.allocation_run_id, held.available_minor)])
    assert ask(session, person, today=date(2027, 9, 1))
    assert len(ledger.entitlements_of(session, person)) == 2


def test_where_a_scheme_counts_in_windows_the_next_credit_waits_for_the_end_of_it(session: WriteSession) -> None:
    (person,) = add_people(session, [ADULT])
    parameters = parameters_of("lt_kursuok")
    scheme = schemes.register_parameter_set(session, parameters, now=NOW)
    fund = schemes.fund_of_code(session, scheme, None)
    ledger.appropriate(
        session, actor_id=ANNA.actor_id, fund_id=fund.fund_id, scheme_id=scheme.scheme_id, amount_minor=10**8,
        reference="budget", effective_on=TODAY, parameter_digest=parameters.digest, now=NOW,
    )  # fmt: skip
    ask(session, person, "lt_kursuok")
    (held,) = ledger.entitlements_of(session, person)
    ledger.draw(session, person, [Draw(held.allocation_run_id, held.available_minor)])

    with pytest.raises(AlreadyRequested, match="ask again from 2032-01-04 on"):
        ask(session, person, "lt_kursuok", today=date(2032, 1, 3))

    assert ask(session, person, "lt_kursuok", today=date(2032, 1, 4))


def test_a_refusal_names_the_reason_and_uses_up_nothing(session: WriteSession) -> None:
    (person,) = add_people(session, [ADULT], since=date(2000, 1, 1))
    parameters = parameters_of("sc_ita")

    with pytest.raises(RequestRefused, match="INCOME_TOO_HIGH"):
        ask(session, person, "sc_ita")

    used = session.execute(text("SELECT count(*) FROM ila.credit_request")).scalar_one()
    assert used == 0
    assert ledger.entitlements_of(session, person) == []
    assert parameters.credit_codes


def test_nobody_asks_for_what_everybody_gets(session: WriteSession) -> None:
    (person,) = add_people(session, [ADULT])

    with pytest.raises(NotOnRequest, match="given to everybody by a run"):
        ask(session, person, "eu_model")


def test_an_auditor_gives_nothing(session: WriteSession) -> None:
    (person,) = add_people(session, [ADULT])
    parameters = parameters_of(SCHEME)

    with pytest.raises(NotAllowed):
        allocations.request_credit(
            session, OTTO, person, parameters, credit_code=parameters.credit_codes[0], facts_no=1, now=NOW, today=TODAY
        )


def test_of_two_requests_at_once_one_is_given(database: Database) -> None:
    with database.sessions().begin() as session:
        (person,) = add_people(session, [ADULT])
    with database.sessions().begin() as session:
        facts_no = allocations.pin_facts(session)
    parameters = parameters_of(SCHEME)
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def request() -> None:
        start.wait()
        try:
            with database.sessions().begin() as session:
                allocations.request_credit(
                    session, ANNA, person, parameters, credit_code=parameters.credit_codes[0], facts_no=facts_no,
                    now=NOW, today=TODAY,
                )  # fmt: skip
            outcomes.append("given")
        except AlreadyRequested:
            outcomes.append("refused")

    threads = [threading.Thread(target=request) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["given", "refused"]
    with database.read_sessions("ila_auditor")() as reading:
        assert [result for result in checks.run(reading, checks.PASSES) if not result.clean] == []


def test_the_database_alone_refuses_a_second_one(session: WriteSession) -> None:
    (person,) = add_people(session, [ADULT])
    run_id = ask(session, person)
    repeat = text(
        "INSERT INTO ila.credit_request (citizen_id, scheme_id, credit_code, period, allocation_run_id)"
        " SELECT citizen_id, scheme_id, credit_code, period, 1 FROM ila.credit_request WHERE allocation_run_id = :run"
    )

    with pytest.raises(IntegrityError, match="pk_credit_request"), session.begin_nested():
        session.execute(repeat, {"run": run_id})
