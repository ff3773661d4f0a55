"""Write the journal as text that other programs check: beancount, hledger, CSV. Pure.

The same lines give the same bytes.
Both journals show the platform's books in the usual signs: a debit is positive, a credit negative. What citizens hold
is therefore a liability with a minus. Hours are a commodity of their own. Every account is asserted at the end of each
month in which it moved, and all of them at the end.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.rules import Account
from ila.money import decimal_from_minor

BEGINNING = date(1970, 1, 1)
"""The day on which accounts are opened in a journal that begins with its first line."""

ROOTS = {
    AccountKind.OUTSIDE: "Assets:Outside",
    AccountKind.FUND: "Liabilities:Fund",
    AccountKind.ENTITLEMENT: "Liabilities:Entitlement",
    AccountKind.RESERVED: "Liabilities:Reserved",
    AccountKind.PAYABLE: "Liabilities:Payable",
    AccountKind.CLEARING: "Liabilities:Clearing",
    AccountKind.PAID: "Liabilities:Paid",
    AccountKind.EXPIRED: "Liabilities:Expired",
    AccountKind.CLAIM: "Assets:Claim",
    AccountKind.WRITTEN_OFF: "Assets:Written-Off",
    AccountKind.CONVERSION: "Equity:Conversion",
    AccountKind.MOVING: "Equity:Moving",
}
"""Where each kind of account stands in a journal of other programs."""

OF_A_FUND = frozenset({AccountKind.FUND, AccountKind.EXPIRED, AccountKind.WRITTEN_OFF})


@dataclass(frozen=True, slots=True)
class Unit:
    """How amounts of one scheme are written: the scheme's code, its unit, decimals of the unit."""

    scheme_code: str
    unit: str
    minor_units: int

    @property
    def commodity(self) -> str:
        """Return the unit in capitals, as journals want it: `EUR`, `HOURS`."""
        return self.unit.upper()

    def amount(self, amount_minor: int) -> str:
        """Return an amount as decimal text without a unit: `500.00`."""
        return f"{decimal_from_minor(amount_minor, self.minor_units):f}"


