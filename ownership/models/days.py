"""Days, on which waivers, confirmations and suggestions end."""

from datetime import UTC, date

from django.utils import timezone


def today() -> date:
    """The day in UTC: whatever ends on a day ends at midnight UTC, wherever people are."""
    return timezone.now().astimezone(UTC).date()
