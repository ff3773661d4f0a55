"""Dated values, and the digest that a parameter set is stored and quoted by."""

import hashlib
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ila.schemes.loader import load_all
from ila.schemes.parameters import (
    NoSuchCredit,
    NoSuchParameter,
    NoValueInForce,
    ParameterSet,
    SchemeNotInForce,
)
from ila.schemes.policy import Combination, EmploymentStatus, ProrataMode, WorkBasis
from ila.schemes.values import Value, value_from_json, value_json

SHIPPED = load_all(Path(__file__).parents[3] / "config" / "schemes")
BY_CODE = {parameter_set.code: parameter_set for parameter_set in SHIPPED}

PARTICIPATION = """co_payment_amount:
  description: An own part that begins later and ends.
  unit: EUR
  checked_on: 2026-01-02
  values:
    - {start: 2025-06-01, value: 100.00, references: [{title: Decree A}]}
    - {start: 2026-01-01, value: 103.20, references: [{title: Decree B}, {title: Decree C}]}
    - {start: 2027-01-01, value: null, reason: The own part was abolished.}
"""


def test_a_value_holds_from_its_first_day_until_the_next_one_starts(scheme: Any) -> None:
    (scheme.path / "redemption.yaml").write_text(PARTICIPATION)
    parameter_set = scheme.load()

    assert parameter_set.value("co_payment_amount", date(2025, 6, 1)) == 10_000
    assert parameter_set.value("co_payment_amount", date(2025, 12, 31)) == 10_000
    assert parameter_set.value("co_payment_amount", date(2026, 1, 1)) == 10_320
    assert parameter_set.on(date(2026, 1, 1)).citation("co_payment_amount") == "Decree B; Decree C"


def test_before_its_first_day_a_parameter_has_no_value_and_says_so(scheme: Any) -> None:
    (scheme.path / "redemption.yaml").write_text(PARTICIPATION)
    parameter_set = scheme.load()

    with pytest.raises(NoValueInForce) as refusal:
        parameter_set.value("co_payment_amount", date(2025, 5, 31))

    message = str(refusal.value)
    assert all(word in message for word in ("Scheme test", "redemption.yaml", "co_payment_amount", "2025-05-31"))
    assert refusal.value.facts["last_day_without"] == date(2025, 5, 31)
    with pytest.raises(NoValueInForce):
        parameter_set.on(date(2025, 5, 31)).value_or_none("co_payment_amount")


def test_an_ended_parameter_has_no_value_and_tells_why(scheme: Any) -> None:
    (scheme.path / "redemption.yaml").write_text(PARTICIPATION)
    parameter_set = scheme.load()

    with pytest.raises(NoValueInForce, match="ended on 2027-01-01: The own part was abolished"):
        parameter_set.value("co_payment_amount", date(2027, 1, 1))
    assert parameter_set.on(date(2027, 1, 1)).value_or_none("co_payment_amount") is None


def test_a_parameter_that_no_file_holds_is_never_guessed(scheme: Any) -> None:
    parameter_set = scheme.load()

    with pytest.raises(NoSuchParameter, match="Scheme test has no parameter public_percent"):
        parameter_set.value("public_percent", date(2025, 6, 1))
    assert parameter_set.on(date(2025, 6, 1)).value_or_none("public_percent") is None


def test_a_scheme_answers_only_on_its_own_days(scheme: Any) -> None:
    scheme.replace("scheme.yaml", "last_day: null", "last_day: 2025-12-31")
    parameter_set = scheme.load()

    assert parameter_set.policy("yearly", date(2025, 12, 31)).on == date(2025, 12, 31)
    for day in (date(2024, 12, 31), date(2026, 1, 1)):
        with pytest.raises(SchemeNotInForce, match="it runs from 2025-01-01 to 2025-12-31"):
            parameter_set.policy("yearly", day)


def test_a_credit_that_the_scheme_does_not_give_is_refused(scheme: Any) -> None:
    with pytest.raises(NoSuchCredit, match="Scheme test has no credit weekly; it has yearly"):
        scheme.load().policy("weekly", date(2025, 6, 1))


def test_a_credit_has_its_own_rules_before_those_of_the_scheme() -> None:
    on = date(2025, 1, 15)

    employee = BY_CODE["fr_cpf"].policy("employee", on)
    self_employed = BY_CODE["fr_cpf"].policy("self_employed", on)

    assert employee.base_minor == self_employed.base_minor == 50_000
    assert employee.prorata.mode is ProrataMode.THRESHOLD_THEN_FULL
    assert employee.prorata.references[WorkBasis.PAY] == Decimal(2080) * 1188
    assert self_employed.prorata.mode is ProrataMode.LINEAR
    assert self_employed.prorata.references == {WorkBasis.MONTHS: Decimal(12)}
    assert self_employed.eligibility.statuses_allowed == {EmploymentStatus.SELF_EMPLOYED}


