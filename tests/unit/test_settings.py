"""Where settings come from, what is refused, and that every fault is told with its place."""

import base64
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from ila import settings
from ila.settings import InvalidSettings, Settings

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))


def load(tmp_path: Path, environ: Mapping[str, str]) -> Settings:
    """Load with a data directory of the test's own, so that no key file of a developer is found."""
    return settings.load({"ILA_DATA_DIRECTORY": str(tmp_path), **environ})


def faults(tmp_path: Path, environ: Mapping[str, str]) -> list[str]:
    with pytest.raises(InvalidSettings) as refused:
        load(tmp_path, environ)
    found = refused.value.facts["faults"]
    assert isinstance(found, list)
    return found


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the configuration that a test may spoil."""
    copy = tmp_path / "config"
    copy.mkdir()
    for file in settings.CONFIG_DIRECTORY.glob("*.toml"):
        shutil.copy(file, copy)
    return copy


def test_a_variable_goes_over_the_file_of_the_environment_which_goes_over_the_defaults(tmp_path: Path) -> None:
    plain = load(tmp_path, {})
    test = load(tmp_path, {"ILA_ENV": "test"})
    told = load(tmp_path, {"ILA_ENV": "test", "ILA_WEB_WORKERS": "7"})

    assert (plain.web_workers, test.web_workers, told.web_workers) == (2, 1, 7)
    assert plain.origins["web_workers"] == "config/defaults.toml"
    assert test.origins["web_workers"] == "config/test.toml"
    assert told.origins["web_workers"] == "ILA_WEB_WORKERS"


@pytest.mark.parametrize("env", ["development", "test", "demo"])
def test_each_environment_can_be_used_as_it_is(tmp_path: Path, env: str) -> None:
    assert load(tmp_path, {"ILA_ENV": env}).env == env


def test_production_needs_an_encrypted_address(tmp_path: Path) -> None:
    found = faults(tmp_path, {"ILA_ENV": "production"})

    assert found == ["base_url is '' (from config/defaults.toml): Must be set and begin with https:// in production."]
    assert load(tmp_path, {"ILA_ENV": "production", "ILA_BASE_URL": "https://ila.example"}).env == "production"


def test_all_faults_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        {
            "ILA_PORT": "80000",
            "ILA_WEB_WORKERS": "two",
            "ILA_LOG_LEVEL": "loud",
            "ILA_PROT": "1",
            "ILA_MAINTENANCE": "perhaps",
            "ILA_DATABASE_URL": "mysql://here",
        },
    )

    assert len(found) == 6
    for place in ("ILA_PORT", "ILA_WEB_WORKERS", "ILA_LOG_LEVEL", "ILA_PROT", "ILA_MAINTENANCE", "ILA_DATABASE_URL"):
        assert any(place in fault for fault in found), place


def test_an_unknown_variable_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    assert faults(tmp_path, {"ILA_WEB_THREAD": "2"}) == ["ILA_WEB_THREAD is no setting; did you mean ILA_WEB_THREADS?"]


def test_variables_of_tests_and_of_the_command_line_are_let_through(tmp_path: Path) -> None:
    load(tmp_path, {"ILA_TOKEN": "x", "ILA_DEBUG": "1", "ILA_TEST_CITUS_URL": "y", "ILA_BENCH_CITIZENS": "5"})


def test_an_unknown_key_in_a_file_is_refused_with_the_nearest_known_one(config: Path) -> None:
    (config / "development.toml").write_text("prot = 1\n")

    with pytest.raises(InvalidSettings, match=r"prot in config/development\.toml is no setting; did you mean port\?"):
        settings.load({}, config)


def test_a_secret_in_a_file_is_refused_and_not_repeated(config: Path) -> None:
    (config / "development.toml").write_text('database_url = "postgresql://ila:hunter2@db/ila"\n')

    with pytest.raises(InvalidSettings, match="database_url in config/development.toml is a secret") as refused:
        settings.load({}, config)

    assert "hunter2" not in refused.value.message


def test_a_setting_missing_from_the_defaults_is_a_fault(config: Path) -> None:
    defaults = config / "defaults.toml"
    defaults.write_text(defaults.read_text().replace("port = 8000", "#"))

    with pytest.raises(InvalidSettings, match="port is missing in config/defaults.toml"):
        settings.load({}, config)


@pytest.mark.parametrize("spoilt", ["port = ", 'port = "8000"', "port = 80.5", "port = true"])
def test_a_file_that_is_no_toml_or_of_another_type_is_refused(config: Path, spoilt: str) -> None:
    (config / "development.toml").write_text(f"{spoilt}\n")

    with pytest.raises(InvalidSettings, match="config/development.toml"):
        settings.load({}, config)


@pytest.mark.parametrize(
    "text", [KEY.hex(), base64.b64encode(KEY).decode(), base64.urlsafe_b64encode(KEY).decode().rstrip("=")]
)
def test_a_key_may_be_hexadecimal_or_base64(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, {"ILA_ENCRYPTION_KEY": text}).encryption_key == KEY


@pytest.mark.parametrize("text", ["secret", KEY.hex()[:-2], base64.b64encode(KEY + b"x").decode(), "é" * 64])
def test_a_key_of_another_length_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    (found,) = faults(tmp_path, {"ILA_IDENTITY_PEPPER": text})

    assert (
        found == "identity_pepper (from ILA_IDENTITY_PEPPER): Must be 32 bytes, as base64 or as 64 hexadecimal digits."
    )


def test_pepper_and_encryption_key_must_differ(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, {"ILA_IDENTITY_PEPPER": KEY.hex(), "ILA_ENCRYPTION_KEY": KEY.hex()})

    assert "Must differ from identity_pepper" in found


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "pepper"
    file.write_text(f"{KEY.hex()}\n")

    loaded = load(tmp_path, {"ILA_IDENTITY_PEPPER_FILE": str(file)})

    assert loaded.identity_pepper == KEY
    assert loaded.origins["identity_pepper"] == f"ILA_IDENTITY_PEPPER_FILE ({file})"


def test_a_secret_given_twice_or_in_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    twice = faults(tmp_path, {"ILA_IDENTITY_PEPPER": KEY.hex(), "ILA_IDENTITY_PEPPER_FILE": "/nowhere"})
    absent = faults(tmp_path, {"ILA_IDENTITY_PEPPER_FILE": str(tmp_path / "absent")})

    assert twice == ["ILA_IDENTITY_PEPPER and ILA_IDENTITY_PEPPER_FILE are both set; keep one of them"]
    assert "cannot be read (No such file or directory)" in absent[0]


def test_key_files_of_the_data_directory_count_for_the_embedded_database(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "identity_pepper").write_text(KEY.hex())
    (tmp_path / "keys" / "encryption_key").write_text(OTHER_KEY.hex())

    embedded = load(tmp_path, {})
    elsewhere = load(
        tmp_path,
        {"ILA_ENV": "production", "ILA_BASE_URL": "https://ila.example", "ILA_DATABASE_URL": "postgresql://db/ila"},
    )

    assert embedded.require_keys() == (KEY, OTHER_KEY)
    assert elsewhere.identity_pepper is None
    with pytest.raises(InvalidSettings, match="ILA_IDENTITY_PEPPER is not set, and personal data need it"):
        elsewhere.require_keys()


def test_secrets_are_never_printed(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"ILA_ENCRYPTION_KEY": KEY.hex(), "ILA_DATABASE_URL": "postgresql://ila:hunter2@db/ila"})

    assert "hunter2" not in repr(loaded)
    assert repr(KEY) not in repr(loaded)


def test_the_first_key_signs_and_short_ones_are_refused(tmp_path: Path) -> None:
    loaded = load(tmp_path, {"ILA_SECRET_KEYS": f"{'a' * 32}, {'b' * 40}"})

    assert loaded.secret_keys == ("a" * 32, "b" * 40)
    assert "Shorter than minimum length 32." in faults(tmp_path, {"ILA_SECRET_KEYS": "short"})[0]


def test_addresses_for_single_roles_need_the_address_of_the_database(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, {"ILA_DATABASE_OWNER_URL": "postgresql://owner@db/ila"})

    assert "Needs database_url to be set as well." in found


def test_relative_paths_start_where_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert settings.load({}).data_directory == settings.ROOT / ".data"
    assert settings.load({"ILA_DATA_DIRECTORY": "here"}).data_directory == tmp_path / "here"


def test_failpoints_are_refused_in_production(tmp_path: Path) -> None:
    found = faults(
        tmp_path, {"ILA_ENV": "production", "ILA_BASE_URL": "https://ila.example", "ILA_FAILPOINTS": "x=exit"}
    )

    assert "ILA_FAILPOINTS" in found[0]
