"""Conversions, joined accounts, closings: everything is in exactly one place afterwards."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from ila import ledger
from ila.access.rules import CLOCK
from ila.ledger.chart import AccountKind
from ila.ledger.rules import Draw
from ila.money import Rounding
from tests.integration.ledger.conftest import (
    ANNA,
    BEN,
    DIGEST,
    EMPLOYER,
    EURO,
    HOURS,
    HOURS_FUND,
    NOW,
    STATE,
    TODAY,
    Books,
    plant_run,
)


def booking() -> ledger.Booking:
    return ledger.Booking(CLOCK, DIGEST, TODAY, 2027, NOW)


def convert(books: Books, run_id: int, hours: int, rate: Decimal = Decimal("1500")) -> int:
    target_run = ledger.mint_ids(books.session, 1, year=2027)[0]
    plant_run(books.session, target_run)
    books.target_run = target_run
    return ledger.convert(
        books.session,
        ANNA,
        [Draw(run_id, hours)],
        from_scheme_id=HOURS,
        target=ledger.Target(EURO, target_run, STATE, date(2030, 12, 31)),
        rate=rate,
        rounding=Rounding.HALF_UP,
        booking=booking(),
    )


def test_hours_become_money_through_a_conversion_account_in_each_unit(books: Books):
    run_id = books.credit((ANNA, 24), scheme_id=HOURS, fund_id=HOURS_FUND)

    assert convert(books, run_id, 20) == 30_000

    totals = ledger.trial_balance(books.session)
    conversions = {
        total.scheme_id: total.balance_minor for total in totals if total.account.kind is AccountKind.CONVERSION
    }
    assert conversions == {HOURS: 20, EURO: -30_000}
    assert books.available(ANNA, run_id) == 4
    rate = books.session.scalar(text("SELECT facts ->> 'detail' FROM ila.audit_event"))
    assert "rate=1500;" in rate and "to_minor=30000" in rate


def test_each_unit_still_balances_after_a_conversion(books: Books):
    run_id = books.credit((ANNA, 24), scheme_id=HOURS, fund_id=HOURS_FUND)
    convert(books, run_id, 20)

    for scheme_id in (EURO, HOURS):
        assert sum(total.balance_minor for total in ledger.trial_balance(books.session, scheme_id=scheme_id)) == 0


def test_a_conversion_into_less_than_one_unit_books_nothing(books: Books):
    run_id = books.credit((ANNA, 24), scheme_id=HOURS, fund_id=HOURS_FUND)

    with pytest.raises(ledger.NothingToMove):
        convert(books, run_id, 1, Decimal("0.4"))
    assert books.available(ANNA, run_id) == 24


def test_joining_moves_everything_with_its_expiry_and_leaves_nothing_between(books: Books):
    first = books.credit((BEN, 100), expires_on=date(2027, 12, 31))
    second = books.credit((BEN, 200), expires_on=date(2029, 12, 31))

    moved = ledger.move(books.session, BEN, ANNA, scheme_id=EURO, booking=booking())

    held = ledger.entitlements_of(books.session, ANNA)
    assert [(each.allocation_run_id, each.available_minor, each.expires_on) for each in held] == [
        (first, 100, date(2027, 12, 31)),
        (second, 200, date(2029, 12, 31)),
    ]
    assert moved.amount_minor == 300
    assert ledger.balance(books.session, BEN, on=TODAY) == []
    between = [t for t in ledger.trial_balance(books.session) if t.account.kind is AccountKind.MOVING]
    assert [total.balance_minor for total in between] == [0]


def test_where_both_accounts_hold_one_run_the_moved_one_needs_its_own(books: Books):
    run_id = books.credit((ANNA, 100), (BEN, 100))
    with pytest.raises(ledger.RunNeeded):
        ledger.move(books.session, BEN, ANNA, scheme_id=EURO, booking=booking())

    other = ledger.mint_ids(books.session, 1, year=2027)[0]
    plant_run(books.session, other)
    ledger.move(books.session, BEN, ANNA, scheme_id=EURO, booking=booking(), new_runs={run_id: other})

    assert [books.available(ANNA, run) for run in (run_id, other)] == [100, 100]


def test_an_empty_account_has_nothing_to_join(books: Books):
    with pytest.raises(ledger.NothingToMove):
        ledger.move(books.session, BEN, ANNA, scheme_id=EURO, booking=booking())


def test_closing_returns_each_entitlement_to_the_fund_that_granted_it(books: Books):
    books.appropriate(EMPLOYER, 1_000)
    books.credit((ANNA, 100), fund_id=EMPLOYER)
    books.credit((ANNA, 300))

    closed = ledger.close_account(books.session, ANNA, scheme_id=EURO, closing_id=1, to_fund=True, booking=booking())

    assert closed is not None and closed.amount_minor == 400
    assert ledger.fund_available(books.session, EMPLOYER) == 1_000
    assert ledger.balance(books.session, ANNA, on=TODAY) == []
    assert (
        ledger.close_account(books.session, ANNA, scheme_id=EURO, closing_id=1, to_fund=True, booking=booking()) is None
    )


def test_closing_may_let_the_money_expire_and_keeps_other_schemes(books: Books):
    books.credit((ANNA, 100))
    hours = books.credit((ANNA, 24), scheme_id=HOURS, fund_id=HOURS_FUND)

    ledger.close_account(books.session, ANNA, scheme_id=EURO, closing_id=1, to_fund=False, booking=booking())

    expired = [t for t in ledger.trial_balance(books.session) if t.account.kind is AccountKind.EXPIRED]
    assert [(total.account.id, total.balance_minor) for total in expired] == [(STATE, 100)]
    assert books.available(ANNA, hours) == 24
