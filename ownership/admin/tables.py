"""Tables in the admin, with their accesses and indexes: the page that team leads spend their time on."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import BigIntegerField, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from ownership.admin.addresses import edit_url
from ownership.admin.base import RegistryAdmin, admin_change_set, selected_rows
from ownership.admin.changelists import NOTHING, SearchedByIndex, links
from ownership.admin.conflict import find_conflict
from ownership.admin.filters import NamedFilter
from ownership.admin.forms import (
    Autocomplete,
    RegistryForm,
    RowForm,
    RowFormSet,
    steady_autocomplete,
    without_side_doors,
)
from ownership.catalog import search_index
from ownership.catalog.warnings import warnings
from ownership.history.models import ChangeSet, current_head
from ownership.models import Access, Environment, Mode, SecondaryIndex, Service, Table, TableGroup
from ownership.web.forms import ReasonField

KEY_SCHEMA_FIELDS = (
    ("partition_key_name", "partition_key_type", "partition_key_format"),
    ("sort_key_name", "sort_key_type", "sort_key_format"),
)


def with_last_change(tables: QuerySet[Table]) -> QuerySet[Table]:
    """Tables with ``last_revision``, ``last_time`` and ``last_user`` of the table, its accesses or its indexes."""

    def last(model: Any, column: str) -> Coalesce:
        # The last one, not the greatest of all: a database finds it at the index's end, however long the history.
        entries = model.history.model.objects.filter(**{column: OuterRef("pk")}).order_by("-change_set_id")
        return Coalesce(Subquery(entries.values("change_set_id")[:1], output_field=BigIntegerField()), 0)

    change = ChangeSet.objects.filter(revision=OuterRef("last_revision"))
    return tables.annotate(
        last_revision=Greatest(last(Table, "id"), last(Access, "table_id"), last(SecondaryIndex, "table_id"))
    ).annotate(last_time=Subquery(change.values("time")), last_user=Subquery(change.values("user_name")))


class GroupFilter(NamedFilter):
    """Tables of a group."""

    title = parameter_name = "group"
    model, path = TableGroup, "group__name"


class OwnerFilter(NamedFilter):
    """Tables of a service."""

    title = parameter_name = "owner"
    model, path = Service, "owner__name"


class ServiceFilter(NamedFilter):
    """Tables that a service uses."""

    title, parameter_name, model = "service that uses it", "service", Service

    def having(self, queryset: QuerySet, name: str) -> QuerySet:
        """Without a join, which would give a table once for each access."""
        return queryset.filter(pk__in=Access.objects.filter(service__name=name).values("table"))


class ModeFilter(admin.SimpleListFilter):
    """Tables used in that mode; with a service chosen as well, used so by that service."""

    title, parameter_name = "mode", "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Mode.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        accesses = Access.objects.filter(mode=self.value())
        if service := request.GET.get(ServiceFilter.parameter_name):
            accesses = accesses.filter(service__name=service)
        return queryset.filter(pk__in=accesses.values("table"))


class AccessInline(admin.TabularInline):
    """The services that use the table."""

    model = Access
    form, formset = RowForm, RowFormSet
    fields = ("service", "mode", "indirect", "notes", "position")
    autocomplete_fields = ("service",)
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Access]:
        return super().get_queryset(request).select_related("service", "table")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """With the autocomplete that stands nonsense."""
        return super().formfield_for_foreignkey(db_field, request, **steady_autocomplete(self, db_field, kwargs))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Notes in two lines, so that a table's accesses fit a screen."""
        field = without_side_doors(super().formfield_for_dbfield(db_field, request, **kwargs))
        if field and db_field.name == "notes":
            field.widget.attrs.update(rows=2, cols=50)
        return field


class SecondaryIndexInline(admin.StackedInline):
    """The table's secondary indexes."""

    model = SecondaryIndex
    form, formset = RowForm, RowFormSet
    fields = (("name", "kind"), *KEY_SCHEMA_FIELDS, "position")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[SecondaryIndex]:
        return super().get_queryset(request).select_related("table")


