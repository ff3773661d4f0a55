"""Expiry and taking back: set-based, once for each slice, and only what is still available."""

from datetime import date

from ila import ledger
from tests.integration.ledger.conftest import ANNA, BEN, CARL, DIGEST, EMPLOYER, EURO, NOW, STATE, Books


def expire(books: Books, *, first: int = 1, last: int = 1000, run_id: int = 77, before: date = date(2029, 1, 1)):
    return ledger.expire(
        books.session,
        run_id=run_id,
        slice_no=1,
        journal_entry_id=ledger.mint_ids(books.session, 1, year=2027)[0],
        scheme_id=EURO,
        first_citizen_id=first,
        last_citizen_id=last,
        before=before,
        effective_on=before,
        period=2027,
        parameter_digest=DIGEST,
        now=NOW,
    )


def take_back(books: Books, run_id: int, *, first: int = 1, last: int = 1000):
    return ledger.take_back(
        books.session,
        run_id=88,
        reverses_run_id=run_id,
        slice_no=1,
        journal_entry_id=ledger.mint_ids(books.session, 1, year=2027)[0],
        scheme_id=EURO,
        first_citizen_id=first,
        last_citizen_id=last,
        effective_on=date(2027, 1, 4),
        period=2027,
        parameter_digest=DIGEST,
        actor_id=1,
        now=NOW,
    )


def test_a_sweep_takes_only_what_has_expired(books: Books):
    old = books.credit((ANNA, 100), (BEN, 200), expires_on=date(2028, 12, 31))
    new = books.credit((ANNA, 400), expires_on=date(2029, 1, 1))

    assert ledger.any_expired(books.session, EURO, before=date(2029, 1, 1))
    swept = expire(books)

    assert swept == ledger.Expired(2, 300, already_booked=False)
    assert [books.available(ANNA, run) for run in (old, new)] == [0, 400]
    assert not ledger.any_expired(books.session, EURO, before=date(2029, 1, 1))


def test_a_citizen_with_two_expired_entitlements_is_counted_once(books: Books):
    books.credit((ANNA, 100))
    books.credit((ANNA, 50))

    assert expire(books) == ledger.Expired(1, 150, already_booked=False)


def test_a_repeated_sweep_adds_nothing_and_tells_what_is_there(books: Books):
    books.credit((ANNA, 100))
    books.credit((ANNA, 50))
    expire(books)

    assert expire(books) == ledger.Expired(1, 150, already_booked=True)


def test_a_sweep_keeps_to_its_stretch_of_citizens(books: Books):
    run_id = books.credit((ANNA, 100), (BEN, 200))

    assert expire(books, first=BEN, last=BEN).amount_minor == 200
    assert books.available(ANNA, run_id) == 100


def test_what_expired_returns_to_its_fund_once_a_year(books: Books):
    books.appropriate(EMPLOYER, 1_000)
    books.credit((ANNA, 100), fund_id=EMPLOYER, expires_on=date(2026, 12, 31))
    expire(books, before=date(2027, 1, 1))

    returned = ledger.return_expired(
        books.session,
        actor_id=0,
        fund_id=EMPLOYER,
        scheme_id=EURO,
        year=2027,
        effective_on=date(2028, 1, 1),
        parameter_digest=DIGEST,
        now=NOW,
        period=2027,
    )

    assert returned == 100
    assert ledger.fund_available(books.session, EMPLOYER) == 1_000


def test_a_run_is_taken_back_as_far_as_nobody_has_spent_it(books: Books):
    books.appropriate(EMPLOYER, 1_000)
    run_id = books.credit((ANNA, 100), (BEN, 200), (CARL, 300), fund_id=EMPLOYER)
    ledger.draw(books.session, ANNA, [ledger.Draw(run_id, 100)])
    ledger.draw(books.session, BEN, [ledger.Draw(run_id, 50)])

    taken = take_back(books, run_id)

    assert taken == ledger.TakenBack(
        citizens=3, citizens_with_rest=2, amount_minor=450, spent_minor=150, already_booked=False
    )
    assert ledger.fund_available(books.session, EMPLOYER) == 850
    assert take_back(books, run_id) == ledger.TakenBack(3, 2, 450, 150, already_booked=True)
    assert ledger.fund_available(books.session, EMPLOYER) == 850


def test_taking_back_leaves_other_runs_alone(books: Books):
    run_id, other = books.credit((ANNA, 100)), books.credit((ANNA, 70))

    take_back(books, run_id)

    assert (books.available(ANNA, run_id), books.available(ANNA, other)) == (0, 70)
    assert ledger.takeable(books.session, other).available_minor == 70
    assert ledger.booked(books.session, []).amount_minor == 0
    assert STATE == 1
