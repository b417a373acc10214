"""Names of drift as people read them; JSON alone says access_not_granted and read_write."""

from django import template

from ownership.drift.report import in_words

register = template.Library()

register.filter("permitted", in_words)


@register.filter
def kind(name: str) -> str:
    """A finding's kind: Access not granted."""
    return name.replace("_", " ").capitalize()


@register.filter
def thousands(number: int) -> str:
    """60000 as 60,000."""
    return f"{number:,}"
