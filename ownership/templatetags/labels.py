"""Template filters that show values as people read them: "Access not granted" instead of access_not_granted."""

from django import template
from django.utils.html import format_html

from ownership.drift.report import WHAT_TO_DO
from ownership.drift.types import MODE_LABELS, label_of

register = template.Library()


@register.filter
def kind_label(kind: str) -> str:
    """A kind of finding: "Access not granted"."""
    return kind.replace("_", " ").capitalize()


@register.filter
def what_to_do(kind: str) -> str:
    """What people can do about a finding of this kind."""
    return WHAT_TO_DO[kind]


@register.filter
def mode_badge(value: str | None) -> str:
    """A mode as the badge that all pages use. Keys and indexes stay text, and None is "nothing"."""
    label = label_of(value)
    if value in MODE_LABELS:
        return format_html('<span class="mode {}">{}</span>', value, label)
    return label


@register.filter
def thousands(number: int) -> str:
    """A number with separators: 60000 as 60,000."""
    return f"{number:,}"
