"""What must fit together in a scheme, on each of its days: bounds, ceilings, needs, expiry.

Each check returns doubts instead of raising, and says nothing about values that are not there, so that all faults
of a scheme come together.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from ila.schemes.catalogue import CATALOGUE
from ila.schemes.parameters import DatedValue, InForce, ParameterSet
from ila.schemes.shapes import Entry
from ila.schemes.values import Value


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that does not fit: the file, the keys that lead to it within its credit, and the reason."""

    file: str
    credit_code: str | None
    path: tuple[str | int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Missing:
    """A required parameter that no file holds, for a credit or for every one."""

    file: str
    name: str
    for_credit: str


def missing(parameter_set: ParameterSet) -> Iterator[Missing]:
    """Yield each required parameter that some credit lacks."""
    for entry in CATALOGUE.values():
        if entry.required:
            lacking = [code for code in parameter_set.credit_codes if parameter_set.parameter(entry.name, code) is None]
            if len(lacking) == len(parameter_set.credits):
                yield Missing(entry.file, entry.name, "")
            else:
                yield from (Missing(entry.file, entry.name, f" for credit {code}") for code in lacking)


def doubts(parameter_set: ParameterSet) -> Iterator[Doubt]:
    """Yield everything that does not fit together, for every credit on every day on which something changes."""
    yield from _window(parameter_set)
    for credit_code in parameter_set.credit_codes:
        for day in _days_of_change(parameter_set, credit_code):
            rules = InForce(parameter_set, day, credit_code)
            yield from _eligibility(rules)
            yield from _accrual(rules)
            yield from _needs(rules)
            yield from _ceiling(rules)
            yield from _expiry(rules)
    for day in _days_of_change(parameter_set, None):
        yield from _redemption(InForce(parameter_set, day, None))


def _window(parameter_set: ParameterSet) -> Iterator[Doubt]:
    """What every credit shares must hold from the scheme's first day."""
    for parameter in parameter_set.parameters:
        entry = CATALOGUE.get(parameter.name)
        if parameter.credit_code is None and entry is not None and entry.required:
            start = parameter.values[0].start
            if start > parameter_set.first_on:
                reason = f"starts on {start}, after the scheme's first day, {parameter_set.first_on}"
                yield Doubt(parameter.file, None, (parameter.name, "values", 0, "start"), reason)


def _days_of_change(parameter_set: ParameterSet, credit_code: str | None) -> list[date]:
    """Return the days on which a rule of the credit starts, within the scheme's own days."""
    starts = {
        dated.start
        for parameter in parameter_set.parameters
        if parameter.credit_code in (None, credit_code)
        for dated in parameter.values
    }
    last_on = parameter_set.last_on or date.max
    return sorted({max(start, parameter_set.first_on) for start in starts if start <= last_on})


def _found(rules: InForce, name: str) -> DatedValue | None:
    """Return the value in force, or None where it is absent, not begun or ended."""
    parameter = rules.parameter_set.parameter(name, rules.credit_code)
    if parameter is None or parameter.values[0].start > rules.day:
        return None
    dated = parameter.on(rules.day)
    return None if dated.value is None else dated


def _value(rules: InForce, name: str) -> Value:
    dated = _found(rules, name)
    return None if dated is None else dated.value


def _doubt(rules: InForce, name: str, reason: str) -> Doubt:
    """Point at the value in force, or at the file where it should stand."""
    parameter = rules.parameter_set.parameter(name, rules.credit_code)
    if parameter is None:
        entry: Entry = CATALOGUE[name]
        return Doubt(entry.file, rules.credit_code, (), f"{name} {reason}")
    begun = [index for index, dated in enumerate(parameter.values) if dated.start <= rules.day]
    return Doubt(parameter.file, parameter.credit_code, (name, "values", begun[-1] if begun else 0), reason)


def _reversed(rules: InForce, lower: str, upper: str, words: str) -> Iterator[Doubt]:
    lowest, highest = _value(rules, lower), _value(rules, upper)
    if isinstance(lowest, int) and isinstance(highest, int) and lowest > highest:
        yield _doubt(rules, upper, f"{words} are reversed: {lower} is above {upper} from {rules.day}")


def _needed(rules: InForce, asking: str, name: str) -> Iterator[Doubt]:
    if _found(rules, name) is None:
        yield _doubt(rules, name, f"is needed from {rules.day}, because of {asking}")


def _eligibility(rules: InForce) -> Iterator[Doubt]:
    yield from _reversed(rules, "min_age", "max_age", "age bounds")
    yield from _reversed(rules, "income_floor", "income_ceiling", "income bounds")
    yield from _reversed(rules, "qualification_min", "qualification_max", "qualification bounds")
    if _value(rules, "age_basis") == "as_at_date":
        yield from _needed(rules, "age_basis: as_at_date", "as_at")


def _accrual(rules: InForce) -> Iterator[Doubt]:
    mode = _value(rules, "prorata_mode")
    if mode in ("threshold_then_full", "linear_capped"):
        yield from _needed(rules, f"prorata_mode: {mode}", "prorata_threshold")
        if _value(rules, "prorata_threshold") == 0:
            yield _doubt(rules, "prorata_threshold", "must be above 0")
    references = ("reference_hours", "reference_days", "reference_pay_hours", "reference_months", "reference_percent")
    if mode not in (None, "none") and all(_found(rules, name) is None for name in references):
        yield _doubt(rules, "prorata_mode", f"'{mode}' needs one of {', '.join(references)}")
    for name in references:
        if _value(rules, name) == 0:
            yield _doubt(rules, name, "must be above 0")
    if _found(rules, "reference_pay_hours") is not None:
        yield from _needed(rules, "reference_pay_hours", "hourly_minimum_wage")
    if _value(rules, "hourly_minimum_wage") == 0:
        yield _doubt(rules, "hourly_minimum_wage", "must be above 0")
    if _value(rules, "min_credit") == 0:
        yield _doubt(rules, "min_credit", "must be at least one minor unit, so that no credit is made of nothing")
    merged_into = _value(rules, "merged_into")
    if merged_into is not None and merged_into not in rules.parameter_set.credit_codes:
        yield _doubt(rules, "merged_into", f"names no credit of this scheme: {merged_into}")


def _needs(rules: InForce) -> Iterator[Doubt]:
    combined = 0
    needs = rules.parameter_set.need_parameters(rules.credit_code)
    for index, parameter in enumerate(needs):
        if parameter.values[0].start > rules.day:
            continue
        dated = parameter.on(rules.day)
        if not isinstance(dated.value, Mapping):
            continue
        row = dated.value
        combined += row["effect"] != "set_base"
        at = ("needs", index, "values", parameter.values.index(dated), "value")
        for key, reason in _need(rules, row, parameter.unit):
            yield Doubt(parameter.file, parameter.credit_code, (*at, key), f"({parameter.name[6:]}) {reason}")
    if needs:
        yield from _needed(rules, "the list of needs", "needs_combination")


def _need(rules: InForce, row: Mapping[str, Value], unit: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the reason of each thing that does not fit in one need criterion."""
    when, effect = row.get("when"), row["effect"]
    conditions = [value for value in when.values() if value not in (False, ())] if isinstance(when, Mapping) else []
    if not conditions:
        yield "when", "names no condition, so that the criterion would hold for everybody"
    if isinstance(when, Mapping):
        start, end = when.get("age_from"), when.get("age_until")
        if isinstance(start, int) and isinstance(end, int) and start >= end:
            yield "when", f"age bounds are reversed: from {start} until {end}"
    asked = "factor" if effect == "multiply" else "amount"
    if asked not in row:
        yield asked, f"is missing for the effect {effect}"
    if ("amount" if effect == "multiply" else "factor") in row:
        yield asked, f"is what the effect {effect} takes, and nothing else"
    if (unit == "factor") is not (effect == "multiply"):
        yield "effect", f"'{effect}' does not fit the unit {unit}"
    if "prorate_bonus" in row and effect != "add":
        yield "prorate_bonus", "is for the effect add alone"
    if effect == "add" and "prorate_bonus" not in row:
        yield "prorate_bonus", "is missing: say whether the addition follows the working time"
    yield from _tapers(row)
    base, amount = _value(rules, "base_amount"), row.get("amount")
    if effect == "set_base" and isinstance(base, int) and isinstance(amount, int) and amount < base:
        yield "amount", f"is below the base amount from {rules.day}: a need never lowers a credit"
    ceiling, own = _value(rules, "ceiling_amount"), row.get("ceiling")
    if isinstance(ceiling, int) and isinstance(own, int) and own < ceiling:
        yield "ceiling", f"is below the ceiling of everybody from {rules.day}: a need never lowers it"


def _tapers(row: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    tapers = [key for key in ("income_taper", "age_taper") if key in row]
    if tapers and row["effect"] != "multiply":
        yield tapers[0], "is for the effect multiply alone"
    if len(tapers) > 1:
        yield tapers[1], "only one taper fits a factor"
    for key in tapers:
        bounds = row[key]
        if isinstance(bounds, Mapping) and bounds["full_at"] == bounds["none_at"]:
            yield key, "is a cliff: full_at and none_at are the same"


def _ceiling(rules: InForce) -> Iterator[Doubt]:
    ceiling, base = _value(rules, "ceiling_amount"), _value(rules, "base_amount")
    if isinstance(ceiling, int) and isinstance(base, int):
        if ceiling < base:
            yield _doubt(rules, "ceiling_amount", f"is below the base amount from {rules.day}")
        multiple = _value(rules, "ceiling_multiple_max")
        if isinstance(multiple, int) and ceiling > multiple * base:
            yield _doubt(rules, "ceiling_amount", f"is above {multiple} times the base amount from {rules.day}")


def _expiry(rules: InForce) -> Iterator[Doubt]:
    needed = {"fixed_date": "expires_on", "months_since_credit": "validity_months", "window": "window_years"}
    validity = _value(rules, "validity")
    if isinstance(validity, str) and validity in needed:
        yield from _needed(rules, f"validity: {validity}", needed[validity])


def _redemption(rules: InForce) -> Iterator[Doubt]:
    needed = {"flat": "co_payment_amount", "percent": "public_percent", "tiered": "co_payment_tiers"}
    kind = _value(rules, "co_payment_type")
    if isinstance(kind, str) and kind in needed:
        yield from _needed(rules, f"co_payment_type: {kind}", needed[kind])
    payers = _value(rules, "co_payment_payers")
    if isinstance(payers, tuple) and "provider" in payers:
        yield _doubt(rules, "co_payment_payers", "may not name the provider, who would pay for its own sale")
    bands = _value(rules, "attendance_bands")
    if isinstance(bands, tuple):
        limits = [band["below"] for band in bands if isinstance(band, Mapping)]
        if any(low >= high for low, high in pairwise(limits)):  # type: ignore[operator]
            yield _doubt(rules, "attendance_bands", "must rise from band to band")
        for band in bands:
            if isinstance(band, Mapping) and ("provider_percent" in band) is (band.get("pro_rata") is True):
                yield _doubt(rules, "attendance_bands", "each band has either provider_percent or pro_rata: true")
    funds = {fund.code for fund in rules.parameter_set.funds}
    split = _value(rules, "funder_split")
    if isinstance(split, tuple):
        unknown = [share["fund"] for share in split if isinstance(share, Mapping) and share["fund"] not in funds]
        if unknown:
            yield _doubt(rules, "funder_split", f"names no fund of this scheme: {unknown[0]}")
        if sum(share["percent"] for share in split if isinstance(share, Mapping)) != 100:  # type: ignore[misc]
            yield _doubt(rules, "funder_split", "must add up to 100")
