"""The words of exports, without a database."""

from datetime import date

import pytest

from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.document import FORMATS, ROOTS, Header, Line, Names, Opening, Unit, formula_safe, part_of
from ila.ledger.rules import Account

NAMES = Names({1: Unit("eu_model", "EUR", 2)}, {4: "national"})
FUND = Account(AccountKind.FUND, 4)
DAY = date(2027, 5, 1)


def line(amount_minor: int = 5, on: date = DAY) -> Line:
    return Line(
        on, on, 2027000000000001, 1, EntryKind.ALLOCATION, 9, 1, FUND, Account(AccountKind.ENTITLEMENT, 9), amount_minor
    )


def test_every_kind_of_account_has_a_place_in_journals():
    assert set(ROOTS) == set(AccountKind)


def test_accounts_are_named_by_scheme_and_by_the_code_of_their_fund():
    assert NAMES.account(1, FUND) == "Liabilities:Fund:Eu-Model:National"
    assert NAMES.account(1, Account(AccountKind.ENTITLEMENT, 0)) == "Liabilities:Entitlement:Eu-Model"
    assert NAMES.account(1, Account(AccountKind.FUND, 99)) == "Liabilities:Fund:Eu-Model:99"


@pytest.mark.parametrize(
    ("code", "part"), [("eu_model", "Eu-Model"), ("be-vl_cheque", "Be-Vl-Cheque"), ("2027", "2027"), ("a__b", "A-B")]
)
def test_a_code_becomes_a_part_that_journals_accept(code: str, part: str):
    assert part_of(code) == part


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_compute_is_quoted(cell: str):
    assert formula_safe(cell) == "'" + cell
    assert formula_safe("Act 1") == "Act 1"


def test_a_title_that_is_a_formula_is_no_formula_in_the_file():
    (_, last) = FORMATS["csv"](Header("=cmd()"), NAMES, [], [])

    assert ",'=cmd()," in last


@pytest.mark.parametrize("name", list(FORMATS))
def test_an_export_without_lines_is_whole(name: str):
    assert "".join(FORMATS[name](Header("Nothing"), NAMES, [], [])).count("Nothing") >= 1


def test_an_empty_period_asserts_its_opening_at_its_last_day():
    openings = [Opening(1, FUND, 500), Opening(1, Account(AccountKind.OUTSIDE, 0), -500)]
    header = Header("2028", (), date(2028, 1, 1), date(2028, 12, 31))

    journal = "".join(FORMATS["beancount"](header, NAMES, openings, []))

    assert "2028-01-01 open Liabilities:Fund:Eu-Model:National EUR" in journal
    assert "2029-01-01 balance Liabilities:Fund:Eu-Model:National  -5.00 ~ 0 EUR" in journal


def test_december_is_asserted_on_the_first_of_january():
    lines = [line(on=date(2027, 12, 31)), line(on=date(2028, 1, 1))]

    journal = "".join(FORMATS["beancount"](Header("x"), NAMES, [], lines))

    assert "2028-01-01 balance Liabilities:Fund:Eu-Model:National  0.05 ~ 0 EUR" in journal
    assert "2028-01-02 balance Liabilities:Fund:Eu-Model:National  0.10 ~ 0 EUR" in journal
