"""Filters of the admin's lists: by name, by kind of change, and by days."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from ownership.audit import feed
from ownership.history.models import entry_model
from ownership.models import Service, Table, TableGroup

# Of an unknown name, as many names that contain it are offered.
MAX_SUGGESTIONS = 10
# Up to so many names are listed; of more, one is typed.
MAX_LISTED = 100


class TypedNameFilter(admin.SimpleListFilter):
    """By a name that is typed, because there may be thousands. An unknown one finds nothing, and names like it."""

    parameter_name: str
    hint = "name"
    model: type[Model]  # whose names
    error = ""

    def matching(self, queryset: QuerySet, name: str) -> QuerySet:
        """The rows that the name selects."""
        raise NotImplementedError

    def is_known(self, name: str) -> bool:
        """Whether anything has that name."""
        return self.model._default_manager.filter(name=name).exists()

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        """Show the filter though it lists no names."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.value()
        if not name:
            return queryset
        if not self.is_known(name):
            self.error = f"No {self.model._meta.verbose_name} is called “{name}”."
            return queryset.none()
        return self.matching(queryset, name)

    def similar(self, changelist: ChangeList) -> list[tuple[str, str]]:
        """Of an unknown name: names like it, each with the address of its list."""
        if not self.error:
            return []
        rows = self.model._default_manager.filter(name__icontains=self.value())
        suggestions = []
        for name in rows.values_list("name", flat=True)[:MAX_SUGGESTIONS]:
            suggestions.append((name, changelist.get_query_string({self.parameter_name: name})))
        return suggestions

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """What the template needs: one entry for the whole field."""
        yield {"value": self.value() or "", "hint": self.hint, "parameter": self.parameter_name}


class NameFilter(TypedNameFilter):
    """Rows by the name of the group or service that they point to: listed, or typed if there are many."""

    lookup: str  # that finds the name: "owner__name"

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        names = list(self.model._default_manager.values_list("name", flat=True)[: MAX_LISTED + 1])
        if len(names) > MAX_LISTED:
            return []
        return [(name, name) for name in names]

    def matching(self, queryset: QuerySet, name: str) -> QuerySet:
        """The rows that point to what has the name."""
        return queryset.filter(**{self.lookup: name})

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Django's choices if the names are listed."""
        if self.lookup_choices:
            return admin.SimpleListFilter.choices(self, changelist)
        return super().choices(changelist)


class ChangedNameFilter(TypedNameFilter):
    """Change sets that touched a table, service or group, by its current or a former name."""

    hint = "current or former name"

    def is_known(self, name: str) -> bool:
        """Whether anything has that name, or had it."""
        return entry_model(self.model).objects.filter(name=name).exists()

    def matching(self, queryset: QuerySet, name: str) -> QuerySet:
        """The change sets with an entry of what has, or had, the name."""
        return _touching(queryset, feed.select(**{self.parameter_name: name}))  # type: ignore[arg-type]


def _touching(queryset: QuerySet, parts: feed.Selection) -> QuerySet:
    """The change sets with an entry among these."""
    condition = Q(pk__in=[])
    for model, entries in parts.items():
        condition |= Q(revision__in=model.objects.filter(entries).values("change_set"))
    return queryset.filter(condition)


class TableFilter(ChangedNameFilter):
    """Changes of a table, its accesses and indexes."""

    title = parameter_name = "table"
    model = Table


class ServiceFilter(ChangedNameFilter):
    """Changes of a service, and what it gained and lost."""

    title = parameter_name = "service"
    model = Service


class GroupFilter(ChangedNameFilter):
    """Changes of a group and its tables."""

    title = parameter_name = "group"
    model = TableGroup


class KindFilter(admin.SimpleListFilter):
    """Change sets with an entry of that kind."""

    title = "what changed"
    parameter_name = "kind"

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        return [(name, kind.title) for name, kind in feed.CHANGE_KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        kind = self.value()
        if not kind:
            return queryset
        if kind not in feed.CHANGE_KINDS:
            return queryset.none()
        return _touching(queryset, feed.select(kind=kind))


class DaysFilter(admin.ListFilter):
    """Change sets from one day to another, both included.

    Django has a filter for fixed ranges such as "past 7 days", and ``date_hierarchy``, which reads all change sets to
    list their days.
    """

    title = "day"
    parameters = ("from", "to")
    error = ""

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: admin.ModelAdmin,
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.parameters:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def expected_parameters(self) -> list[str | None]:
        return list(self.parameters)

    def has_output(self) -> bool:
        """Always."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        first = self.used_parameters.get("from")
        last = self.used_parameters.get("to")
        try:
            if first:
                queryset = queryset.filter(time__gte=_start_of_day(str(first)))
            if last:
                queryset = queryset.filter(time__lt=_start_of_day(str(last)) + timedelta(days=1))
        except (ValueError, OverflowError):
            self.error = "Enter days as YYYY-MM-DD, for example 2026-01-31."
            return queryset.none()
        return queryset

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """What the template needs: one entry for the whole field."""
        yield {"days": [(name, self.used_parameters.get(name, "")) for name in self.parameters]}


def _start_of_day(text: str) -> datetime:
    """Midnight, UTC, of a day written as 2026-01-31. Raises ValueError for anything else."""
    return datetime.combine(date.fromisoformat(text), time.min, UTC)
