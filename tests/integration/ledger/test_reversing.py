"""Corrections are further entries: equal, opposite, once, with the stored balances put right."""

import pytest
from sqlalchemy import text

from ila import ledger
from ila.ledger.rules import AlreadyBooked, Draw, InsufficientFund
from tests.integration.ledger.conftest import ANNA, EMPLOYER, EURO, HOURS, HOURS_FUND, NOW, TODAY, Books
from tests.integration.ledger.test_moving import booking, convert


def reverse(books: Books, entry_id: int, citizen_id: int = ANNA) -> int:
    return ledger.reverse(books.session, citizen_id, entry_id, effective_on=TODAY, actor_id=1, now=NOW, period=2027)


def close(books: Books) -> int:
    closed = ledger.close_account(books.session, ANNA, scheme_id=EURO, closing_id=1, to_fund=True, booking=booking())
    assert closed is not None
    return closed.journal_entry_id


def test_a_reversal_is_equal_and_opposite_and_names_its_entry(books: Books):
    run_id = books.credit((ANNA, 100))
    closing = close(books)
    assert books.available(ANNA, run_id) == 0

    reversal = reverse(books, closing)

    assert books.available(ANNA, run_id) == 100
    lines = books.session.execute(
        text(
            "SELECT reverses, debit_kind, debit_id, credit_kind, credit_id, amount_minor FROM ila.transfer"
            " JOIN ila.journal_entry USING (citizen_id, journal_entry_id) WHERE journal_entry_id = :e"
        ),
        {"e": reversal},
    ).all()
    assert [tuple(line) for line in lines] == [(closing, 2, 1, 3, run_id, 100)]


def test_an_entry_is_reversed_once(books: Books):
    books.credit((ANNA, 100))
    closing = close(books)
    reversal = reverse(books, closing)

    with pytest.raises(AlreadyBooked) as refusal:
        reverse(books, closing)
    assert refusal.value.facts["journal_entry_id"] == reversal


def test_a_limited_fund_follows_the_reversal(books: Books):
    books.appropriate(EMPLOYER, 100)
    books.credit((ANNA, 100), fund_id=EMPLOYER)
    closing = close(books)
    assert ledger.fund_available(books.session, EMPLOYER) == 100

    reverse(books, closing)
    assert ledger.fund_available(books.session, EMPLOYER) == 0


def test_an_appropriation_that_was_given_away_is_not_reversed(books: Books):
    books.appropriate(EMPLOYER, 100)
    appropriation = books.session.scalar(text("SELECT journal_entry_id FROM ila.journal_entry WHERE kind = 1"))
    books.credit((ANNA, 60), fund_id=EMPLOYER)

    with pytest.raises(InsufficientFund):
        reverse(books, appropriation, citizen_id=0)


def test_what_was_spent_is_not_taken_back(books: Books):
    hours = books.credit((ANNA, 24), scheme_id=HOURS, fund_id=HOURS_FUND)
    convert(books, hours, 20)
    conversion = books.session.scalar(text("SELECT journal_entry_id FROM ila.journal_entry WHERE kind = 7"))
    ledger.draw(books.session, ANNA, [Draw(books.target_run, 1)])

    with pytest.raises(ledger.AlreadySpent) as refusal:
        reverse(books, conversion)
    assert refusal.value.facts["available_minor"] == 29_999

    ledger.restore(books.session, ANNA, [Draw(books.target_run, 1)])
    reverse(books, conversion)
    assert [books.available(ANNA, run) for run in (hours, books.target_run)] == [24, 0]


def test_slices_reversals_and_unknown_entries_are_refused_with_what_to_do(books: Books):
    books.credit((ANNA, 100))
    credit_entry = books.session.scalar(text("SELECT journal_entry_id FROM ila.journal_entry WHERE kind = 2"))
    reversal = reverse(books, close(books))

    with pytest.raises(ledger.NotReversible, match="reverse the run instead"):
        reverse(books, credit_entry, citizen_id=0)
    with pytest.raises(ledger.NotReversible, match="book the event anew"):
        reverse(books, reversal)
    with pytest.raises(ledger.NoSuchEntry):
        reverse(books, 1)
