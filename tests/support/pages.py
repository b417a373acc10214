"""Reading pages in tests."""

import re


def text_of(page: str) -> str:
    """What the page says, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
