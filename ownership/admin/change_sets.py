"""Change sets in the admin: what was deleted, and the way to the pages of all changes. Undoing is in ``undo.py``."""

import re
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ownership.admin.addresses import edit_url, entry_url
from ownership.admin.undo import UndoPage
from ownership.audit.descriptions import EntryDescription, describe
from ownership.history.models import DELETED, ChangeSet, Entry, TrackedRow, entry_models
from ownership.models import Access, Confirmation, Membership, SecondaryIndex, Table, Team, Waiver
from ownership.plans.blockers import namesakes, natural_key

# Deleted rows on a page.
DELETED_SHOWN = 100


@admin.register(ChangeSet)
class ChangeSetAdmin(UndoPage, admin.ModelAdmin):
    """Undoing and deleted rows. What changed, by whom and why, has pages for every reader."""

    def changelist_view(
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """All change sets have a page of their own, with filters and a search."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(changes_address(request))

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """A change set has no history of its own: show the change set."""
        return self.change_view(request, object_id)

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
        """Django's, and the pages for deleted rows and for undoing."""
        view = self.admin_site.admin_view
        return [
            path("deleted/", view(self.deleted_view), name="ownership_deleted"),
            path("<int:revision>/undo/", view(self.undo_view), name="ownership_undo"),
            path(
                "<int:revision>/undo/<int:sequence>/",
                view(self.undo_view),
                name="ownership_undo_entry",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """A change set has a page of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        change = self.change_set(request, unquote(object_id))
        return HttpResponseRedirect(reverse("pages:change-set", args=[change.revision]))

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        """What was deleted and not restored since, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entries = _latest_deletions(_before(request.GET.get("before", "")))
        more = None
        if len(entries) > DELETED_SHOWN:
            entries = entries[:DELETED_SHOWN]
            more = f"{entries[-1].change_set_id}.{entries[-1].sequence}"
        context: dict[str, object] = {"entries": _with_replacements(entries), "more": more}
        return self.page(request, "deleted", "Deleted rows", context)

    def change_set(self, request: HttpRequest, revision: str) -> ChangeSet:
        """The change set of that revision; Http404 if there is none."""
        change = self.get_object(request, revision)
        if change is None:
            raise Http404(f"There is no revision {revision}.")
        return change

    def page(
        self,
        request: HttpRequest,
        template: str,
        title: str,
        context: dict[str, object],
    ) -> HttpResponse:
        """One of our own pages, within the admin's frame."""
        frame = self.admin_site.each_context(request) | {"title": title, "opts": self.opts}
        return TemplateResponse(request, f"admin/ownership/{template}.html", frame | context)


def changes_address(request: HttpRequest) -> str:
    """The page of all changes, with those of the list's filters that it has, too."""
    parameters = {}
    for name in ("q", "mine", "kind", "table", "service", "group", "source", "from", "to"):
        if request.GET.get(name):
            parameters[name] = request.GET[name]
    if request.GET.get("user_name"):
        parameters["user"] = request.GET["user_name"]
    address = reverse("pages:changes")
    return f"{address}?{urlencode(parameters)}" if parameters else address


def _before(place: str) -> Q:
    """The entries before a place in history, written 41.3: the third entry of revision 41. All if it is not one."""
    match = re.fullmatch(r"([0-9]{1,18})\.([0-9]{1,9})", place)
    if match is None:
        return Q()
    revision, sequence = int(match[1]), int(match[2])
    return Q(change_set__lt=revision) | Q(change_set=revision, sequence__lt=sequence)


def _latest_deletions(before: Q) -> list[Entry]:
    """The latest deletions of rows that have not been restored: DELETED_SHOWN of them, and one if there are more.

    What was deleted with its table or team is left out, because restoring that restores it. So are confirmations:
    whoever misses one confirms the table.
    """
    deletions: list[Entry] = []
    for model in entry_models():
        if model.instance_type is Confirmation:
            continue
        later = model.objects.filter(id=OuterRef("id"), history_id__gt=OuterRef("history_id"))
        entries = model.objects.filter(~Exists(later), before, history_type=DELETED)
        of_live_table = Q(table_id__in=Table.objects.all())
        if model.instance_type in (Access, SecondaryIndex):
            entries = entries.filter(of_live_table)
        if model.instance_type is Membership:
            entries = entries.filter(team_id__in=Team.objects.all())
        if model.instance_type is Waiver:
            entries = entries.filter(Q(table_id=None) | of_live_table)
        entries = entries.select_related("change_set").order_by("-change_set", "-sequence")
        deletions += entries[: DELETED_SHOWN + 1]
    deletions.sort(key=lambda entry: (entry.change_set_id, entry.sequence), reverse=True)
    return deletions[: DELETED_SHOWN + 1]


def _with_replacements(
    entries: list[Entry],
) -> list[tuple[EntryDescription, str, TrackedRow | None, str]]:
    """Each deletion in words and the address of its history; with the row that has its name today, and its address.

    None and "" if no row has the name.
    """
    by_model: dict[type[TrackedRow], list[Entry]] = {}
    for entry in entries:
        by_model.setdefault(entry.instance_type, []).append(entry)
    replacements = {model: namesakes(model, deleted) for model, deleted in by_model.items()}
    shown = []
    for entry in entries:
        row = replacements[entry.instance_type].get(natural_key(entry))
        timeline_url = entry_url(entry)
        shown.append((describe(entry), timeline_url, row, edit_url(row) if row else ""))
    return shown
