"""A small valid scheme in a temporary folder, to be spoiled by one edit at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import pytest

from ila.schemes.loader import InvalidScheme, load_scheme
from ila.schemes.parameters import ParameterSet

REPOSITORY = Path(__file__).parents[3]


def parameter(name: str, unit: str, value: str, start: str = "2025-01-01") -> str:
    return f"""{name}:
  description: A rule for tests.
  unit: {unit}
  checked_on: 2026-01-02
  values:
    - start: {start}
      value: {value}
      references:
        - {{title: "Test Act, s. 1"}}
"""


FILES = {
    "scheme.yaml": """code: test
title: A scheme for tests
unit: EUR
minor_units: 2
time_zone: Europe/Brussels
calendar: BE
first_day: 2025-01-01
last_day: null
credits:
  - {code: yearly, title: Yearly credit}
funds:
  - {code: national, title: National fund, kind: state, limited: true}
legal_basis:
  - {title: "Test Act"}
""",
    "eligibility.yaml": parameter("min_age", "years", "18")
    + parameter("max_age", "years", "67")
    + parameter("age_basis", "choice", "birthday")
    + parameter("residence_rule", "choice", "resides")
    + parameter("nationality_rule", "choice", "any")
    + parameter("statuses_allowed", "list", "[employee, jobseeker]"),
    "entitlement.yaml": parameter("accrual_mode", "choice", "annual_advance")
    + parameter("accrual_period", "choice", "calendar_year")
    + parameter("base_amount", "EUR/year", "500.00")
    + parameter("prorata_mode", "choice", "none")
    + parameter("min_credit", "EUR", "0.01")
    + parameter("rounding_credit", "choice", "half_up"),
    "need_weights.yaml": parameter("needs_combination", "choice", "sum")
    + parameter("weight_cap", "factor", "2.5")
    + """needs:
  - criterion: low_qualified
    description: A need for tests.
    unit: factor
    checked_on: 2026-01-02
    values:
      - start: 2025-01-01
        value: {effect: multiply, factor: 1.60, when: {qualification_level_below: 3}, evidence_source: register}
        references:
          - {title: "Test Act, s. 2"}
""",
    "ceiling.yaml": parameter("ceiling_amount", "EUR", "5000.00")
    + parameter("ceiling_scope", "choice", "own_accrual")
    + parameter("on_ceiling", "choice", "truncate"),
    "expiry.yaml": parameter("validity", "choice", "none"),
}


@dataclass(frozen=True, slots=True)
class SchemeFolder:
    """The files of the scheme `test`, and what the loader says of them."""

    path: Path

    def replace(self, file: str, old: str, new: str) -> None:
        text = (self.path / file).read_text()
        assert old in text
        (self.path / file).write_text(text.replace(old, new, 1))

    def append(self, file: str, text: str) -> None:
        with (self.path / file).open("a") as opened:
            opened.write(text)

    def load(self) -> ParameterSet:
        return load_scheme(self.path)

    def faults(self) -> list[str]:
        with pytest.raises(InvalidScheme) as refusal:
            self.load()
        return refusal.value.faults


@pytest.fixture
def scheme(tmp_path: Path) -> SchemeFolder:
    folder = tmp_path / "schemes" / "test"
    folder.mkdir(parents=True)
    copyfile(REPOSITORY / "config" / "units.yaml", tmp_path / "units.yaml")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return SchemeFolder(folder)


@pytest.fixture
def written_parameter() -> Callable[..., str]:
    return parameter
