"""Policy cases: a sentence, a day, facts and the answer expected, as YAML beside a scheme.

`load_cases` reads `config/schemes/<scheme>/cases/*.yaml`; `run_case` computes the answer from the scheme's own
parameters, by the rules that every allocation follows, and returns what differs. A fact that is not given does not
matter: the citizen is then 40 years old, lives and works here, is a national, has a covered status and an open
account with nothing in it, and nothing else is known.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from ila.errors import DomainError
from ila.money import Rounding, decimal_from_minor
from ila.schemes import rules
from ila.schemes.case_files import SHAPES, Case, CaseKind, InvalidCases, load_cases
from ila.schemes.catalogue import CATALOGUE
from ila.schemes.parameters import NoValueInForce, ParameterSet, SchemeNotInForce
from ila.schemes.policy import AccrualMode, AllocationPolicy, EmploymentStatus, WorkBasis
from ila.schemes.shapes import AMOUNT, Kind
from ila.schemes.values import Value, decimal_text

__all__ = ["Case", "CaseKind", "InvalidCases", "cohort_credits", "facts_of", "load_cases", "run_case"]


def run_case(parameter_set: ParameterSet, case: Case, schemes: Mapping[str, ParameterSet] | None = None) -> list[str]:
    """Return what differs from the answer expected, one sentence each; nothing where the case holds.

    `schemes` holds the other schemes by code; a conversion needs the one it converts to.
    """
    try:
        answer = _ANSWERS[case.kind](parameter_set, case, schemes or {})
    except DomainError as refusal:
        return [refusal.message]
    return [
        f"{key}: expected {_shown(expected, case.kind, key, parameter_set.minor_units)}, "
        f"got {_shown(answer.get(key), case.kind, key, parameter_set.minor_units)}"
        for key, expected in case.expect.items()
        if answer.get(key) != expected
    ]


def facts_of(policy: AllocationPolicy, given: Mapping[str, Any]) -> rules.CitizenFacts:
    """Return a citizen with the facts given, and with facts that do not matter for the rest."""
    covered = sorted(policy.eligibility.statuses_allowed)
    usual = EmploymentStatus.EMPLOYEE if EmploymentStatus.EMPLOYEE in covered or not covered else covered[0]
    return rules.CitizenFacts(
        born_on=given.get("born_on", date(policy.on.year - 40, 1, 1)),
        employment_status=EmploymentStatus(given.get("status", usual)),
        resides_here=given.get("resides_here", True),
        works_here=given.get("works_here", True),
        national=given.get("national", True),
        qualification_level=given.get("qualification_level"),
        income_minor=given.get("income"),
        category=given.get("category"),
        region=given.get("region"),
        attested=frozenset(given.get("attested", ())),
        work_records=tuple(_work_record(record, policy.minor_units) for record in given.get("work", ())),
        open=given.get("open", True),
    )


def _work_record(record: Mapping[str, Any], minor_units: int) -> rules.WorkRecord:
    """Pay is written in the scheme's unit and read in minor units; every other basis counts as it is written."""
    basis = WorkBasis(record["basis"])
    scale = minor_units if basis is WorkBasis.PAY else 0
    reference = record.get("reference")
    return rules.WorkRecord(
        basis, record["worked"].scaleb(scale), None if reference is None else reference.scaleb(scale)
    )


def _allocation(parameter_set: ParameterSet, case: Case, schemes: Mapping[str, ParameterSet]) -> dict[str, Any]:
    credit_code = _credit_code(parameter_set, case)
    policy = parameter_set.policy(credit_code, case.on)
    counted = _counted(case.given)
    credited_on = case.given.get("credited_on", case.on)
    line = rules.allocation_line(policy, facts_of(policy, case.given), counted, credited_on)
    accrual_on = parameter_set.on(case.on, credit_code).value_or_none("accrual_on")
    return {
        "amount": line.amount_minor,
        "balance_after": counted.counted_minor + line.amount_minor,
        "reason": line.reason or "none",
        "age": line.age,
        "base": line.base_minor,
        "rounded": line.rounded_minor,
        "ceiling": line.ceiling_minor,
        "room": line.room_minor,
        "expires_on": line.expires_on,
        "period": case.on.year,
        "month": None if accrual_on is None else f"{case.on.year}-{str(accrual_on)[:2]}",
        "needs": tuple(held.need.criterion for held in line.needs if held.applied),
    }


def _eligibility(parameter_set: ParameterSet, case: Case, schemes: Mapping[str, ParameterSet]) -> dict[str, Any]:
    policy = parameter_set.policy(_credit_code(parameter_set, case), case.on)
    facts, counted = facts_of(policy, case.given), _counted(case.given)
    line = rules.allocation_line(policy, facts, counted, case.on)
    eligible = rules.is_eligible(policy, facts, counted)
    return {"eligible": eligible, "reason": "none" if eligible else line.reason}


def _balances(parameter_set: ParameterSet, case: Case, schemes: Mapping[str, ParameterSet]) -> dict[str, Any]:
    if "used_in_window" in case.given:
        limit = parameter_set.value("max_public_per_period", case.on)
        assert isinstance(limit, Mapping)
        amount_minor = limit["amount"]
        assert isinstance(amount_minor, int)
        return {"left": max(amount_minor - case.given["used_in_window"], 0)}
    used = case.given.get("used", {})
    granted = cohort_credits(parameter_set, case.given, until=case.on)
    heirs = {code: parameter_set.on(case.on, code).value_or_none("merged_into") for code in granted}
    merged_into = {code: str(heir) for code, heir in heirs.items() if heir is not None}
    left = {
        code: amount_minor - used.get(code, 0)
        for code, (amount_minor, expires_on) in granted.items()
        if expires_on >= case.on or code in merged_into
    }
    balances = rules.merged_balances(left, merged_into)
    return {"balances": balances, "total": sum(balances.values())}


