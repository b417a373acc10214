"""The header's links."""

from collections.abc import Iterator
from dataclasses import dataclass

from django import template
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse

from ownership.models.answerable import team_ids_of
from ownership.models.rights import has_role

register = template.Library()


@dataclass(frozen=True)
class NavigationSection:
    """A part of the product: what its link says, where it leads, and which pages are in it.

    ``views`` are beginnings of view names. A page is in the first section that has its view.
    """

    label: str
    home: str
    views: tuple[str, ...]
    for_readers: bool = False


MINE = NavigationSection("Mine", "pages:mine", ("pages:mine",))
EDIT = NavigationSection("Edit", "admin:index", ("admin:",))
SECTIONS = (
    NavigationSection(
        "Map", "pages:home", ("pages:home", "pages:group", "pages:table"), for_readers=True
    ),
    NavigationSection("Matrix", "pages:matrix", ("pages:matrix",), for_readers=True),
    NavigationSection(
        "Services", "pages:services", ("pages:service", "pages:team"), for_readers=True
    ),
    MINE,
    NavigationSection(
        "Changes",
        "pages:changes",
        (
            "pages:change",
            "pages:compare",
            "pages:day",
            "pages:suggestion",
            "admin:ownership_deleted",
            "admin:ownership_undo",
        ),
    ),
    NavigationSection("Drift", "pages:drift", ("pages:drift",)),
    EDIT,
)


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> Iterator[tuple[str, str, bool]]:
    """Label and address of each section, and whether the page is in it; the readers' sections for everybody.

    Who may not edit sees the same lists without “Edit”, and who is in no team sees no “Mine”.
    Links among the readers' pages keep the moment that the page shows.
    """
    current = _current_section(context.get("request"))
    # Error pages are drawn without a user, too.
    user = context.get("user") or AnonymousUser()
    reads_history = has_role(user)
    may_edit = user.has_perm("ownership.change_table")
    for section in SECTIONS:
        if not section.for_readers and not reads_history:
            continue
        if section is MINE and not team_ids_of(user):
            continue
        address = reverse(section.home)
        if section.for_readers:
            address += context.get("keep") or ""
        label = section.label
        if section is EDIT and not may_edit:
            label = "Lists"
        yield label, address, section is current


def _current_section(request: HttpRequest | None) -> NavigationSection | None:
    """The section that the page is in; None for one that is in none, such as search."""
    if request is None or request.resolver_match is None:
        return None
    view_name = request.resolver_match.view_name
    for section in SECTIONS:
        if view_name.startswith(section.views):
            return section
    return None
