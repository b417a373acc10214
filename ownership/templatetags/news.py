"""Watches on pages, and changes in mails."""

import re

from django import template
from django.template import Context

from ownership.audit import descriptions
from ownership.audit.descriptions import EntryDescription
from ownership.models import Watch
from ownership.models.rights import has_role

register = template.Library()
LONGEST_LINE = 300
BLANK_LINES = re.compile(r"\n\s*\n")


@register.filter
def one_line(text: str) -> str:
    """The text without line breaks; a dash stands between its paragraphs."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in BLANK_LINES.split(text.strip())]
    return " – ".join(paragraphs)


@register.filter
def in_one_line(entry: EntryDescription) -> str:
    """An entry in words, cut if it is long."""
    line = one_line(descriptions.in_one_line(entry))
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


@register.inclusion_tag("ownership/watch_button.html", takes_context=True)
def watch_button(context: Context, kind: str, row: int | None = None) -> dict[str, object]:
    """A button that watches the thing, or ends that; for people with a role, on pages of today. One query."""
    request = context["request"]
    is_shown = has_role(request.user) and not context.get("moment")
    is_watched = (
        is_shown and Watch.objects.filter(user=request.user.pk, kind=kind, row=row).exists()
    )
    return {
        "is_shown": is_shown,
        "is_watched": is_watched,
        "kind": kind,
        "row": row,
        "here": request.path,
        "csrf_token": context.get("csrf_token"),
    }
