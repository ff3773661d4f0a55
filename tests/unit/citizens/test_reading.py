"""Lines and cells of a population file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila.citizens.importing.reading import BrokenLine, cells_of, inspected, numbered_lines
from ila.citizens.importing.template import COLUMNS, EXAMPLE, UnreadableFile, as_given, harmless
from ila.errors import DomainError

HEADER = ",".join(column.name for column in COLUMNS)
TEMPLATE = Path(__file__).resolve().parents[3] / "docs" / "population-template.csv"

cell_text = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12)


@given(st.lists(cell_text, min_size=1, max_size=8))
def test_cells_come_back_as_they_were_written(cells: list[str]) -> None:
    written = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)

    assert cells_of(written) == cells


@pytest.mark.parametrize(
    ("text", "column_no"),
    [('"a', 0), ('a,"b', 1), ('a,"b","c""', 2), ('"a"b,c', 0), ('a,"b" ,c', 1), ('a,"b,c', 1), ('"x""y",q,"', 2)],
)
def test_a_quotation_mark_that_does_not_fit_is_told_with_its_column(text: str, column_no: int) -> None:
    with pytest.raises(BrokenLine) as broken:
        cells_of(text)

    assert broken.value.column_no == column_no


@given(cell_text)
def test_a_cell_made_harmless_for_spreadsheets_is_undone_at_the_next_import(cell: str) -> None:
    guarded = harmless(cell)

    assert not guarded.startswith(("=", "+", "-", "@", "\t"))
    if not cell.startswith("'"):
        assert as_given(guarded) == cell


@given(content=st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "population.csv"
    path.write_bytes(content)

    with pytest.raises(DomainError) as refusal:
        inspected(path)

    assert isinstance(refusal.value, UnreadableFile)
    assert "\n" not in refusal.value.message.replace(str(path), "")


@given(content=st.binary(max_size=200))
def test_rows_of_any_bytes_after_a_good_header_are_counted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "population.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)

    try:
        rows = inspected(path).rows
    except UnreadableFile:
        return
    assert 0 < rows <= content.count(b"\n") + 1


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(b"a\r\n\r\nb")

    assert list(numbered_lines(path)) == [(1, b"a\r\n"), (2, b"\r\n"), (3, b"b")]


def test_the_documented_template_is_the_one_the_command_writes() -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == f"{HEADER}\n{','.join(EXAMPLE)}\n"
    assert inspected(TEMPLATE).rows == 1
