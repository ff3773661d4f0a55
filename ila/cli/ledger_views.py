"""How the ledger is shown at a terminal: what was found, sums by account, lines with their balance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ila.cli import output
from ila.money import decimal_from_minor

if TYPE_CHECKING:
    from ila.ledger import AccountTotal, Detail, Part, StatementLine
    from ila.ledger.checks import PassResult
    from ila.ledger.document import Header, Names
    from ila.schemes import Fund, Scheme


def check_json(results: "Sequence[PassResult]") -> dict[str, Any]:
    """Return what the passes found, as JSON values."""
    return {
        "clean": all(result.clean for result in results),
        "passes": [
            {
                "name": result.name,
                "proves": result.proves,
                "clean": result.clean,
                "more": result.more,
                "faults": [{"sentence": fault.sentence, "where": fault.where} for fault in result.faults],
            }
            for result in results
        ],
    }


def show_check(results: "Sequence[PassResult]") -> None:
    """Write a line for each pass, then the offenders."""
    output.table(
        ["Pass", "", "What it proves"],
        [[result.name, "ok" if result.clean else "WRONG", result.proves] for result in results],
    )
    wrong = [result for result in results if not result.clean]
    for result in wrong:
        output.say(f"{result.name}:")
        for fault in result.faults:
            output.say(f"  {fault}")
        if result.more:
            output.say("  and more")
    output.say("All passes are clean." if not wrong else f"{len(wrong)} of {len(results)} passes found something.")


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One account of a trial balance; amounts as decimal text in the scheme's unit."""

    account: str
    id: str
    debit: str
    credit: str
    balance: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The trial balance of one scheme. `balances` tells whether debits equal credits."""

    scheme: str
    unit: str
    lines: list[SheetLine]
    debit: str
    credit: str
    balances: bool


def trial_balance_sheet(
    totals: "Iterable[AccountTotal]", schemes: "Sequence[Scheme]", funds: "Sequence[Fund]"
) -> list[Sheet]:
    """Put the totals of accounts together by scheme, under names people know."""
    from ila.ledger.document import OF_A_FUND

    fund_codes = {fund.fund_id: fund.code for fund in funds}
    by_scheme: dict[int, list[AccountTotal]] = {}
    for total in totals:
        by_scheme.setdefault(total.scheme_id, []).append(total)
    sheets = []
    for scheme in schemes:
        of_scheme = by_scheme.get(scheme.scheme_id, [])
        if not of_scheme:
            continue
        lines = [
            SheetLine(
                account=total.account.kind.name.lower(),
                id=_id(total.account.id, fund_codes if total.account.kind in OF_A_FUND else {}),
                debit=_amount(total.debit_minor, scheme),
                credit=_amount(total.credit_minor, scheme),
                balance=_amount(total.balance_minor, scheme),
            )
            for total in of_scheme
        ]
        debit_minor = sum(total.debit_minor for total in of_scheme)
        credit_minor = sum(total.credit_minor for total in of_scheme)
        debit, credit = (_amount(amount, scheme) for amount in (debit_minor, credit_minor))
        sheets.append(Sheet(scheme.code, scheme.unit, lines, debit, credit, debit_minor == credit_minor))
    return sheets


def show_trial_balance(sheets: Sequence[Sheet]) -> None:
    """Write one table for each scheme."""
    if not sheets:
        output.say("Nothing has been booked yet.")
    for sheet in sheets:
        rows = [[line.account, line.id, line.debit, line.credit, line.balance] for line in sheet.lines]
        output.table(
            ["Account", "Of", "Debit", "Credit", "Balance"],
            [*rows, ["all", "", sheet.debit, sheet.credit, "0" if sheet.balances else "NOT ZERO"]],
            title=f"{sheet.scheme}, in {sheet.unit}",
            right=["Debit", "Credit", "Balance"],
        )


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of a statement; amounts as decimal text, negative for what went."""

    scheme: str
    unit: str
    journal_entry_id: int
    line: int
    effective_on: date
    recorded_at: str
    kind: str
    run: int
    expires_on: date | None
    amount: str
    balance: str


