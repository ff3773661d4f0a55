"""Progress of long work on standard error: a bar on a terminal, otherwise a plain line every few seconds.

Both say the same: how many of how many, how fast, how long still.
"""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

LINE_EVERY_S = 5.0


class Progress:
    """Count units of work: `with Progress("importing", total=rows, unit="rows") as progress: progress.advance(500)`.

    `total` may be unknown (None) and may be set later. On leaving, one last line says what was done.
    """

    def __init__(self, label: str, total: int | None = None, unit: str = "") -> None:
        self.label = label
        self.total = total
        self.unit = unit
        self.done = 0
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._started = self._last_line = 0.0

    def __enter__(self) -> Self:
        self._started = self._last_line = time.monotonic()
        if sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task(self.label, total=self.total, unit=self.unit, rate="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._show()
            self._bar.stop()
        elif kind is None:
            self._write(f"{self.sentence()} in {_duration(self._elapsed())}")

    def advance(self, count: int = 1) -> None:
        """Add units that are done."""
        self.update(self.done + count)

    def update(self, done: int, *, total: int | None = None, label: str | None = None) -> None:
        """Say how many units are done in all; `total` and `label` may change on the way."""
        self.done = done
        self.total = self.total if total is None else total
        self.label = self.label if label is None else label
        if self._bar is not None:
            self._show()
        elif time.monotonic() - self._last_line >= LINE_EVERY_S:
            self._last_line = time.monotonic()
            left = self.left_s()
            self._write(self.sentence() + ("" if left is None else f", {_duration(left)} left"))

    def rate(self) -> int:
        """Return units per second since the start, whole."""
        elapsed = self._elapsed()
        return int(self.done / elapsed) if elapsed > 0 else 0

    def left_s(self) -> float | None:
        """Return the seconds left at the present rate; None where that is not known."""
        if self.total is None or not self.done:
            return None
        return max(self.total - self.done, 0) * self._elapsed() / self.done

    def sentence(self) -> str:
        """Return count and rate in words."""
        unit = f" {self.unit}" if self.unit else ""
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.label}: {self.done:,}{of}{unit}, {self.rate():,}{unit}/s"

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _show(self) -> None:
        assert self._bar is not None
        assert self._task is not None
        unit = f" {self.unit}" if self.unit else ""
        self._bar.update(
            self._task, completed=self.done, total=self.total, description=self.label, rate=f"{self.rate():,}{unit}/s"
        )

    def _write(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


def _bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]} {task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        expand=True,
    )


def _duration(seconds: float) -> str:
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
