"""Rows of a benchmark: a figure, its yardstick, their ratio, and the goal; medians, with every repetition kept."""

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure; `ratio` is the median of value / yardstick, `goal` a bound on it or on the value."""

    name: str
    value: float
    unit: str
    yardstick: float | None
    yardstick_name: str
    ratio: float | None
    goal: str
    met: bool | None
    repetitions: Sequence[dict[str, float]] = field(default_factory=tuple)
    note: str = ""


def paired(
    name: str,
    unit: str,
    yardstick_name: str,
    pairs: Sequence[tuple[float, float]],
    *,
    goal_ratio: float | None = None,
    goal_value: float | None = None,
    note: str = "",
) -> Row:
    """Make a row of (value, yardstick) pairs, where larger is better for both."""
    value = statistics.median(pair[0] for pair in pairs)
    yardstick = statistics.median(pair[1] for pair in pairs)
    ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
    goals, met = [], True
    if goal_ratio is not None:
        goals.append(f"ratio >= {goal_ratio:g}")
        met &= ratio >= goal_ratio
    if goal_value is not None:
        goals.append(f">= {goal_value:,.0f} {unit}")
        met &= value >= goal_value
    return Row(
        name=name,
        value=value,
        unit=unit,
        yardstick=yardstick,
        yardstick_name=yardstick_name,
        ratio=ratio,
        goal=" and ".join(goals) or "none",
        met=met if goals else None,
        repetitions=[{"value": pair[0], "yardstick": pair[1]} for pair in pairs],
        note=note,
    )


def machine(server_version: str, settings: dict[str, str]) -> dict[str, Any]:
    """Describe the machine, its load before the run, and the server's settings that matter."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _first_line_value(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": server_version,
        "load_before": os.getloadavg()[0],
        "settings": settings,
    }


def _first_line_value(path: Path, key: str) -> str | None:
    if not path.exists():
        return None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return line.split(":", 1)[1].strip()
    return None


def report(rows: Sequence[Row], described: dict[str, Any], target: Path, *, console: Console) -> None:
    """Print the table and write the JSON with every repetition."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"machine": described, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
    console.print(
        f"{described['processor']}, {described['cpus']} processors, {described['memory_gib']} GiB, "
        f"PostgreSQL {described['postgresql']}, load before {described['load_before']:.2f}"
    )
    console.print(", ".join(f"{name}={value}" for name, value in described["settings"].items()), style="dim")
    table = Table(title=f"Medians of {REPETITIONS}", title_justify="left")
    for heading, justify in (("what", "left"), ("value", "right"), ("yardstick", "right"), ("ratio", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    table.add_column("goal")
    table.add_column("met")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.value:,.0f} {row.unit}",
            f"{row.yardstick:,.0f} ({row.yardstick_name})" if row.yardstick is not None else "-",
            f"{row.ratio:.2f}" if row.ratio is not None else "-",
            row.goal,
            {True: "yes", False: "not yet", None: "-"}[row.met],
        )
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.name}: {row.note}", style="dim")
    console.print(f"Every repetition stands in {target}.", style="dim")


Measure = Callable[..., Sequence[Row]]
