"""Broken input: each fault is one sentence with its place and what to do; what is wrong as a whole lands nothing."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from ila.citizens import importing
from ila.citizens.importing import UnreadableFile, reading
from tests.conftest import Database

from .files import COLUMNS, import_text, row, text_of

GOOD = text_of([row(1), row(2)])
HEADER = GOOD.splitlines()[0]
WITHOUT_BIRTH = [name for name in COLUMNS if name != "born_on"]


def gzipped(content: str) -> bytes:
    return gzip.compress(content.encode())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(b"", "is empty; it needs a header", id="empty"),
        pytest.param(f"{HEADER}\n", "has a header and no rows", id="header_only"),
        pytest.param(GOOD.encode("utf-16"), "is encoded in UTF-16; save it as CSV in UTF-8", id="utf16"),
        pytest.param(
            text_of([row(1), row(2, family_name="Müller")]).encode("latin-1"),
            "line 3, column 5: the byte 0xfc is not UTF-8",
            id="latin1",
        ),
        pytest.param(
            text_of([row(1, family_name="A\0B")]), "line 2, column 5: a NUL byte; the file is no text", id="nul"
        ),
        pytest.param(
            text_of([row(1)], WITHOUT_BIRTH), "line 1: a column is missing: born_on. Correct the header", id="missing"
        ),
        pytest.param(
            GOOD.replace("born_on", "birth_day"),
            "column 'birth_day' is unknown; a column is missing: born_on",
            id="unknown",
        ),
        pytest.param(GOOD.replace("income", "incom"), r"column 'incom' is unknown \(is it income\?\)", id="misspelt"),
        pytest.param(GOOD.replace("category", "region"), "column 'region' stands there 2 times", id="doubled"),
        pytest.param(
            text_of([row(1)], [name for name in COLUMNS if name != "work_year"]),
            "work_basis, work_done, work_reference, work_year come together or not at all",
            id="half_of_work",
        ),
        pytest.param(GOOD.replace(",", ";"), "not separated by commas", id="semicolons"),
        pytest.param(f'"{GOOD}', "line 1, column 1: a quotation mark is opened and never closed", id="open_header"),
        pytest.param(gzipped(GOOD)[:-12], "the compressed data end too early; transfer it again", id="cut_off_gzip"),
        pytest.param(gzipped(GOOD)[:12] + b"\0" * 40, "it cannot be decompressed; transfer it again", id="bad_gzip"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_before_anything_lands(
    database: Database, tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(UnreadableFile, match=sentence) as refusal:
        import_text(database, tmp_path / "population.csv", content)

    assert "\n" not in refusal.value.message
    with database.read_sessions()() as session:
        imports = session.execute(text("SELECT count(*) FROM ila.citizen_import")).scalar_one()
        assert (imports, session.execute(text("SELECT count(*) FROM ila.citizen")).scalar_one()) == (0, 0)


def test_a_fault_of_the_whole_file_in_its_last_line_lands_nothing(database: Database, tmp_path: Path) -> None:
    content = text_of([row(number) for number in range(1, 200)]).encode() + b"\xff\n"

    with pytest.raises(UnreadableFile, match="line 201, column 1"):
        import_text(database, tmp_path / "population.csv", content, batch_rows=10)

    with database.read_sessions()() as session:
        assert session.execute(text("SELECT count(*) FROM ila.citizen")).scalar_one() == 0


def test_a_file_that_is_not_there_or_a_directory_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"nothing\.csv cannot be read: No such file"):
        importing.inspected(tmp_path / "nothing.csv")
    with pytest.raises(UnreadableFile, match="cannot be read: Is a directory"):
        importing.inspected(tmp_path)


def test_an_endless_line_is_refused_without_being_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    with path.open("wb") as stream:
        stream.write(f"{HEADER}\n".encode())
        stream.truncate(2 * 1024**3)  # a hole of zeros: two gigabytes that take no room on the disk
    read = []

    def counted(lines: Iterator[tuple[int, bytes]]) -> None:
        read.extend(len(line) for _, line in lines)

    with pytest.raises(UnreadableFile, match="line 2: the line is longer than 1,000,000 bytes; end each row"):
        counted(reading.numbered_lines(path))
    assert read == [len(HEADER) + 1]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"born_on": "1985-02-30"}, "born_on: the calendar has no day 1985-02-30; correct it"),
        ({"born_on": "30/07/1985"}, "born_on: '30/07/1985' is no day; write it as YYYY-MM-DD"),
        ({"born_on": ""}, "born_on: '' is no day; write it as YYYY-MM-DD"),
        ({"born_on": "2026-01-02"}, "born_on: 2026-01-02 lies after 2026-01-01; correct the day of birth"),
        ({"born_on": "1885-07-30"}, "born_on: 1885-07-30 would make an age above 120 on 2026-01-01"),
        ({"facts_from": "2026-13-01"}, "facts_from: the calendar has no day 2026-13-01; correct it"),
        ({"identifier": "--"}, "identifier: must have 1 to 64 letters and digits"),
        ({"identifier": "1" * 65}, "identifier: must have 1 to 64 letters and digits"),
        ({"identifier_country": "be"}, "identifier_country: must be a country code of two capital letters"),
        ({"identifier_type": "National Number"}, "identifier_type: must be a word of small letters"),
        ({"family_name": " "}, "family_name: must not be empty"),
        ({"email": "nobody"}, "email: must be an address such as name@example.org, or empty"),
        ({"resides_here": "perhaps"}, "resides_here: 'perhaps' is neither yes nor no"),
        ({"employment_status": "boss"}, "employment_status: 'boss' is not one of employee, inactive, jobseeker"),
        ({"qualification_level": "9"}, "qualification_level: '9' is no level from 0 to 8"),
        ({"income": "12.345"}, "income: '12.345' is no amount; write 24000 or 24000.50"),
        ({"income": "-1"}, "income: '-1' is no amount"),
        ({"income": "\u0661\u0662"}, "income: '\u0661\u0662' is no amount"),
        ({"region": "be10"}, "region: 'be10' is no NUTS code"),
        ({"category": "third"}, "category: 'third' is no category"),
        ({"needs": "poor:register:2026-01-01"}, "needs: there is no need criterion 'poor'"),
        ({"needs": "disabled"}, "needs: 'disabled' is no need; write criterion:source:from"),
        ({"needs": "disabled:rumour:2026-01-01"}, "needs: 'rumour' is not one of attestation, declaration, register"),
        (
            {"needs": "disabled:register:2026-01-01:2026-01-01"},
            "needs: disabled ends on 2026-01-01, which",
        ),
        (
            {"needs": "disabled:register:2026-01-01;disabled:register:2027-01-01"},
            "needs: disabled is listed twice; list each criterion once",
        ),
        ({"work_basis": "weeks"}, "work_basis: 'weeks' is not one of days, hours, months, pay, percent"),
        ({"work_done": "much"}, "work_done: 'much' is no quantity; write 803.5"),
        ({"work_reference": "0"}, "work_reference: '0' is no quantity above 0"),
        ({"work_year": "26"}, "work_year: '26' is no year"),
        ({"work_basis": ""}, "work_done: is given without a work_basis; say what it counts"),
        ({"given_name": "Wil\thelmina"}, "given_name: holds the control character 0x09; remove it"),
        ({"given_name": '"Wil'}, "given_name: a quotation mark is opened and never closed"),
        ({"given_name": '"Wil"helmina'}, "given_name: text follows a closing quotation mark"),
        ({"given_name": "Wil,helmina"}, "line: has 22 cells and the header 21; make them the same number"),
    ],
)
def test_a_bad_row_is_set_aside_with_column_and_reason_while_the_others_land(
    database: Database, tmp_path: Path, cells: dict[str, str], reason: str
) -> None:
    rows = [row(1), row(2, **cells), row(3)]

    imported = import_text(database, tmp_path / "population.csv", text_of(rows))

    assert imported.summary == (2, 0, 0, 1)
    [(line_no, told)] = imported.reasons
    assert (line_no, told[: len(reason)]) == (3, reason)
    assert "\n" not in told
