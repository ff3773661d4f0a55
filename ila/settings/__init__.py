"""Settings: one frozen value from `config/defaults.toml`, the environment's own file and `ILA_*` variables.

Later sources go over earlier ones. An unknown name is refused wherever it stands, secrets are refused in files, and
all faults are reported at once, each with the place it comes from. This page alone knows where a setting was made.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from ila.errors import Invalid
from ila.settings.schema import ENVIRONMENTS, KEY_BYTES, SettingsSchema

__all__ = [
    "CONFIG_DIRECTORY",
    "KEY_BYTES",
    "KEY_FILES",
    "NAMES",
    "OTHER_VARIABLES",
    "ROOT",
    "SECRETS",
    "InvalidSettings",
    "Settings",
    "load",
    "variable",
]

ROOT = Path(__file__).resolve().parents[2]
CONFIG_DIRECTORY = ROOT / "config"
PREFIX = "ILA_"
KEY_FILES = ("identity_pepper", "encryption_key", "secret_keys")
"""Secrets that `ila serve` makes at the first start, as files of these names in `<data directory>/keys`.

They count where the database is the embedded one, and outside production also for an operator's server.
"""

OTHER_VARIABLES: Mapping[str, str] = {
    "ILA_TOKEN": "token of the caller, for the command line",
    "ILA_DEBUG": "1 shows where in the program an error arose",
    "ILA_PG_BIN": "directory of postgres and initdb, for the embedded database",
    "ILA_FAILPOINTS": "places where a process stops, for tests of crashes; refused in production",
}
"""Variables of the command line that are no settings."""
OTHER_PREFIXES = ("ILA_TEST_", "ILA_BENCH_")


class InvalidSettings(Invalid):
    """The settings cannot be used; fact `faults` lists one sentence each, with the place where it was set."""

    code = "invalid_settings"

    def __init__(self, faults: list[str]) -> None:
        listed = "".join(f"\n  - {fault}" for fault in faults)
        super().__init__(f"The settings cannot be used; correct these and start again:{listed}", faults=faults)


def secret() -> Any:
    """Return a field that is never printed and may stand in no file of the project."""
    return field(repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, typed and checked. Units and meanings: `config/defaults.toml`, `docs/settings.md`."""

    env: str
    service_name: str
    base_url: str
    data_directory: Path
    scheme_directory: Path
    maintenance: bool

    host: str
    port: int
    web_workers: int
    web_threads: int
    secret_keys: tuple[str, ...] = secret()

    database_url: str = secret()
    database_owner_url: str = secret()
    database_job_url: str = secret()
    database_direct_url: str = secret()
    database_pooler: str

    identity_pepper: bytes | None = secret()
    encryption_key: bytes | None = secret()

    allocation_workers: int
    allocation_slice_citizens: int
    import_batch_rows: int
    forecast_years: int
    scheduler_tick_seconds: int

    log_level: str
    log_format: str

    origins: Mapping[str, str] = field(repr=False, compare=False)
    """Where each setting was made, for people."""

    @property
    def is_embedded(self) -> bool:
        """True where the database is the embedded one of the data directory."""
        return not self.database_url

    def require_keys(self) -> tuple[bytes, bytes]:
        """Return pepper and encryption key of personal data; raises `InvalidSettings` where one is not set."""
        if self.identity_pepper is None or self.encryption_key is None:
            names = [name for name in ("identity_pepper", "encryption_key") if getattr(self, name) is None]
            raise InvalidSettings([f"{variable(name)} is not set, and personal data need it" for name in names])
        return self.identity_pepper, self.encryption_key


NAMES = tuple(setting.name for setting in fields(Settings) if setting.name != "origins")
SECRETS = frozenset(setting.name for setting in fields(Settings) if setting.metadata.get("secret"))


