"""Filters of the admin's lists, by name."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from ownership.catalog.mine import MINE, YES, Mine
from ownership.models.answerable import team_ids_of

# Of an unknown name, as many names that contain it are offered.
MAX_SUGGESTIONS = 10
# Up to so many names are listed; of more, one is typed.
MAX_LISTED = 100


class NameFilter(admin.SimpleListFilter):
    """Rows by the name of the group, service or team that they point to: listed, or typed if there are many.

    An unknown name finds nothing, and names like it.
    """

    parameter_name: str
    hint = "name"
    model: type[Model]  # whose names
    lookup: str  # that finds the name: "owner__name"
    error = ""

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        names = list(self.model._default_manager.values_list("name", flat=True)[: MAX_LISTED + 1])
        if len(names) > MAX_LISTED:
            return []
        return [(name, name) for name in names]

    def has_output(self) -> bool:
        """Show the filter though it lists no names."""
        return True

    def is_known(self, name: str) -> bool:
        """Whether anything has that name."""
        return self.model._default_manager.filter(name=name).exists()

    def matching(self, queryset: QuerySet, name: str) -> QuerySet:
        """The rows that point to what has the name."""
        return queryset.filter(**{self.lookup: name})

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
        """Django's choices if the names are listed; otherwise one entry for the field."""
        if self.lookup_choices:
            return super().choices(changelist)
        field = {"value": self.value() or "", "hint": self.hint, "parameter": self.parameter_name}
        return iter([field])


class MineFilter(admin.SimpleListFilter):
    """What the reader's teams are answerable for. Only for people who are in a team."""

    title = "whose"
    parameter_name = MINE
    part: str  # of Mine: the condition that a row of the list is the reader's

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        return [(YES, "Mine")] if team_ids_of(request.user) else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() != YES:
            return queryset
        return queryset.filter(getattr(Mine.of(request.user), self.part))


class MyTables(MineFilter):
    """Tables that services of the reader's teams own."""

    part = "tables"


class MyAccesses(MineFilter):
    """Accesses to such tables, or of such services."""

    part = "accesses"


class MyServices(MineFilter):
    """Services of the reader's teams."""

    part = "services"


class MyWaivers(MineFilter):
    """Waivers of findings on such tables."""

    part = "waivers"
