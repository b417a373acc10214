"""Marks words in a text that was found by them."""

import re

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def highlight(text: str, words: list[str]) -> SafeString:
    """The text with each of the words in a mark element, in upper or lower case."""
    if not words:
        return conditional_escape(text)
    longest_first = sorted(words, key=len, reverse=True)
    found = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")", re.IGNORECASE)
    pieces = []
    # Split by a group in brackets: what was found stands at every second place.
    for number, piece in enumerate(found.split(text)):
        pieces.append(
            format_html("<mark>{}</mark>", piece) if number % 2 else conditional_escape(piece)
        )
    return mark_safe("".join(pieces))  # noqa: S308 - every piece is escaped
