"""What a started installation says: what was done, where to look, how to sign in and how to call the API."""

import json
from collections.abc import Mapping
from typing import Any

from ila.cli import output
from ila.settings import Settings

DEMO_TOKENS = "demo-tokens.json"
"""File in the data directory that `ila seed demo` writes last, mode 0600; shape: `demonstration`."""


def welcome(settings: Settings, *, database: str, schema: str, seconds: float) -> None:
    """Write it to standard output."""
    rows = [
        ("database", database),
        ("schema", schema),
        ("jobs", "closed for maintenance" if settings.maintenance else "scheduler and worker run"),
        ("web", f"{settings.base_url}, sign in with a token at {settings.base_url}/sign-in"),
        ("API", f"{settings.base_url}/api/v1, explained at {settings.base_url}/docs"),
    ]
    output.say(f"\nila runs; it was up in {seconds:.1f} s\n")
    for name, text in rows:
        output.say(f"  {name:<10}{text}")
    for line in demonstration(settings):
        output.say(line)
    output.say("\nCtrl-C stops everything.\n")


def demonstration(settings: Settings) -> list[str]:
    """Return the lines about the demonstration; none where it was not loaded.

    `demo-tokens.json` is `{"tokens": [{"who": "...", "role": "citizen", "token": "...", "reference": "..."}, ...]}`;
    `reference` is the account of a citizen's token.
    """
    path = settings.data_directory / DEMO_TOKENS
    if not path.exists():
        return []
    tokens: list[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["tokens"]
    lines = ["", f"To sign in or to call the API, use a token of the demonstration (they are in {path}):", ""]
    for token in tokens:
        lines.append(f"  {token['role']:<15}{token['token']}  {token['who']}")
    citizen = next((token for token in tokens if token.get("reference")), None)
    if citizen is not None:
        address = f"{settings.base_url}/api/v1/accounts/{citizen['reference']}/balance"
        lines += ["", f'  curl -H "Authorization: Bearer {citizen["token"]}" {address}']
    return lines
