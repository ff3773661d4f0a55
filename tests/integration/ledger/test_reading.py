"""Reading: balances, statements with running balance, totals, all agreeing with one another."""

from datetime import date

from ila import ledger
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.rules import EntitlementSource
from tests.integration.ledger.conftest import ANNA, BEN, EMPLOYER, EURO, HOURS, HOURS_FUND, STATE, TODAY, Books
from tests.integration.ledger.test_moving import booking
from tests.integration.ledger.test_sweeping import expire


def story(books: Books) -> tuple[int, int]:
    """Two credits in euro, one in hours, one of them expired by 2029."""
    first = books.credit((ANNA, 100), (BEN, 5), expires_on=date(2028, 12, 31))
    second = books.credit((ANNA, 250), expires_on=date(2030, 12, 31))
    books.credit((ANNA, 24), scheme_id=HOURS, fund_id=HOURS_FUND)
    expire(books)
    return first, second


def test_a_statement_carries_the_balance_after_each_line_of_its_scheme(books: Books):
    first, second = story(books)

    lines = ledger.statement(books.session, ANNA, scheme_id=EURO)

    assert [(line.kind, line.amount_minor, line.balance_minor) for line in lines] == [
        (EntryKind.ALLOCATION, 100, 100),
        (EntryKind.ALLOCATION, 250, 350),
        (EntryKind.EXPIRY, -100, 250),
    ]
    assert [line.allocation_run_id for line in lines] == [first, second, first]
    assert lines[0].debit.id == STATE and lines[2].credit.kind is AccountKind.EXPIRED


def test_a_page_goes_on_behind_the_last_line_with_the_same_balances(books: Books):
    story(books)
    whole = ledger.statement(books.session, ANNA)

    paged = []
    after = None
    while page := ledger.statement(books.session, ANNA, after=after, limit=1):
        paged += page
        after = (page[-1].journal_entry_id, page[-1].line)

    assert paged == list(whole) and len(whole) == 4


def test_as_of_a_day_leaves_out_what_counts_later(books: Books):
    story(books)

    lines = ledger.statement(books.session, ANNA, scheme_id=EURO, effective_until=date(2028, 12, 31))

    assert [line.balance_minor for line in lines] == [100, 350]
    later = ledger.trial_balance(books.session, scheme_id=EURO)
    earlier = ledger.trial_balance(books.session, scheme_id=EURO, effective_until=date(2028, 12, 31))
    assert {total.account.kind for total in later} - {total.account.kind for total in earlier} == {AccountKind.EXPIRED}


def test_a_statement_shows_both_halves_of_a_joining(books: Books):
    books.credit((BEN, 100))
    ledger.move(books.session, BEN, ANNA, scheme_id=EURO, booking=booking())

    assert [line.amount_minor for line in ledger.statement(books.session, BEN)] == [100, -100]
    assert [line.amount_minor for line in ledger.statement(books.session, ANNA)] == [100]


def test_the_balance_is_per_scheme_and_leaves_out_what_has_expired(books: Books):
    story(books)

    now, later = (ledger.balance(books.session, ANNA, on=day) for day in (TODAY, date(2031, 1, 1)))

    assert [(each.scheme_id, each.available_minor) for each in now] == [(EURO, 250), (HOURS, 24)]
    assert now[0].next_expiry_on == date(2030, 12, 31)
    assert later == []


def test_counted_balances_take_the_sources_asked_for_within_the_bounds(books: Books):
    run_id = books.credit((ANNA, 100), (BEN, 30))
    books.credit((ANNA, 70), source=EntitlementSource.CONTRIBUTION)
    ledger.draw(books.session, ANNA, [ledger.Draw(run_id, 40)])

    def counted(select_of, sources, **more):
        return {tuple(row) for row in books.session.execute(select_of(EURO, sources, first=1, last=99, **more))}

    accrual = [EntitlementSource.ACCRUAL]
    assert counted(ledger.available_by_citizen, accrual, on=TODAY) == {(ANNA, 60), (BEN, 30)}
    assert counted(ledger.available_by_citizen, list(EntitlementSource), on=TODAY) == {(ANNA, 130), (BEN, 30)}
    assert counted(ledger.available_by_citizen, accrual, on=date(2029, 1, 1)) == set()
    assert counted(ledger.granted_by_citizen, accrual) == {(ANNA, 100), (BEN, 30)}
    narrow = ledger.granted_by_citizen(EURO, accrual, first=BEN, last=BEN)
    assert [row.citizen_id for row in books.session.execute(narrow)] == [BEN]
    assert books.session.scalars(ledger.holders_of_runs([run_id])).all() == [ANNA, BEN]
    assert run_id in books.session.scalars(ledger.runs_granted_to(BEN)).all()


def test_the_trial_balance_is_zero_in_each_scheme_and_agrees_with_the_stored_balances(books: Books):
    books.appropriate(EMPLOYER, 1_000)
    books.credit((ANNA, 400), fund_id=EMPLOYER)
    story(books)

    totals = ledger.trial_balance(books.session)

    for scheme_id in (EURO, HOURS):
        assert sum(total.balance_minor for total in totals if total.scheme_id == scheme_id) == 0
    by_account = {(total.account.kind, total.account.id): total.balance_minor for total in totals}
    assert by_account[AccountKind.FUND, EMPLOYER] == ledger.fund_available(books.session, EMPLOYER) == 600


def test_the_statement_of_a_fund_has_a_line_for_each_entry_and_ends_at_its_balance(books: Books):
    books.appropriate(EMPLOYER, 1_000)
    run_id = books.credit((ANNA, 100), (BEN, 200), fund_id=EMPLOYER)
    ledger.close_account(books.session, ANNA, scheme_id=EURO, closing_id=1, to_fund=True, booking=booking())

    lines = ledger.fund_statement(books.session, EMPLOYER)

    assert [(line.kind, line.lines, line.amount_minor, line.balance_minor) for line in lines] == [
        (EntryKind.APPROPRIATION, 1, 1_000, 1_000),
        (EntryKind.ALLOCATION, 2, -300, 700),
        (EntryKind.CLOSING, 1, 100, 800),
    ]
    assert lines[1].source_id == run_id
    assert ledger.fund_available(books.session, EMPLOYER) == 800