def load(environ: Mapping[str, str], config_directory: Path = CONFIG_DIRECTORY) -> Settings:
    """Return the settings that hold for this environment; raises `InvalidSettings` with every fault found."""
    faults: list[str] = []
    defaults = config_directory / "defaults.toml"
    values, origins = _from_file(defaults, faults, secrets_allowed_empty=True)
    for name in sorted(set(NAMES) - set(values)):
        faults.append(f"{name} is missing in config/defaults.toml")
    from_variables, variable_origins = _from_variables(environ, values, faults)

    env = from_variables.get("env", values.get("env"))
    if env in ENVIRONMENTS:
        own, own_origins = _from_file(config_directory / f"{env}.toml", faults)
        if own.pop("env", env) != env:
            faults.append(f"env in config/{env}.toml names another environment; take it out")
        values |= own
        origins |= own_origins
    values |= from_variables
    origins |= variable_origins
    for name in ("data_directory", "scheme_directory"):
        if isinstance(values.get(name), str) and values[name]:
            values[name] = str((Path.cwd() if name in from_variables else ROOT) / values[name])
    if not values.get("database_url") or env != "production":
        _add_key_files(Path(str(values.get("data_directory", ""))) / "keys", values, origins, faults)

    if env == "production" and environ.get("ILA_FAILPOINTS"):
        faults.append("ILA_FAILPOINTS stops processes on purpose and is for tests only; take it out of production")
    try:
        loaded = SettingsSchema().load(values)
    except ValidationError as error:
        faults += [_fault(name, values, origins, messages) for name, messages in _by_name(error).items()]
        raise InvalidSettings(faults) from None
    if faults:
        raise InvalidSettings(faults)
    if not loaded["base_url"]:
        loaded["base_url"] = f"http://{loaded['host']}:{loaded['port']}"
        origins["base_url"] = "host and port"
    return Settings(**loaded, origins=origins)


def _from_file(
    path: Path, faults: list[str], *, secrets_allowed_empty: bool = False
) -> tuple[dict[str, Any], dict[str, str]]:
    place = f"config/{path.name}"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSettings([f"{place} cannot be read ({error.strerror})"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings([f"{place} is not valid TOML: {error}"]) from None
    for name in list(values):
        if name not in NAMES:
            faults.append(f"{name} in {place} is no setting{_nearest(name, NAMES)}")
            del values[name]
        elif name in SECRETS and (values[name] or not secrets_allowed_empty):
            faults.append(f"{name} in {place} is a secret, which no file may hold; set {variable(name)} instead")
            del values[name]
    return values, dict.fromkeys(values, place)


def _from_variables(
    environ: Mapping[str, str], defaults: Mapping[str, Any], faults: list[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    known = {variable(name): name for name in NAMES} | {f"{variable(name)}_FILE": name for name in SECRETS}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for given in sorted(name for name in environ if name.startswith(PREFIX)):
        if given in OTHER_VARIABLES or given.startswith(OTHER_PREFIXES):
            continue
        name = known.get(given)
        if name is None:
            faults.append(f"{given} is no setting{_nearest(given, [*known, *OTHER_VARIABLES])}")
        elif name in values:
            faults.append(f"{variable(name)} and {variable(name)}_FILE are both set; keep one of them")
        elif given == variable(name):
            values[name] = _typed(environ[given], defaults.get(name))
            origins[name] = given
        else:
            text = _content(Path(environ[given]), given, faults)
            values[name] = _typed(text, defaults.get(name))
            origins[name] = f"{given} ({environ[given]})"
    return values, origins


def _typed(text: str, default: Any) -> Any:
    """Read a variable as the type its default has; what cannot be read so is left for the schema to refuse."""
    if isinstance(default, bool):
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if isinstance(default, int):
        return int(text) if text.removeprefix("-").isdecimal() else text
    if isinstance(default, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _add_key_files(directory: Path, values: dict[str, Any], origins: dict[str, str], faults: list[str]) -> None:
    for name in KEY_FILES:
        path = directory / name
        if not values.get(name) and path.exists():
            text = _content(path, "the key files", faults)
            values[name] = [text] if name == "secret_keys" else text
            origins[name] = f"key file {path}"


def _content(path: Path, place: str, faults: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        faults.append(f"{path}, named by {place}, cannot be read ({reason})")
        return ""


def _by_name(error: ValidationError) -> dict[str, Any]:
    """Return the messages of the schema, by setting; it never puts them in a list of its own."""
    assert isinstance(error.messages, dict)
    return error.messages


def _fault(name: str, values: Mapping[str, Any], origins: Mapping[str, str], messages: Any) -> str:
    listed = messages if isinstance(messages, list) else [text for part in messages.values() for text in part]
    given = "" if name in SECRETS else f" is {values.get(name)!r}"
    return f"{name}{given} (from {origins.get(name, 'nowhere')}): {' '.join(dict.fromkeys(listed))}"


def _nearest(name: str, known: Any) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else "; `ila config docs` lists them all"


def variable(name: str) -> str:
    """Return the variable of the environment that makes a setting."""
    return PREFIX + name.upper()
