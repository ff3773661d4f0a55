"""Every pass is clean on a ledger that was written through the door, and each is told about as it is done."""

from sqlalchemy import text

from ila import ledger
from ila.ledger import checks
from ila.ledger.rules import Draw
from tests.integration.ledger.conftest import (
    ANNA,
    BEN,
    EMPLOYER,
    EURO,
    HOURS,
    HOURS_FUND,
    NOW,
    TODAY,
    Books,
    plant_yearly_run,
)
from tests.integration.ledger.test_moving import booking, convert
from tests.integration.ledger.test_sweeping import expire, take_back


def everything(books: Books) -> None:
    """Write at least one entry of every kind that exists."""
    books.appropriate(EMPLOYER, 10_000)
    given = books.credit((ANNA, 100), (BEN, 200), fund_id=EMPLOYER)
    run_id, entry_id = ledger.mint_ids(books.session, 2, year=2027)
    plant_yearly_run(books.session, run_id, entry_id, citizens=2, amount_minor=700)
    books.credit((ANNA, 300), (BEN, 400), run_id=run_id, journal_entry_id=entry_id)
    hours = books.credit((ANNA, 24), scheme_id=HOURS, fund_id=HOURS_FUND)
    convert(books, hours, 20)
    take_back(books, given, first=BEN, last=BEN)
    expire(books, first=BEN, last=BEN)
    closed = ledger.close_account(books.session, ANNA, scheme_id=EURO, closing_id=1, to_fund=True, booking=booking())
    ledger.reverse(books.session, ANNA, closed.journal_entry_id, effective_on=TODAY, actor_id=1, now=NOW, period=2027)
    ledger.move(books.session, ANNA, BEN, scheme_id=HOURS, booking=booking())
    books.session.execute(text("INSERT INTO ila.fact_change VALUES (1, now(), 1, 'import', NULL)"))
    books.session.execute(
        text(
            "INSERT INTO ila.citizen_fact (citizen_id, recorded_no, valid_from, valid_until, born_on, account_open,"
            " resides_here, works_here, national, employment_status) VALUES"
            " (1, 1, '2020-01-01', '2025-01-01', '1990-01-01', true, true, true, true, 'employee'),"
            " (1, 1, '2025-01-01', '9999-12-31', '1990-01-01', true, true, true, true, 'jobseeker')"
        )
    )


def test_all_passes_are_clean_after_every_kind_of_entry(books: Books):
    everything(books)

    found = [str(fault) for result in checks.run(books.session, checks.PASSES) for fault in result.faults]

    assert found == []


def test_all_passes_are_clean_on_an_empty_ledger(session):
    results = list(checks.run(session, checks.PASSES))

    assert [result.name for result in results] == [each.name for each in checks.PASSES]
    assert all(result.clean for result in results)


def test_small_stretches_find_the_same_and_progress_ends_at_the_last_step(books: Books):
    everything(books)
    books.session.execute(text("UPDATE ila.entitlement SET available_minor = 0 WHERE citizen_id = 2"))
    seen = {}

    results = list(
        checks.run(
            books.session,
            checks.PASSES,
            on_progress=lambda each, done, steps: seen.update({each.name: (done, steps)}),
            stretch=1,
        )
    )

    assert {result.name for result in results if not result.clean} == {"balances", "conservation"}
    assert seen["balances"] == (4, 4)
    assert all(done == steps for done, steps in seen.values())


def test_a_fault_reads_as_one_line(books: Books):
    run_id = books.credit((ANNA, 100))
    ledger.draw(books.session, ANNA, [Draw(run_id, 40)])

    fault = next(fault for result in checks.run(books.session, checks.PASSES) for fault in result.faults)

    assert str(fault) == (
        f"an entitlement does not hold what its transfers say: citizen_id 1, allocation_run_id {run_id},"
        " available_minor 60, booked_minor 100, entitlements 1"
    )


def test_ten_offenders_are_named_and_the_rest_is_only_told_of(books: Books):
    books.credit(*[(citizen_id, 100) for citizen_id in range(1, 15)])
    books.session.execute(text("UPDATE ila.entitlement SET available_minor = 50"))

    balances = next(result for result in checks.run(books.session, checks.PASSES) if result.name == "balances")

    assert len(balances.faults) == 10 and balances.more
