"""Policy cases beside a scheme: how they are read, and that a wrong answer is told."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ila.schemes.cases import Case, CaseKind, InvalidCases, load_cases, run_case

BASE = """- id: base
  sentence: Everybody gets
    the base amount.
  kind: allocation
  on: 2025-06-01
  given: {balance: 4900.00}
  expect: {amount: 100.00, reason: CEILING}
"""


def write_cases(scheme: Any, text: str) -> None:
    (scheme.path / "cases").mkdir(exist_ok=True)
    (scheme.path / "cases" / "yearly.yaml").write_text(text)


def faults(scheme: Any, text: str) -> list[str]:
    write_cases(scheme, text)
    with pytest.raises(InvalidCases) as refusal:
        load_cases(scheme.path, scheme.load())
    return refusal.value.faults


def test_a_case_is_read_in_minor_units_and_holds(scheme: Any) -> None:
    write_cases(scheme, BASE)
    parameter_set = scheme.load()

    [case] = load_cases(scheme.path, parameter_set)

    assert case.sentence == "Everybody gets the base amount."
    assert case.given == {"balance": 490_000}
    assert run_case(parameter_set, case) == []


def test_each_variant_is_a_case_with_the_facts_of_all(scheme: Any) -> None:
    write_cases(
        scheme,
        BASE.replace("expect: {amount: 100.00, reason: CEILING}", "variants:")
        + """    - {given: {qualification_level: 2}, expect: {amount: 100.00}}
    - {on: 2026-06-01, given: {balance: 5000.00}, expect: {amount: 0.00}}
""",
    )
    parameter_set = scheme.load()

    first, second = load_cases(scheme.path, parameter_set)

    assert (first.id, first.on, first.given) == (
        "base/1",
        date(2025, 6, 1),
        {"balance": 490_000, "qualification_level": 2},
    )
    assert (second.id, second.on, second.given) == ("base/2", date(2026, 6, 1), {"balance": 500_000})
    assert run_case(parameter_set, first) == run_case(parameter_set, second) == []


def test_a_wrong_answer_is_told_in_the_words_of_the_case(scheme: Any) -> None:
    write_cases(scheme, BASE.replace("100.00, reason: CEILING", "500.00, reason: none, expires_on: 2030-01-01"))
    parameter_set = scheme.load()

    [case] = load_cases(scheme.path, parameter_set)

    assert run_case(parameter_set, case) == [
        "amount: expected 500.00, got 100.00",
        "reason: expected none, got CEILING",
        "expires_on: expected 2030-01-01, got 9999-12-31",
    ]


def test_a_case_on_a_day_without_a_scheme_differs_and_does_not_break(scheme: Any) -> None:
    write_cases(scheme, BASE)
    parameter_set = scheme.load()
    [case] = load_cases(scheme.path, parameter_set)

    differences = run_case(parameter_set, replace(case, on=date(2024, 6, 1)))

    assert differences == ["Scheme test is not in force on 2024-06-01: it runs from 2025-01-01."]


def test_a_conversion_needs_the_scheme_it_converts_to(scheme: Any, written_parameter: Any) -> None:
    scheme.append("entitlement.yaml", written_parameter("conversion", "EUR/hour", "{to: other, rate_per_hour: 15.00}"))
    case = Case("c", "test", "", CaseKind.CONVERSION, date(2025, 6, 1), None, {"hours": 2}, {"amount": 30})

    [difference] = run_case(scheme.load(), case)

    assert "converts to other, which is not loaded" in difference


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("kind: allocation", "kind: guess", "line 1: a case has a kind, one of allocation, eligibility, balances"),
        ("  on: 2025-06-01\n", "", "line 1: case base needs a day: on."),
        ("amount: 100.00", "amount: 1e2", "line 7, expect.amount: '1e2' is not a plain amount such as 500.00."),
        ("balance: 4900.00", "ballance: 4900.00", "line 6, given.ballance: unknown key."),
        ("reason: CEILING", "reason: FULL", "line 7, expect.reason: 'FULL' is not one of CEILING, CLOSED"),
        ("  expect: {amount: 100.00, reason: CEILING}\n", "", "line 1: case base expects nothing."),
        ("  id: base", "  id: base", "yearly.yaml line 1, id: is missing."),
        ("given: {balance: 4900.00}", "given: [balance]", "line 6, given: must be a mapping of keys."),
        ("given: {balance: 4900.00}", "credit: weekly", "line 6, credit: 'weekly' is not one of yearly."),
    ],
)
def test_a_fault_of_a_case_names_its_line_and_key(scheme: Any, old: str, new: str, fault: str) -> None:
    text = BASE.replace("- id: base\n  ", "- ") if old == new else BASE.replace(old, new)

    found = faults(scheme, text)

    assert [sentence for sentence in found if fault in sentence], found
    assert all(sentence.startswith("test/cases/yearly.yaml") for sentence in found)


def test_an_id_stands_once_and_a_file_holds_a_list(scheme: Any) -> None:
    assert faults(scheme, BASE + BASE) == ["test: case base is there twice."]
    assert faults(scheme, "id: base\n") == ["test/cases/yearly.yaml: must be a list of cases."]
    assert faults(scheme, BASE + "  id: again\n") == [
        "test/cases/yearly.yaml line 8, [1].id: duplicate key; it stands on line 1 already."
    ]
