"""History on the pages: what changed lately, and the whole of a table's or service's, also of what was deleted."""

from typing import Any

from ownership.audit.feed import id_named
from ownership.audit.timeline import Page as TimelinePage
from ownership.audit.timeline import Timeline
from ownership.models import Service, Table
from ownership.pages.base import Page
from ownership.pages.former_names import NothingNamed

LATELY = 5


def lately(page: Page, timeline: Timeline) -> TimelinePage | None:
    """The last change sets of a timeline up to the moment shown; None for those who are not signed in."""
    if not page.request.user.is_authenticated:
        return None
    return timeline.page(page.moment["revision"] + 1 if page.moment else None, LATELY)


class HistoryPage(Page):
    """The history of one table or service, by its name or one it had, page by page; deleted ones, too."""

    template_name = "ownership/history.html"
    needs_sign_in = True
    model: Any = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With some of its change sets, newest first."""
        name, what = kwargs["name"], self.model._meta.verbose_name
        pk = id_named(self.model, name)
        if pk is None:
            raise NothingNamed(what, name)
        timeline = Timeline.of(self.model, pk)
        return super().get_context_data(**kwargs) | {
            "kind": what,
            "live": self.model.objects.filter(pk=pk).first(),
            "name": timeline.label(),
            "page": timeline.asked(self.request.GET, until=self.moment["revision"] if self.moment else None),
        }


class TableHistoryPage(HistoryPage):
    """A table's, with its accesses and indexes."""

    model = Table


class ServiceHistoryPage(HistoryPage):
    """A service's, with what it gained and lost."""

    model = Service
