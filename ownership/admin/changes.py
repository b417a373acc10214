"""Change sets in the admin: all that ever changed, and what was deleted. Undoing it: undo.py."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ownership import feed
from ownership.admin.lists import CountedLists, SteadyLists
from ownership.admin.undo import UndoPage
from ownership.history import DELETED, ChangeSet, entry_model, entry_models
from ownership.models import Access, SecondaryIndex, Service, Table, TableGroup, Waiver
from ownership.numbers import whole_number
from ownership.obstacles import edit_url, namesakes, natural_key
from ownership.timeline import KINDS, change_set_entries, in_short
from ownership.wording import said

DELETED_SHOWN = 100
NEAR = 10  # names that are told where an address holds none of them


def _place(text: str) -> Q:
    """Entries before the place that an address names (41.3); all of them where it names none."""
    match = re.fullmatch(r"([0-9]{1,18})\.([0-9]{1,9})", text)
    if match is None:
        return Q()
    revision, sequence = map(int, match.groups())
    return Q(change_set__lt=revision) | Q(change_set=revision, sequence__lt=sequence)


def touching(queryset: QuerySet, parts: feed.Parts) -> QuerySet:
    """The change sets with an entry among these."""
    found = Q(pk__in=[])
    for model, which in parts.items():
        found |= Q(revision__in=model.objects.filter(which).values("change_set"))
    return queryset.filter(found)


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
            messages.error(request, f"By {self.title}, there is no {value!r}: it is one of {few}.")
            return queryset.none()
        return self.chosen(queryset, value)


class KindFilter(_ChosenFilter):
    """Change sets with an entry of that kind."""

    title, parameter_name = "what changed", "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, kind.title) for name, kind in KINDS.items()]

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
                messages.error(request, f"By {self.title}, there is no {text!r}: write it as 2026-01-31.")
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


class _NameFilter(admin.SimpleListFilter):
    """Change sets that touched a table, service or group, by its name or one it had; typed, for they may be many."""

    template = "admin/ownership/name_filter.html"
    model: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        """Also without a list of names."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        name = self.value()
        if not name:
            return queryset
        try:
            return touching(queryset, feed.select(**{str(self.parameter_name): name}))  # type: ignore[arg-type]
        except feed.UnknownName as error:
            messages.error(request, f"{name}: {error}")
            return queryset.none()

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The other parameters, for the form to keep; and, for a name that nothing has, those it is a part of."""
        others = [(name, value) for name, value in changelist.params.items() if name != self.parameter_name]
        near: list[str] = []
        if (name := self.value()) and not entry_model(self.model).objects.filter(name=name).exists():
            near = list(self.model.objects.filter(name__icontains=name).values_list("name", flat=True)[:NEAR])
        links = [(one, changelist.get_query_string({self.parameter_name: one})) for one in near]
        yield {
            "others": others,
            "near": links,
            "value": name or "",
            "parameter": self.parameter_name,
            "without": changelist.get_query_string(remove=[self.parameter_name]),
        }


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


@admin.register(ChangeSet)
class ChangeSetAdmin(UndoPage, CountedLists, SteadyLists, admin.ModelAdmin):
    """Who changed what, when and why, newest first."""

    list_display = ("revision", "when", "user_name", "why", "what", "source")
    list_filter = (KindFilter, TableFilter, ServiceFilter, GroupFilter, WhoFilter, SourceFilter, DaysFilter)
    search_fields = ("reason", "user_name")

    @admin.display(description="time", ordering="time")
    def when(self, change: ChangeSet) -> str:
        return f"{change.time:%Y-%m-%d %H:%M}"

    @admin.display(description="why", ordering="reason")
    def why(self, change: ChangeSet) -> str:
        told = change.in_short.change_set  # type: ignore[attr-defined]
        return render_to_string("admin/ownership/why.html", {"change_set": told})

    @admin.display(description="what")
    def what(self, change: ChangeSet) -> str:
        return render_to_string("admin/ownership/what.html", {"group": change.in_short})  # type: ignore[attr-defined]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, by the name that people look for."""
        return super().changelist_view(request, {"title": "Recent changes"} | (extra_context or {}))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; of each change set on its page, what it changed first, and what undid it."""
        changelist = super().get_changelist_instance(request)
        shown = in_short([change.revision for change in changelist.result_list])
        for change in changelist.result_list:
            change.in_short = shown[change.revision]
        return changelist

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Nothing happens to a change set: its own page tells what it did."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        change = self.change_set(request, unquote(object_id))
        return HttpResponseRedirect(reverse("admin:ownership_changeset_change", args=[change.revision]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Change sets come from changes."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        """History is never rewritten."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        """History is never rewritten."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """With the pages of what was deleted, and of undoing."""
        view = self.admin_site.admin_view
        return [
            path("deleted/", view(self.deleted_view), name="ownership_deleted"),
            path("<int:revision>/undo/", view(self.undo_view), name="ownership_undo"),
            path("<int:revision>/undo/<int:sequence>/", view(self.undo_view), name="ownership_undo_entry"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One change set with its entries, page by page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        change = self.change_set(request, unquote(object_id))
        place = whole_number(request.GET.get("after")) or 0
        entries, more = change_set_entries(change.revision, place)
        context = {"change_set": change, "entries": entries, "place": place, "more": more}
        return self.page(request, "change_set", f"Revision {change.revision}", context)

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        """What was deleted and is not there again, newest first; a table stands for its accesses and indexes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        before = _place(request.GET.get("before", ""))
        gone: list[Any] = []
        for model in entry_models():
            again = model.objects.filter(id=OuterRef("id"), history_id__gt=OuterRef("history_id"))
            rows = model.objects.filter(~Exists(again), before, history_type=DELETED).select_related("change_set")
            if model.instance_type in (Access, SecondaryIndex):
                rows = rows.filter(table_id__in=Table.objects.all())
            if model.instance_type is Waiver:
                rows = rows.filter(Q(table_id=None) | Q(table_id__in=Table.objects.all()))
            gone += rows.order_by("-change_set", "-sequence")[: DELETED_SHOWN + 1]
        gone.sort(key=lambda entry: (entry.change_set_id, entry.sequence), reverse=True)
        shown = gone[:DELETED_SHOWN]
        anew = {
            model: namesakes(model, [entry for entry in shown if entry.instance_type is model])
            for model in {entry.instance_type for entry in shown}
        }
        rows = [anew[entry.instance_type].get(natural_key(entry)) for entry in shown]
        entries = [(said(entry), row, row and edit_url(row)) for entry, row in zip(shown, rows, strict=True)]
        more = f"{shown[-1].change_set_id}.{shown[-1].sequence}" if len(gone) > DELETED_SHOWN else None
        return self.page(request, "deleted", "Deleted entries", {"entries": entries, "more": more})

    def change_set(self, request: HttpRequest, revision: str) -> ChangeSet:
        """The change set of that revision; Http404 where there is none."""
        change = self.get_object(request, revision)
        if change is None:
            raise Http404(f"There is no revision {revision}.")
        return change

    def page(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        """One of our own pages, within the admin's frame."""
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/ownership/{template}.html", context)
