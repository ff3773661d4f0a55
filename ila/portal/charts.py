"""The balance over time as SVG: what was, as a line with an area; what may be, dashed. No style and no script inside.

Colours are classes of the style sheet, so that the chart follows the dark scheme. Labels are words, not colours alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape

TICKS = 4
NICE = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Point:
    """The balance from a day on, in minor units."""

    on: date
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a chart and of its margins, in pixels; the style sheet shows the one that fits by its name."""

    name: str
    width: int
    height: int
    left: int = 70
    right: int = 14
    top: int = 26
    bottom: int = 30


WIDE = Frame("wide-chart", 660, 250)
NARROW = Frame("narrow-chart", 340, 230, left=58)


def balance_chart(
    past: Sequence[Point],
    future: Sequence[Point],
    *,
    today: date,
    label: str,
    amount: Callable[[int], str],
    day: Callable[[date], str],
    frame: Frame,
) -> Markup:
    """Draw a step line of the past and a dashed one of the forecast. `label` says in a sentence what it shows."""
    first, last = past[0].on, max([today, *(point.on for point in future)])
    highest = max(point.balance_minor for point in [*past, *future])
    step = _step(highest)
    top_minor = max(step * -(-highest // step), step)
    span = max((last - first).days, 1)
    inner_width = frame.width - frame.left - frame.right
    inner_height = frame.height - frame.top - frame.bottom

    def x(on: date) -> str:
        return _pixel(frame.left + inner_width * (on - first).days / span)

    def y(balance_minor: int) -> str:
        return _pixel(frame.top + inner_height * (top_minor - balance_minor) / top_minor)

    base = _pixel(frame.top + inner_height)
    right, above = frame.width - frame.right, frame.top - 10
    size = f'viewBox="0 0 {frame.width} {frame.height}" width="{frame.width}" height="{frame.height}"'
    parts = [
        f'<svg class="chart {frame.name}" role="img" aria-label="{escape(label)}" {size} xmlns="http://www.w3.org/2000/svg">'
    ]
    for tick in range(0, top_minor + 1, step):
        parts.append(_line("grid", frame.left, right, y(tick), y(tick)))
        parts.append(_text("axis", frame.left - 8, y(tick), amount(tick), anchor="end", dy=4))
    for on in _years(first, last, at_most=max(inner_width // 70, 2)):
        at_edge = (last - on).days * inner_width < 20 * span
        parts.append(_text("axis", x(on), frame.height - 8, day(on), anchor="end" if at_edge else "middle"))
    path = _path(_steps(past, today), x, y)
    parts.append(f'<path class="area" d="{path}V{base}H{x(first)}Z"/>')
    parts.append(f'<path class="past" d="{path}"/>')
    if future:
        ahead = _path(_steps([Point(today, past[-1].balance_minor), *future], last), x, y)
        parts.append(f'<path class="future" d="{ahead}"/>')
        parts.append(_line("today", x(today), x(today), frame.top - 8, base))
        near_end = (today - first).days > span * 3 // 4
        anchor, shift = ("end", -6) if near_end else ("start", 6)
        parts.append(_text("axis", x(today), above, "Today", anchor=anchor, dx=shift))
        parts.append(_text("future-word", right, above, "Forecast", anchor="end"))
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704  built from numbers and escaped words


def _line(name: str, x1: object, x2: object, y1: object, y2: object) -> str:
    return f'<line class="{name}" x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}"/>'


def _text(name: str, x: object, y: object, words: str, *, anchor: str, dx: int = 0, dy: int = 0) -> str:
    place = f'x="{x}" y="{y}" dx="{dx}" dy="{dy}" text-anchor="{anchor}"'
    return f'<text class="{name}" {place}>{escape(words)}</text>'


def _step(highest: int) -> int:
    """Return a round distance of the lines of the grid, so that there are at most `TICKS` of them above zero."""
    wanted = max(-(-highest // TICKS), 1)
    power: int = 10 ** (len(str(wanted)) - 1)
    return next(nice * power for nice in NICE if nice * power >= wanted)


def _years(first: date, last: date, *, at_most: int) -> list[date]:
    years = [date(year, 1, 1) for year in range(first.year + 1, last.year + 1)]
    every = max(-(-len(years) // at_most), 1)
    return years[::every] or [last]


def _steps(points: Sequence[Point], until: date) -> list[Point]:
    return [*points, Point(max(until, points[-1].on), points[-1].balance_minor)]


def _path(points: Sequence[Point], x: Callable[[date], str], y: Callable[[int], str]) -> str:
    start = points[0]
    return f"M{x(start.on)},{y(start.balance_minor)}" + "".join(
        f"H{x(point.on)}V{y(point.balance_minor)}" for point in points[1:]
    )


def _pixel(value: float) -> str:
    return f"{value:.1f}"


def share_widths(parts: Sequence[int], width: int, gap: int) -> list[int]:
    """Split a bar of `width` pixels among the parts that are not zero; each gets at least one gap's width.

    >>> share_widths([75, 25, 0], 103, 3)
    [75, 25, 0]
    """
    shown = sum(1 for part in parts if part)
    room = width - gap * max(shown - 1, 0)
    total = sum(parts)
    return [max(room * part // total, gap) if part else 0 for part in parts]
