"""Rows by the name in an address: their own name, or one that they used to have."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from ownership.history.models import ChangeSet
from ownership.models.rights import has_role

# They ask for the page as it was at another time.
MOMENT_PARAMETERS = ("revision", "as_of")


class Moved(Exception):
    """The thing that the address names has another address now."""

    def __init__(self, url: str) -> None:
        self.url = url


class NothingNamed(Http404):
    """Nothing has the name; ``namesakes`` are rows that used to have it."""

    def __init__(self, kind: str, name: str, namesakes: Sequence[Any] = ()) -> None:
        self.name = name
        self.namesakes = namesakes
        if self.namesakes:
            names = ", ".join(row.name for row in self.namesakes)
            message = f"Several have been called “{name}”: {names}."
        else:
            message = f"No {kind} is called “{name}”."
        super().__init__(message)


def row_named(rows: QuerySet, name: str, request: HttpRequest) -> Any:
    """Return the row of that name.

    Where no row has it, raise Moved to the one row that used to have it, or, for people with a role, to the
    history of a deleted one. Otherwise raise NothingNamed.
    """
    row = rows.filter(name=name).first()
    if row is not None:
        return row
    model: Any = rows.model
    moment = {name: text for name, text in request.GET.items() if name in MOMENT_PARAMETERS}
    ever_named = _ids_ever_named(model, name)
    namesakes = list(model.objects.filter(pk__in=ever_named))
    if len(namesakes) == 1:
        query = urlencode(moment | {"was": name})
        raise Moved(f"{namesakes[0].get_absolute_url()}?{query}")
    was_deleted = bool(ever_named) and not namesakes
    if was_deleted and has_role(request.user):
        address = f"{model(name=name).get_absolute_url()}history/"
        raise Moved(f"{address}?{urlencode(moment)}" if moment else address)
    raise NothingNamed(model._meta.verbose_name, name, namesakes)


def rows_once_named(model: Any, name: str) -> list[Any]:
    """Return the rows that have, or used to have, the name."""
    return list(model.objects.filter(pk__in=_ids_ever_named(model, name)))


def former_name(row: Any, name: str, request: HttpRequest) -> dict[str, Any] | None:
    """Return what to tell a reader who followed a former name of the row; None where it never had that name.

    `was` is the name, `change_set` the one that changed it, None for people without a role.
    """
    if not name or name == row.name:
        return None
    entries = type(row).history.model.objects.filter(id=row.pk)
    last = entries.filter(name=name).order_by("-history_id").first()
    if last is None:
        return None
    if not has_role(request.user):
        return {"was": name, "change_set": None}
    later = entries.filter(history_id__gt=last.history_id).order_by("history_id")
    renamed_in = later.values("change_set_id")[:1]
    return {"was": name, "change_set": ChangeSet.objects.filter(pk__in=renamed_in).first()}


def namesakes_of(row: Any) -> list[Model]:
    """Return other rows that used to have the name that this row has now."""
    ids = set(_ids_ever_named(type(row), row.name)) - {row.pk}
    return list(type(row).objects.filter(pk__in=ids))  # no query for none


def _ids_ever_named(model: Any, name: str) -> list[int]:
    entries = model.history.model.objects.filter(name=name)
    return list(entries.order_by().values_list("id", flat=True).distinct())
