"""Tables in the admin, with their accesses and indexes: the page that team leads use most."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.db.models import F, Prefetch, QuerySet, prefetch_related_objects
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ownership.admin.addresses import edit_url
from ownership.admin.base import RegistryAdmin
from ownership.admin.bulk_edit import edit_tables
from ownership.admin.changelists import (
    NOTHING,
    IndexedSearch,
    annotate_last_change,
    last_revision,
    link_to_last_change,
    links,
)
from ownership.admin.filters import MyTables, NameFilter
from ownership.admin.import_page import ImportPage
from ownership.admin.inlines import InlineRowForm, InlineRowFormSet
from ownership.admin.order_page import OrderPage
from ownership.admin.saving import FormFields, RegistryForm
from ownership.admin.suggesting import SuggestedRows, SuggestPage
from ownership.catalog import search_index
from ownership.catalog.confirmation import ConfirmationState, tables_in_state
from ownership.catalog.warnings import warnings
from ownership.models import (
    Access,
    Environment,
    Mode,
    SecondaryIndex,
    Service,
    Table,
    TableGroup,
    Team,
)
from ownership.models.answerable import teams_by_service

KEY_SCHEMA_FIELDS = (
    ("partition_key_name", "partition_key_type", "partition_key_format"),
    ("sort_key_name", "sort_key_type", "sort_key_format"),
)


def with_last_change(tables: QuerySet[Table]) -> QuerySet[Table]:
    """Tables with the last change of the table, its accesses or its indexes: see ``annotate_last_change``."""
    revision = Greatest(
        last_revision(Table, "id"),
        last_revision(Access, "table_id"),
        last_revision(SecondaryIndex, "table_id"),
    )
    return annotate_last_change(tables, revision)


class TableGroupFilter(NameFilter):
    """Tables of a group."""

    title = parameter_name = "group"
    model = TableGroup
    lookup = "group__name"


class OwnerFilter(NameFilter):
    """Tables that a service owns."""

    title = parameter_name = "owner"
    model = Service
    lookup = "owner__name"


class TableServiceFilter(NameFilter):
    """Tables that a service uses."""

    title = "service with access"
    parameter_name = "service"
    model = Service

    def matching(self, queryset: QuerySet, name: str) -> QuerySet:
        """Without a join, which would list a table once for each access."""
        return queryset.filter(pk__in=Access.objects.filter(service__name=name).values("table"))


class ModeFilter(admin.SimpleListFilter):
    """Tables with an access of that mode; of the chosen service, if one is chosen too."""

    title = parameter_name = "mode"

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Mode.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        accesses = Access.objects.filter(mode=self.value())
        service = request.GET.get(TableServiceFilter.parameter_name)
        if service:
            accesses = accesses.filter(service__name=service)
        return queryset.filter(pk__in=accesses.values("table"))


class ConfirmationFilter(admin.SimpleListFilter):
    """Tables by how far their entries are confirmed."""

    title = parameter_name = "confirmation"

    def lookups(
        self,
        request: HttpRequest,
        model_admin: admin.ModelAdmin,
    ) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in ConfirmationState]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        state = self.value()
        if state is None:
            return queryset
        return queryset.filter(pk__in=tables_in_state(Table.objects.order_by(), state).values("pk"))


class AccessForm(InlineRowForm):
    """An access of the table. Of a new table, one without a service is the owner's."""

    # The table that the form's page is about; the formset sets it.
    table: Table

    def clean_service(self) -> Service | None:
        """The chosen service, or else the owner of the new table."""
        service: Service | None = self.cleaned_data["service"]
        if service is None and self.table.owner_id is not None:
            return self.table.owner
        return service


class AccessFormSet(InlineRowFormSet):
    """The table's accesses. Of a new table the form offers one, for its owner."""

    def add_fields(self, form: forms.ModelForm, index: int | None) -> None:
        """Django's, and what a new table's access does without."""
        super().add_fields(form, index)
        form.table = self.instance  # type: ignore[attr-defined]
        if self.instance.pk is None:
            form.fields["service"].required = False
            if index == 0:
                form.fields["service"].widget.widget.placeholder = "the owner"


