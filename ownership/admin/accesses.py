"""Accesses in the admin, on their own, for searching. A table's page edits its accesses together."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from ownership.admin.base import RegistryAdmin
from ownership.admin.bulk_edit import edit_accesses, set_modes
from ownership.admin.changelists import (
    IndexedSearch,
    annotate_last_change,
    last_revision,
    link_to_last_change,
    links,
)
from ownership.admin.filters import MyAccesses, NameFilter
from ownership.catalog import search_index
from ownership.models import Access, Service, Table, TableGroup
from ownership.web.suggestions import SUGGESTING


class AccessGroupFilter(NameFilter):
    """Accesses to the tables of a group."""

    title = parameter_name = "group"
    model = TableGroup
    lookup = "table__group__name"


class AccessServiceFilter(NameFilter):
    """Accesses of a service."""

    title = parameter_name = "service"
    model = Service
    lookup = "service__name"


@admin.register(Access)
class AccessAdmin(IndexedSearch, RegistryAdmin):
    """Accesses: which service uses which table, and how."""

    list_display = ("table_link", "service_link", "how", "notes", "last_change")
    list_display_links = ("how",)
    list_filter = (MyAccesses, AccessGroupFilter, AccessServiceFilter, "mode", "indirect")
    actions = [edit_accesses, *set_modes, *RegistryAdmin.actions]
    radio_fields = {"mode": admin.HORIZONTAL}
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

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """The form's page. If it can only be read, it leads to the table's form for suggestions."""
        may_suggest = request.user.has_perm(SUGGESTING)
        if isinstance(obj, Access) and may_suggest and not self.has_change_permission(request, obj):
            context["suggest_url"] = reverse("admin:ownership_table_suggest", args=[obj.table_id])
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Access]:
        accesses = super().get_queryset(request)
        if request.resolver_match and "object_id" in request.resolver_match.kwargs:
            return accesses
        # A list shows more of each access than its form does.
        return annotate_last_change(accesses, last_revision(Access, "id"))

    @admin.display(description="table", ordering="table__name")
    def table_link(self, access: Access) -> SafeString | str:
        return links([access.table])

    @admin.display(description="service", ordering="service__name")
    def service_link(self, access: Access) -> SafeString | str:
        return links([access.service])

    @admin.display(description="mode", ordering="mode")
    def how(self, access: Access) -> str:
        """The mode, and "indirect" where it is; a direct access says nothing of it."""
        return render_to_string("ownership/mode.html", {"access": access})

    @admin.display(description="last change", ordering=F("last_revision"))
    def last_change(self, access: Access) -> SafeString:
        return link_to_last_change(access)

    def get_readonly_fields(
        self,
        request: HttpRequest,
        obj: Access | None = None,
    ) -> tuple[str, ...]:
        """An access stays with its table."""
        return ("table",) if obj else ()
