"""Days in UTC, on which waivers, confirmations, suggestions and tokens end."""

from datetime import UTC, date, datetime

from django.utils import timezone


def today() -> date:
    """The day in UTC: whatever ends on a day ends at midnight UTC, wherever people are."""
    return day_of(timezone.now())


def day_of(time: datetime) -> date:
    """The day in UTC of a point in time."""
    return time.astimezone(UTC).date()
