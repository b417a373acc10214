"""Filters of the admin's lists, by name."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from ownership.catalog.mine import MINE, YES, Mine
from ownership.models.answerable import team_ids_of

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


class MineFilter(admin.SimpleListFilter):
    """What the reader's teams are answerable for. Only for people who are in a team."""

    title = "whose"
    parameter_name = MINE

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        return [(YES, "Mine")] if team_ids_of(request.user) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() != YES:
            return queryset
        return queryset.filter(self.condition(Mine.of(request.user)))

    def condition(self, mine: Mine) -> Q:
        """The condition that a row of the list is the reader's."""
        raise NotImplementedError


class MyTables(MineFilter):
    """Tables that services of the reader's teams own."""

    def condition(self, mine: Mine) -> Q:
        return mine.tables


class MyAccesses(MineFilter):
    """Accesses to such tables, or of such services."""

    def condition(self, mine: Mine) -> Q:
        return mine.accesses


class MyServices(MineFilter):
    """Services of the reader's teams."""

    def condition(self, mine: Mine) -> Q:
        return mine.services


class MyWaivers(MineFilter):
    """Waivers of findings on such tables."""

    def condition(self, mine: Mine) -> Q:
        return mine.waivers


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
