"""The plan of a run: what a preview shows, what an approval binds, what a start compares. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
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
    """Turn the grouped rows of `plan_rows` into the counted part of a plan; JSON values only."""
    total: dict[str, Any] = {"citizens": 0, "credited": 0, "amount_minor": 0, "lowered": 0, "checksum": "0"}
    reasons: dict[str, int] = {}
    regions: dict[str, dict[str, int]] = {}
    needs = {need.criterion: {"citizens": 0, "credited": 0, "amount_minor": 0} for need in policy.needs}
    without = {"citizens": 0, "credited": 0, "amount_minor": 0}
    histogram: list[dict[str, int]] = []
    for row in rows:
        counts = {"citizens": row.citizens, "credited": row.credited, "amount_minor": row.amount_minor}
        match row.grouping:
            case "total":
                total = {**counts, "lowered": row.lowered, "checksum": row.checksum}
            case "reason" if row.citizens > row.credited:
                reasons[row.key] = row.citizens - row.credited
            case "region" if row.key:
                regions[row.key] = counts
            case "needs":
                held = [need for bit, need in enumerate(policy.needs) if int(row.key) >> bit & 1]
                for group in [needs[need.criterion] for need in held] or [without]:
                    for name, count in counts.items():
                        group[name] += count
            case "histogram" if row.key is not None:
                histogram.append(
                    {
                        "from_minor": int(row.key) * step_minor,
                        "credited": row.credited,
                        "amount_minor": row.amount_minor,
                    }
                )
    return {
        **total,
        "reasons": dict(sorted(reasons.items())),
        "regions": dict(sorted(regions.items())),
        "needs": needs,
        "without_need": without,
        "histogram_step_minor": step_minor,
        "histogram": sorted(histogram, key=lambda bar: bar["from_minor"]),
    }