class AccessInline(SuggestedRows, FormFields, admin.TabularInline):
    """The services that use the table: one line each."""

    model = Access
    form = AccessForm
    formset = AccessFormSet
    template = "admin/ownership/inline_rows.html"
    cells = "admin/ownership/access_cells.html"
    without_script = "Save, then add more accesses in the list of accesses."
    fields = ("service", "mode", "indirect", "notes", "position")
    radio_fields = {"mode": admin.HORIZONTAL}
    autocomplete_fields = ("service",)

    def get_extra(self, request: HttpRequest, obj: Table | None = None, **kwargs: object) -> int:
        """A new table begins with its owner's access."""
        return 1 if obj is None else 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Access]:
        return super().get_queryset(request).select_related("service", "table")

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **kwargs: object
    ) -> forms.Field | None:
        """Notes in one line that grows, so that a table's accesses fit on a screen."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name == "notes":
            # Labels are for screen readers here: a line of its own has no room for them.
            field.widget.attrs.update(rows=1, cols=50, placeholder="Notes")
        if field and db_field.name == "service":
            # A new service is made on its own page: here its button would take a line.
            field.widget.can_add_related = False
        return field


class SecondaryIndexInline(SuggestedRows, FormFields, admin.TabularInline):
    """The table's secondary indexes."""

    model = SecondaryIndex
    form = InlineRowForm
    formset = InlineRowFormSet
    template = "admin/ownership/inline_rows.html"
    cells = "admin/ownership/index_cells.html"
    without_script = "To add secondary indexes without JavaScript, import them as JSON."
    fields = ("name", "kind", *KEY_SCHEMA_FIELDS, "position")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[SecondaryIndex]:
        return super().get_queryset(request).select_related("table")


