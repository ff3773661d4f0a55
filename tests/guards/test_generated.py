"""Generated files are what the program says today."""

import pytest

from tests.golden import GENERATED, ROOT, text_of


@pytest.mark.parametrize("path", GENERATED)
def test_generated_file_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == text_of(path), (
        f"run make golden, then look what changed in {path}"
    )
