"""Names in addresses: rows by their name, and by one they once had."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404

from ownership.history.models import ChangeSet


class Moved(Exception):
    """What the address names is at another one now."""

    def __init__(self, url: str) -> None:
        self.url = url


class NothingNamed(Http404):
    """Nothing has the name; ``namesakes`` are rows that once had it."""

    def __init__(self, what: str, name: str, namesakes: list[Any] = ()) -> None:  # type: ignore[assignment]
        super().__init__(
            f"{name!r} was once the name of several: {', '.join(row.name for row in namesakes)}."
            if namesakes
            else f"No {what} is called {name!r}."
        )
        self.name, self.namesakes = name, namesakes


def row_named(rows: QuerySet, name: str, request: Any) -> Any:
    """The row of that name; a live name wins. Else raises Moved to the one row that once had it, or to the
    history of a deleted one for those who may see it; else NothingNamed.
    """
    row = rows.filter(name=name).first()
    if row is not None:
        return row
    model, what = rows.model, str(rows.model._meta.verbose_name)
    ever = _ever_named(model, name)
    namesakes = list(model.objects.filter(pk__in=ever))
    keep = {key: value for key, value in request.GET.items() if key in ("revision", "as_of")}
    if len(namesakes) == 1:
        raise Moved(f"{namesakes[0].get_absolute_url()}?{urlencode(keep | {'was': name})}")
    if ever and not namesakes and request.user.is_authenticated:
        raise Moved(f"{model(name=name).get_absolute_url()}history/" + (f"?{urlencode(keep)}" if keep else ""))
    raise NothingNamed(what, name, namesakes)


def renamed(row: Any, name: str, request: Any) -> dict[str, Any] | None:
    """That the row was once called so, for the one who came by that name: the change set that renamed it is for
    those who are signed in. None where it never was.
    """
    entries = type(row).history.model.objects.filter(id=row.pk)
    last = entries.filter(name=name).order_by("-history_id").first() if name and name != row.name else None
    if last is None:
        return None
    after = entries.filter(history_id__gt=last.history_id).order_by("history_id").first()
    by = ChangeSet.objects.filter(pk=after.change_set_id).first() if after and request.user.is_authenticated else None
    return {"was": name, "change_set": by}


def namesakes_of(row: Any) -> list[Any]:
    """Other rows that were once called as this one is now."""
    ids = set(_ever_named(type(row), row.name)) - {row.pk}
    return list(type(row).objects.filter(pk__in=ids)) if ids else []


def _ever_named(model: Any, name: str) -> list[int]:
    return list(model.history.model.objects.filter(name=name).order_by().values_list("id", flat=True).distinct())