class HandOverForm(forms.Form):
    """To whom the tables go, and why."""

    owner = forms.ModelChoiceField(Service.objects.all(), label="New owner")
    reason = ReasonField()

    def __init__(self, *args: Any, admin_site: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = Table._meta.get_field("owner")
        self.fields["owner"].widget = Autocomplete(field, admin_site)
        self.fields["owner"].widget.choices = self.fields["owner"].choices  # type: ignore[attr-defined]


@admin.action(description="Hand over to another service", permissions=["change"])
def hand_over(model_admin: "TableAdmin", request: HttpRequest, queryset: QuerySet[Table]) -> HttpResponse | None:
    """Make another service the owner of the selected tables: one reason, one change set."""
    confirmed = "hand_over" in request.POST
    form = HandOverForm(request.POST if confirmed else None, admin_site=model_admin.admin_site)
    tables = queryset.select_related("owner")
    conflict = None
    if confirmed and form.is_valid():
        owner = form.cleaned_data["owner"]
        moved = 0
        with admin_change_set(request, form.cleaned_data["reason"]):
            conflict = find_conflict(request, selected_rows(model_admin, request))[0]
            for table in () if conflict else tables:
                moved += table.owner_id != owner.pk
                table.owner = owner
                table.save()
        if conflict is None:
            model_admin.message_user(request, f"{moved} table(s) handed over to {owner}.", messages.SUCCESS)
            return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Hand over to another service",
        "form": form,
        "tables": tables,
        "conflict": conflict,
        "shown_revision": current_head()[0],
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/ownership/hand_over.html", context)


class TableForm(RegistryForm):
    """Keeps descriptions short on the page."""

    class Meta:
        widgets = {"description": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}


@admin.register(Table)
class TableAdmin(SearchedByIndex, RegistryAdmin):
    """Tables: who owns, reads and writes them, and who changed that last."""

    form = TableForm
    list_display = ("name", "group", "owner_link", "key_schema", "read_by", "written_by", "last_change")
    list_filter = (GroupFilter, OwnerFilter, ServiceFilter, ModeFilter)
    search_fields = ("name",)  # what is searched, ``holding`` says
    search_help_text = "Names, descriptions and notes of tables, their indexes and the services that use them."
    autocomplete_fields = ("group", "owner")
    inlines = (AccessInline, SecondaryIndexInline)
    actions = [hand_over]
    readonly_fields = ("worth_a_look", "physical_names")
    save_as = False

    def get_fieldsets(self, request: HttpRequest, obj: Table | None = None) -> list[Any]:
        """The sections, in the document's words; what is derived stands only where there is a table."""
        derived = ["physical_names"] if obj else []
        if obj and warnings(obj):
            derived.append("worth_a_look")
        key_schema = "Partition key and optional sort key. Leave empty what is not stated anywhere."
        return [
            (None, {"fields": ["name", "group", "owner", "description", *derived]}),
            ("Key schema", {"fields": KEY_SCHEMA_FIELDS, "description": key_schema}),
            ("More, and place on the map", {"fields": [("more_title", "more_url"), "position"]}),
        ]

    def holding(self, word: str) -> list[QuerySet]:
        """Tables with the word in a text of their own, of an index or access, or in a using service's name."""
        return [
            Table.objects.filter(search_index.contains(Table, word)).values("pk"),
            SecondaryIndex.objects.filter(search_index.contains(SecondaryIndex, word)).values("table"),
            Access.objects.filter(search_index.contains(Access, word)).values("table"),
            Access.objects.filter(service__in=Service.objects.filter(name__icontains=word)).values("table"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Table]:
        accesses = Prefetch("accesses", Access.objects.select_related("service", "table"))
        tables = super().get_queryset(request).select_related("group", "owner").prefetch_related(accesses)
        of_one = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return tables if of_one else with_last_change(tables)

    @admin.display(description="owner", ordering="owner__name")
    def owner_link(self, table: Table) -> Any:
        return links([table.owner])

    @admin.display(description="key schema")
    def key_schema(self, table: Table) -> str:
        return table.key_schema_text() or NOTHING

    @admin.display(description="read by")
    def read_by(self, table: Table) -> Any:
        return _users(table.reading())

    @admin.display(description="written by")
    def written_by(self, table: Table) -> Any:
        return _users(table.writing())

    @admin.display(description="last change", ordering=F("last_revision"))
    def last_change(self, table: Any) -> Any:
        return format_html(
            '<a href="{}">{}</a><br>{}',
            reverse("admin:ownership_table_history", args=[table.pk]),
            table.last_time.strftime("%Y-%m-%d %H:%M") if table.last_time else NOTHING,
            table.last_user or "",
        )

    @admin.display(description="worth a look")
    def worth_a_look(self, table: Table) -> Any:
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in warnings(table)))

    @admin.display(description="physical names")
    def physical_names(self, table: Table) -> Any:
        rows = ((env.name, table.name + env.suffix) for env in Environment.objects.all())
        return format_html_join("", "<div>{}: <code>{}</code></div>", rows)


def _users(accesses: list[Access]) -> Any:
    """The services whose accesses these are; indirect ones say so."""
    if not accesses:
        return NOTHING
    return format_html_join(
        ", ",
        '<a href="{}">{}</a>{}',
        ((edit_url(a.service), a.service.name, " (indirect)" if a.indirect else "") for a in accesses),
    )
