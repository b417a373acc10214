"""Entries of history on pages: what they are about, as links."""

from django import template
from django.db.models import Model
from django.template import Context
from django.urls import reverse

from ownership.audit.descriptions import EntryDescription, label_in_words, steps_in_words
from ownership.models import (
    Access,
    Confirmation,
    Membership,
    SecondaryIndex,
    Service,
    SuggestedStep,
    Suggestion,
    Table,
    TableGroup,
    Team,
)

register = template.Library()

# Between the names in the label of an access, and in that of an index (their __str__).
_OF_ACCESS = " → "
_OF_INDEX = " / "
# Whose page has an address made of the label.
_PAGES: dict[type[Model], str] = {
    Table: "pages:table",
    Confirmation: "pages:table",
    Service: "pages:service",
    TableGroup: "pages:group",
    Team: "pages:team",
}
# What has no page any more once it is deleted; that of a table or service leads to its history.
_GONE_WITH_THE_ROW = (TableGroup, Team)
# Kinds of rows with names for people alone; programs use all other names, too.
_NAMED_FOR_PEOPLE = {model._meta.verbose_name for model in (TableGroup, Team, Membership)}


@register.filter
def label(row: Model) -> str:
    """What people call a row."""
    return label_in_words(type(row), str(row))


@register.filter
def name_class(kind: str) -> str:
    """The CSS class of the name of a row of that kind: what programs use is set in monospace."""
    return "title" if kind in _NAMED_FOR_PEOPLE else "name"


@register.filter
def steps_in_a_line(steps: list[SuggestedStep]) -> str:
    """What a suggestion would change, in a line."""
    return "; ".join(steps_in_words(steps).splitlines())


@register.simple_tag(takes_context=True)
def is_about(context: Context, description: EntryDescription) -> bool:
    """Whether the entry is the own one of the table or service that the page is ``about``, by its name."""
    about = context.get("about")
    return (
        bool(about)
        and description.label == about
        and description.entry.instance_type in (Table, Service)
    )


@register.simple_tag(takes_context=True)
def subjects(context: Context, description: EntryDescription) -> list[tuple[str, str, str]]:
    """An entry's label in parts: what stands before a name, the name, and its page's address; "" if it has none.

    The names are those of the entry's time: pages lead on from a former name, and to the history of what was deleted.
    Made from the label alone, so that a long history takes no query for its links. Of an access, the side that the page
    is ``about`` is left out.
    """
    about = context.get("about")
    model = description.entry.instance_type
    label = description.label
    if model is Confirmation and label == about:
        return []
    if model is Access and _OF_ACCESS in label:
        return _sides_of_access(label, about)
    if model is SecondaryIndex and _OF_INDEX in label:
        table, index = label.split(_OF_INDEX, 1)
        return [("", table, _table(table)), (_OF_INDEX, index, "")]
    if model is Suggestion:
        number, _, _ = label.partition(":")
        return [("", label, reverse("pages:suggestion", args=[number]))]
    page = _PAGES.get(model)
    is_gone = model in _GONE_WITH_THE_ROW and description.verb == "deleted"
    if page is None or is_gone:
        return [("", label, "")]
    return [("", label, reverse(page, args=[label]))]


def _sides_of_access(label: str, about: str | None) -> list[tuple[str, str, str]]:
    service, table = label.split(_OF_ACCESS, 1)
    if table == about:
        return [("", service, _service(service))]
    if service == about:
        return [("", table, _table(table))]
    return [("", service, _service(service)), (_OF_ACCESS, table, _table(table))]


def _table(name: str) -> str:
    return reverse("pages:table", args=[name])


def _service(name: str) -> str:
    return reverse("pages:service", args=[name])
