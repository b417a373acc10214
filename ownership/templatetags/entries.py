"""Entries of history on pages: what they are about, as links."""

from collections.abc import Iterator

from django import template
from django.urls import reverse

from ownership.audit.descriptions import EntryDescription
from ownership.models import Access, SecondaryIndex, Service, Table, TableGroup

register = template.Library()

# Between the names in the label of an access, and in that of an index (their __str__).
_OF_ACCESS = " → "
_OF_INDEX = " / "


@register.filter
def subjects(description: EntryDescription) -> Iterator[tuple[str, str, str]]:
    """An entry's label in parts: what stands before a name, the name, and its page's address; "" if it has none.

    The names are those of the entry's time: pages lead on from a former name, and to the history of what was deleted.
    Made from the label alone, so that a long history takes no query for its links.
    """
    model = description.entry.instance_type
    label = description.label
    if model is Table:
        yield "", label, _table(label)
    elif model is Service:
        yield "", label, _service(label)
    elif model is TableGroup and description.verb != "deleted":
        yield "", label, reverse("pages:group", args=[label])
    elif model is Access and _OF_ACCESS in label:
        service, table = label.split(_OF_ACCESS, 1)
        yield "", service, _service(service)
        yield _OF_ACCESS, table, _table(table)
    elif model is SecondaryIndex and _OF_INDEX in label:
        table, index = label.split(_OF_INDEX, 1)
        yield "", table, _table(table)
        yield _OF_INDEX, index, ""
    else:
        yield "", label, ""


def _table(name: str) -> str:
    return reverse("pages:table", args=[name])


def _service(name: str) -> str:
    return reverse("pages:service", args=[name])
