"""When a job is due: its business times since the last one that was claimed. Pure but for the triggers' arithmetic.

A daily job of a scheme belongs to a business day, not to an instant: day D is due from 04:00 in the scheme's zone, an
hour that every day has exactly once, and its claim is filed under midnight UTC of D. Other times are UTC.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

FIRST_LOCAL_HOUR = time(4)
"""Between 04:00 and 23:00 no change of clocks makes an hour happen twice, or never."""


class Missed(StrEnum):
    """What becomes of due times that passed while no scheduler ran."""

    EVERY = "every"  # each is made up for, in order
    LATEST = "latest"  # only the last


class Calendar(Protocol):
    """The due times of a job, each named by its business time in UTC."""

    def due(self, after: datetime | None, now: datetime, time_zone: str) -> list[datetime]:
        """Return the business times after `after` that have come, in order; without `after`, the last one alone."""
        ...

    def next_due(self, now: datetime, time_zone: str) -> datetime:
        """Return the instant at which the next business time comes."""
        ...


@dataclass(frozen=True, slots=True)
class Daily:
    """Every business day, from 04:00 in the scheme's zone."""

    def due(self, after: datetime | None, now: datetime, time_zone: str) -> list[datetime]:
        """Return midnights UTC, one for each business day that has begun.

        >>> saturday = datetime(2027, 3, 27, tzinfo=UTC)
        >>> [
        ...     str(day.date())
        ...     for day in Daily().due(saturday, datetime(2027, 3, 29, 1, 59, tzinfo=UTC), "Europe/Brussels")
        ... ]
        ['2027-03-28']
        """
        local = now.astimezone(ZoneInfo(time_zone))
        last = local.date() if local.time() >= FIRST_LOCAL_HOUR else local.date() - timedelta(days=1)
        first = last if after is None else after.date() + timedelta(days=1)
        return [_midnight(first + timedelta(days=count)) for count in range((last - first).days + 1)]

    def next_due(self, now: datetime, time_zone: str) -> datetime:
        """Return the next 04:00 of the zone."""
        local = now.astimezone(ZoneInfo(time_zone))
        day = local.date() if local.time() < FIRST_LOCAL_HOUR else local.date() + timedelta(days=1)
        return datetime.combine(day, FIRST_LOCAL_HOUR, ZoneInfo(time_zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Hourly:
    """Every hour UTC, at one minute."""

    minute: int

    def due(self, after: datetime | None, now: datetime, time_zone: str) -> list[datetime]:
        """Return the instants that have come."""
        found = []
        at = self._next(after or now - timedelta(hours=1))
        while at <= now:
            found.append(at)
            at = self._next(at)
        return found

    def next_due(self, now: datetime, time_zone: str) -> datetime:
        """Return the next instant."""
        return self._next(now)

    def _next(self, after: datetime) -> datetime:
        trigger = CronTrigger(minute=self.minute, timezone=UTC)
        found: datetime = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
        return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