@dataclass(frozen=True, slots=True)
class Names:
    """What numbers are called outside: units by scheme number, codes of funds by fund number."""

    units: Mapping[int, Unit]
    funds: Mapping[int, str]

    def account(self, scheme_id: int, account: Account) -> str:
        """Return the path of an account: root, scheme, and the fund's code or the number; 0 stands for all together."""
        parts = [ROOTS[account.kind], part_of(self.units[scheme_id].scheme_code)]
        if account.kind in OF_A_FUND:
            parts.append(part_of(self.funds.get(account.id, str(account.id))))
        elif account.id:
            parts.append(str(account.id))
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Header:
    """What an export holds: its subject in words, how lines were put together, and further remarks.

    `begins_on` is the first day of a period with opening balances; None where the journal begins at the beginning.
    `ends_on` is the day of the closing assertions; None for the last day that has a line.
    """

    title: str
    remarks: tuple[str, ...] = ()
    begins_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """The balance of an account before the first line: credits less debits, in minor units."""

    scheme_id: int
    account: Account
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal, or the sum of several: `lines` says of how many.

    `on` is the day in the export, `effective_on` the day it counts; they differ for what was booked in another period.
    """

    on: date
    effective_on: date
    journal_entry_id: int | None
    line: int | None
    kind: EntryKind
    source_id: int | None
    scheme_id: int
    debit: Account
    credit: Account
    amount_minor: int
    lines: int = 1


Writer = Callable[[Header, Names, Iterable[Opening], Iterable[Line]], Iterator[str]]


def part_of(code: str) -> str:
    """Return a code as one part of an account's path: it begins with a capital or a digit.

    >>> part_of("eu_model")
    'Eu-Model'
    """
    return "-".join(part.capitalize() for part in code.replace("-", "_").split("_") if part)


@dataclass(slots=True)
class _Balances:
    """Debits less credits by account, and which accounts moved since they were asserted."""

    by_account: dict[tuple[str, int], int] = field(default_factory=dict)
    moved: set[tuple[str, int]] = field(default_factory=set)

    def add(self, path: str, scheme_id: int, amount_minor: int) -> bool:
        """Move an account and tell whether it is new."""
        key = (path, scheme_id)
        is_new = key not in self.by_account
        self.by_account[key] = self.by_account.get(key, 0) + amount_minor
        self.moved.add(key)
        return is_new

    def asserted(self, *, whole: bool) -> list[tuple[str, int, int]]:
        """Return (path, scheme, debits less credits) of what moved, or of everything, in order."""
        keys = sorted(self.by_account if whole else self.moved)
        self.moved.clear()
        return [(path, scheme_id, self.by_account[path, scheme_id]) for path, scheme_id in keys]


def _narration(line: Line) -> str:
    words = line.kind.name.lower().replace("_", " ")
    about = f" {line.source_id}" if line.source_id else ""
    return f"{words}{about}" + (f", {line.lines} lines" if line.lines != 1 else "")


def _head(mark: str, header: Header) -> Iterator[str]:
    for remark in (header.title, *header.remarks):
        yield f"{mark} {remark}\n"
    yield "\n"


def beancount(header: Header, names: Names, openings: Iterable[Opening], lines: Iterable[Line]) -> Iterator[str]:
    """Yield a beancount file, line by line; `lines` come ordered by their day."""
    yield from _head(";;", header)
    yield f'option "title" "{header.title}"\n\n'
    balances = _Balances()
    first_on = header.begins_on or BEGINNING
    opened = _opened(names, openings)
    for path, unit, _, _ in opened:
        yield f"{first_on} open {path} {unit.commodity}\n"
    if opened:
        yield f'{first_on} * "opening balances"\n'
        for path, unit, scheme_id, debit_minor in opened:
            balances.add(path, scheme_id, debit_minor)
            yield f"  {path}  {unit.amount(debit_minor)} {unit.commodity}\n"
        yield "\n"
    last_on = first_on
    for line in lines:
        if (line.on.year, line.on.month) != (last_on.year, last_on.month):
            yield from _beancount_assertions(names, balances, _next_month(last_on), whole=False)
        last_on = line.on
        unit = names.units[line.scheme_id]
        debit, credit = (names.account(line.scheme_id, account) for account in (line.debit, line.credit))
        for path, amount_minor in ((debit, line.amount_minor), (credit, -line.amount_minor)):
            if balances.add(path, line.scheme_id, amount_minor):
                yield f"{first_on} open {path} {unit.commodity}\n"
        yield f'{line.on} * "{_narration(line)}"\n'
        if line.journal_entry_id is not None:
            yield f'  entry: "{line.journal_entry_id}"\n'
        if line.effective_on != line.on:
            yield f"  effective: {line.effective_on}\n"
        yield f"  {debit}  {unit.amount(line.amount_minor)} {unit.commodity}\n"
        yield f"  {credit}  {unit.amount(-line.amount_minor)} {unit.commodity}\n\n"
    yield from _beancount_assertions(names, balances, (header.ends_on or last_on) + timedelta(days=1), whole=True)


def _opened(names: Names, openings: Iterable[Opening]) -> list[tuple[str, Unit, int, int]]:
    return sorted(
        (names.account(each.scheme_id, each.account), names.units[each.scheme_id], each.scheme_id, -each.balance_minor)
        for each in openings
        if each.balance_minor
    )


def _beancount_assertions(names: Names, balances: _Balances, morning_of: date, *, whole: bool) -> Iterator[str]:
    """Yield assertions, exact to the last digit. Beancount checks them at the beginning of their day."""
    asserted = balances.asserted(whole=whole)
    for path, scheme_id, debit_minor in asserted:
        unit = names.units[scheme_id]
        yield f"{morning_of} balance {path}  {unit.amount(debit_minor)} ~ 0 {unit.commodity}\n"
    if asserted:
        yield "\n"


def hledger(header: Header, names: Names, openings: Iterable[Opening], lines: Iterable[Line]) -> Iterator[str]:
    """Yield a hledger journal, line by line; `lines` come ordered by their day."""
    yield from _head(";", header)
    for commodity, minor_units in sorted({(unit.commodity, unit.minor_units) for unit in names.units.values()}):
        yield f"commodity 1000{'.' + '0' * minor_units if minor_units else '.'} {commodity}\n"
    yield "\n"
    balances = _Balances()
    opened = _opened(names, openings)
    first_on = header.begins_on or BEGINNING
    if opened:
        yield f"{first_on} * opening balances\n"
        for path, unit, scheme_id, debit_minor in opened:
            balances.add(path, scheme_id, debit_minor)
            yield f"    {path}  {unit.amount(debit_minor)} {unit.commodity}\n"
        yield "\n"
    last_on = first_on
    for line in lines:
        if (line.on.year, line.on.month) != (last_on.year, last_on.month):
            yield from _hledger_assertions(names, balances, _next_month(last_on) - timedelta(days=1), whole=False)
        last_on = line.on
        unit = names.units[line.scheme_id]
        debit, credit = (names.account(line.scheme_id, account) for account in (line.debit, line.credit))
        balances.add(debit, line.scheme_id, line.amount_minor)
        balances.add(credit, line.scheme_id, -line.amount_minor)
        entry = "" if line.journal_entry_id is None else f" ({line.journal_entry_id})"
        effective = "" if line.effective_on == line.on else f"  ; effective:{line.effective_on}"
        yield f"{line.on} *{entry} {_narration(line)}{effective}\n"
        yield f"    {debit}  {unit.amount(line.amount_minor)} {unit.commodity}\n"
        yield f"    {credit}  {unit.amount(-line.amount_minor)} {unit.commodity}\n\n"
    yield from _hledger_assertions(names, balances, header.ends_on or last_on, whole=True)


def _hledger_assertions(names: Names, balances: _Balances, on: date, *, whole: bool) -> Iterator[str]:
    """Yield one entry of zero amounts that asserts what each account holds at the end of a day."""
    asserted = balances.asserted(whole=whole)
    if not asserted:
        return
    yield f"{on} * balances\n"
    for path, scheme_id, debit_minor in asserted:
        unit = names.units[scheme_id]
        yield f"    {path}  0 {unit.commodity} = {unit.amount(debit_minor)} {unit.commodity}\n"
    yield "\n"


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


CSV_COLUMNS = (
    "on",
    "effective_on",
    "entry",
    "line",
    "kind",
    "source",
    "scheme",
    "from",
    "to",
    "amount",
    "unit",
    "lines",
)


def comma_separated(header: Header, names: Names, openings: Iterable[Opening], lines: Iterable[Line]) -> Iterator[str]:
    """Yield CSV (RFC 4180): opening balances, one row for each line, and a last row with count and sums by unit.

    Amounts are decimal text and never negative: money flows from the account in `from` to the one in `to`. A cell that
    a spreadsheet would take for a formula begins with an apostrophe.
    """
    yield _row(CSV_COLUMNS)
    for each in openings:
        unit = names.units[each.scheme_id]
        path = names.account(each.scheme_id, each.account)
        pair = ("", path) if each.balance_minor >= 0 else (path, "")
        on = (header.begins_on or BEGINNING).isoformat()
        amount = unit.amount(abs(each.balance_minor))
        yield _row((on, "", "", "", "opening balance", "", unit.scheme_code, *pair, amount, unit.commodity, ""))
    count = 0
    sums: dict[tuple[str, int], int] = {}
    for line in lines:
        unit = names.units[line.scheme_id]
        count += line.lines
        key = (unit.commodity, unit.minor_units)
        sums[key] = sums.get(key, 0) + line.amount_minor
        yield _row(
            (
                line.on.isoformat(),
                line.effective_on.isoformat(),
                "" if line.journal_entry_id is None else str(line.journal_entry_id),
                "" if line.line is None else str(line.line),
                line.kind.name.lower(),
                str(line.source_id or ""),
                unit.scheme_code,
                names.account(line.scheme_id, line.debit),
                names.account(line.scheme_id, line.credit),
                unit.amount(line.amount_minor),
                unit.commodity,
                str(line.lines),
            )
        )
    total = "; ".join(
        f"{decimal_from_minor(sums[commodity, minor_units], minor_units):f} {commodity}"
        for commodity, minor_units in sorted(sums)
    )
    yield _row(("total", "", "", "", header.title, "", "", "", "", total, "", str(count)))


def _row(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([formula_safe(cell) for cell in cells])
    return written.getvalue()


def formula_safe(cell: str) -> str:
    """Return a cell that no spreadsheet computes.

    >>> formula_safe("=1+1")
    "'=1+1"
    """
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


FORMATS: Mapping[str, Writer] = {"beancount": beancount, "hledger": hledger, "csv": comma_separated}
"""The writers by the name of their format."""
