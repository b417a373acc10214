"""Names of drift as people read them; JSON alone says access_not_granted and read_write."""

from django import template
from django.utils.html import format_html

from ownership.drift.report import MODE_LABELS, WHAT_TO_DO, in_words

register = template.Library()


@register.filter
def todo(kind: str) -> str:
    """What people do about a finding of that kind."""
    return WHAT_TO_DO[kind]


@register.filter
def permitted(value: str | None) -> str:
    """A mode as it stands on all pages; keys and indexes as they are."""
    words = in_words(value)
    return format_html('<span class="mode {}">{}</span>', value, words) if value in MODE_LABELS else words


@register.filter
def kind(name: str) -> str:
    """A finding's kind: Access not granted."""
    return name.replace("_", " ").capitalize()


@register.filter
def thousands(number: int) -> str:
    """60000 as 60,000."""
    return f"{number:,}"
