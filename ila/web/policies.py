"""The policies of the schemes as the files in `config/schemes` say them, read again when a file has changed."""

import threading
from pathlib import Path

from ila.errors import NotFound
from ila.schemes import loader
from ila.schemes.parameters import ParameterSet
from ila.web.guard import settings

_lock = threading.Lock()
_read: dict[Path, tuple[tuple[tuple[str, int], ...], ParameterSet]] = {}


class NoSuchPolicy(NotFound):
    """No scheme of this code is in the scheme directory."""

    code = "no_such_scheme"


def policies() -> list[ParameterSet]:
    """Return the parameter set of every scheme, by code; raises `InvalidScheme` where the files cannot be used."""
    directory = settings().scheme_directory
    folders = sorted(path for path in directory.iterdir() if (path / loader.SCHEME_FILE).is_file())
    return [_policy(folder) for folder in folders]


def policy_of(code: str) -> ParameterSet:
    """Return the parameter set of one scheme; raises `NoSuchPolicy` with the codes there are."""
    found = {parameters.code: parameters for parameters in policies()}
    if code not in found:
        raise NoSuchPolicy(f"There is no scheme {code!r}; there are {', '.join(found)}.", code=code)
    return found[code]


def _policy(folder: Path) -> ParameterSet:
    state = tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.iterdir()) if path.is_file())
    with _lock:
        known = _read.get(folder)
        if known is None or known[0] != state:
            known = _read[folder] = (state, loader.load_scheme(folder))
        return known[1]
