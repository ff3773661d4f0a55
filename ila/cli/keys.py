"""The keys of an installation on one machine, made at its first start and kept in `<data directory>/keys`.

They are not in the database, so a copy of the database alone tells nothing about people; back both up, apart.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from ila.errors import Refused
from ila.settings import KEY_BYTES, KEY_FILES, InvalidSettings, Settings, variable


class KeysMissing(Refused):
    """The database was filled with keys that are no longer there."""

    code = "keys_missing"


def ensure_keys(settings: Settings) -> Mapping[str, str]:
    """Make the keys that are neither set nor there, each file with mode 0600; return variables that name the files.

    Raises `KeysMissing` where an embedded database exists without its keys, and `InvalidSettings` in production with
    a server of the operator's, whose keys are the operator's too.
    """
    directory = settings.data_directory / "keys"
    missing = [name for name in KEY_FILES if not getattr(settings, name)]
    absent = [name for name in missing if name != "secret_keys"]  # browsers sign in again: that key may be new
    if settings.env == "production" and not settings.is_embedded and missing:
        raise InvalidSettings([f"{variable(name)} is not set, and production needs it" for name in missing])
    if settings.is_embedded and absent and (settings.data_directory / "postgresql" / "PG_VERSION").exists():
        raise KeysMissing(
            f"The database in {settings.data_directory} was filled with keys that are missing in {directory} "
            f"({', '.join(absent)}); restore them from your backup, without them nobody can be found or named.",
            missing=absent,
        )
    if missing:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in missing:
        _write(directory / name, secrets.token_hex(KEY_BYTES))
    files = [name for name in KEY_FILES if name in missing or settings.origins[name].startswith("key file")]
    return {f"{variable(name)}_FILE": str(directory / name) for name in files}


def _write(path: Path, text: str) -> None:
    """Write a file that others cannot read, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
