"""What the guards look at: the files of the project, as git tracks them or would."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file that is tracked, or new and not ignored; those deleted in the work tree are left out."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return tuple(path for name in listed if name and (path := ROOT / name).is_file())


def texts() -> list[tuple[Path, str]]:
    """Return the tracked files that are text, with their text."""
    found = []
    for path in tracked():
        try:
            found.append((path.relative_to(ROOT), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def modules(*folders: str) -> list[Path]:
    """Return the tracked Python files below the folders, relative to the root."""
    return [
        path.relative_to(ROOT)
        for path in tracked()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]
