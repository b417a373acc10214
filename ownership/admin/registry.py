"""The registry's own models in the admin, in the document's words."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ownership.admin.base import RegistryAdmin
from ownership.admin.changelists import SearchedByIndex, links
from ownership.admin.filters import NamedFilter
from ownership.admin.forms import RegistryForm
from ownership.catalog import search_index
from ownership.models import READS, WRITES, Access, Environment, Service, Table, TableGroup


class ServiceForm(RegistryForm):
    """Aliases one per line; nobody should have to write JSON."""

    aliases = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text="Other names it goes by in infrastructure (stacks, roles), one per line.",
    )

    class Meta:
        widgets = {"description": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "aliases" in self.fields:  # a viewer's page has no fields
            self.initial["aliases"] = "\n".join(self.instance.aliases)

    def clean_aliases(self) -> list[str]:
        """The lines that are not blank."""
        return [line.strip() for line in self.cleaned_data["aliases"].splitlines() if line.strip()]


@admin.register(Service)
class ServiceAdmin(RegistryAdmin):
    """Services: what they own, read and write."""

    form = ServiceForm
    list_display = ("name", "part_of", "owns", "contact")
    list_filter = (("part_of", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("name", "description", "contact")
    autocomplete_fields = ("part_of",)
    readonly_fields = ("owns", "reads", "writes", "parts")

    def get_fieldsets(self, request: HttpRequest, obj: Service | None = None) -> list[Any]:
        """The service, then the tables it has to do with."""
        sections = [
            (None, {"fields": ["name", "part_of", "description"]}),
            ("Whom to ask, where to look", {"fields": ["contact", "repository", "aliases"]}),
        ]
        if obj:
            sections.append(("Its tables and parts", {"fields": ["owns", "reads", "writes", "parts"]}))
        return sections

    def get_queryset(self, request: HttpRequest) -> QuerySet[Service]:
        return super().get_queryset(request).select_related("part_of").prefetch_related("owned_tables", "parts")

    def owns(self, service: Service) -> Any:
        return links(list(service.owned_tables.all()))

    def parts(self, service: Service) -> Any:
        return links(list(service.parts.all()))

    def reads(self, service: Service) -> Any:
        return links(_used_tables(service, READS))

    def writes(self, service: Service) -> Any:
        return links(_used_tables(service, WRITES))


def _used_tables(service: Service, modes: tuple[str, ...]) -> list[Table]:
    return list(Table.objects.filter(pk__in=service.accesses.filter(mode__in=modes).values("table")))


class GroupFilter(NamedFilter):
    """Accesses to the tables of a group."""

    title = parameter_name = "group"
    model, path = TableGroup, "table__group__name"


class ServiceFilter(NamedFilter):
    """Accesses of a service."""

    title = parameter_name = "service"
    model, path = Service, "service__name"


@admin.register(Access)
class AccessAdmin(SearchedByIndex, RegistryAdmin):
    """Accesses on their own, for searching; a table's page edits its accesses together."""

    list_display = ("__str__", "table", "service", "mode", "indirect", "notes")
    list_filter = ("mode", "indirect", GroupFilter, ServiceFilter)
    search_fields = ("notes",)  # what is searched, ``holding`` says
    search_help_text = "Notes, and names of tables and services."
    autocomplete_fields = ("table", "service")
    list_select_related = ("table", "service")
    ordering = ("table__name", "position", "service__name")
    fieldsets = [(None, {"fields": ["table", "service", "mode", "indirect", "notes", "position"]})]

    def holding(self, word: str) -> list[QuerySet]:
        """Accesses with the word in their notes or in the name of their table or service."""
        return [
            Access.objects.filter(search_index.contains(Access, word)).values("pk"),
            Access.objects.filter(table__in=Table.objects.filter(name__icontains=word)).values("pk"),
            Access.objects.filter(service__in=Service.objects.filter(name__icontains=word)).values("pk"),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Access | None = None) -> tuple[str, ...]:
        """An access stays with its table."""
        return ("table",) if obj else ()


@admin.register(TableGroup)
class TableGroupAdmin(RegistryAdmin):
    """The headings that tables stand under."""

    list_display = ("name", "description", "position")
    search_fields = ("name", "description")
    fieldsets = [(None, {"fields": ["name", "description", "position"]})]


@admin.register(Environment)
class EnvironmentAdmin(RegistryAdmin):
    """Where the backend runs."""

    list_display = ("name", "suffix", "description")
    search_fields = ("name", "description")
    fieldsets = [(None, {"fields": ["name", "suffix", "description", "position"]})]
