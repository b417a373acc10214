"""Filters of lists by a name, and of recent changes: by what changed, whose it is, who did it, and when."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from ownership.audit import feed
from ownership.audit.timeline import CHANGE_KINDS
from ownership.history.models import ChangeSet, entry_model
from ownership.models import Service, Table, TableGroup

NEAR = 10  # names that are told where an address holds none of them
MANY = 100  # more names than that are typed, not listed


def touching(queryset: QuerySet, parts: feed.Parts) -> QuerySet:
    """The change sets with an entry among these."""
    found = Q(pk__in=[])
    for model, which in parts.items():
        found |= Q(revision__in=model.objects.filter(which).values("change_set"))
    return queryset.filter(found)


def refuse(request: HttpRequest, words: str) -> None:
    """Say it once: Django asks filters again for the counts beside them, when the page's messages are drawn already."""
    said = vars(request).setdefault("said_by_filters", set())
    if words not in said:
        said.add(words)
        messages.error(request, words)


class _ChosenFilter(admin.SimpleListFilter):
    """A filter with a list of values, which says so where the address holds another."""

    def chosen(self, queryset: QuerySet, value: str) -> QuerySet:
        """The change sets for one of the values."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        if not value:
            return queryset
        names = [name for name, _ in self.lookup_choices]
        if value not in names:
            few = ", ".join(names[:NEAR]) + (", …" if len(names) > NEAR else "")
            refuse(request, f"By {self.title}, there is no {value!r}: it is one of {few}.")
            return queryset.none()
        return self.chosen(queryset, value)


class KindFilter(_ChosenFilter):
    """Change sets with an entry of that kind."""

    title, parameter_name = "what changed", "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, kind.title) for name, kind in CHANGE_KINDS.items()]

    def chosen(self, queryset: QuerySet, value: str) -> QuerySet:
        return touching(queryset, feed.select(kind=value))


class SourceFilter(_ChosenFilter):
    """Change sets from the admin, an import, …"""

    title = parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return ChangeSet.Source.choices

    def chosen(self, queryset: QuerySet, value: str) -> QuerySet:
        return queryset.filter(source=value)


class DaysFilter(admin.ListFilter):
    """Change sets from one day to another, both included."""

    title, template = "day", "admin/ownership/days_filter.html"
    names = ("from", "to")

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.used_parameters |= {name: params.pop(name)[-1] for name in self.names if name in params}

    def days(self) -> list[tuple[str, str]]:
        """What the address says of either."""
        return [(name, str(self.used_parameters.get(name, ""))) for name in self.names]

    def has_output(self) -> bool:
        """Always."""
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        for name, text in self.days():
            if not text:
                continue
            try:
                day = datetime.combine(date.fromisoformat(text), time.min, UTC)
                limits = {"from": {"time__gte": day}, "to": {"time__lt": day + timedelta(days=1)}}
            except (ValueError, OverflowError):
                refuse(request, f"By {self.title}, there is no {text!r}: write it as 2026-01-31.")
                return queryset.none()
            queryset = queryset.filter(**limits[name])
        return queryset

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The two days, and the other parameters for the form to keep."""
        yield {
            "others": [(name, value) for name, value in changelist.params.items() if name not in self.names],
            "days": self.days(),
            "without": changelist.get_query_string(remove=list(self.names)),
        }


class _TypedName(admin.SimpleListFilter):
    """By the name of a table, service or group, which is typed, for they may be many."""

    template = "admin/ownership/name_filter.html"
    hint = "its name"
    model: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        """Also without a list of names."""
        return True

    def is_known(self, name: str) -> bool:
        """Whether something has that name."""
        return self.model.objects.filter(name=name).exists()

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The other parameters, for the form to keep; and, for a name that nothing has, those it is a part of."""
        others = [(name, value) for name, value in changelist.params.items() if name != self.parameter_name]
        near: list[str] = []
        if (name := self.value()) and not self.is_known(name):
            near = list(self.model.objects.filter(name__icontains=name).values_list("name", flat=True)[:NEAR])
        links = [(one, changelist.get_query_string({self.parameter_name: one})) for one in near]
        yield {
            "others": others,
            "near": links,
            "value": name or "",
            "hint": self.hint,
            "parameter": self.parameter_name,
            "without": changelist.get_query_string(remove=[self.parameter_name]),
        }


class NamedFilter(_TypedName):
    """Rows by the name of a group or service that they point to: listed, or typed where there are MANY."""

    path: str  # the lookup that finds the name

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = self.model.objects.values_list("name", flat=True)[: MANY + 1]
        if len(names) > MANY:
            return []
        self.template = admin.SimpleListFilter.template
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.value()
        if not name:
            return queryset
        if not self.is_known(name):
            refuse(request, f"There is no {self.model._meta.verbose_name} {name!r}.")
            return queryset.none()
        return self.having(queryset, name)

    def having(self, queryset: QuerySet, name: str) -> QuerySet:
        """The rows that point to what has the name."""
        return queryset.filter(**{self.path: name})

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's where the names are listed."""
        return admin.SimpleListFilter.choices(self, changelist) if self.lookup_choices else super().choices(changelist)


class _NameFilter(_TypedName):
    """Change sets that touched a table, service or group, by its name or one it had."""

    hint = "its name, or one it had"

    def is_known(self, name: str) -> bool:
        """Whether something has that name, or had it."""
        return entry_model(self.model).objects.filter(name=name).exists()

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.value()
        if not name:
            return queryset
        try:
            return touching(queryset, feed.select(**{str(self.parameter_name): name}))  # type: ignore[arg-type]
        except feed.UnknownName as error:
            refuse(request, f"{name}: {error}")
            return queryset.none()


class TableFilter(_NameFilter):
    """Of a table, its accesses and indexes."""

    title = parameter_name = "table"
    model = Table


class ServiceFilter(_NameFilter):
    """Of a service, and what it gained and lost."""

    title = parameter_name = "service"
    model = Service


class GroupFilter(_NameFilter):
    """Of a group and its tables."""

    title = parameter_name = "group"
    model = TableGroup


class WhoFilter(_ChosenFilter):
    """Change sets of one person, also where the account is gone."""

    title, parameter_name = "who", "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = ChangeSet.objects.order_by("user_name").values_list("user_name", flat=True).distinct()
        return [(name, name) for name in names]

    def chosen(self, queryset: QuerySet, value: str) -> QuerySet:
        return queryset.filter(user_name=value)