class TableForm(RegistryForm):
    """Keeps the description short on the page."""

    class Meta:
        widgets = {"description": forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"})}


@admin.register(Table)
class TableAdmin(ImportPage, OrderPage, SuggestPage, IndexedSearch, RegistryAdmin):
    """Tables: who owns, reads and writes them, and who changed that last."""

    form = TableForm
    list_display = (
        "name",
        "group",
        "owner_link",
        "key_schema",
        "written_by",
        "read_by",
        "last_change",
    )
    list_filter = (
        MyTables,
        TableGroupFilter,
        OwnerFilter,
        TableServiceFilter,
        ModeFilter,
        ConfirmationFilter,
    )
    search_fields = ("name",)  # makes Django show the search box; ``holding`` does the search
    search_help_text = "Searches names, descriptions and notes of tables, their indexes and the services that use them."
    autocomplete_fields = ("group", "owner")
    inlines = (AccessInline, SecondaryIndexInline)
    actions = [edit_tables, *RegistryAdmin.actions]
    order_name = "map order"
    readonly_fields = ("physical_names",)

    def get_urls(self) -> list[URLPattern]:
        """Django's, and the page for imports."""
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="ownership_import"), *super().get_urls()]

    def rows_to_order(self, request: HttpRequest) -> QuerySet[Table]:
        """The tables of the group that the address names."""
        group = get_object_or_404(TableGroup, name=request.GET.get("group", ""))
        return Table.objects.select_related("group", "owner").filter(group=group)

    def order_title(self, request: HttpRequest) -> str:
        """Tables have an order within their group."""
        return f"{super().order_title(request)} in {request.GET.get('group', '')}"

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """The columns; with the team that is answerable for the owner, where there are teams."""
        columns = list(self.list_display)
        if _teams_of_services(request):
            columns.insert(columns.index("owner_link") + 1, "team")
        return tuple(columns)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The list, each table with the team that is answerable for it."""
        changelist = super().get_changelist_instance(request)
        teams = _teams_of_services(request)
        for table in changelist.result_list:
            table.answerable_team = teams.get(table.owner_id)
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Table | None = None) -> list[Any]:
        """The form's sections. A table that exists has physical names, too."""
        fields: list[Any] = ["name", ("group", "owner"), "description", "position"]
        keys: list[Any] = list(KEY_SCHEMA_FIELDS)
        if obj:
            keys.append("physical_names")
        key_schema = "Partition key and optional sort key. Leave blank if unknown."
        return [
            (None, {"fields": fields}),
            ("Key schema", {"fields": keys, "description": key_schema}),
            ("Documentation", {"fields": [("more_title", "more_url")]}),
        ]

    def get_formset_kwargs(
        self,
        request: HttpRequest,
        obj: Table,
        inline: InlineModelAdmin,
        prefix: str,
    ) -> dict[str, Any]:
        """Offer a new table its owner's access. What is posted is compared with nothing, so that it is saved."""
        arguments: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj.pk is None and inline.model is Access and request.method != "POST":
            arguments["initial"] = [{"mode": Mode.READ_WRITE}]
        return arguments

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: models.Model | None = None,
    ) -> HttpResponse:
        """The page, with warnings about the table as it is stored."""
        if isinstance(obj, Table):
            accesses = Access.objects.select_related("service")
            prefetch_related_objects([obj], Prefetch("accesses", accesses))
            context["warnings"] = warnings(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def holding(self, word: str) -> list[QuerySet]:
        """Tables with the word in a text of their own, of an index or an access, or in the name of a service."""
        tables = Table.objects.filter(search_index.contains(Table, word))
        indexes = SecondaryIndex.objects.filter(search_index.contains(SecondaryIndex, word))
        accesses = Access.objects.filter(search_index.contains(Access, word))
        services = Service.objects.filter(name__icontains=word)
        return [
            tables.values("pk"),
            indexes.values("table"),
            accesses.values("table"),
            Access.objects.filter(service__in=services).values("table"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Table]:
        tables = super().get_queryset(request).select_related("group", "owner")
        if request.resolver_match and "object_id" in request.resolver_match.kwargs:
            return tables
        # A list shows more of each table than its form does.
        accesses = Access.objects.select_related("service", "table")
        return with_last_change(tables.prefetch_related(Prefetch("accesses", accesses)))

    @admin.display(description="owner", ordering="owner__name")
    def owner_link(self, table: Table) -> SafeString | str:
        return links([table.owner])

    @admin.display(description="team")
    def team(self, table: Any) -> SafeString | str:
        team = table.answerable_team
        if team is None:
            return NOTHING
        return format_html('<a href="{}">{}</a>', team.get_absolute_url(), team.name)

    @admin.display(description="key schema")
    def key_schema(self, table: Table) -> str:
        return table.key_schema_text() or NOTHING

    @admin.display(description="read by")
    def read_by(self, table: Table) -> SafeString | str:
        return _users(table.reading())

    @admin.display(description="written by")
    def written_by(self, table: Table) -> SafeString | str:
        return _users(table.writing())

    @admin.display(description="last change", ordering=F("last_revision"))
    def last_change(self, table: Table) -> SafeString:
        return link_to_last_change(table)

    @admin.display(description="physical names")
    def physical_names(self, table: Table) -> SafeString:
        names = []
        for environment in Environment.objects.all():
            names.append((environment.name, environment.name_pattern.physical(table.name)))
        return format_html_join("", "<div>{}: <code>{}</code></div>", names)


def _teams_of_services(request: HttpRequest) -> dict[int, Team]:
    """{a service's id: the team that is answerable for it}, read once for each request; empty without teams."""
    kept: dict[int, Team] | None = getattr(request, "_teams_of_services", None)
    if kept is None:
        kept = teams_by_service()
        request._teams_of_services = kept  # type: ignore[attr-defined]
    return kept


def _users(accesses: list[Access]) -> SafeString | str:
    """Links to the services whose accesses these are. Indirect ones are marked."""
    if not accesses:
        return NOTHING
    users = []
    for access in accesses:
        mark = " (indirect)" if access.indirect else ""
        users.append((edit_url(access.service), access.service.name, mark))
    return format_html_join(", ", '<a href="{}">{}</a>{}', users)
