"""Change sets in the admin: all that ever changed, and what was deleted. Undoing it: undo.py."""

import re
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ownership.admin.addresses import edit_url
from ownership.admin.changelists import CountedLists, SteadyLists
from ownership.admin.filters import (
    DaysFilter,
    GroupFilter,
    KindFilter,
    ServiceFilter,
    SourceFilter,
    TableFilter,
    WhoFilter,
)
from ownership.admin.undo import UndoPage
from ownership.audit.descriptions import describe
from ownership.audit.timeline import change_set_entries, in_short
from ownership.history.models import DELETED, ChangeSet, entry_models
from ownership.history.parsing import whole_number
from ownership.models import Access, SecondaryIndex, Table, Waiver
from ownership.plans.blockers import namesakes, natural_key

DELETED_SHOWN = 100


def _place(text: str) -> Q:
    """Entries before the place that an address names (41.3); all of them where it names none."""
    match = re.fullmatch(r"([0-9]{1,18})\.([0-9]{1,9})", text)
    if match is None:
        return Q()
    revision, sequence = map(int, match.groups())
    return Q(change_set__lt=revision) | Q(change_set=revision, sequence__lt=sequence)


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
        again_named = [anew[entry.instance_type].get(natural_key(entry)) for entry in shown]
        entries = [(describe(entry), row, row and edit_url(row)) for entry, row in zip(shown, again_named, strict=True)]
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
