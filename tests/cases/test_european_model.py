"""What our own default scheme promises: for everybody, more for need, and no cliff in income or age."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila.schemes.loader import load_scheme
from ila.schemes.policy import EmploymentStatus
from ila.schemes.rules import AllocationLine, CitizenFacts, Counted, allocation_line

SCHEME = load_scheme(Path(__file__).parents[2] / "config" / "schemes" / "eu_model")
ON = date(2026, 1, 1)
POLICY = SCHEME.policy("yearly", ON)

CRITERIA = st.sets(st.sampled_from(sorted(SCHEME.criteria)))
STATUSES = st.sampled_from(EmploymentStatus)
LEVELS = st.none() | st.integers(0, 8)


def line_of(
    age: int, income_minor: int | None, status: EmploymentStatus, level: int | None, attested: set[str]
) -> AllocationLine:
    facts = CitizenFacts(
        born_on=date(ON.year - age, 1, 1),
        employment_status=status,
        resides_here=True,
        works_here=False,
        national=False,
        qualification_level=level,
        income_minor=income_minor,
        attested=frozenset(attested),
    )
    return allocation_line(POLICY, facts, Counted(0, already_credited=False), ON)


@given(st.integers(18, 67), st.none() | st.integers(0, 10_000_000), STATUSES, LEVELS, CRITERIA)
def test_everybody_of_working_age_gets_the_base_and_at_most_two_and_a_half_times_it(
    age: int, income_minor: int | None, status: EmploymentStatus, level: int | None, attested: set[str]
) -> None:
    assert 300_00 <= line_of(age, income_minor, status, level, attested).amount_minor <= 750_00


@given(st.integers(18, 67), st.integers(0, 5_000_000), st.integers(1, 500_000), STATUSES, LEVELS, CRITERIA)
def test_an_earned_euro_never_costs_more_than_a_cent(
    age: int, income_minor: int, raise_minor: int, status: EmploymentStatus, level: int | None, attested: set[str]
) -> None:
    before = line_of(age, income_minor, status, level, attested).weighted
    after = line_of(age, income_minor + raise_minor, status, level, attested).weighted

    assert 0 <= 100 * (before - after) <= raise_minor


@pytest.mark.parametrize("age", range(18, 67))
def test_a_birthday_never_changes_more_than_a_fifth_of_the_part_for_age(age: int) -> None:
    status = EmploymentStatus.EMPLOYEE

    step = (
        line_of(age + 1, None, status, None, set()).amount_minor - line_of(age, None, status, None, set()).amount_minor
    )

    assert abs(step) <= 300_00 * 25 // 100 // 5
