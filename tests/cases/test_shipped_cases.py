"""Every case that stands beside a scheme holds, by the shipped parameters."""

from pathlib import Path
from typing import Any

import pytest

from ila.schemes.cases import Case, load_cases, run_case
from ila.schemes.loader import load_all
from ila.schemes.parameters import ParameterSet

SCHEMES = Path(__file__).parents[2] / "config" / "schemes"
LOADED = {parameter_set.code: parameter_set for parameter_set in load_all(SCHEMES)}


def shipped() -> list[Any]:
    return [
        pytest.param(case, id=f"{code}-{case.id}")
        for code, parameter_set in LOADED.items()
        for case in load_cases(SCHEMES / code, parameter_set)
    ]


@pytest.mark.parametrize("case", shipped())
def test_shipped_case(case: Case) -> None:
    assert run_case(LOADED[case.scheme], case, LOADED) == []


@pytest.mark.parametrize("parameter_set", LOADED.values(), ids=LOADED)
def test_every_scheme_has_cases_on_credits(parameter_set: ParameterSet) -> None:
    cases = load_cases(SCHEMES / parameter_set.code, parameter_set)

    assert any(case.kind == "allocation" for case in cases)
