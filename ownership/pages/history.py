"""History on the pages: the latest changes of a thing, and all of them, also of what was deleted."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from ownership.audit.feed import id_named
from ownership.audit.timeline import Timeline, TimelinePage
from ownership.history.models import DELETED, ChangeSet, entry_model
from ownership.models import Service, Table
from ownership.models.rights import has_role
from ownership.pages.base import Context, Page
from ownership.pages.former_names import NothingNamed
from ownership.pages.log_filters import (
    OWN_PARAMETERS,
    QUICK_KINDS_OF_ONE,
    filter_context,
    read_filters,
)

LATEST_CHANGE_SETS = 5
# A page says how many changes there are, up to so many.
MAX_COUNTED = 1_000


def latest_changes(page: Page, timeline: Timeline) -> TimelinePage | None:
    """Return the last change sets of a timeline up to the page's moment; None for people without a role."""
    if not has_role(page.request.user):
        return None
    before = page.moment.revision + 1 if page.moment else None
    return timeline.page(before, LATEST_CHANGE_SETS, count_to=MAX_COUNTED)


@dataclass(frozen=True)
class OwnerChange:
    """The change set that made a table's owner its owner; ``before`` is the one before, empty for a new table."""

    change_set: ChangeSet
    before: str


def last_owner_change(page: Page, table: Table) -> OwnerChange | None:
    """Return the last change of a table's owner up to the page's moment; one query."""
    entries = entry_model(Table).objects.filter(id=table.pk, changes__has_key="owner")
    if page.moment:
        entries = entries.filter(change_set__lte=page.moment.revision)
    # In this order, an index has the table's entries from the newest on.
    entry = entries.select_related("change_set").order_by("-change_set_id", "-history_id").first()
    if entry is None:
        return None
    before, _ = entry.changes["owner"]
    return OwnerChange(entry.change_set, before or "")


def filtered_page(request: HttpRequest, timeline: Timeline, until: int | None) -> TimelinePage:
    """Return the page of a timeline that an address asks for: those changes that pass its filters."""
    filters = read_filters(request, OWN_PARAMETERS)
    if filters.any():
        timeline = timeline.narrowed(filters.selection())
    return timeline.page_for(request.GET, until=until)


class HistoryPage(Page):
    """The history of one table or service, page by page, by its name or a former one; also of a deleted one."""

    template_name = "ownership/history.html"
    needs_role = True
    model: type[Table] | type[Service]

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context, with some of its change sets, the newest first."""
        kind = self.model._meta.verbose_name
        pk = id_named(self.model, kwargs["name"])
        if pk is None:
            raise NothingNamed(str(kind), kwargs["name"])
        timeline = Timeline.about(self.model, pk)
        until = self.moment.revision if self.moment else None
        last = timeline.last(until) or timeline.last()
        deletion = last if last and last.entry.history_type == DELETED else None
        name = last.label if last else ""
        page = filtered_page(self.request, timeline, until)
        return super().get_context_data(**kwargs) | {
            **filter_context(self.request, OWN_PARAMETERS, QUICK_KINDS_OF_ONE, timeline.models),
            "kind": kind,
            "live": self.model.objects.filter(pk=pk).first(),
            "name": name,
            "then_url": self.model(name=name).get_absolute_url(),
            "subject_query": urlencode({str(kind): name}),
            "csv_address": _csv_address(self.request, str(kind), name),
            "deletion": deletion,
            "page": page,
        }


def _csv_address(request: HttpRequest, kind: str, name: str) -> str:
    """Return the address of a history as a file, with the page's filters: the log, of this one alone."""
    query = request.GET.copy()
    for parameter in ("before", "within", "after"):
        query.pop(parameter, None)
    query[kind] = name
    query["format"] = "csv"
    return f"{reverse('pages:changes')}?{query.urlencode()}"


class TableHistoryPage(HistoryPage):
    """The history of a table, with its accesses and indexes."""

    model = Table


class ServiceHistoryPage(HistoryPage):
    """The history of a service, with what it gained and lost."""

    model = Service
