"""Names that contain what somebody has typed so far, for the search field to suggest."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Exists, OuterRef, QuerySet, When

from ownership.audit.text_index import holding
from ownership.history.models import entry_model
from ownership.models import Environment, SecondaryIndex, Service, Table

MAX_COMPLETIONS = 8
# A longer text is a line of a log and not the beginning of a name.
LONGEST_TYPED = 255
# A shorter one is part of too many former names.
SHORTEST_FORMER = 3


@dataclass(frozen=True)
class Completion:
    """A name to suggest: what it is, what else to say of it, and the page and place on it that it leads to."""

    name: str
    kind: str
    remark: str
    url: str
    anchor: str = ""


def completions(text: str) -> list[Completion]:
    """Return tables, services and indexes whose name contains the text, then tables and services once called so.

    Names that begin with it come first. A physical name stands for its table's. A fixed number of queries, and none
    for a text that is empty or has several words.
    """
    typed = text.strip()
    if not typed or len(typed) > LONGEST_TYPED or len(typed.split()) > 1:
        return []
    found = []
    for table in _named(Table.objects.select_related("owner"), _base_names(typed)):
        remark = f"owner {table.owner.name}"
        found.append(Completion(table.name, "table", remark, table.get_absolute_url()))
    for service in _named(Service.objects.all(), [typed]):
        found.append(Completion(service.name, "service", "", service.get_absolute_url()))
    for index in _named(SecondaryIndex.objects.select_related("table"), [typed]):
        table = index.table
        anchor = f"#index-{index.name}"
        found.append(
            Completion(index.name, "index", f"of {table.name}", table.get_absolute_url(), anchor)
        )
    if len(typed) >= SHORTEST_FORMER:
        found += _former(Table, typed)
        found += _former(Service, typed)
    beginning = typed.lower()
    found.sort(key=lambda completion: not completion.name.lower().startswith(beginning))
    return found[:MAX_COMPLETIONS]


def _base_names(typed: str) -> list[str]:
    """Return the text, and what it is without an environment's addition: biztechUsersPROD, biztechUsers."""
    names = [typed]
    for environment in Environment.objects.all():
        base_name = environment.name_pattern.without(typed)
        if base_name and base_name not in names:
            names.append(base_name)
    return names


def _named(rows: QuerySet, parts: Iterable[str]) -> QuerySet:
    """Return rows whose name contains one of the parts; first those whose name begins with one."""
    contains = rows.none()
    beginnings = []
    for part in parts:
        contains |= rows.filter(name__icontains=part)
        beginnings.append(When(name__istartswith=part, then=0))
    return contains.order_by(Case(*beginnings, default=1), "name")[:MAX_COMPLETIONS]


def _former(model: type[Table] | type[Service], typed: str) -> list[Completion]:
    """Return rows that have another name today and had one that begins with the text."""
    entries = entry_model(model)
    named = entries.objects.filter(holding(entries, ("label",), typed), name__istartswith=typed)
    same_name = model.objects.filter(pk=OuterRef("id"), name=OuterRef("name"))
    former = (
        named.order_by()
        .exclude(Exists(same_name))
        .values_list("name", "id")
        .distinct()[:MAX_COMPLETIONS]
    )
    names = list(former)
    rows = model.objects.in_bulk([pk for _, pk in names])
    kind = f"former {model._meta.verbose_name}"
    found = []
    for name, pk in names:
        row = rows.get(pk)
        if row is not None:
            found.append(Completion(name, kind, f"now {row.name}", row.get_absolute_url()))
    return found
