"""The only place that reads the clock. Edges call it and pass the result down; nothing below an edge does."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

NEVER = date.max
"""The last day of the calendar: the expiry of an entitlement that does not expire. It sorts after every real day."""


def now() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)


def today(time_zone: str) -> date:
    """Return the present day in a scheme's zone, such as `Europe/Brussels`."""
    return now().astimezone(ZoneInfo(time_zone)).date()
