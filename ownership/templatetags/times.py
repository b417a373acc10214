"""Times on pages, all in one form: 28 Nov 2026, 18:45 UTC."""

from datetime import UTC, date, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def when(time: datetime) -> SafeString:
    """A moment as a time element. A script adds how long ago it was, and the reader's own time on hover."""
    in_utc = time.astimezone(UTC)
    words = f"{in_utc.day} {in_utc:%b %Y, %H:%M} UTC"
    return format_html('<time datetime="{}">{}</time>', f"{in_utc:%Y-%m-%dT%H:%M:%SZ}", words)


@register.filter
def day(day: date) -> SafeString:
    """A day as a time element: 28 Nov 2026. Of a moment, its day in UTC."""
    if isinstance(day, datetime):
        day = day.astimezone(UTC).date()
    return format_html('<time datetime="{}">{}</time>', day.isoformat(), f"{day.day} {day:%b %Y}")