def cohort_credits(
    parameter_set: ParameterSet, given: Mapping[str, Any], *, until: date
) -> dict[str, tuple[int, date]]:
    """Return amount and last usable day of each credit that a citizen got once in a life, up to a day.

    Every 1 January and every day on which a rule starts is tried, as the runs of those days would.
    """
    starts = {dated.start for parameter in parameter_set.parameters for dated in parameter.values}
    years = {date(year, 1, 1) for year in range(parameter_set.first_on.year, until.year + 1)}
    granted: dict[str, tuple[int, date]] = {}
    for day in sorted(day for day in starts | years if day <= until):
        for credit_code in parameter_set.credit_codes:
            try:
                policy = parameter_set.policy(credit_code, day)
            except (NoValueInForce, SchemeNotInForce):
                continue  # the credit did not exist on that day
            if policy.accrual_mode is not AccrualMode.ONE_OFF_COHORT:
                continue
            counted = rules.Counted(0, already_credited=credit_code in granted)
            line = rules.allocation_line(policy, facts_of(policy, given), counted, day)
            if line.amount_minor > 0 and line.expires_on is not None:
                granted[credit_code] = (line.amount_minor, line.expires_on)
    return granted


def _conversion(parameter_set: ParameterSet, case: Case, schemes: Mapping[str, ParameterSet]) -> dict[str, Any]:
    conversion = parameter_set.value("conversion", case.on)
    assert isinstance(conversion, Mapping)
    target, rate = schemes.get(str(conversion["to"])), conversion["rate_per_hour"]
    if target is None:
        raise InvalidCases(parameter_set.code, [f"case {case.id} converts to {conversion['to']}, which is not loaded."])
    assert isinstance(rate, Decimal)
    ceiling_minor = target.on(case.on, target.credit_codes[0]).value_or_none("ceiling_amount")
    assert ceiling_minor is None or isinstance(ceiling_minor, int)
    balance_minor = int(case.given.get("balance", Decimal(0)).scaleb(target.minor_units))
    converted = rules.convert(case.given["hours"], rate.scaleb(target.minor_units), balance_minor, ceiling_minor)
    return {
        "amount": decimal_from_minor(converted.amount_minor, target.minor_units),
        "reason": converted.reason or "none",
    }


def _claim(parameter_set: ParameterSet, case: Case, schemes: Mapping[str, ParameterSet]) -> dict[str, Any]:
    percent = parameter_set.value("public_percent", case.on)
    rounding = parameter_set.value("rounding_public_share", case.on)
    assert isinstance(percent, Decimal)
    policy = parameter_set.policy(_credit_code(parameter_set, case), case.on)
    line = rules.allocation_line(policy, facts_of(policy, case.given), _counted(case.given), case.on)
    return {
        "claim": rules.claim(case.given["limit"], case.given["fees"], percent, Rounding(str(rounding))),
        "next_year_addition": line.amount_minor,
    }


def _tabled_value(parameter_set: ParameterSet, case: Case, schemes: Mapping[str, ParameterSet]) -> dict[str, Any]:
    name = case.given["parameter"]
    value = parameter_set.value(name, case.on, case.credit_code)
    return {"value": _written(name, value, parameter_set.minor_units)}


def _written(name: str, value: Value, minor_units: int) -> str:
    """Return a single value as a policy file writes it."""
    if CATALOGUE[name].shape == AMOUNT:
        assert isinstance(value, int)
        return str(decimal_from_minor(value, minor_units))
    if isinstance(value, bool):
        return str(value).lower()
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


_ANSWERS: Mapping[CaseKind, Callable[[ParameterSet, Case, Mapping[str, ParameterSet]], dict[str, Any]]] = {
    CaseKind.ALLOCATION: _allocation,
    CaseKind.ELIGIBILITY: _eligibility,
    CaseKind.BALANCES: _balances,
    CaseKind.CONVERSION: _conversion,
    CaseKind.CLAIM: _claim,
    CaseKind.TABLED_VALUE: _tabled_value,
}


def _credit_code(parameter_set: ParameterSet, case: Case) -> str:
    if case.credit_code is not None:
        return case.credit_code
    if len(parameter_set.credits) > 1:
        codes = ", ".join(parameter_set.credit_codes)
        raise InvalidCases(parameter_set.code, [f"case {case.id} must name its credit, one of {codes}."])
    return parameter_set.credit_codes[0]


def _counted(given: Mapping[str, Any]) -> rules.Counted:
    return rules.Counted(given.get("balance", 0), given.get("already_credited", False))


def _shown(value: Any, kind: CaseKind, key: str, minor_units: int) -> str:
    """Return an answer as a case writes it."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return ", ".join(f"{code} {decimal_from_minor(value[code], minor_units)}" for code in sorted(value))
    if isinstance(value, bool):
        return str(value).lower()
    if SHAPES[kind][1][key].kind is Kind.AMOUNT:
        return str(decimal_from_minor(value, minor_units))
    return ", ".join(value) if isinstance(value, tuple) else str(value)
