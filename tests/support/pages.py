"""Reading pages in tests."""

import csv
import io
import re
from datetime import date

from django.http import StreamingHttpResponse


def text_of(page: str) -> str:
    """What the page says, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def submit_buttons(page: str) -> list[str]:
    """The names of the buttons that send the page's form."""
    return re.findall(r'<input type="submit"[^>]* name="(\w+)"', page)


def day_text(day: date) -> str:
    """The day as pages write it: 28 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def csv_rows(response: StreamingHttpResponse) -> list[dict[str, str]]:
    """The rows of a CSV file that a page gives."""
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))
