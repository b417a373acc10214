"""The header's links."""

from collections.abc import Iterator
from dataclasses import dataclass

from django import template
from django.template import Context
from django.urls import reverse

register = template.Library()


@dataclass(frozen=True)
class Section:
    """A part of the product: what its link says, where it leads, and which pages are in it.

    ``views`` are beginnings of view names. A page is in the first section that has its view.
    """

    label: str
    home: str
    views: tuple[str, ...]
    for_readers: bool = False


SECTIONS = (
    Section("Map", "pages:home", ("pages:home", "pages:group", "pages:table"), for_readers=True),
    Section("Matrix", "pages:matrix", ("pages:matrix",), for_readers=True),
    Section("Services", "pages:services", ("pages:service",), for_readers=True),
    Section(
        "Changes",
        "admin:ownership_changeset_changelist",
        ("admin:ownership_changeset", "admin:ownership_deleted", "admin:ownership_undo"),
    ),
    Section("Drift", "pages:drift", ("pages:drift",)),
    Section("Edit", "admin:index", ("admin:",)),
)


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> Iterator[tuple[str, str, bool]]:
    """Label and address of each section, and whether the page is in it; the readers' sections for everybody.

    Links among the readers' pages keep the moment that the page shows.
    """
    request = context.get("request")
    user = context.get("user")
    match = request.resolver_match if request else None
    section = _section_of(match.view_name) if match else None
    signed_in = user is not None and user.is_authenticated
    for candidate in SECTIONS:
        if not candidate.for_readers and not signed_in:
            continue
        address = reverse(candidate.home)
        if candidate.for_readers:
            address += context.get("keep") or ""
        yield candidate.label, address, candidate is section


def _section_of(view_name: str) -> Section | None:
    """The section of a page; None for one that is in none, such as search."""
    for section in SECTIONS:
        if view_name.startswith(section.views):
            return section
    return None