def statement_lines(lines: "Iterable[StatementLine]", schemes: "Sequence[Scheme]") -> list[ShownLine]:
    """Return the lines of a statement in the words of their schemes."""
    by_id = {scheme.scheme_id: scheme for scheme in schemes}
    shown = []
    for each in lines:
        scheme = by_id[each.scheme_id]
        shown.append(
            ShownLine(
                scheme=scheme.code,
                unit=scheme.unit,
                journal_entry_id=each.journal_entry_id,
                line=each.line,
                effective_on=each.effective_on,
                recorded_at=f"{each.recorded_at:%Y-%m-%dT%H:%M:%SZ}",
                kind=each.kind.name.lower(),
                run=each.allocation_run_id,
                expires_on=each.expires_on,
                amount=_amount(each.amount_minor, scheme),
                balance=_amount(each.balance_minor, scheme),
            )
        )
    return shown


def show_statement(reference: str, lines: Sequence[ShownLine]) -> None:
    """Write a statement as a table."""
    if not lines:
        output.say(f"Nothing has been booked on the account {reference}.")
        return
    output.table(
        ["Counts on", "What", "Scheme", "Amount", "Balance", "Unit", "Expires on", "Run", "Entry"],
        [
            [
                line.effective_on,
                line.kind,
                line.scheme,
                line.amount,
                line.balance,
                line.unit,
                "" if line.expires_on in (None, date.max) else line.expires_on,
                str(line.run),
                str(line.journal_entry_id),
            ]
            for line in lines
        ],
        title=f"Account {reference}",
        right=["Amount", "Balance"],
    )


def export_header(part: "Part", title: str, detail: "Detail") -> "Header":
    """Return what an export says about itself at its top. Nothing in it depends on when it was made."""
    from ila.ledger import Detail
    from ila.ledger.document import Header

    remarks = [
        "Debits are positive, credits negative: what citizens hold is owed to them and has a minus.",
        "Entries are not sealed: the state is what was booked when this was written.",
    ]
    if detail is not Detail.LINE:
        remarks.append(f"Too many lines for text: they are summed by {detail.value}, kind of entry and accounts.")
    if part.period is not None:
        remarks.append(
            f"What was booked in {part.period}; what counts on a day outside that year stands at its edge,"
            " with the true day beside it where lines are listed one by one."
        )
    return Header(title, tuple(remarks), part.begins_on, part.ends_on)


def export_names(schemes: "Sequence[Scheme]", funds: "Sequence[Fund]") -> "Names":
    """Return the names that accounts get in an export."""
    from ila.ledger.document import Names, Unit

    return Names(
        {scheme.scheme_id: Unit(scheme.code, scheme.unit, scheme.minor_units) for scheme in schemes},
        {fund.fund_id: fund.code for fund in funds},
    )


def appropriation(
    appropriation_id: int,
    scheme: "Scheme",
    fund: "Fund",
    amount_minor: int,
    reference: str,
    available_minor: int | None,
) -> dict[str, Any]:
    """Return an appropriation as JSON values; `available` is None for a fund without a limit."""
    return {
        "appropriation": appropriation_id,
        "fund": f"{scheme.code}/{fund.code}",
        "amount": _amount(amount_minor, scheme),
        "unit": scheme.unit,
        "reference": reference,
        "available": None if available_minor is None else _amount(available_minor, scheme),
    }


def show_appropriation(given: dict[str, Any]) -> None:
    """Write one sentence about an appropriation."""
    left = "" if given["available"] is None else f"; it can give {given['available']} {given['unit']} now"
    output.say(f"{given['amount']} {given['unit']} are appropriated to {given['fund']} ({given['reference']}){left}.")


def _amount(amount_minor: int, scheme: "Scheme") -> str:
    return f"{decimal_from_minor(amount_minor, scheme.minor_units):f}"


def _id(account_id: int, codes: dict[int, str]) -> str:
    return codes.get(account_id, str(account_id) if account_id else "all")
