"""Lines of a population file, plain or gzip, read within bounds: a file is looked through before any row of it lands.

A cell holds no line break, so each physical line is one row, and a quotation mark left open spoils that row alone.
"""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ila.citizens.importing.template import UnreadableFile, checked_header

LONGEST_LINE_BYTES = 1_000_000

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


class BrokenLine(ValueError):
    """A line that cannot be divided into cells. `column_no` counts from 0."""

    def __init__(self, column_no: int, reason: str) -> None:
        super().__init__(reason)
        self.column_no = column_no
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file holds, found by reading it once from end to end."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    sha256: bytes


def inspected(path: Path) -> Inspection:
    """Read a file once, as far as faults of the whole file go; raises `UnreadableFile` with line and what to do."""
    digest = hashlib.sha256()
    columns: tuple[str, ...] | None = None
    rows = 0
    for line_no, line in numbered_lines(path):
        digest.update(line)
        text = decoded(path, line_no, line)
        if columns is None:
            columns = checked_header(cells_of_header(path, text), path)
        elif text:
            rows += 1
    if columns is None:
        raise UnreadableFile(f"{path} is empty; it needs a header and one line for each person.")
    if not rows:
        raise UnreadableFile(f"{path} has a header and no rows; it needs one line for each person.")
    return Inspection(path, columns, rows, digest.digest())


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers, the first is 1; never holds more than one of bounded length."""
    line_no = 0
    with _opened(path) as stream:
        while True:
            try:
                line = stream.readline(LONGEST_LINE_BYTES + 1)
            except EOFError:
                raise UnreadableFile(
                    f"{path} is cut off after line {line_no}: the compressed data end too early; transfer it again.",
                    line=line_no,
                ) from None
            except (gzip.BadGzipFile, zlib.error):
                raise UnreadableFile(
                    f"{path} is damaged after line {line_no}: it cannot be decompressed; transfer it again.",
                    line=line_no,
                ) from None
            except OSError as error:
                raise _unreadable(path, error) from None
            if not line:
                return
            line_no += 1
            if len(line) > LONGEST_LINE_BYTES:
                raise UnreadableFile(
                    f"{path}, line {line_no}: the line is longer than {LONGEST_LINE_BYTES:,} bytes; end each row with a"
                    " line break (LF or CRLF).",
                    line=line_no,
                )
            yield line_no, line


def decoded(path: Path, line_no: int, line: bytes) -> str:
    """Return the text of a line without its end; raises `UnreadableFile` where it is not UTF-8 or holds a NUL."""
    if line_no == 1:
        if line.startswith(_UTF16):
            raise UnreadableFile(f"{path} is encoded in UTF-16; save it as CSV in UTF-8.", line=1)
        line = line.removeprefix(_BOM)
    if b"\0" in line:
        column_no = line[: line.index(b"\0")].count(b",") + 1
        raise UnreadableFile(
            f"{path}, line {line_no}, column {column_no}: a NUL byte; the file is no text or not in UTF-8, save it as"
            " CSV in UTF-8.",
            line=line_no,
        )
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        column_no = line[: error.start].count(b",") + 1
        raise UnreadableFile(
            f"{path}, line {line_no}, column {column_no}: the byte {line[error.start]:#04x} is not UTF-8; save the file"
            " as CSV in UTF-8.",
            line=line_no,
        ) from None


def cells_of(text: str) -> list[str]:
    """Return the cells of a line; raises `BrokenLine` for quotation marks that do not fit."""
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        is_open = "unexpected end" in str(error)
        reason = "a quotation mark is opened and never closed" if is_open else "text follows a closing quotation mark"
        raise BrokenLine(_broken_column(text), f"{reason}; double the marks that belong to the text") from None


def cells_of_header(path: Path, text: str) -> list[str]:
    """Return the cells of the first line; raises `UnreadableFile`."""
    try:
        return cells_of(text)
    except BrokenLine as broken:
        raise UnreadableFile(f"{path}, line 1, column {broken.column_no + 1}: {broken.reason}.", line=1) from None


def _broken_column(text: str) -> int:
    """Return the number of the cell, from 0, in which the quotation marks stop to fit."""
    column_no, position = 0, 0
    while position < len(text):
        if text[position] == '"':
            position += 1
            while position < len(text) and (text[position] != '"' or text[position + 1 : position + 2] == '"'):
                position += 2 if text[position] == '"' else 1
            position += 1
            if position >= len(text) or text[position] != ",":
                return column_no
            position, column_no = position + 1, column_no + 1
            continue
        comma = text.find(",", position)
        if comma < 0:
            return column_no
        position, column_no = comma + 1, column_no + 1
    return column_no


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        plain = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None
    with plain:
        is_gzip = plain.peek(2)[:2] == _GZIP
        if not is_gzip:
            yield plain
            return
        with gzip.GzipFile(fileobj=plain) as unpacked, io.BufferedReader(unpacked, 1 << 18) as buffered:
            yield buffered


def _unreadable(path: Path, error: OSError) -> UnreadableFile:
    return UnreadableFile(f"{path} cannot be read: {error.strerror or error}.")
