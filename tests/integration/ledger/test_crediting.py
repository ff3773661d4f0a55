"""Credits of a whole slice: entitlement and journal line together, once, and never beyond a limited fund."""

import pytest
from sqlalchemy import BigInteger, Text, column, insert, literal, select, table, text
from sqlalchemy.exc import IntegrityError

from ila import ledger
from ila.db.base import SCHEMA
from ila.ledger.rules import EntitlementSource, InsufficientFund
from tests.integration.ledger.conftest import ANNA, BEN, CARL, DIGEST, EMPLOYER, EURO, NOW, STATE, Books, lines


def test_a_slice_gives_each_citizen_an_entitlement_and_one_line(books: Books):
    run_id = books.credit((ANNA, 50_000), (BEN, 70_000))

    rows = books.session.execute(
        text(
            "SELECT e.citizen_id, e.granted_minor, e.available_minor, t.amount_minor, t.debit_kind, t.debit_id,"
            " t.credit_kind, t.credit_id, t.line FROM ila.entitlement e JOIN ila.transfer t USING (citizen_id)"
            " ORDER BY 1"
        )
    ).all()
    assert [tuple(row) for row in rows] == [
        (ANNA, 50_000, 50_000, 50_000, 2, STATE, 3, run_id, 1),
        (BEN, 70_000, 70_000, 70_000, 2, STATE, 3, run_id, 1),
    ]
    assert (books.credited.citizens, books.credited.amount_minor) == (2, 120_000)


def test_lines_of_zero_are_left_out(books: Books):
    books.credit((ANNA, 0), (BEN, 1))

    assert books.count("entitlement") == 1
    assert books.credited.citizens == 1


def test_a_repeated_slice_inserts_nothing_and_tells_what_is_there(books: Books):
    run_id = books.credit((ANNA, 50_000), (BEN, 70_000))
    books.credit((ANNA, 99_999), (CARL, 1), run_id=run_id)

    assert books.credited == ledger.Credited(2, 120_000, already_booked=True)
    assert (books.count("entitlement"), books.count("transfer"), books.count("journal_entry")) == (2, 2, 1)


def test_a_citizen_in_two_slices_of_a_run_is_refused_by_the_primary_key(books: Books):
    run_id = books.credit((ANNA, 50_000))

    with pytest.raises(IntegrityError):
        books.credit((ANNA, 50_000), run_id=run_id, slice_no=2)


def test_a_limited_fund_falls_by_what_is_credited(books: Books):
    books.appropriate(EMPLOYER, 100_000)
    books.credit((ANNA, 60_000), fund_id=EMPLOYER, source=EntitlementSource.CONTRIBUTION)

    assert ledger.fund_available(books.session, EMPLOYER) == 40_000


def test_a_limited_fund_is_never_overdrawn_and_the_refusal_names_the_shortfall(books: Books):
    books.appropriate(EMPLOYER, 100_000)

    with pytest.raises(InsufficientFund) as refusal:
        books.credit((ANNA, 60_000), (BEN, 60_000), fund_id=EMPLOYER)
    assert refusal.value.facts["shortfall_minor"] == 20_000


def test_a_limited_fund_without_any_appropriation_gives_nothing(books: Books):
    with pytest.raises(InsufficientFund):
        books.credit((ANNA, 1), fund_id=EMPLOYER)


def test_the_caller_may_add_inserts_that_read_the_same_lines(books: Books):
    allocation = table(
        "allocation",
        column("citizen_id", BigInteger),
        column("allocation_run_id", BigInteger),
        column("counted_minor", BigInteger),
        column("reason", Text),
        schema=SCHEMA,
    )
    entry_id, run_id = ledger.mint_ids(books.session, 2, year=2027)

    def nothing(line):
        zero = select(line.c.citizen_id, literal(run_id), line.c.counted_minor, literal("CEILING")).where(
            line.c.amount_minor == 0
        )
        return [insert(allocation).from_select(list(allocation.c), zero).returning(allocation.c.citizen_id).cte("zero")]

    credited = ledger.credit(
        books.session,
        lines((ANNA, 0), (BEN, 5)),
        ledger.Crediting(
            run_id, 1, entry_id, STATE, False, EURO, EntitlementSource.ACCRUAL, NOW.date(), 2027, DIGEST, 1
        ),
        now=NOW,
        also=nothing,
    )

    assert credited.citizens == 1
    stored = books.session.execute(text("SELECT citizen_id, allocation_run_id, reason FROM ila.allocation")).all()
    assert [tuple(row) for row in stored] == [(ANNA, run_id, "CEILING")]


def test_ids_carry_their_booking_year_and_the_year_gets_its_partition(books: Books):
    ids = ledger.mint_ids(books.session, 3, year=2041)

    assert ids == sorted(set(ids)) and {entry_id // 10**12 for entry_id in ids} == {2041}
    assert books.session.scalar(text("SELECT to_regclass('ila.transfer_2041') IS NOT NULL"))
