"""History on the pages: the latest changes of a thing, and all of them, also of what was deleted."""

from typing import Any

from ownership.audit.feed import id_named
from ownership.audit.timeline import Timeline, TimelinePage
from ownership.models import Service, Table
from ownership.pages.base import Context, Page
from ownership.pages.former_names import NothingNamed

LATEST_CHANGE_SETS = 5


def latest_changes(page: Page, timeline: Timeline) -> TimelinePage | None:
    """Return the last change sets of a timeline up to the page's moment; None for people who are not signed in."""
    if not page.request.user.is_authenticated:
        return None
    before = page.moment.revision + 1 if page.moment else None
    return timeline.page(before, LATEST_CHANGE_SETS)


class HistoryPage(Page):
    """The history of one table or service, page by page, by its name or a former one; also of a deleted one."""

    template_name = "ownership/history.html"
    needs_sign_in = True
    model: type[Table] | type[Service]

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context, with some of its change sets, the newest first."""
        kind = self.model._meta.verbose_name
        pk = id_named(self.model, kwargs["name"])
        if pk is None:
            raise NothingNamed(str(kind), kwargs["name"])
        timeline = Timeline.of(self.model, pk)
        until = self.moment.revision if self.moment else None
        return super().get_context_data(**kwargs) | {
            "kind": kind,
            "live": self.model.objects.filter(pk=pk).first(),
            "name": timeline.label(),
            "page": timeline.page_for(self.request.GET, until=until),
        }


class TableHistoryPage(HistoryPage):
    """The history of a table, with its accesses and indexes."""

    model = Table


class ServiceHistoryPage(HistoryPage):
    """The history of a service, with what it gained and lost."""

    model = Service
