"""The files that programs write and people or machines read: `make golden` writes them anew, a guard compares.

The difference is reviewed like any other change.
"""

import importlib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]

GENERATED: dict[str, str] = {
    "docs/THIRD_PARTY.md": "ila.api.vendored:third_party_markdown",
    "docs/openapi.json": "ila.api:openapi_text",
    "docs/settings.md": "ila.cli.config:markdown",
    "docs/scheme_parameters.md": "ila.schemes.catalogue:catalogue_markdown",
}
"""Each file, and the function that returns its whole text."""


def text_of(path: str) -> str:
    """Return what the file should hold."""
    module, _, name = GENERATED[path].partition(":")
    function: Callable[[], str] = getattr(importlib.import_module(module), name)
    return function()


def main() -> None:
    """Write every generated file that differs."""
    for path in GENERATED:
        file, text = ROOT / path, text_of(path)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"wrote {path}")


if __name__ == "__main__":
    main()
