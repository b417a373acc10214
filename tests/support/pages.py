"""Reading pages in tests."""

import re
from datetime import date


def text_of(page: str) -> str:
    """What the page says, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def day_text(day: date) -> str:
    """The day as pages write it: 28 Nov 2026."""
    return f"{day.day} {day:%b %Y}"
