"""Change sets in the admin: all that ever changed; what was deleted; and undoing it."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ownership import feed, undo
from ownership.admin.base import ReasonField, SteadyLists
from ownership.history import DELETED, ChangeSet, change_set, entry_models
from ownership.models import Access, SecondaryIndex, Service, Table, TableGroup, Waiver
from ownership.timeline import KINDS, change_set_entries, said

DELETED_SHOWN = 100
# Undoing looks at each row on its own; more than these would hold the registry's lock for long.
MOST_UNDONE = 2_000


def touching(queryset: QuerySet, parts: feed.Parts) -> QuerySet:
    """The change sets with an entry among these."""
    found = Q(pk__in=[])
    for model, which in parts.items():
        found |= Q(revision__in=model.objects.filter(which).values("change_set"))
    return queryset.filter(found)


class KindFilter(admin.SimpleListFilter):
    """Change sets with an entry of that kind."""

    title, parameter_name = "what changed", "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, kind.title) for name, kind in KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return touching(queryset, feed.select(kind=self.value())) if self.value() in KINDS else queryset


class _NameFilter(admin.SimpleListFilter):
    """Change sets that touched a table, service or group; the address takes names of the past, too."""

    model: Any

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in self.model.objects.order_by("name").values_list("name", flat=True)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        try:
            return touching(queryset, feed.select(**{str(self.parameter_name): self.value()}))  # type: ignore[arg-type]
        except feed.UnknownName:
            return queryset.none()


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


class WhoFilter(admin.SimpleListFilter):
    """Change sets of one person, also where the account is gone."""

    title, parameter_name = "who", "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = ChangeSet.objects.order_by("user_name").values_list("user_name", flat=True).distinct()
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(user_name=self.value()) if self.value() else queryset


class _Stale(Exception):
    """Undoing would do something else now than its page showed."""


class UndoForm(forms.Form):
    """A reason, and which of the conflicts to undo as well; field values come from history alone."""

    reason = ReasonField()
    conflicts = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, steps: list[undo.Step], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["conflicts"].choices = [(key, key) for step in steps for key in step.conflicts]  # type: ignore[attr-defined]


@admin.register(ChangeSet)
class ChangeSetAdmin(SteadyLists, admin.ModelAdmin):
    """Who changed what, when and why, newest first."""

    list_display = ("revision", "when", "user_name", "reason", "source")
    list_filter = (KindFilter, TableFilter, ServiceFilter, GroupFilter, WhoFilter, "source", "time")
    search_fields = ("reason", "user_name")

    @admin.display(description="time", ordering="time")
    def when(self, change: ChangeSet) -> str:
        return f"{change.time:%Y-%m-%d %H:%M}"

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
        change = self._change_set(request, unquote(object_id))
        after = request.GET.get("after", "")
        place = int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0
        entries, more = change_set_entries(change.revision, place)
        context = {"change_set": change, "entries": entries, "place": place, "more": more}
        return self._page(request, "change_set", f"Revision {change.revision}", context)

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        """What was deleted and is not there again, newest first; a table stands for its accesses and indexes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        gone: list[Any] = []
        for model in entry_models():
            again = model.objects.filter(id=OuterRef("id"), history_id__gt=OuterRef("history_id"))
            rows = model.objects.filter(~Exists(again), history_type=DELETED).select_related("change_set")
            if model.instance_type in (Access, SecondaryIndex):
                rows = rows.filter(table_id__in=Table.objects.all())
            if model.instance_type is Waiver:
                rows = rows.filter(Q(table_id=None) | Q(table_id__in=Table.objects.all()))
            gone += rows.order_by("-history_id")[:DELETED_SHOWN]
        gone.sort(key=lambda entry: (entry.change_set_id, entry.sequence), reverse=True)
        return self._page(
            request, "deleted", "Deleted entries", {"entries": [said(entry) for entry in gone[:DELETED_SHOWN]]}
        )

    def undo_view(self, request: HttpRequest, revision: int, sequence: int | None = None) -> HttpResponse:
        """Show what undoing would change against now; do it on POST, as a change set that names this one."""
        change = self._change_set(request, str(revision))
        number = sum(model.objects.filter(change_set=change).count() for model in entry_models())
        if sequence is None and number > MOST_UNDONE:
            message = (
                f"Revision {revision} has {number:,} entries; up to {MOST_UNDONE:,} can be undone on a page. Undo some "
                f"of them one by one, or bring an export of revision {revision - 1} back with `manage.py import_map`."
            )
            self.message_user(request, message, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:ownership_changeset_change", args=[revision]))
        steps = undo.plan(change.revision, sequence)
        if not steps:
            raise Http404("There is nothing of this kind to undo.")
        self._check_permission(request, steps)
        form = UndoForm(request.POST if request.method == "POST" else None, steps=steps)
        stale = ""
        if request.method == "POST" and form.is_valid():
            try:
                done = self._undo(request, change, sequence, form)
            except undo.CanNotUndo as error:
                self.message_user(request, f"Nothing was changed. {error}", messages.ERROR)
                return HttpResponseRedirect(request.get_full_path())
            except _Stale:
                stale = (
                    "Nothing was changed yet: what undoing would do is not what this page showed. "
                    "This is how it is now; what you typed is still here."
                )
                steps = undo.plan(change.revision, sequence)
            else:
                if done is not None:
                    self.message_user(request, f"Undone, as revision {done}.", messages.SUCCESS)
                    return HttpResponseRedirect(reverse("admin:ownership_changeset_change", args=[done]))
                self.message_user(request, "Nothing was left to undo, or nothing was ticked.", messages.WARNING)
                return HttpResponseRedirect(request.get_full_path())
        context = {
            "change_set": change,
            "steps": steps,
            "form": form,
            "plan": undo.fingerprint(steps),
            "stale": stale,
            "nothing": not any(step.action for step in steps),
            "counts": Counter(step.action for step in steps),
        }
        labels = {step.entry.sequence: step.said.label for step in steps}
        what = f"revision {revision}" if sequence is None else f"{labels.get(sequence, 'entry')} in revision {revision}"
        return self._page(request, "undo", f"Undo {what}", context)

    def _undo(self, request: HttpRequest, change: ChangeSet, sequence: int | None, form: UndoForm) -> int | None:
        """Undo under the lock; the new revision, or None where nothing changed. _Stale where the page showed other."""
        with change_set(
            user=request.user,  # type: ignore[arg-type]
            reason=form.cleaned_data["reason"],
            source=ChangeSet.Source.RESTORE,
            undoes=change.revision,
        ) as draft:
            steps = undo.plan(change.revision, sequence)
            if request.POST.get("plan") != undo.fingerprint(steps):
                raise _Stale
            undo.apply(steps, form.cleaned_data["conflicts"])
        return draft.revision

    def _check_permission(self, request: HttpRequest, steps: list[undo.Step]) -> None:
        """Undoing needs the permission that doing it by hand would need."""
        needed = {"restore": "add", "delete": "delete", "change": "change", "": "change"}
        for step in steps:
            name = step.entry.instance_type._meta.model_name
            if not request.user.has_perm(f"ownership.{needed[step.action]}_{name}"):
                raise PermissionDenied

    def _change_set(self, request: HttpRequest, revision: str) -> ChangeSet:
        change = self.get_object(request, revision)
        if change is None:
            raise Http404(f"There is no revision {revision}.")
        return change

    def _page(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/ownership/{template}.html", context)
