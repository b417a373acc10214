"""What all pages share: who may look, the moment that is shown, and refusals that say what to do."""

from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from ownership.catalog.suggestions import similar_names
from ownership.history import time_travel
from ownership.history.models import ChangeSet
from ownership.pages.former_names import Moved, NothingNamed
from ownership.web.refusals import refusal


class BadAddress(ValueError):
    """A query parameter has a value that it doesn't take; the message says what it would."""


class Page(TemplateView):
    """A page to read. Subclasses give `template_name` and `get_context_data`, which sees the rows of the moment.

    `?revision=` or `?as_of=` shows the map of then, to people who are signed in.
    """

    http_method_names = ["get", "head", "options"]
    # History and drift ask for a sign-in also where the map is open to all.
    needs_sign_in = False
    # Whether the page offers itself as it was on another day.
    shows_past = True
    request: HttpRequest
    # The moment asked for, None for today: revision, change set, the one that followed, and the query that asks for it.
    moment: dict[str, Any] | None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask for a sign-in where it takes one; show what is asked for as of its moment; name what is wrong."""
        asked = {name: request.GET[name] for name in ("revision", "as_of") if request.GET.get(name)}
        if not request.user.is_authenticated and (self.needs_sign_in or asked or not settings.ANONYMOUS_READ):
            return redirect_to_login(request.get_full_path())
        try:
            texts = [request.path, *request.GET, *(text for values in request.GET.lists() for text in values[1])]
            if any("\x00" in text for text in texts):
                raise BadAddress("An address can't hold the NUL character.")
            self.moment = _moment(asked)
            with time_travel.as_of(self.moment["revision"]) if self.moment else nullcontext():
                response: Any = self._shown(request, *args, **kwargs)
        except (BadAddress, time_travel.BadMoment) as error:
            return refusal(request, 400, "This address asks for what is not there", str(error))
        except Moved as moved:
            return redirect(moved.url)
        except Http404 as error:
            return refusal(request, 404, "Not found", str(error))
        # The same for all who may read, but who may is asked each time.
        response["Cache-Control"] = "private, no-cache"
        return response

    def _shown(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page, rendered: whatever its template still reads is to be of the moment, too; so are near names."""
        try:
            response: Any = super().dispatch(request, *args, **kwargs)
            return response.render() if hasattr(response, "render") else response
        except NothingNamed as error:
            near_by = [] if error.namesakes else similar_names(error.name)
            context = {"name": error.name, "namesakes": error.namesakes, "near": near_by, **self._of_moment()}
            return refusal(request, 404, "Not found", str(error), **context)

    def _of_moment(self) -> dict[str, Any]:
        return {
            "moment": self.moment,
            # What links to other pages end in, so that they show the same moment.
            "keep": f"?{self.moment['query']}" if self.moment else "",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the moment asked for."""
        return super().get_context_data(**kwargs) | {
            **self._of_moment(),
            "shows_past": self.shows_past,
            "other_parameters": [
                (name, value)
                for name, values in self.request.GET.lists()
                for value in values
                if name not in ("revision", "as_of", "page", "before")
            ],
        }


def _moment(asked: dict[str, str]) -> dict[str, Any] | None:
    if not asked:
        return None
    if len(asked) > 1:
        raise BadAddress("Give revision or as_of, not both.")
    [(name, value)] = asked.items()
    revision = (time_travel.at_revision if name == "revision" else time_travel.at_time)(value)[0]
    near = ChangeSet.objects.in_bulk([revision, revision + 1])
    return {
        "revision": revision,
        "change_set": near.get(revision),
        "following": near.get(revision + 1),
        "query": f"revision={revision}",
    }
