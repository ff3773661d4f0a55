"""The files of others that this repository carries: what they are, by which licence, and that nobody changed them."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parent / "static" / "vendor"


def packages() -> list[dict[str, Any]]:
    """Return the packages of `VENDOR.json`: name, version, licence, source, and the SHA-256 of each file."""
    listed = json.loads((VENDOR / "VENDOR.json").read_text(encoding="utf-8"))
    return list(listed["packages"])


def faults() -> Iterator[str]:
    """Yield a sentence for each file that differs from the list, is missing, or stands in no list."""
    for package in packages():
        directory = VENDOR / package["directory"]
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}
        for name in sorted(found.keys() | package["sha256"].keys()):
            if name not in found:
                yield f"{package['directory']}/{name} is missing."
            elif name not in package["sha256"]:
                yield f"{package['directory']}/{name} stands in no list."
            elif found[name] != package["sha256"][name]:
                yield f"{package['directory']}/{name} is not the file that was vendored."


def third_party_markdown() -> str:
    """Return `docs/THIRD_PARTY.md`."""
    lines = [
        "# Files of others in this repository",
        "",
        "Written by `make golden` from `ila/api/static/vendor/VENDOR.json`. Each directory holds the licence and the",
        "notices of its package; a test compares every file with its SHA-256. Packages that are installed rather than",
        "carried stand, with their hashes, in `requirements.lock`.",
        "",
        "| package | version | licence | source | what it is for |",
        "|---|---|---|---|---|",
    ]
    for package in packages():
        row = (package["name"], package["version"], package["license"], package["source"], package["shows"])
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, ""])
