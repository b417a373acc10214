"""Template filters that show values as people read them.

"Access not granted" instead of access_not_granted; times all in one form: 28 Nov 2026, 18:45 UTC.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django import template
from django.apps import apps
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.utils.timezone import localdate

from ownership.drift.report import WHAT_TO_DO, verdict_in_words
from ownership.drift.types import MODE_LABELS, Finding, label_of, label_of_code, label_of_kind
from ownership.history.row_states import describe_day
from ownership.models import Team

register = template.Library()


@register.filter
def kind_label(kind: str) -> str:
    """A kind of finding: "Access not granted"."""
    return label_of_kind(kind)


@register.filter
def team_of(teams: Mapping[Any, Team], service: int | str) -> Team | None:
    """The team that is answerable for the service, of ``teams`` by the services' ids or names; None for none."""
    return teams.get(service)


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
def code_badge(in_code: str | None) -> str:
    """What code does, as such a badge; "nothing", or "not known"."""
    if in_code in MODE_LABELS:
        return mode_badge(in_code)
    return label_of_code(in_code)


@register.filter
def verdict(finding: Finding) -> str:
    """Which side of a finding is wrong, in words; empty where code does not tell."""
    return verdict_in_words(finding)


@register.filter
def thousands(number: int) -> str:
    """A number with separators: 60000 as 60,000."""
    return f"{number:,}"


@register.filter
def numbers_of_rows(numbers: Iterable[tuple[str, int]]) -> str:
    """How many rows of which kinds, by their plural names: "1 table, 2 indexes and 5 accesses"."""
    singulars = {}
    for model in apps.get_models():
        singulars[str(model._meta.verbose_name_plural)] = str(model._meta.verbose_name)
    words = []
    for plural, number in numbers:
        noun = singulars.get(plural, plural) if number == 1 else plural
        words.append(f"{thousands(number)} {noun}")
    return get_text_list(words, "and")


@register.filter
def first_line(text: str) -> str:
    """A reason without what is added below it, such as the evidence of an acceptance."""
    return text.partition("\n")[0]


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
        day = localdate(day)
    return format_html('<time datetime="{}">{}</time>', day.isoformat(), describe_day(day))
