"""Draws: in spend order, never more than there is, and back to where they came from."""

from datetime import date

import pytest

from ila import ledger
from ila.ledger.rules import Draw, InsufficientEntitlement, draws
from tests.integration.ledger.conftest import ANNA, BEN, EURO, HOURS, HOURS_FUND, TODAY, Books


def test_open_entitlements_come_in_spend_order_without_the_expired_and_the_earmarked(books: Books):
    late = books.credit((ANNA, 100), expires_on=date(2029, 12, 31))
    early = books.credit((ANNA, 200), expires_on=date(2027, 12, 31))
    second_early = books.credit((ANNA, 300), expires_on=date(2027, 12, 31))
    books.credit((ANNA, 400), expires_on=date(2027, 1, 3))
    books.credit((ANNA, 500), scheme_id=HOURS, fund_id=HOURS_FUND)
    books.credit((BEN, 600))

    opened = ledger.lock_entitlements(books.session, ANNA, scheme_id=EURO, on=TODAY)

    assert [each.allocation_run_id for each in opened] == [early, second_early, late]
    assert ledger.lock_entitlements(books.session, ANNA, scheme_id=EURO, on=TODAY, restriction_ids=[5]) == []


def test_the_last_day_is_usable_and_the_day_after_is_not(books: Books):
    books.credit((ANNA, 100), expires_on=date(2027, 1, 4))

    assert len(ledger.lock_entitlements(books.session, ANNA, scheme_id=EURO, on=date(2027, 1, 4))) == 1
    assert ledger.lock_entitlements(books.session, ANNA, scheme_id=EURO, on=date(2027, 1, 5)) == []


def test_a_draw_spreads_over_entitlements_and_what_returns_goes_where_it_came_from(books: Books):
    first = books.credit((ANNA, 12_000), expires_on=date(2027, 12, 31))
    second = books.credit((ANNA, 50_000), expires_on=date(2028, 12, 31))
    wanted = draws(36_000, ledger.lock_entitlements(books.session, ANNA, scheme_id=EURO, on=TODAY))

    ledger.draw(books.session, ANNA, wanted)
    assert [books.available(ANNA, run) for run in (first, second)] == [0, 26_000]

    ledger.restore(books.session, ANNA, wanted)
    assert [books.available(ANNA, run) for run in (first, second)] == [12_000, 50_000]


def test_too_little_is_refused_with_both_figures(books: Books):
    books.credit((ANNA, 100))

    with pytest.raises(InsufficientEntitlement) as refusal:
        draws(101, ledger.lock_entitlements(books.session, ANNA, scheme_id=EURO, on=TODAY))
    assert refusal.value.facts == {"available_minor": 100, "needed_minor": 101}


def test_a_draw_beyond_the_balance_is_a_defect_and_not_a_refusal(books: Books):
    run_id = books.credit((ANNA, 100))

    with pytest.raises(ledger.BalancesMoved):
        ledger.draw(books.session, ANNA, [Draw(run_id, 101)])
    assert books.available(ANNA, run_id) == 100


def test_nothing_is_restored_above_what_was_granted(books: Books):
    run_id = books.credit((ANNA, 100))

    with pytest.raises(ledger.BalancesMoved):
        ledger.restore(books.session, ANNA, [Draw(run_id, 1)])


def test_a_draw_of_nothing_touches_nothing(books: Books):
    run_id = books.credit((ANNA, 100))

    ledger.draw(books.session, ANNA, [])
    assert books.available(ANNA, run_id) == 100
