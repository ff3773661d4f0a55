"""House rules of the code that imports cannot show, read from the syntax tree of every module."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ila import VERSION
from tests.guards.tracked import ROOT, modules

EDGES = ("cli", "api", "portal", "scheduling", "web")
FEATURES = (
    "ledger",
    "schemes",
    "citizens",
    "registry",
    "allocations",
    "redemptions",
    "payouts",
    "credentials",
    "seals",
)
CLOCK = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
CLOCK_EDGES = (*EDGES, "app.py")

ILA = [path for path in modules("ila") if (ROOT / path).stat().st_size]


def part(path: Path) -> str:
    """Return the first name below `ila/`: a package or a module."""
    return path.parts[1]


def tree(source: str) -> ast.Module:
    return ast.parse(source)


def calls(source: str) -> Iterator[tuple[ast.Call, str, str]]:
    """Yield each call of an attribute, as (call, name before the dot, name after it)."""
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            before = node.func.value
            name = (
                before.id if isinstance(before, ast.Name) else before.attr if isinstance(before, ast.Attribute) else ""
            )
            yield node, name, node.func.attr


def commits(source: str) -> list[int]:
    return [call.lineno for call, _, name in calls(source) if name in ("commit", "rollback")]


def transactions(source: str) -> list[int]:
    """Lines that open a transaction: `sessions.begin(`, `sessions()`, `read_sessions()`, `attempt(`."""
    opened = [call.lineno for call, before, name in calls(source) if name == "begin" and before.endswith("sessions")]
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("sessions", "read_sessions") and not node.args and not node.keywords:
                opened.append(node.lineno)
    return opened


def clock_readings(source: str) -> list[int]:
    return [call.lineno for call, before, name in calls(source) if (before, name) in CLOCK]


def edge_clock_readings(source: str) -> list[int]:
    """Lines that ask `ila.clock` what time it is."""
    return [call.lineno for call, before, name in calls(source) if before == "clock" and name in ("now", "today")]


def prints(source: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def floats(source: str) -> list[int]:
    """Lines with a float literal, `float(...)` or `round(...)`; a time-out may be one, money never."""
    found = []
    whole = tree(source)
    time_outs = {id(node.value) for node in ast.walk(whole) if isinstance(node, ast.keyword) and node.arg == "timeout"}
    for node in ast.walk(whole):
        if id(node) in time_outs:
            continue
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("float", "round")
        if is_literal or is_call:
            assert isinstance(node, ast.Constant | ast.Call)
            found.append(node.lineno)
    return found


RULES: dict[str, tuple[Callable[[str], list[int]], Callable[[Path], bool], str]] = {
    "a commit ends a transaction below an edge": (commits, lambda path: part(path) != "db", "session.commit()"),
    "a transaction is opened below an edge": (
        transactions,
        lambda path: part(path) not in ("db", "app.py", *EDGES),
        "with sessions.begin() as session: pass",
    ),
    "the clock is read outside ila.clock": (clock_readings, lambda path: part(path) != "clock.py", "datetime.now(UTC)"),
    "the time is asked for below an edge": (
        edge_clock_readings,
        lambda path: part(path) not in CLOCK_EDGES,
        "clock.today('UTC')",
    ),
    "print is used outside the command line": (prints, lambda path: part(path) != "cli", "print('balance')"),
    "a float comes near money": (floats, lambda path: part(path) in (*FEATURES, "money.py"), "amount = 0.5"),
}


@pytest.mark.parametrize("rule", RULES)
def test_house_rule(rule: str) -> None:
    look, applies, _ = RULES[rule]

    broken = [
        f"{path}:{line}" for path in ILA if applies(path) for line in look((ROOT / path).read_text(encoding="utf-8"))
    ]

    assert broken == [], rule


@pytest.mark.parametrize("rule", RULES)
def test_house_rule_sees_what_breaks_it(rule: str) -> None:
    look, _, planted = RULES[rule]

    assert look(planted) == [1]


@pytest.mark.parametrize("path", modules("ila", "migrations"), ids=str)
def test_every_module_says_in_a_sentence_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(tree((ROOT / path).read_text(encoding="utf-8")))

    assert docstring, f"{path} has no docstring"
    assert docstring.split() != ["placeholder"], f"{path} says nothing"
    assert len(docstring.split()) >= 3, f"{path} says too little: {docstring}"


def test_the_map_of_packages_names_every_package() -> None:
    text = ast.get_docstring(tree((ROOT / "ila/__init__.py").read_text(encoding="utf-8"))) or ""
    packages = {path.parts[1] for path in modules("ila") if len(path.parts) > 2}

    assert {name for name in packages if name not in text} == set()


def test_the_version_is_the_same_everywhere() -> None:
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
