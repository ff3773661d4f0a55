# ruff: noqa: E501  -- a row of the table of faults is one line
"""What the loader refuses: each fault names scheme, file, line, key and reason, and all of them come together."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ila.schemes.loader import InvalidScheme, load_all, load_scheme

VALUES = "  values:\n    - start: 2025-01-01\n"


def test_a_small_scheme_is_typed_by_the_catalogue(scheme: Any) -> None:
    loaded = scheme.load()

    policy = loaded.policy("yearly", date(2025, 6, 1))
    assert policy.base_minor == 500_00
    assert policy.needs[0].factor == Decimal("1.6")
    assert policy.needs[0].reference == "Test Act, s. 2"
    assert policy.references["base_amount"] == "Test Act, s. 1"


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        # numbers: only plain decimals, no more digits than the unit has
        ("entitlement.yaml", "500.00", "1e3", "test/entitlement.yaml line 25, base_amount.values[1].value: '1e3' is not a plain amount such as 500.00."),
        ("entitlement.yaml", "500.00", ".5", "base_amount.values[1].value: '.5' is not a plain amount such as 500.00."),
        ("entitlement.yaml", "500.00", "nan", "base_amount.values[1].value: 'nan' is not a plain amount such as 500.00."),
        ("entitlement.yaml", "500.00", "1_000.00", "base_amount.values[1].value: '1_000.00' is not a plain amount"),
        ("entitlement.yaml", "500.00", "+500", "base_amount.values[1].value: '+500' is not a plain amount"),
        ("entitlement.yaml", "500.00", "0x10", "base_amount.values[1].value: '0x10' is not a plain amount"),
        ("entitlement.yaml", "500.00", "500.001", "base_amount.values[1].value: 500.001 has more decimals than the unit has (2)."),
        ("entitlement.yaml", "500.00", "-1.00", "base_amount.values[1].value: -1.00 is below 0."),
        ("need_weights.yaml", "2.5", "1e1", "weight_cap.values[1].value: '1e1' is not a plain decimal such as 0.5."),
        ("need_weights.yaml", "2.5", "0.9", "weight_cap.values[1].value: 0.9 is below 1."),
        ("eligibility.yaml", "value: 18", "value: 018", "min_age.values[1].value: '018' is not a whole number."),
        ("eligibility.yaml", "value: 18", "value: 18.0", "min_age.values[1].value: '18.0' is not a whole number."),
        # units, references, days
        ("entitlement.yaml", "  unit: EUR/year\n", "", "entitlement.yaml line 19, base_amount.unit: is missing."),
        ("entitlement.yaml", "unit: EUR/year", "unit: GBP/year", "base_amount.unit: 'GBP/year' is not a unit of this parameter: write EUR/year or EUR."),
        ("eligibility.yaml", "unit: years", "unit: months", "min_age.unit: 'months' is not a unit of this parameter: write years."),
        ("expiry.yaml", '      references:\n        - {title: "Test Act, s. 1"}\n', "", "expiry.yaml line 6, validity.values[1].references: is missing; name the law behind the value."),
        ("need_weights.yaml", '        references:\n          - {title: "Test Act, s. 2"}\n', "", "needs[1].values[1].references: is missing; name the law behind the value."),
        ("expiry.yaml", 'title: "Test Act, s. 1"', 'title: " "', "validity.values[1].references[1].title: is blank."),
        ("expiry.yaml", 'title: "Test Act, s. 1"', 'title: A, url: law.example', "references[1].url: 'law.example' is not a web address"),
        ("expiry.yaml", "2025-01-01", "1 January 2025", "validity.values[1].start: '1 January 2025' is not a day; write YYYY-MM-DD."),
        ("expiry.yaml", "2025-01-01", "2025-02-30", "validity.values[1].start: '2025-02-30' is not a day of the calendar."),
        ("expiry.yaml", "2026-01-02", "soon", "validity.checked_on: 'soon' is not a day; write YYYY-MM-DD."),
        ("expiry.yaml", "2025-01-01", "2025-06-01", "validity.values[1].start: starts on 2025-06-01, after the scheme's first day, 2025-01-01."),
        # words and shapes
        ("expiry.yaml", "value: none", "value: never", "validity.values[1].value: 'never' is not one of none, fixed_date, months_since_credit, window."),
        ("eligibility.yaml", "[employee, jobseeker]", "[employee, nobody]", "statuses_allowed.values[1].value[2]: 'nobody' is not one of employee, self_employed"),
        ("eligibility.yaml", "[employee, jobseeker]", "employee", "statuses_allowed.values[1].value: must be a list."),
        ("eligibility.yaml", "value: 18", "value: [18]", "min_age.values[1].value: must be one value, not a list or a mapping of keys."),
        ("need_weights.yaml", "when: {qualification_level_below: 3}", "when: 3", "needs[1].values[1].value.when: must be a mapping of keys."),
        ("need_weights.yaml", "factor: 1.60", "faktor: 1.60", "needs[1].values[1].value.faktor: unknown key."),
        ("need_weights.yaml", "effect: multiply", "effect: double", "needs[1].values[1].value.effect: 'double' is not one of set_base, add, multiply."),
        # keys and files
        ("entitlement.yaml", "base_amount:", "base_amuont:", "entitlement.yaml line 19, base_amuont: unknown key; docs/scheme_parameters.md lists all."),
        ("entitlement.yaml", "base_amount:", "base_amuont:", "test/entitlement.yaml: required parameter base_amount is missing."),
        ("entitlement.yaml", "min_credit:", "accrual_mode:", "accrual_mode: duplicate key; it stands on line 1 already."),
        ("expiry.yaml", "validity:", "min_age:", "expiry.yaml line 1, min_age: belongs in eligibility.yaml."),
        ("expiry.yaml", "value: none", "value: &a none", "test/expiry.yaml line 7: anchors are refused; write the value out where it is used."),
        ("expiry.yaml", "value: none", "value: *a", "test/expiry.yaml line 7: aliases are refused"),
        ("expiry.yaml", "value: none", "value: !!str none", "test/expiry.yaml line 7: tags are refused"),
        ("expiry.yaml", "value: none", "value:", "validity.values[1].value: is empty; write a value or remove the key."),
        ("expiry.yaml", "value: none", "value: [none", "test/expiry.yaml line 8: not readable as YAML:"),
        ("expiry.yaml", "value: none", "value: null", "validity.values[1].reason: a null value needs a reason."),
        ("expiry.yaml", "value: none", "value: none\n      reason: Because.", "validity.values[1].reason: only a null value has a reason"),
        # what does not fit together
        ("eligibility.yaml", "value: 67", "value: 17", "max_age.values[1]: age bounds are reversed: min_age is above max_age from 2025-01-01."),
        ("eligibility.yaml", "value: birthday", "value: as_at_date", "as_at is needed from 2025-01-01, because of age_basis: as_at_date."),
        ("ceiling.yaml", "5000.00", "499.99", "ceiling_amount.values[1]: is below the base amount from 2025-01-01."),
        ("expiry.yaml", "value: none", "value: window", "window_years is needed from 2025-01-01, because of validity: window."),
        ("expiry.yaml", "value: none", "value: fixed_date", "expires_on is needed from 2025-01-01, because of validity: fixed_date."),
        ("entitlement.yaml", "value: none", "value: linear", "prorata_mode.values[1]: 'linear' needs one of reference_hours, reference_days"),
        ("entitlement.yaml", "value: none", "value: threshold_then_full", "prorata_threshold is needed from 2025-01-01"),
        ("entitlement.yaml", "value: 0.01", "value: 0.00", "min_credit.values[1]: must be at least one minor unit"),
        ("need_weights.yaml", "when: {qualification_level_below: 3}, ", "", "needs[1].values[1].value.when: (low_qualified) names no condition"),
        ("need_weights.yaml", "when: {qualification_level_below: 3}", "when: {age_from: 50, age_until: 50}", "age bounds are reversed: from 50 until 50."),
        ("need_weights.yaml", "factor: 1.60", "amount: 800.00", "(low_qualified) is missing for the effect multiply."),
        ("need_weights.yaml", "factor: 1.60", "factor: 1.60, amount: 800.00", "(low_qualified) is what the effect multiply takes, and nothing else."),
        ("need_weights.yaml", "effect: multiply, factor: 1.60", "effect: set_base, amount: 499.00", "(low_qualified) is below the base amount from 2025-01-01: a need never lowers a credit."),
        ("need_weights.yaml", "effect: multiply, factor: 1.60", "effect: add, amount: 100.00", "(low_qualified) is missing: say whether the addition follows the working time."),
        ("need_weights.yaml", "factor: 1.60", "factor: 1.60, prorate_bonus: true", "(low_qualified) is for the effect add alone."),
        ("need_weights.yaml", "factor: 1.60", "factor: 1.60, ceiling: 100.00", "(low_qualified) is below the ceiling of everybody"),
        ("need_weights.yaml", "factor: 1.60", "factor: 1.60, age_taper: {full_at: 50, none_at: 50}", "(low_qualified) is a cliff: full_at and none_at are the same."),
        ("need_weights.yaml", "needs_combination:", "needs:\n  - no\nneeds_combination:", "needs: duplicate key; it stands on line 1 already."),
        # scheme.yaml
        ("scheme.yaml", "code: test", "code: other", "scheme.yaml line 1, code: other is not the name of the folder, test."),
        ("scheme.yaml", "unit: EUR", "unit: euro", "scheme.yaml line 3, unit: 'euro' is not a unit that can be counted: EUR, GBP"),
        ("scheme.yaml", "minor_units: 2", "minor_units: 3", "scheme.yaml line 4, minor_units: EUR has 2 minor units in units.yaml."),
        ("scheme.yaml", "time_zone: Europe/Brussels", "time_zone: Brussels", "time_zone: 'Brussels' is not a time zone"),
        ("scheme.yaml", "calendar: BE", "calendar: Belgium", "calendar: 'Belgium' is not a calendar"),
        ("scheme.yaml", "last_day: null", "last_day: 2024-12-31", "last_day: 2024-12-31 is before the first day, 2025-01-01."),
        ("scheme.yaml", "kind: state", "kind: bank", "funds[1].kind: 'bank' is not one of state, region, employer"),
        ("scheme.yaml", "limited: true", "limited: yes", "funds[1].limited: 'yes' must be true or false."),
        ("scheme.yaml", "title: A scheme for tests\n", "", "scheme.yaml line 1, title: is missing."),
        ("scheme.yaml", 'legal_basis:\n  - {title: "Test Act"}\n', "legal_basis: []\n", "legal_basis: is an empty list."),
        ("scheme.yaml", "  - {code: yearly, title: Yearly credit}\n", "  - {code: yearly, title: A}\n  - {code: yearly, title: B}\n", "credits: yearly is listed twice."),
    ],
)  # fmt: skip
def test_a_fault_names_file_key_and_reason(scheme: Any, file: str, old: str, new: str, fault: str) -> None:
    scheme.replace(file, old, new)

    faults = scheme.faults()

    assert [sentence for sentence in faults if fault in sentence], faults
    assert all(sentence.startswith("test/") and sentence.endswith(".") for sentence in faults)


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        ("2025-01-01", "validity.values[2].start: overlapping: two values start on 2025-01-01."),
        ("2024-06-01", "validity.values[2].start: unordered: 2024-06-01 comes after 2025-01-01"),
    ],
)
def test_dates_overlap_or_stand_out_of_order(scheme: Any, second: str, fault: str) -> None:
    scheme.append("expiry.yaml", f"    - {{start: {second}, value: none, references: [{{title: A}}]}}\n")

    assert [sentence for sentence in scheme.faults() if fault in sentence]


@pytest.mark.parametrize(
    ("file", "parameter", "fault"),
    [
        ("redemption.yaml", ("public_percent", "percent", "100.5"), "public_percent.values[1].value: 100.5 is above 100."),
        ("redemption.yaml", ("co_payment_type", "choice", "flat"), "co_payment_amount is needed from 2025-01-01, because of co_payment_type: flat."),
        ("redemption.yaml", ("co_payment_payers", "list", "[provider]"), "may not name the provider"),
        ("cancellation.yaml", ("attendance_bands", "percent", "[{below: 80, pro_rata: true}, {below: 25, provider_percent: 25}]"), "must rise from band to band"),
        ("cancellation.yaml", ("attendance_bands", "percent", "[{below: 80}]"), "each band has either provider_percent or pro_rata: true"),
        ("budget.yaml", ("funder_split", "percent", "[{fund: nobody, percent: 100}]"), "names no fund of this scheme: nobody"),
        ("budget.yaml", ("funder_split", "percent", "[{fund: national, percent: 90}]"), "must add up to 100"),
        ("entitlement.yaml", ("merged_into", "choice", "other"), "names no credit of this scheme: other"),
        ("entitlement.yaml", ("accrual_on", "date", "02-29"), "'02-29' is not a day of every year"),
    ],
)  # fmt: skip
def test_rules_of_use_are_checked_too(
    scheme: Any, written_parameter: Any, file: str, parameter: tuple[str, str, str], fault: str
) -> None:
    scheme.append(file, written_parameter(*parameter))

    assert [sentence for sentence in scheme.faults() if fault in sentence]


def test_a_ceiling_above_its_legal_multiple_is_refused(scheme: Any, written_parameter: Any) -> None:
    scheme.append("ceiling.yaml", written_parameter("ceiling_multiple_max", "count", "9"))

    assert any("is above 9 times the base amount from 2025-01-01" in fault for fault in scheme.faults())


def test_all_faults_of_a_scheme_come_together(scheme: Any) -> None:
    scheme.replace("entitlement.yaml", "500.00", "5e2")
    scheme.replace("eligibility.yaml", "value: 67", "value: 17")
    scheme.replace("expiry.yaml", "value: none", "value: &x none")
    scheme.append("scheme.yaml", "colour: blue\n")
    (scheme.path / "notes.yaml").write_text("a: b\n")

    with pytest.raises(InvalidScheme) as refusal:
        scheme.load()

    files = {fault.split()[0].strip(":") for fault in refusal.value.faults}
    assert {"test/entitlement.yaml", "test/expiry.yaml", "test/scheme.yaml", "test/notes.yaml"} <= files
    assert str(refusal.value).startswith(f"Scheme test has {len(refusal.value.faults)} faults: ")


def test_a_broken_file_hides_no_fault_of_the_others_and_makes_none_up(scheme: Any) -> None:
    scheme.replace("eligibility.yaml", "value: 67", "value: [67")
    scheme.replace("ceiling.yaml", "5000.00", "5000.005")

    faults = scheme.faults()

    assert len(faults) == 2
    assert any("eligibility.yaml" in fault and "not readable as YAML" in fault for fault in faults)
    assert any("5000.005 has more decimals" in fault for fault in faults)


def test_a_missing_file_is_told_by_what_it_should_hold(scheme: Any) -> None:
    (scheme.path / "expiry.yaml").unlink()

    assert scheme.faults() == ["test/expiry.yaml: required parameter validity is missing."]


def test_bytes_that_are_not_utf_8_are_refused(scheme: Any) -> None:
    (scheme.path / "expiry.yaml").write_bytes(b"# \xff\n")

    assert scheme.faults() == ["test/expiry.yaml: is not UTF-8 text (byte 3)."]


def test_a_credit_of_an_unknown_code_is_refused(scheme: Any, written_parameter: Any) -> None:
    scheme.append("expiry.yaml", "credits:\n  weekly: {}\n")

    assert scheme.faults() == ["test/expiry.yaml line 11, credits.weekly: unknown credit; scheme.yaml lists yearly."]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidScheme) as refusal:
        load_scheme(tmp_path / "nowhere" / "nothing")

    assert "nothing is not a folder; add config/schemes/nothing." in refusal.value.faults


def test_the_faults_of_every_scheme_come_together(scheme: Any) -> None:
    scheme.replace("expiry.yaml", "value: none", "value: never")
    (scheme.path.parent / "empty").mkdir()

    with pytest.raises(InvalidScheme) as refusal:
        load_all(scheme.path.parent)

    assert any(fault.startswith("test/expiry.yaml") for fault in refusal.value.faults)
    assert any(fault == "empty/scheme.yaml: is missing." for fault in refusal.value.faults)
