"""One event, one entry: natural keys, the chart, periods."""

from datetime import date

import pytest
from sqlalchemy import text

from ila import ledger
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.rules import Account, AlreadyBooked, JournalEntry, PeriodClosed, Transfer
from tests.integration.ledger.conftest import ANNA, BEN, EMPLOYER, NOW, STATE, Books, closing_line, entry


def test_an_entry_is_booked_with_its_lines_in_order(books: Books):
    posted = ledger.post(books.session, entry(closing_line(7, 100), closing_line(8, 250)), now=NOW, period=2027)

    rows = books.session.execute(
        text("SELECT line, debit_id, amount_minor, scheme_id FROM ila.transfer WHERE journal_entry_id = :e ORDER BY 1"),
        {"e": posted},
    ).all()
    assert [tuple(row) for row in rows] == [(1, 7, 100, 1), (2, 8, 250, 1)]


def test_the_same_event_is_booked_once_and_the_refusal_names_the_entry(books: Books):
    posted = ledger.post(books.session, entry(closing_line(7, 100)), now=NOW, period=2027)

    with pytest.raises(AlreadyBooked) as refusal:
        ledger.post(books.session, entry(closing_line(7, 100)), now=NOW, period=2027)
    assert refusal.value.facts["journal_entry_id"] == posted
    assert books.count("transfer") == 1


@pytest.mark.parametrize(
    "other",
    [entry(citizen_id=BEN), entry(kind=EntryKind.EXPIRY), entry(source_id=2), entry(step=1)],
    ids=["citizen", "kind", "source", "step"],
)
def test_another_citizen_kind_source_or_step_is_another_event(books: Books, other: JournalEntry):
    ledger.post(books.session, entry(), now=NOW, period=2027)
    ledger.post(books.session, other, now=NOW, period=2027)

    assert books.count("journal_entry") == 2


def test_a_line_that_the_chart_does_not_know_is_a_defect(books: Books):
    line = Transfer(Account(AccountKind.OUTSIDE, 0), Account(AccountKind.ENTITLEMENT, 1), 100)

    with pytest.raises(ValueError, match="CLOSING has no line OUTSIDE -> ENTITLEMENT"):
        ledger.post(books.session, entry(line), now=NOW, period=2027)


def test_an_id_used_for_another_event_is_a_defect(books: Books):
    posted = ledger.post(books.session, entry(closing_line(7, 100)), now=NOW, period=2027)

    with pytest.raises(AssertionError, match="another event"):
        ledger.post(books.session, entry(source_id=2), now=NOW, period=2027, journal_entry_id=posted)


def test_a_closed_period_is_refused_with_the_first_open_one(books: Books):
    for period in (2027, 2028):
        ledger.fence_period(books.session, period, now=NOW)

    with pytest.raises(PeriodClosed) as refusal:
        ledger.post(books.session, entry(closing_line(7, 100)), now=NOW, period=2027)
    assert refusal.value.facts["first_open"] == 2029


def test_a_late_fact_is_booked_in_an_open_period_with_its_true_day(books: Books):
    ledger.fence_period(books.session, 2026, now=NOW)
    late = ledger.appropriate(
        books.session,
        actor_id=1,
        fund_id=STATE,
        scheme_id=1,
        amount_minor=5,
        reference="late",
        effective_on=date(2026, 12, 31),
        parameter_digest=bytes(32),
        now=NOW,
    )

    booked = books.session.execute(
        text("SELECT period, effective_on FROM ila.journal_entry WHERE source_id = :s"), {"s": late}
    ).one()
    assert tuple(booked) == (2027, date(2026, 12, 31))


def test_a_slice_is_refused_in_a_closed_period(books: Books):
    ledger.fence_period(books.session, 2027, now=NOW)

    with pytest.raises(PeriodClosed):
        books.credit((ANNA, 100), period=2027)


def test_an_appropriation_is_booked_once_for_its_reference(books: Books):
    first = books.appropriate(EMPLOYER, 1_000, "Act 1")

    assert books.appropriate(EMPLOYER, 1_000, "Act 1") == first
    assert ledger.fund_available(books.session, EMPLOYER) == 1_000
    assert books.appropriate(EMPLOYER, 500, "Act 2") != first
    assert ledger.fund_available(books.session, EMPLOYER) == 1_500


def test_a_reference_that_stands_for_another_amount_is_refused(books: Books):
    books.appropriate(EMPLOYER, 1_000, "Act 1")

    with pytest.raises(ledger.AppropriationDiffers) as refusal:
        books.appropriate(EMPLOYER, 2_000, "Act 1")
    assert refusal.value.facts["booked_minor"] == 1_000


def test_a_fund_without_limit_keeps_no_balance(books: Books):
    books.appropriate(STATE, 1_000)

    assert books.count("fund_balance") == 0
