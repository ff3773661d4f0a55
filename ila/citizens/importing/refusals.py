"""The file of rows that did not land: the columns of the population file, the line and the reason."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from ila.citizens.importing.reading import BrokenLine, cells_of
from ila.citizens.importing.running import RefusedRow
from ila.citizens.importing.template import LINE, REASON, harmless
from ila.errors import Invalid


class RefusalFile:
    """Collects refused rows; the file appears under its name when the import ends, and only if a row was refused.

    It holds personal data, so only its owner may read it.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        self._columns = [name for name in columns if name not in (LINE, REASON)]
        self._places = [place for place, name in enumerate(columns) if name not in (LINE, REASON)]
        self._unfinished = path.with_name(path.name + ".part")
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()
            self._unfinished.replace(self.path)

    def add(self, row: RefusedRow) -> None:
        """Write a row; a row that cannot be divided into cells is written whole into the first."""
        if self._stream is None:
            self._stream = self._created()
            self._writer = csv.writer(self._stream, lineterminator="\n")
            self._writer.writerow([*self._columns, LINE, REASON])
        try:
            cells = cells_of(row.text)
            cells = [cells[place] if place < len(cells) else "" for place in self._places]
        except BrokenLine:
            cells = [row.text, *[""] * (len(self._columns) - 1)]
        self._writer.writerow([*(harmless(cell) for cell in cells), row.line_no, row.reason])
        self.count += 1

    def _created(self) -> TextIO:
        try:
            self._unfinished.touch(mode=0o600)
            self._unfinished.chmod(0o600)
            return self._unfinished.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise Invalid(
                f"The file of refused rows {self.path} cannot be written: {error.strerror}; name another one.",
                path=str(self.path),
            ) from None
