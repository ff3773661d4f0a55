"""Each business day is due once, whatever the clocks do, and each yearly credit on its day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ila.scheduling.calendar import Daily, Hourly
from ila.scheduling.periods import DuePeriod, due_period
from tests.factories import parameters_of


@pytest.mark.parametrize("zone", ["Europe/Brussels", "America/Toronto", "Asia/Seoul", "Europe/Lisbon"])
@pytest.mark.parametrize("around", [date(2026, 10, 25), date(2027, 3, 28), date(2026, 12, 31)])
def test_ticks_through_a_change_of_clocks_find_each_business_day_once(zone: str, around: date) -> None:
    last: datetime | None = None
    found: list[datetime] = []
    now = datetime(around.year, around.month, around.day, tzinfo=UTC) - timedelta(days=2)
    for _ in range(4 * 24 * 6):
        due = Daily().due(last, now, zone)
        found += due
        last = due[-1] if due else last
        now += timedelta(minutes=10)

    assert found == [found[0] + timedelta(days=count) for count in range(len(found))]
    assert len(found) in (4, 5)


def test_a_business_day_is_due_from_four_in_the_morning_of_its_zone() -> None:
    friday = datetime(2027, 1, 1, tzinfo=UTC)
    four_in_brussels = datetime(2027, 1, 2, 3, tzinfo=UTC)

    assert Daily().due(friday, four_in_brussels - timedelta(seconds=1), "Europe/Brussels") == []
    assert Daily().due(friday, four_in_brussels, "Europe/Brussels") == [friday + timedelta(days=1)]
    assert Daily().next_due(four_in_brussels - timedelta(hours=1), "Europe/Brussels") == four_in_brussels


def test_days_without_a_scheduler_are_all_due_in_order() -> None:
    due = Daily().due(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 5, 12, tzinfo=UTC), "Europe/Brussels")

    assert [day.day for day in due] == [2, 3, 4, 5]


def test_a_job_that_never_ran_is_due_for_its_last_time_alone() -> None:
    now = datetime(2027, 1, 5, 12, 30, tzinfo=UTC)

    assert Daily().due(None, now, "Europe/Brussels") == [datetime(2027, 1, 5, tzinfo=UTC)]
    assert Hourly(17).due(None, now, "UTC") == [datetime(2027, 1, 5, 12, 17, tzinfo=UTC)]


def test_hours_are_due_once_each() -> None:
    last = datetime(2027, 1, 5, 12, 17, tzinfo=UTC)

    assert Hourly(17).due(last, last, "UTC") == []
    assert Hourly(17).due(last, last + timedelta(hours=2), "UTC") == [
        last + timedelta(hours=1),
        last + timedelta(hours=2),
    ]
    assert Hourly(17).next_due(last, "UTC") == last + timedelta(hours=1)


@pytest.mark.parametrize(
    ("scheme", "credit", "today", "period"),
    [
        ("eu_model", "yearly", date(2026, 12, 31), DuePeriod("2026", date(2026, 1, 1), date(2026, 1, 1))),
        ("eu_model", "yearly", date(2027, 1, 1), DuePeriod("2027", date(2027, 1, 1), date(2027, 1, 1))),
        ("fr_cpf", "employee", date(2026, 12, 31), DuePeriod("2025", date(2025, 12, 31), date(2026, 1, 1))),
        ("fr_cpf", "employee", date(2027, 1, 1), DuePeriod("2026", date(2026, 12, 31), date(2027, 1, 1))),
        ("kr_card", "yearly", date(2027, 1, 1), None),
        ("sg_sfc", "opening", date(2027, 1, 1), None),
        ("eu_model", "yearly", date(2022, 12, 31), None),
        ("ca_ctc", "yearly", date(2020, 6, 1), None),
    ],
)
def test_a_yearly_credit_is_due_on_its_day_and_no_other_credit_is(
    scheme: str, credit: str, today: date, period: DuePeriod | None
) -> None:
    assert due_period(parameters_of(scheme), credit, today) == period
