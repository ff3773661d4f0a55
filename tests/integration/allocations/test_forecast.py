"""A forecast walks the same rules through the years ahead, with what the citizen assumes."""

from dataclasses import replace
from datetime import date

from ila import allocations, ledger
from ila.allocations import Assumptions, Forecast
from ila.db.session import WriteSession
from ila.schemes.policy import Reason
from tests.factories import ADULT, TODAY, add_people, finished_run, registered, with_needs


def ahead(session: WriteSession, citizen_id: int, assumptions: Assumptions, *, scheme: str = "eu_model") -> Forecast:
    parameters = registered(session, scheme)
    return allocations.forecast(
        session, citizen_id, parameters, credit_code="yearly", today=TODAY, assumptions=assumptions
    )


def test_each_year_is_credited_as_a_run_would_until_the_ceiling_cuts(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])
    finished_run(session, parameters)

    found = ahead(session, person, Assumptions(years=11))

    credited = [event for event in found.events if event.kind == "credit"]
    assert found.balance_minor == 30_000
    assert [event.amount_minor for event in credited[:3]] == [30_000] * 3
    assert found.ceiling_met_on is not None
    assert max(event.balance_minor for event in found.events) == parameters.policy("yearly", TODAY).ceiling.amount_minor
    assert [event.on for event in found.events] == sorted(event.on for event in found.events)


def test_the_forecast_of_next_year_is_what_next_years_run_gives(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    people = add_people(session, [ADULT, with_needs("disabled"), with_needs("single_parent", income_minor=1_700_000)])
    finished_run(session, parameters)
    expected = [ahead(session, person, Assumptions(years=1)).events[0].amount_minor for person in people]

    run_id = finished_run(session, parameters, period="2028")

    assert [allocations.explain(session, person, run_id).amount_minor for person in people] == expected


def test_what_has_expired_is_not_spent_any_more(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])
    finished_run(session, parameters)
    expires_on = ledger.entitlements_of(session, person)[0].expires_on

    found = ahead(session, person, Assumptions(years=15))

    expiries = [event for event in found.events if event.kind == "expiry"]
    assert (expiries[0].on, expiries[0].amount_minor) == (expires_on, -30_000)
    assert all(event.balance_minor >= 0 for event in found.events)


def test_use_each_year_draws_what_expires_first_and_never_more_than_there_is(session: WriteSession) -> None:
    registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])

    found = ahead(session, person, Assumptions(years=4, spent_minor_a_year=50_000))

    assert [event.amount_minor for event in found.events if event.kind == "use"] == [-30_000] * 4
    assert found.events[-1].balance_minor == 0


def test_assumed_facts_change_what_is_credited(session: WriteSession) -> None:
    registered(session, "eu_model")
    (person,) = add_people(session, [ADULT])

    plain = ahead(session, person, Assumptions(years=1)).events[0].amount_minor
    disabled = ahead(session, person, Assumptions(years=1, needs_added=frozenset({"disabled"}))).events[0].amount_minor

    assert disabled > plain


def test_credits_end_with_the_age_that_the_scheme_sets_and_begin_with_it(session: WriteSession) -> None:
    parameters = registered(session, "eu_model")
    rule = parameters.policy("yearly", TODAY).eligibility
    assert rule.min_age
    assert rule.max_age
    old, young = add_people(
        session,
        [
            replace(ADULT, born_on=date(TODAY.year - rule.max_age + 1, 6, 1)),
            replace(ADULT, born_on=date(TODAY.year - rule.min_age + 2, 6, 1)),
        ],
    )

    ending, beginning = (ahead(session, person, Assumptions(years=6)) for person in (old, young))

    assert ending.ends_because is Reason.AGE_OUT_OF_RANGE
    assert ending.ends_on is not None
    assert all(event.on < ending.ends_on for event in ending.events if event.kind == "credit")
    assert (beginning.ends_on, beginning.ends_because) == (None, None)
    assert beginning.events[0].on == date(TODAY.year + 3, 1, 1)


def test_a_ceiling_over_a_whole_life_does_not_rise_again_after_use(session: WriteSession) -> None:
    parameters = registered(session, "ca_ctc")
    ceiling_minor = parameters.policy("yearly", date(2026, 12, 31)).ceiling.amount_minor
    assert ceiling_minor
    (person,) = add_people(session, [ADULT])

    found = ahead(session, person, Assumptions(years=40, spent_minor_a_year=25_000), scheme="ca_ctc")

    assert sum(event.amount_minor for event in found.events if event.kind == "credit") <= ceiling_minor
