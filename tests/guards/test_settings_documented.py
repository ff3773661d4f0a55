"""Every setting stands in defaults.toml with its unit and meaning, and in the documentation."""

import re

import pytest

from ila import settings
from ila.cli.config import documented
from tests.guards.tracked import ROOT, texts

DOCUMENTED = {setting.name: setting for setting in documented()}


def test_defaults_list_every_setting_and_nothing_else() -> None:
    assert set(DOCUMENTED) == set(settings.NAMES)


@pytest.mark.parametrize("name", settings.NAMES)
def test_each_setting_has_a_unit_a_meaning_and_a_line_in_the_documentation(name: str) -> None:
    setting = DOCUMENTED[name]
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")

    assert len(setting.unit) >= 3
    assert len(setting.meaning.split()) >= 4
    assert setting.meaning.endswith(".")
    assert f"`ILA_{name.upper()}`" in page


@pytest.mark.parametrize("name", sorted(settings.SECRETS))
def test_each_secret_is_called_one_and_has_no_default(name: str) -> None:
    assert DOCUMENTED[name].meaning.startswith("Secret: ")
    assert DOCUMENTED[name].default in ('""', "[]")


def test_every_variable_that_a_page_or_a_module_names_exists() -> None:
    known = {settings.variable(name) for name in settings.NAMES} | set(settings.OTHER_VARIABLES)
    known |= {f"{settings.variable(name)}_FILE" for name in settings.SECRETS}
    strangers = {
        (str(path), name)
        for path, text in texts()
        if path.suffix in (".py", ".md", ".toml", ".sql") and path.parts[0] != "tests"
        for name in re.findall(r"\bILA_[A-Z][A-Z_]*[A-Z]\b", text)
        if name not in known and not name.startswith(settings.OTHER_PREFIXES)
    }

    assert strangers == set()


@pytest.mark.parametrize("name", settings.NAMES)
def test_each_setting_is_used_by_the_program(name: str) -> None:
    by_method = {"identity_pepper": "require_keys", "encryption_key": "require_keys"}
    name = by_method.get(name, name)
    used = re.compile(rf"\.{name}\b|{name!r}|\"{name}\"")
    places = [
        str(path)
        for path, text in texts()
        if path.parts[0] == "ila" and "settings" not in path.parts and used.search(text)
    ]

    assert places, f"{name} changes nothing"
