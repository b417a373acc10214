"""The way into the past: choose a revision or a time, and see where the map of that time is."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from ownership.history.models import ChangeSet, current_head
from ownership.models.rights import has_role
from ownership.pages.base import BadAddress, Context, Page

LATEST = 10


class DayPage(Page):
    """The map on a day: `?revision=` or `?as_of=` as on every page; the form's day and time lead there."""

    template_name = "ownership/day.html"
    needs_role = True
    shows_past = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turn the form's fields into an address that says the moment; the day wins over the revision."""
        day = request.GET.get("day", "").strip()
        time = request.GET.get("time", "").strip()
        if day and "\x00" not in day + time and has_role(request.user):
            moment = f"{day}T{time}Z" if time else day
            return HttpResponseRedirect(f"?{urlencode({'as_of': moment})}")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page; a time without a day says nothing."""
        if request.GET.get("time"):
            raise BadAddress("Give a day with the time.")
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the latest change sets to choose from, up to the moment where there is one."""
        change_sets = ChangeSet.objects.all()
        if self.moment:
            change_sets = change_sets.filter(revision__lte=self.moment.revision)
        return super().get_context_data(**kwargs) | {
            "head": current_head().revision,
            "latest": list(change_sets[:LATEST]),
        }
