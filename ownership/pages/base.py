"""What all pages share: who may read them, the moment that they show, and answers to bad addresses."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.generic import TemplateView

from ownership.catalog.mine import MINE, YES, Mine
from ownership.catalog.similar_names import similar_names
from ownership.history import time_travel
from ownership.history.head import Head
from ownership.history.models import ChangeSet
from ownership.models.answerable import team_ids_of
from ownership.models.rights import NO_ROLE, has_role
from ownership.pages.former_names import MOMENT_PARAMETERS, Moved, NothingNamed
from ownership.web.refusals import has_nul, refusal

# What a template is rendered with.
Context = dict[str, Any]
# Parameters that do not go along to the same page on another day: a page number means something else there.
NOT_KEPT = (*MOMENT_PARAMETERS, "page", "before", "show")


class BadAddress(ValueError):
    """A query parameter has a value that the page does not take. The message says what it takes."""


@dataclass(frozen=True)
class PastRevision:
    """The past revision that a page shows, its change set, and the one after it, which ended it."""

    revision: int
    change_set: ChangeSet | None
    following: ChangeSet | None
    # Whether a time was asked for that has not come yet.
    is_future: bool = False

    @property
    def previous(self) -> int | None:
        """The revision before; None before everything."""
        return self.revision - 1 if self.revision > 0 else None

    @property
    def query(self) -> str:
        """What an address ends in that shows the same moment."""
        return f"revision={self.revision}"


class Page(TemplateView):
    """A page to read. Subclasses give `template_name` and `get_context_data`.

    With `?revision=` or `?as_of=` the page shows the map of that time, to people with a role: queries and
    template then see the rows of that time.
    """

    http_method_names = ["get", "head", "options"]
    # History and drift need a role even where everybody may read the map.
    needs_role = False
    # Whether the page offers itself as it was on another day.
    shows_past = True
    # Why the page takes no revision and no as_of, if it does not.
    about_today = ""
    request: HttpRequest
    # None for today.
    moment: PastRevision | None = None
    # Of the teams that the reader is in.
    team_ids: list[int]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ask for a sign-in where a role is needed; show the page at its moment, or what is wrong with the address."""
        moment_parameters = {}
        for name in MOMENT_PARAMETERS:
            if request.GET.get(name):
                moment_parameters[name] = request.GET[name]
        # Whose things are "mine" takes an account.
        asks_for_more = bool(moment_parameters) or bool(request.GET.get(MINE))
        needs_role = self.needs_role or asks_for_more or not settings.ANONYMOUS_READ
        if needs_role and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if needs_role and not has_role(request.user):
            return render(
                request,
                "ownership/no_role.html",
                {"title": "No role", "message": NO_ROLE},
                status=403,
            )
        try:
            if has_nul(request):
                raise BadAddress("An address cannot contain the NUL character.")
            # Before the page looks back: whose a thing was then is asked about the teams that the reader is in now.
            self.team_ids = team_ids_of(request.user) if has_role(request.user) else []
            self.moment = _moment(moment_parameters)
            if self.moment and self.about_today:
                raise BadAddress(f"{self.about_today}: leave out revision and as_of.")
            with self._at_moment():
                response = self._rendered(request, *args, **kwargs)
        except BadAddress as error:
            return refusal(request, 400, "Invalid address", str(error))
        except Moved as moved:
            return redirect(moved.url)
        except Http404 as error:
            return refusal(request, 404, "Not found", str(error))
        # The same for everybody who may read it; but whether somebody may must be asked each time.
        response["Cache-Control"] = "private, no-cache"
        return response

    def _at_moment(self) -> AbstractContextManager[None]:
        if self.moment is None:
            return nullcontext()
        return time_travel.as_of(self.moment.revision)

    def _rendered(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Render at once, so that what the template reads is of the moment, too, and so are similar names."""
        try:
            response: Any = super().dispatch(request, *args, **kwargs)
            if hasattr(response, "render"):
                response = response.render()
            return response
        except NothingNamed as error:
            similar = [] if error.namesakes else similar_names(error.name)
            context = {"name": error.name, "namesakes": error.namesakes, "near": similar}
            return refusal(
                request, 404, "Not found", str(error), **context, **self._moment_context()
            )

    def asks_for_mine(self) -> bool:
        """Whether `?mine=true` asks for what the reader's teams are answerable for; BadAddress for other values."""
        value = self.request.GET.get(MINE, "")
        if value not in ("", YES):
            raise BadAddress(f"{MINE} takes {YES}, not “{value[:100]}”.")
        return bool(value)

    def mine(self) -> Mine:
        """What the reader's teams are answerable for, at the page's moment."""
        return Mine.of(self.request.user)

    def _moment_context(self) -> Context:
        return {
            "moment": self.moment,
            # Links to other pages end in this, so that they show the same moment.
            "keep": f"?{self.moment.query}" if self.moment else "",
        }

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context of every page: its moment, and the parameters to keep on another day."""
        other_parameters = []
        for name, values in self.request.GET.lists():
            if name not in NOT_KEPT:
                other_parameters += [(name, value) for value in values]
        context = super().get_context_data(**kwargs)
        context |= self._moment_context()
        context["shows_past"] = self.shows_past
        context["asked_mine"] = self.asks_for_mine()
        context["in_a_team"] = bool(self.team_ids)
        context["other_parameters"] = other_parameters
        return context


def revision_at(find: Callable[[str], Head], name: str, value: str) -> int:
    """Return the revision that a parameter asks for; BadAddress, which names the parameter, where there is none."""
    try:
        return find(value).revision
    except time_travel.BadMoment as error:
        raise BadAddress(f"{name}={value[:100]}: {error}") from None


def _moment(parameters: dict[str, str]) -> PastRevision | None:
    """Return the moment that the parameters ask for, None without any."""
    if not parameters:
        return None
    if len(parameters) > 1:
        raise BadAddress("Give revision or as_of, not both.")
    is_future = False
    if "revision" in parameters:
        revision = revision_at(time_travel.at_revision, "revision", parameters["revision"])
    else:
        revision = revision_at(time_travel.at_time, "as_of", parameters["as_of"])
        is_future = time_travel.is_future(parameters["as_of"])
    change_sets = ChangeSet.objects.in_bulk([revision, revision + 1])
    return PastRevision(
        revision, change_sets.get(revision), change_sets.get(revision + 1), is_future
    )
