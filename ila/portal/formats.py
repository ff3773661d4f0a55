"""Amounts, days and words as people read them. Money and dates are Babel's; nothing is formatted by hand."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent, get_decimal_symbol
from babel.units import format_unit

from ila.allocations import Step
from ila.clock import NEVER
from ila.money import decimal_from_minor
from ila.schemes import Scheme

LOCALE = Locale.parse("en_GB")
MINUS = "\N{MINUS SIGN}"
HOURS = "hours"
UNROUNDED = "¤#,##0.00##"
"""Pattern of an amount between two steps, before it is rounded."""

WORDS = {
    "allocation": "Credit",
    "expiry": "Expired",
    "correction": "Correction",
    "contribution": "Contribution",
    "conversion": "Conversion",
    "closing": "Account closed",
    "joining": "Accounts joined",
    "reversal": "Reversal",
    "return": "Given back",
    "reserve": "Reserved for training",
    "give_back": "Reservation released",
    "cancel": "Booking cancelled",
    "settle": "Training paid",
    "refund": "Refund",
    "recovery": "Recovery",
    "accrual": "Credit of the scheme",
}
"""What happened, in the words of the page."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An amount in two parts, so that the page can set the decimals smaller."""

    whole: str
    decimals: str


def money(amount_minor: int | Decimal, scheme: Scheme) -> str:
    """Return an amount in the unit of its scheme, with a true minus sign; a fraction is a step before rounding.

    >>> money(-10320, Scheme(1, "x", "X", "EUR", 2, "UTC"))
    '−€103.20'
    >>> money(24, Scheme(1, "x", "X", "hours", 0, "UTC"))
    '24 hours'
    """
    amount = Decimal(amount_minor).scaleb(-scheme.minor_units)
    if scheme.unit == HOURS:
        text = format_unit(amount, "duration-hour", "long", locale=LOCALE)
    elif amount_minor == int(amount_minor):
        text = format_currency(amount, scheme.unit, locale=LOCALE)
    else:
        text = format_currency(amount, scheme.unit, UNROUNDED, locale=LOCALE, currency_digits=False)
    return text.replace("-", MINUS)


def signed(amount_minor: int, scheme: Scheme) -> str:
    """Return an amount with its sign, also where it came in.

    >>> signed(10320, Scheme(1, "x", "X", "EUR", 2, "UTC"))
    '+€103.20'
    """
    return f"+{money(amount_minor, scheme)}" if amount_minor > 0 else money(amount_minor, scheme)


def figure(amount_minor: int, scheme: Scheme) -> Figure:
    """Return the one dominant figure of a page in two parts.

    >>> figure(134750, Scheme(1, "x", "X", "EUR", 2, "UTC"))
    Figure(whole='€1,347', decimals='.50')
    """
    text = money(amount_minor, scheme)
    symbol = get_decimal_symbol(LOCALE)
    if scheme.unit == HOURS or symbol not in text:
        number, _, unit = text.partition(" ")
        return Figure(number, f" {unit}" if unit else "")
    whole, _, decimals = text.rpartition(symbol)
    return Figure(whole, symbol + decimals)


def day(on: date) -> str:
    """Return a day spelt out; `never` for what does not expire.

    >>> day(date(2026, 11, 18))
    '18 November 2026'
    """
    return "never" if on == NEVER else format_date(on, "d MMMM y", locale=LOCALE)


def short_day(on: date) -> str:
    """Return a day in the width of a table's column.

    >>> short_day(date(2026, 11, 18))
    '18 Nov 2026'
    """
    return format_date(on, "d MMM y", locale=LOCALE)


def number(value: int | Decimal) -> str:
    """Return a count or a ratio.

    >>> number(Decimal("1.5"))
    '1.5'
    """
    return format_decimal(value, locale=LOCALE)


def words(code: str) -> str:
    """Return a code in words.

    >>> words("reserve"), words("low_qualified")
    ('Reserved for training', 'Low qualified')
    """
    return WORDS.get(code, code.replace("_", " ").capitalize())


def reference(text: str) -> str:
    """Return a public reference in groups, as it is read aloud.

    >>> reference("3v8kq0m2zr5n9c1x7d4t6w8hjb")
    '3v8kq 0m2zr 5n9c1 x7d4t 6w8hjb'
    """
    groups = [text[start : start + 5] for start in range(0, 20, 5)]
    return " ".join([*groups, text[20:]])


STEP_LABELS = {
    "base": "Base amount",
    "working_time": "Share of working time",
    "weighted": "With your needs",
    "ceiling": "Most that may accumulate",
    "amount": "Credited",
    "eligibility": "Eligible",
}
AMOUNT_STEPS = frozenset({"base", "weighted", "rounded", "ceiling", "counted", "room", "amount"})
"""Steps whose result is an amount, also where it is a fraction of minor units."""


def step_label(step: Step) -> str:
    """Return a step of an explanation in two or three words."""
    name, _, criterion = step.name.partition(".")
    return words(criterion) if criterion else STEP_LABELS.get(name, words(name))


def step_value(step: Step, scheme: Scheme) -> str:
    """Return the result of a step: an amount, a factor, a share, or a word."""
    value = step.value
    if value is None:
        return ""
    if isinstance(value, str):
        return words(value.lower())
    if step.name in AMOUNT_STEPS:
        return money(value, scheme)
    if isinstance(value, int):
        return signed(value, scheme)
    return f"× {number(value)}" if step.name.startswith("need.") else format_percent(value, "#,##0.##%", locale=LOCALE)


def fact(name: str, value: object) -> str:
    """Return a fact about a person in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return day(value)
    if isinstance(value, int):
        return number(decimal_from_minor(value, 2)) if name.endswith("_minor") else number(value)
    return words(value) if isinstance(value, str) and value.islower() else str(value)
