"""What must be true of every file of the project, whatever it says."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.guards.tracked import ROOT, modules, texts, tracked

# The patterns are put together from parts, so that this file does not hold what it forbids.
REGISTRY_HOSTS = re.compile(
    "|".join([r"pypi\s*\.\s*org", "python" + r"hosted\.org", "registry" + r"\.(npmjs|yarnpkg)", "files" + r"\.python"])
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:" + "|".join(["wo" + "rk/(main|shared)", "ro" + "ot/", "ho" + "me/"]) + ")")
TALK = re.compile(r"\b(issue|pull request|ticket)s? #?\d+|[\s(]#\d+\b", re.IGNORECASE)

TOP_LEVEL = {
    *("ila", "config", "docs", "migrations", "tests"),
    *("wsgi.py", "Makefile", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"),
    *("requirements.lock", "requirements-demo.lock", "requirements-test.lock", "requirements-dev.lock"),
}
LONGEST_MODULE_LINES = 500
LOCKS = ("requirements.lock", "requirements-demo.lock", "requirements-test.lock", "requirements-dev.lock")


def found(pattern: re.Pattern[str], *, suffixes: tuple[str, ...] = ()) -> list[str]:
    """Return the places where a pattern occurs."""
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        if (not suffixes or path.suffix in suffixes) and "static" not in path.parts
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert found(REGISTRY_HOSTS) == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    assert found(MACHINE_PATHS) == []


def test_the_code_speaks_of_the_product_alone() -> None:
    assert found(TALK, suffixes=(".py", ".sql", ".toml", ".yaml")) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (REGISTRY_HOSTS, "see https://" + "pypi" + ".org/simple"),
        (MACHINE_PATHS, "path = '/" + "work/main/ila'"),
        (MACHINE_PATHS, "/" + "root/.cache"),
        (TALK, "as asked in issue " + "12"),
    ],
)
def test_the_patterns_find_what_they_are_meant_to_find(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_the_top_level_holds_only_what_the_layout_names() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}

    assert {name for name in names if not name.startswith(".")} - TOP_LEVEL == set()


def test_names_are_lower_case() -> None:
    spoken = {"README.md", "LICENSE", "CHANGELOG.md", "Makefile"}
    spoken |= {"SECURITY.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "THIRD_PARTY.md"}  # looked for by these names
    odd = [
        str(path)
        for path in (path.relative_to(ROOT) for path in tracked())
        if path.name not in spoken and "vendor" not in path.parts and str(path) != str(path).lower()
    ]

    assert odd == []


def test_no_module_is_longer_than_anybody_reads() -> None:
    long = [
        f"{path}: {lines}"
        for path in modules("ila", "migrations", "tests")
        if (lines := len((ROOT / path).read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE_LINES
    ]

    assert long == []


def test_there_is_no_drawer_for_the_rest() -> None:
    drawers = {"utils", "util", "common", "helpers", "misc", "base_service", "manager", "temporary"}

    assert [str(path) for path in modules("ila") if drawers.intersection((*path.parts, path.stem))] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_file_has_a_version_and_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())

    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+ ", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        assert "://" not in entry


@pytest.mark.parametrize(("smaller", "larger"), list(pairwise(LOCKS)))
def test_each_lock_file_contains_the_smaller_one(smaller: str, larger: str) -> None:
    versions = [
        set(re.findall(r"^[a-z0-9-]+==\S+", (ROOT / name).read_text(), re.MULTILINE)) for name in (smaller, larger)
    ]

    assert versions[0] - versions[1] == set()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["embedded"]]
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    for requirement in asked:
        name = re.split(r"[\[<>=]", requirement)[0]
        assert re.search(rf"^{re.escape(name)}==", locked, re.MULTILINE), f"{name} is not locked; run make lock"


def test_the_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    named = {
        (page.name, target)
        for page in pages
        if page.exists()
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert {(page, target) for page, target in named if target not in targets} == set()


def test_links_between_pages_lead_somewhere() -> None:
    dead = []
    for page in (path for path in tracked() if path.suffix == ".md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in link and not (page.parent / link).exists():
                dead.append(f"{page.relative_to(ROOT)}: {link}")

    assert dead == []


def test_secrets_and_data_are_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    assert {".venv/", ".data/", "build/", "uv.lock", "pylock.toml"} <= set(ignored)
    assert not [path for path in tracked() if path.suffix in (".key", ".pem") or Path(".data") in path.parents]
