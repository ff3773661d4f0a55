"""What the guide for policy staff shows is what the loader takes."""

import re
from pathlib import Path
from typing import Any

from ila.schemes.cases import load_cases, run_case
from ila.schemes.loader import load_all

REPOSITORY = Path(__file__).parents[3]
GUIDE = (REPOSITORY / "docs" / "schemes.md").read_text(encoding="utf-8")


def examples() -> dict[str, str]:
    """Return the YAML blocks of the guide by the file that their first line names."""
    blocks = re.findall(r"```yaml\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL)
    return dict(blocks)


def test_the_examples_of_the_guide_make_a_scheme_whose_case_holds(scheme: Any) -> None:
    shown = examples()
    entitlement = (scheme.path / "entitlement.yaml").read_text()
    before, _, after = entitlement.partition("base_amount:")
    rest = after[after.index("prorata_mode:") :]
    (scheme.path / "entitlement.yaml").write_text(before + shown["entitlement.yaml"] + rest)
    (scheme.path / "need_weights.yaml").write_text(shown["need_weights.yaml"])
    (scheme.path / "cases").mkdir()
    (scheme.path / "cases" / "example.yaml").write_text(shown["cases/example.yaml"])

    parameter_set = scheme.load()

    [case] = load_cases(scheme.path, parameter_set)
    assert run_case(parameter_set, case) == []


def test_the_guide_lists_every_scheme_that_is_shipped() -> None:
    for parameter_set in load_all(REPOSITORY / "config" / "schemes"):
        assert f"| `{parameter_set.code}` |" in GUIDE
