"""Exports: an independent program agrees with the books, and the same books give the same bytes."""

import csv
import io
import re
from datetime import date
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core import data, realization
from sqlalchemy import text

from ila import ledger
from ila.ledger.chart import AccountKind
from ila.ledger.document import FORMATS, Header, Names, Unit
from tests.integration.ledger.conftest import ANNA, BEN, EMPLOYER, EURO, NOW, STATE, Books
from tests.integration.ledger.test_checks_clean import everything

NAMES = Names({1: Unit("euro", "EUR", 2), 2: Unit("time", "hours", 0)}, {1: "state", 2: "employer", 3: "hours"})


def written(books: Books, name: str, part: ledger.Part, detail: ledger.Detail | None = None) -> str:
    detail = detail or ledger.export_detail(books.session, part)
    header = Header("Of the tests", ("A remark.",), part.begins_on, part.ends_on)
    lines = ledger.export_lines(books.session, part, detail)
    return "".join(FORMATS[name](header, NAMES, ledger.export_openings(books.session, part), lines))


def checked(journal: str) -> list[data.Directive]:
    """Load a journal with beancount's own loader; any error of its checks fails the test."""
    entries, errors, _ = loader.load_string(journal)
    assert not errors, [error.message for error in errors]
    return entries


PARTS = {
    "citizen": ledger.Part(citizen_id=ANNA),
    "other citizen": ledger.Part(citizen_id=BEN),
    "fund": ledger.Part(fund_id=EMPLOYER),
    "period": ledger.Part(period=2027),
}


@pytest.fixture
def told(books: Books) -> Books:
    everything(books)
    return books


@pytest.mark.parametrize("part", PARTS.values(), ids=list(PARTS))
@pytest.mark.parametrize("detail", list(ledger.Detail))
def test_beancount_finds_no_error_and_asserts_every_account(told: Books, part: ledger.Part, detail: ledger.Detail):
    entries = checked(written(told, "beancount", part, detail))

    asserted = {entry.account for entry in entries if isinstance(entry, data.Balance)}
    posted = {posting.account for entry in entries if isinstance(entry, data.Transaction) for posting in entry.postings}
    assert asserted == posted != set()


def test_beancount_comes_to_the_balance_of_the_citizen(told: Books):
    entries = checked(written(told, "beancount", PARTS["citizen"]))

    root = realization.realize(entries)
    held = realization.compute_balance(realization.get(root, "Liabilities:Entitlement:Euro"))
    stored = sum(each.available_minor for each in ledger.entitlements_of(told.session, ANNA, scheme_id=EURO))
    assert held.get_currency_units("EUR").number == -Decimal(stored) / 100


def test_beancount_comes_to_the_trial_balance_of_the_period(told: Books):
    root = realization.realize(checked(written(told, "beancount", PARTS["period"])))

    for total in ledger.trial_balance(told.session, scheme_id=EURO):
        if total.account.kind in (AccountKind.FUND, AccountKind.EXPIRED, AccountKind.OUTSIDE):
            path = NAMES.account(EURO, total.account)
            found = realization.compute_balance(realization.get(root, path)).get_currency_units("EUR").number
            assert found == -Decimal(total.balance_minor) / 100


@pytest.mark.parametrize("digits", [r"\d+\.\d\d EUR", r"\d+ HOURS"])
def test_beancount_notices_a_single_changed_minor_unit(told: Books, digits: str):
    journal = written(told, "beancount", PARTS["citizen"])
    balance = re.search(rf"balance (.*)  (-?)({digits.split(' ', maxsplit=1)[0]}) ~ 0", journal)
    assert balance is not None
    changed = journal.replace(balance[0], f"balance {balance[1]}  {balance[2]}1{balance[3]} ~ 0", 1)
    one_off = journal.replace(balance[0], balance[0].replace(balance[3], _plus_one(balance[3])), 1)

    for damaged in (changed, one_off):
        _, errors, _ = loader.load_string(damaged)
        assert errors


def _plus_one(amount: str) -> str:
    return str(Decimal(amount) + Decimal(1).scaleb(-len(amount.partition(".")[2])))


