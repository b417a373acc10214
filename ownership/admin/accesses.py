"""Accesses in the admin, on their own, for searching. A table's page edits its accesses together."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ownership.admin.base import RegistryAdmin
from ownership.admin.changelists import IndexedSearch
from ownership.admin.filters import NameFilter
from ownership.catalog import search_index
from ownership.models import Access, Service, Table, TableGroup


class GroupFilter(NameFilter):
    """Accesses to the tables of a group."""

    title = parameter_name = "group"
    model = TableGroup
    lookup = "table__group__name"


class ServiceFilter(NameFilter):
    """Accesses of a service."""

    title = parameter_name = "service"
    model = Service
    lookup = "service__name"


@admin.register(Access)
class AccessAdmin(IndexedSearch, RegistryAdmin):
    """Accesses: which service uses which table, and how."""

    list_display = ("__str__", "table", "service", "mode", "indirect", "notes")
    list_filter = ("mode", "indirect", GroupFilter, ServiceFilter)
    search_fields = ("notes",)  # makes Django show the search box; ``holding`` does the search
    search_help_text = "Searches notes, and names of tables and services."
    autocomplete_fields = ("table", "service")
    list_select_related = ("table", "service")
    ordering = ("table__name", "position", "service__name")
    fieldsets = [(None, {"fields": ["table", "service", "mode", "indirect", "notes", "position"]})]

    def holding(self, word: str) -> list[QuerySet]:
        """Accesses with the word in their notes, or in the name of their table or service."""
        tables = Table.objects.filter(name__icontains=word)
        services = Service.objects.filter(name__icontains=word)
        return [
            Access.objects.filter(search_index.contains(Access, word)).values("pk"),
            Access.objects.filter(table__in=tables).values("pk"),
            Access.objects.filter(service__in=services).values("pk"),
        ]

    def get_readonly_fields(
        self,
        request: HttpRequest,
        obj: Access | None = None,
    ) -> tuple[str, ...]:
        """An access stays with its table."""
        return ("table",) if obj else ()
