"""The filters of the log and of histories, as an address has them and as a page shows them."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.http import HttpRequest

from ownership.audit import feed, log_search
from ownership.audit.log import LogFilters, fields_of_rows
from ownership.catalog.mine import MINE
from ownership.history.models import ChangeSet, EntryFilter, registry_models
from ownership.history.row_states import describe_day
from ownership.pages.base import BadAddress

# Names of the parameters, in the order of their chips.
PARAMETERS = (
    "q",
    MINE,
    "kind",
    "field",
    "table",
    "service",
    "group",
    "user",
    "source",
    "from",
    "to",
)
# In a table's or service's own history, its name is no filter.
OWN_PARAMETERS = ("q", "kind", "field", "user", "source", "from", "to")
# Offered as chips; the others are in the form.
QUICK_KINDS = {
    "ownership": "Owner changes",
    "access": "Accesses",
    "key_schema": "Keys",
    "table": "Tables",
    "index": "Indexes",
    "service": "Services",
}
QUICK_KINDS_OF_ONE = {
    name: QUICK_KINDS[name] for name in ("ownership", "access", "key_schema", "index")
}
SOURCES = dict(ChangeSet.Source.choices)
# So many of the latest change sets give the names of people to choose from.
LATEST_FOR_PEOPLE = 200


@dataclass(frozen=True)
class Chip:
    """A filter that is set, in words, and the address of the page without it."""

    label: str
    without: str


@dataclass(frozen=True)
class KindChip:
    """A kind of change to choose, and the address that chooses it, or takes it back where it is chosen."""

    label: str
    address: str
    chosen: bool


def read_filters(
    request: HttpRequest,
    names: tuple[str, ...],
    until: int | None = None,
    about: list[EntryFilter] | None = None,
) -> LogFilters:
    """Return the filters that the address asks for. Raise BadAddress for values that a form cannot send.

    ``about`` is what `?mine=true` asks for, None without it.
    """
    values = {name: request.GET.get(name, "").strip() for name in names}
    kind = _one_of(values, "kind", list(feed.CHANGE_KINDS))
    field = _one_of(values, "field", [name for name, _ in fields_of_rows(registry_models())])
    source = _one_of(values, "source", ChangeSet.Source.values)
    return LogFilters(
        table=values.get("table", ""),
        service=values.get("service", ""),
        group=values.get("group", ""),
        kind=kind,
        field=field,
        user=values.get("user", ""),
        source=source,
        first_day=_day(values, "from"),
        last_day=_day(values, "to"),
        text=values.get("q", "")[: log_search.LONGEST_SEARCH],
        until=until,
        about=about,
    )


def _one_of(values: dict[str, str], name: str, allowed: list[str]) -> str:
    value = values.get(name, "")
    if value and value not in allowed:
        raise BadAddress(f"{name} takes one of {', '.join(allowed)}.")
    return value


def _day(values: dict[str, str], name: str) -> date | None:
    value = values.get(name, "")
    if not value:
        return None
    # Python also reads ISO weeks; and the day after the last one cannot be written.
    is_calendar_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and value != str(date.max)
    try:
        if is_calendar_day:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise BadAddress(f"{name} takes a day as YYYY-MM-DD, for example 2026-01-31.")


def filter_context(
    request: HttpRequest,
    names: tuple[str, ...],
    quick_kinds: dict[str, str],
    models: Collection[type[Model]],
) -> dict[str, Any]:
    """Return what the filters' template needs: chips, the form's values, and what it offers for rows of the models."""
    values = {name: request.GET.get(name, "").strip() for name in names}
    kept = [(name, request.GET[name]) for name in ("revision", "as_of") if request.GET.get(name)]
    chips = []
    for name in names:
        if values[name]:
            chips.append(Chip(_in_words(name, values[name]), _address(values | {name: ""}, kept)))
    kinds = []
    for kind, label in quick_kinds.items():
        chosen = values["kind"] == kind
        address = _address(values | {"kind": "" if chosen else kind}, kept)
        kinds.append(KindChip(label, address, chosen))
    latest = ChangeSet.objects.values_list("user_name", flat=True)[:LATEST_FOR_PEOPLE]
    return {
        "filter": values,
        "kept": kept,
        "chips": chips,
        "kinds": kinds,
        "all_kinds": _kinds_of(models),
        "fields": fields_of_rows(models),
        "sources": SOURCES.items(),
        "people": sorted(set(latest)),
        "values_searched": log_search.VALUES_SEARCHED,
        "without_filters": _address({}, kept),
    }


def _kinds_of(models: Collection[type[Model]]) -> list[tuple[str, str]]:
    """The kinds of changes that rows of the models can have."""
    kinds = []
    for name, kind in feed.CHANGE_KINDS.items():
        if not set(kind.models).isdisjoint(models):
            kinds.append((name, kind.title))
    return kinds


def _address(values: dict[str, str], kept: list[tuple[str, str]]) -> str:
    pairs = [(name, value) for name, value in values.items() if value]
    return f"?{urlencode(kept + pairs)}"


def _in_words(name: str, value: str) -> str:
    """A filter as its chip says it."""
    if name == "kind":
        return f"what: {feed.CHANGE_KINDS[value].title}"
    if name == "field":
        return f"field: {dict(fields_of_rows(registry_models()))[value]}"
    if name == "source":
        return f"source: {SOURCES[value]}"
    if name == MINE:
        return "mine"
    if name == "q":
        return f"“{value}”"
    if name in ("from", "to"):
        return f"{name}: {describe_day(date.fromisoformat(value))}"
    return f"{name}: {value}"
