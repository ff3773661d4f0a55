"""Corrections of stretches, identifiers, and the words of needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila.citizens.persons import Identity, Person, normalised_identifier, person_faults
from ila.citizens.rules import (
    CRITERIA,
    Stretch,
    UnknownCriterion,
    birth_fault,
    correction,
    require_calendar_year,
    require_criterion,
    require_period,
)
from ila.errors import Invalid
from tests.factories import SCHEME_DIRECTORY, parameters_of

FIRST = date(2026, 1, 1)


@dataclass(frozen=True)
class Known:
    valid_from: date
    valid_until: date


def days_of(stretches: Iterable[Stretch]) -> set[date]:
    """The days on which something holds."""
    return {
        day(number)
        for stretch in stretches
        for number in range(100)
        if stretch.valid_from <= day(number) < stretch.valid_until
    }


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@given(
    st.lists(st.integers(0, 40), min_size=2, max_size=8, unique=True).map(sorted),
    st.integers(0, 40),
    st.integers(1, 40),
)
def test_a_correction_takes_exactly_its_days_out_of_what_is_known(borders: list[int], since: int, length: int) -> None:
    known = [Known(day(a), day(b)) for a, b in zip(borders[::2], borders[1::2], strict=False)]
    cut = correction(known, day(since), day(since + length))

    untouched = [stretch for stretch in known if stretch not in cut.superseded]
    assert days_of([*untouched, *cut.kept]) == days_of(known) - set(map(day, range(since, since + length)))
    assert all(piece.valid_from < piece.valid_until for piece in cut.kept)


def test_a_stretch_that_only_touches_the_days_is_not_superseded() -> None:
    known = [Known(day(0), day(5)), Known(day(9), day(12))]

    assert correction(known, day(5), day(9)).superseded == ()


@pytest.mark.parametrize("written", ["85073003328", " 85.07.30-033 28 ", "85/07/30_03328", "\uff18\uff15073003328"])
def test_an_identifier_counts_the_same_however_it_is_written(written: str) -> None:
    assert normalised_identifier(written) == "85073003328"


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalised_identifier(text)

    assert normalised_identifier(once) == once


def test_a_person_with_every_fault_is_told_all_of_them() -> None:
    wrong = Person(Identity("be", "Number", "!"), "A\nB", "", "nobody")

    assert [field for field, _ in person_faults(wrong)] == [
        "identifier_country", "identifier_type", "identifier", "given_name", "family_name", "email",
    ]  # fmt: skip


def test_every_criterion_that_only_a_scheme_names_is_known_through_that_scheme() -> None:
    codes = [path.name for path in SCHEME_DIRECTORY.iterdir() if path.is_dir()]
    named = set().union(*(parameters_of(code).criteria for code in codes))

    assert named - CRITERIA, "a scheme names a criterion of its own"
    for criterion in named:
        require_criterion(criterion, named)
    with pytest.raises(UnknownCriterion, match="it must be one of age_40_plus"):
        require_criterion(sorted(named - CRITERIA)[0])


@pytest.mark.parametrize(
    ("born_on", "fault"),
    [
        (date(2026, 1, 1), None),
        (date(2026, 1, 2), "lies after 2026-01-01"),
        (date(1906, 1, 1), None),
        (date(1905, 12, 31), "would make an age above 120 on 2026-01-01"),
    ],
)
def test_a_birth_is_neither_ahead_nor_beyond_any_life(born_on: date, fault: str | None) -> None:
    assert birth_fault(born_on, FIRST) == fault


def test_periods_hold_a_day_and_work_one_calendar_year() -> None:
    require_period(FIRST, day(1))
    require_calendar_year(FIRST, date(2027, 1, 1))

    with pytest.raises(Invalid, match="has to come after it"):
        require_period(FIRST, FIRST)
    with pytest.raises(Invalid, match="record each year by itself"):
        require_calendar_year(FIRST, date(2027, 1, 2))