def test_the_rules_of_a_later_cohort_are_those_of_its_day() -> None:
    scheme = BY_CODE["sg_sfc"]

    first = scheme.policy("mid_career", date(2024, 5, 1)).eligibility
    later = scheme.policy("mid_career", date(2026, 1, 1)).eligibility

    assert (first.as_at, first.min_age, first.max_age) == (date(2024, 5, 1), 40, None)
    assert (later.as_at, later.min_age, later.max_age) == (None, 40, 40)
    with pytest.raises(NoValueInForce):
        scheme.policy("mid_career", date(2024, 4, 30))


def test_needs_keep_the_order_of_their_file() -> None:
    needs = BY_CODE["eu_model"].policy("yearly", date(2026, 1, 1))

    assert [need.criterion for need in needs.needs[:3]] == ["low_qualified", "unemployed", "long_term_unemployed"]
    assert needs.combination is Combination.SUM


@pytest.mark.parametrize("parameter_set", SHIPPED, ids=lambda parameter_set: parameter_set.code)
def test_a_stored_set_rebuilds_itself_without_any_file(parameter_set: ParameterSet) -> None:
    stored = json.loads(json.dumps(parameter_set.canonical()))

    rebuilt = ParameterSet.from_canonical(stored)

    assert rebuilt == parameter_set
    assert rebuilt.digest == parameter_set.digest == hashlib.sha256(parameter_set.canonical_bytes()).digest()
    on = parameter_set.last_on or date(2025, 1, 1)
    for credit_code in parameter_set.credit_codes:
        try:
            policy = parameter_set.policy(credit_code, on)
        except NoValueInForce:
            continue
        assert rebuilt.policy(credit_code, on) == policy


def test_a_stored_set_does_not_mind_that_jsonb_sorts_its_keys() -> None:
    parameter_set = BY_CODE["eu_model"]

    stored = json.loads(json.dumps(parameter_set.canonical(), sort_keys=True))

    assert ParameterSet.from_canonical(stored).digest == parameter_set.digest


def test_a_set_of_another_format_is_not_read() -> None:
    stored = {**BY_CODE["eu_model"].canonical(), "format": 99}

    with pytest.raises(ValueError, match="a parameter set of format 99 cannot be read"):
        ParameterSet.from_canonical(stored)


def test_key_order_comments_and_whitespace_do_not_change_the_digest(scheme: Any) -> None:
    before = scheme.load().digest

    for path in scheme.path.glob("*.yaml"):
        content = yaml.load(path.read_text(), Loader=yaml.BaseLoader)
        backwards = dict(reversed(content.items()))
        text = yaml.safe_dump(backwards, sort_keys=False, default_flow_style=False, indent=7)
        text = text.replace("'null'", "null")
        path.write_text("# a comment\n\n" + text + "\n\n# another\n")

    assert scheme.load().digest == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("entitlement.yaml", "500.00", "500"),
        ("need_weights.yaml", "1.60", "1.6"),
        ("eligibility.yaml", "description: A rule for tests.", "description: >-\n    A rule\n    for tests."),
    ],
)
def test_another_way_to_write_the_same_value_does_not_change_the_digest(
    scheme: Any, file: str, old: str, new: str
) -> None:
    before = scheme.load().digest
    scheme.replace(file, old, new)

    assert scheme.load().digest == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("entitlement.yaml", "500.00", "500.01"),
        ("need_weights.yaml", "1.60", "1.61"),
        ("eligibility.yaml", "Test Act, s. 1", "Test Act, s. 3"),
        ("scheme.yaml", "limited: true", "limited: false"),
    ],
)
def test_every_change_of_substance_changes_the_digest(scheme: Any, file: str, old: str, new: str) -> None:
    before = scheme.load().digest
    scheme.replace(file, old, new)

    assert scheme.load().digest != before


def test_the_digest_follows_the_content_when_a_set_is_changed_in_memory() -> None:
    parameter_set = BY_CODE["eu_model"]

    assert replace(parameter_set, title="Another").digest != parameter_set.digest


VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.dates()
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=4),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_comes_back_from_json_as_it_was(value: Value) -> None:
    assert value_from_json(json.loads(json.dumps(value_json(value)))) == value


@pytest.mark.parametrize("parameter_set", SHIPPED, ids=lambda parameter_set: parameter_set.code)
def test_no_shipped_value_is_older_than_its_check_of_a_year_ago(parameter_set: ParameterSet) -> None:
    """A value is compared with the law once a year; the newest check of the set is the measure, not the clock."""
    newest = max(parameter.checked_on for parameter in parameter_set.parameters)

    assert all((newest - parameter.checked_on).days <= 366 for parameter in parameter_set.parameters)
