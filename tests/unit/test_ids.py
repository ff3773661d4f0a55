"""Booking ids tell their year; references tell nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila.ids import REFERENCE_LENGTH, booking_id, is_reference, new_reference, year_of


@given(st.integers(1, 9999), st.integers(1, 10**12 - 1))
def test_a_booking_id_tells_its_year_and_fits_bigint(year: int, number: int) -> None:
    identifier = booking_id(year, number)

    assert year_of(identifier) == year
    assert identifier % 10**12 == number
    assert identifier < 2**63


@pytest.mark.parametrize(("year", "number"), [(2027, 0), (2027, 10**12), (0, 1), (10_000, 1)])
def test_a_number_outside_its_year_has_no_booking_id(year: int, number: int) -> None:
    with pytest.raises(ValueError, match="no booking id"):
        booking_id(year, number)


def test_references_are_unlike_one_another() -> None:
    references = {new_reference() for _ in range(1000)}

    assert len(references) == 1000
    assert all(is_reference(reference) and len(reference) == REFERENCE_LENGTH for reference in references)
    for place in range(1, REFERENCE_LENGTH):
        assert len({reference[place] for reference in references}) > 16, f"place {place} hardly varies"


@pytest.mark.parametrize(
    "text", ["", "1", "0" * 25, "0" * 27, "8" + "0" * 25, "0" * 25 + "i", "0" * 25 + "A", "0" * 26 + "\n"]
)
def test_other_texts_are_no_references(text: str) -> None:
    assert not is_reference(text)
