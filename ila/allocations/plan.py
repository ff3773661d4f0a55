"""The plan of a run: what a preview shows, what an approval binds, what a start compares. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ila.money import decimal_from_minor
from ila.schemes.policy import AllocationPolicy

BINDING = (
    "scheme", "credit_code", "period", "reference_on", "effective_on", "fund", "kind", "parameter_digest", "citizens",
    "credited", "amount_minor", "lowered", "reasons", "needs", "checksum",
)  # fmt: skip
"""What an approval covers. The state of the fund and the comparison with last time are shown, not bound."""

NICE = (1, 2, 5)


def plan_digest(plan: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 over the binding parts of a plan, in canonical JSON."""
    binding = {name: plan[name] for name in BINDING}
    return hashlib.sha256(json.dumps(binding, sort_keys=True, separators=(",", ":")).encode()).digest()


def amount_of(plan: Mapping[str, Any], name: str) -> str:
    """Return an amount of a plan in its unit, for people.

    >>> amount_of({"unit": "EUR", "minor_units": 2, "amount_minor": 123456789}, "amount_minor")
    '1,234,567.89 EUR'
    """
    return amount_text(plan[name], plan["unit"], plan["minor_units"])


def amount_text(amount_minor: int, unit: str, minor_units: int) -> str:
    """Return minor units as an amount in their unit, for people.

    >>> amount_text(35, "hours", 0)
    '35 hours'
    """
    return f"{decimal_from_minor(amount_minor, minor_units):,} {unit}"


def plan_differences(approved: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Say in words where two plans differ.

    >>> plan_differences({"citizens": 10, "checksum": "1"}, {"citizens": 11, "checksum": "2"})
    ['citizens was 10, is now 11']
    """
    shown = [name for name in BINDING if name != "checksum" and approved.get(name) != found.get(name)]
    words = [f"{_word(name)} was {_short(name, approved)}, is now {_short(name, found)}" for name in shown]
    if not words and approved.get("checksum") != found.get("checksum"):
        words = ["the totals agree, but single amounts moved between people"]
    return words


def _word(name: str) -> str:
    return name.removesuffix("_minor").removesuffix("_on").replace("_", " ")


def _short(name: str, plan: Mapping[str, Any]) -> str:
    value = plan.get(name)
    if name == "amount_minor":
        return amount_of(plan, name)
    if isinstance(value, str) and len(value) == 64:
        return value[:16]
    if isinstance(value, dict):
        return ", ".join(f"{key} {_counted(count)}" for key, count in sorted(value.items())) or "nobody"
    return str(value)


def _counted(count: Any) -> Any:
    return count["citizens"] if isinstance(count, dict) else count


def histogram_step(policy: AllocationPolicy, steps: int) -> int:
    """Return a round width of the bars of a distribution: 1, 2 or 5 times a power of ten, about `steps` of them."""
    highest = max([policy.base_minor, *(need.amount_minor or 0 for need in policy.needs)])
    factors = [need.factor for need in policy.needs if need.factor is not None]
    if factors:
        highest = int(highest * (policy.weight_cap or sum(factors)))
    wanted = max(highest // steps, 1)
    power = int(10 ** (len(str(wanted)) - 1))
    return next(nice * power for nice in (*NICE, 10) if nice * power >= wanted)


def totals(rows: Iterable[Any], policy: AllocationPolicy, step_minor: int) -> dict[str, Any]:
    """Add up the grouped rows of `plan_rows`, of one stretch of citizens or of several; JSON values only."""
    total = _Counter()
    checksum = lowered = 0
    reasons: dict[str, int] = {}
    regions: dict[str, _Counter] = {}
    needs = {need.criterion: _Counter() for need in policy.needs}
    without = _Counter()
    bars: dict[int, _Counter] = {}
    for row in rows:
        match row.grouping:
            case "total":
                total.add(row)
                checksum += int(row.checksum)
                lowered += row.lowered
            case "reason" if row.citizens > row.credited:
                reasons[row.key] = reasons.get(row.key, 0) + row.citizens - row.credited
            case "region" if row.key:
                regions.setdefault(row.key, _Counter()).add(row)
            case "needs":
                held = [need for bit, need in enumerate(policy.needs) if int(row.key) >> bit & 1]
                for group in [needs[need.criterion] for need in held] or [without]:
                    group.add(row)
            case "histogram" if row.key is not None:
                bars.setdefault(int(row.key), _Counter()).add(row)
    return {
        **total.shown(),
        "lowered": lowered,
        "checksum": str(checksum),
        "reasons": dict(sorted(reasons.items())),
        "regions": {region: counter.shown() for region, counter in sorted(regions.items())},
        "needs": {criterion: counter.shown() for criterion, counter in needs.items()},
        "without_need": without.shown(),
        "histogram_step_minor": step_minor,
        "histogram": [
            {"from_minor": key * step_minor, "credited": counter.credited, "amount_minor": counter.amount_minor}
            for key, counter in sorted(bars.items())
        ],
    }


@dataclass(slots=True)
class _Counter:
    """What a group of citizens comes to."""

    citizens: int = 0
    credited: int = 0
    amount_minor: int = 0

    def add(self, row: Any) -> None:
        self.citizens += row.citizens
        self.credited += row.credited
        self.amount_minor += row.amount_minor

    def shown(self) -> dict[str, int]:
        return {"citizens": self.citizens, "credited": self.credited, "amount_minor": self.amount_minor}
