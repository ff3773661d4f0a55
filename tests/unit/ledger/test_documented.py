"""`docs/ledger.md` names tests, passes and accounts that exist, and all of them."""

import re
from pathlib import Path

from ila.ledger import checks
from ila.ledger.chart import AccountKind

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)

    assert len(named) > 15
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"


def test_every_pass_is_explained_and_no_other():
    section = PAGE.split("## The check")[1].split("## Exports")[0]

    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [each.name for each in checks.PASSES]


def test_every_kind_of_account_is_explained_and_no_other():
    section = PAGE.split("## Accounts")[1].split("## What is booked when")[0]
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)

    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == {
        kind.name.lower() for kind in AccountKind
    }
