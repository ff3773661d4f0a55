"""The golden cases of the field reference, run against the parameters we ship.

The reference itself lies beside the repository and is not part of it; its cases on credits are also stated, in our
own words and under the same ids, in `config/schemes/*/cases`, which always run.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from ila.money import decimal_from_minor
from ila.schemes.cases import Case, CaseKind, load_cases, run_case
from ila.schemes.loader import load_all
from ila.schemes.parameters import ParameterSet

REPOSITORY = Path(__file__).parents[2]
SCHEMES = REPOSITORY / "config" / "schemes"
GOLDEN = REPOSITORY.parent / "shared" / "reference" / "golden.yaml"

REQUIRED = {
    *("G01", "G02", "G03", "G04", "G06", "G08", "G10", "G11", "G12", "G13", "G14", "G15", "G16", "G17"),
    *("G19", "G20", "G22", "G30", "G43", "G44", "G46", "G58", "G61", "C-LT"),
}
"""The cases on eligibility, accrual, weighting, ceilings, expiry, units and age."""

USUAL_DAY = {
    "fr_cpf": date(2025, 1, 15),
    "fr_cpf_public": date(2025, 1, 15),
    "sc_ita": date(2023, 6, 1),
    "ca_ctc": date(2020, 12, 31),
    "lt_kursuok": date(2025, 6, 2),
}
"""A day of the scheme for the cases that state none."""


@pytest.fixture(scope="module")
def schemes() -> dict[str, ParameterSet]:
    return {parameter_set.code: parameter_set for parameter_set in load_all(SCHEMES)}


def golden_cases() -> list[Any]:
    """Return one pytest parameter for each variant of the required cases; one that skips where there are none."""
    if not GOLDEN.exists():
        reason = "the field reference ../shared/reference/golden.yaml is not here; the shipped cases have the same ids"
        return [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=reason))]
    parameters = []
    for case in yaml.safe_load(GOLDEN.read_text(encoding="utf-8"))["cases"]:
        if case["kind"] not in set(CaseKind):
            continue
        variants = case.get("variants", [{"given": {}, "expect": case.get("expect")}])
        for number, variant in enumerate(variants, start=1):
            given = {**case.get("given", {}), **variant.get("given", {})}
            name = case["id"] if len(variants) == 1 else f"{case['id']}-{number}"
            parameters.append(pytest.param({**case, "given": given, "expect": variant["expect"]}, id=name))
    return parameters


@pytest.mark.parametrize("golden", golden_cases())
def test_golden_case(golden: dict[str, Any], schemes: dict[str, ParameterSet]) -> None:
    parameter_set = schemes[golden["scheme"]]
    case = Case(
        id=golden["id"],
        scheme=golden["scheme"],
        sentence=golden["rule"],
        kind=CaseKind(golden["kind"]),
        on=golden["given"].get("as_of") or USUAL_DAY[golden["scheme"]],
        credit_code=_credit_code(golden),
        given=_given(golden["given"], parameter_set),
        expect=_expect(golden, parameter_set, schemes),
    )

    assert run_case(parameter_set, case, schemes) == []


def test_every_required_case_is_shipped_beside_its_scheme(schemes: dict[str, ParameterSet]) -> None:
    shipped = {
        case.id.split("/")[0]
        for parameter_set in schemes.values()
        for case in load_cases(SCHEMES / parameter_set.code, parameter_set)
    }

    assert shipped >= REQUIRED


@pytest.mark.skipif(not GOLDEN.exists(), reason="the field reference ../shared/reference/golden.yaml is not here")
def test_no_case_of_the_reference_on_credits_is_left_out() -> None:
    cases = yaml.safe_load(GOLDEN.read_text(encoding="utf-8"))["cases"]

    assert {case["id"] for case in cases if case["kind"] in set(CaseKind)} == REQUIRED


def _credit_code(golden: dict[str, Any]) -> str | None:
    if golden["scheme"] == "fr_cpf" and golden["kind"] == "allocation":
        return "employee"
    return golden["given"].get("credit_code")


def _given(given: dict[str, Any], parameter_set: ParameterSet) -> dict[str, Any]:
    """Translate the facts of the reference into those of a case."""
    facts: dict[str, Any] = {
        key: given[key]
        for key in ("status", "qualification_level", "category", "born_on", "income", "balance", "hours")
        if key in given
    }
    facts |= {key: given[key] for key in ("limit", "fees", "parameter", "used_in_window") if key in given}
    facts["attested"] = [
        criterion
        for criterion, fact in (("low_qualified", "low_qualified_declared"), ("disabled", "disabled"))
        if given.get(fact)
    ]
    facts["work"] = list(_work(given, parameter_set.minor_units))
    used = {key.removesuffix("_used"): given[key] for key in given if key.endswith("_used")}
    if used:
        facts["used"] = used
        facts["born_on"] = date(2024 - given["age_on_2024_05_01"], 1, 1)
    if parameter_set.code == "ca_ctc":
        facts["income"] = 5_000_000  # not stated; any income within the gates
    if "balance" in facts and parameter_set.code == "fr_cpf_public" and "hours" in facts:
        facts["balance"] = decimal_from_minor(facts["balance"], 2)
    return facts


def _work(given: dict[str, Any], minor_units: int) -> Any:
    """Yield the work record of a case; pay comes in minor units and a case states it in its unit."""
    if "hours_worked" in given:
        yield _record("hours", Decimal(given["hours_worked"]), Decimal(given["reference_hours"]))
    if "days_worked" in given:
        yield _record("days", Decimal(given["days_worked"]), Decimal(given["reference_days"]))
    if "pay" in given:
        reference = decimal_from_minor(given["reference_pay"], minor_units)
        yield _record("pay", decimal_from_minor(given["pay"], minor_units), reference)
    if "post_percent" in given:
        yield _record("percent", Decimal(given["post_percent"]), Decimal(100))


def _record(basis: str, worked: Decimal, reference: Decimal) -> dict[str, Any]:
    return {"basis": basis, "worked": worked, "reference": reference}


def _expect(golden: dict[str, Any], parameter_set: ParameterSet, schemes: dict[str, ParameterSet]) -> dict[str, Any]:
    """Translate the answer of the reference into that of a case; every key of it must be known here."""
    expect = dict(golden["expect"])
    match golden["kind"]:
        case "allocation":
            names: dict[str, str] = {"credit": "amount", "on_period": "period", "on_month": "month"}
            return {names.get(str(key), str(key)): value for key, value in expect.items()}
        case "balances" if "left" not in expect:
            return {"total": expect.pop("total"), "balances": expect}
        case "conversion":
            return {"amount": decimal_from_minor(expect["amount"], schemes["fr_cpf"].minor_units)}
        case "tabled_value":
            return {"value": str(decimal_from_minor(expect["value"], parameter_set.minor_units))}
        case _:
            return expect