def test_months_are_asserted_as_they_end(books: Books):
    books.appropriate(STATE, 500)
    ledger.appropriate(
        books.session,
        actor_id=1,
        fund_id=STATE,
        scheme_id=EURO,
        amount_minor=700,
        reference="Act 2",
        effective_on=date(2027, 3, 9),
        parameter_digest=bytes(32),
        now=NOW,
    )

    entries = checked(written(books, "beancount", ledger.Part(fund_id=STATE)))

    balances = [(entry.date, entry.amount.number or Decimal(0)) for entry in entries if isinstance(entry, data.Balance)]
    fund = [(day, number) for day, number in balances if number < 0]
    assert fund == [(date(2027, 2, 1), Decimal("-5.00")), (date(2027, 3, 10), Decimal("-12.00"))]


def test_a_later_period_opens_with_what_earlier_ones_left(told: Books):
    told.credit((ANNA, 5), period=2028)

    journal = written(told, "beancount", ledger.Part(period=2028))

    entries = checked(journal)
    opening = next(entry for entry in entries if isinstance(entry, data.Transaction))
    assert opening.narration == "opening balances" and opening.date == date(2028, 1, 1)
    last = [entry for entry in entries if isinstance(entry, data.Balance)][-1]
    assert last.date == date(2029, 1, 1)


def test_what_counts_outside_its_period_stands_at_the_edge_with_its_true_day(told: Books):
    told.credit((ANNA, 5), period=2028)

    journal = written(told, "beancount", ledger.Part(period=2028))

    assert '2028-01-01 * "allocation' in journal and "  effective: 2027-01-01\n" in journal


def test_no_export_names_a_citizen(books: Books):
    books.session.execute(
        text(
            "INSERT INTO ila.citizen (citizen_id, reference, status, opened_on) VALUES"
            " (7654321, 'citizen-7654321', 'open', '2026-01-01')"
        )
    )
    books.credit((7654321, 500))

    for name in FORMATS:
        for part in (ledger.Part(citizen_id=7654321), ledger.Part(period=2027), ledger.Part(fund_id=STATE)):
            assert "7654321" not in written(books, name, part)


def test_more_lines_than_the_limit_are_summed_by_day_then_by_month(books: Books):
    books.credit(*[(citizen_id, 100) for citizen_id in range(1, 31)])
    part = ledger.Part(period=2027)

    assert ledger.export_detail(books.session, part, limit=30) is ledger.Detail.LINE
    assert ledger.export_detail(books.session, part, limit=29) is ledger.Detail.DAY
    assert ledger.export_detail(books.session, part, limit=0) is ledger.Detail.MONTH
    (line,) = ledger.export_lines(books.session, part, ledger.Detail.DAY)
    assert (line.lines, line.amount_minor) == (30, 3_000)


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_same_books_give_the_same_bytes(told: Books, name: str):
    for part in PARTS.values():
        assert written(told, name, part) == written(told, name, part)


def test_csv_ends_with_count_and_sums_and_its_rows_add_up_to_them(told: Books):
    text_of = written(told, "csv", PARTS["citizen"])
    rows = list(csv.DictReader(io.StringIO(text_of, newline="")))

    total = rows.pop()
    assert total["on"] == "total" and int(total["lines"]) == len(rows)
    sums = {unit: sum(Decimal(row["amount"]) for row in rows if row["unit"] == unit) for unit in ("EUR", "HOURS")}
    assert total["amount"] == f"{sums['EUR']} EUR; {sums['HOURS']} HOURS"
    assert text_of.count("\r\n") == text_of.count("\n") == len(rows) + 2


def test_hledger_entries_balance_and_assert_what_beancount_asserts(told: Books):
    journal = written(told, "hledger", PARTS["citizen"])

    amount = re.compile(r"^    (\S+)  (-?[\d.]+) (EUR|HOURS)(?: = (-?[\d.]+) \3)?$")
    sums: dict[tuple[str, str], Decimal] = {}
    asserted = 0
    for block in journal.split("\n\n"):
        postings = [line for line in block.splitlines() if line.startswith("    ")]
        by_unit: dict[str, Decimal] = {}
        for posting in postings:
            found = amount.match(posting)
            assert found, posting
            path, value, unit, expected = found[1], Decimal(found[2]), found[3], found[4]
            by_unit[unit] = by_unit.get(unit, Decimal(0)) + value
            sums[path, unit] = sums.get((path, unit), Decimal(0)) + value
            if expected is not None:
                assert sums[path, unit] == Decimal(expected)
                asserted += 1
        assert not any(by_unit.values()), block
    assert asserted >= len(sums) > 0
    assert "commodity 1000.00 EUR" in journal and "commodity 1000. HOURS" in journal
