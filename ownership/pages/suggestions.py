"""Suggestions: the list of them, and the page where one is looked at and answered."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html

from ownership.audit.descriptions import EntryDescription
from ownership.audit.feed import id_named
from ownership.audit.timeline import change_set_entries
from ownership.history.models import (
    CREATED,
    current_head,
    entry_model,
    entry_models,
    whole_number,
)
from ownership.models import Service, Suggestion, Table
from ownership.models.rights import has_role
from ownership.models.suggestions import SuggestionQuerySet
from ownership.pages.base import BadAddress, Context, Page
from ownership.plans import suggestions
from ownership.plans.plan import NotApplied, Stale
from ownership.plans.suggested_steps import stored_previews
from ownership.plans.suggestion_review import Review, not_taken
from ownership.web.forms import ReasonField
from ownership.web.refusals import refusal

PER_PAGE = 50
ROWS_SHOWN = 100  # of one suggestion; the others are taken along where nobody has changed them
# What `?state=` takes, with the words on the page.
STATES = {
    "": "Waiting",
    "lapsed": "Lapsed",
    "taken": "Taken",
    "in_part": "Taken in part",
    "passed_on": "Passed on",
    "declined": "Declined",
    "withdrawn": "Withdrawn",
    "all": "All",
}
# The same as leaving the state out, as in the API.
WAITING = "waiting"
OF_TODAY = "Suggestions are about the current map"
WITHDRAWN = "Withdrawn by its author."
PASSED_ON = (
    "Passed on. The map has not changed yet: the other team will take the hand-over or decline it."
)
MOVED = (
    "Nothing was written: something changed after this page was loaded. "
    "It is up to date now. Review it, then take it."
)


def suggestions_waiting(page: Page, rows: SuggestionQuerySet) -> list[Suggestion]:
    """Return those of the suggestions that wait, for a page of today and people with a role; one query."""
    if page.moment or not has_role(page.request.user):
        return []
    return list(rows.waiting().order_by("number"))


def note_whom_they_wait_for(rows: list[Suggestion]) -> None:
    """Note in each of the suggestions whom it waits for, as ``waits_for``; at most five queries."""
    waits_for = suggestions.whom_they_wait_for(rows)
    for row in rows:
        row.waits_for = waits_for[row.pk]  # type: ignore[attr-defined]


class SuggestionsPage(Page):
    """Suggestions: those that wait for the reader first. `?state=`, `?table=` and `?service=` narrow the list."""

    template_name = "ownership/suggestions.html"
    needs_role = True
    shows_past = False
    about_today = OF_TODAY

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: waiting ones in three lists, or a page of those in another state."""
        state = self.request.GET.get("state", "")
        if state == WAITING:
            state = ""
        if state not in STATES:
            raise BadAddress(f"state takes one of {', '.join([WAITING, *filter(None, STATES)])}.")
        rows = self._about(Suggestion.objects.with_answers())
        content = self._waiting(rows) if state == "" else self._in_state(rows, state)
        return super().get_context_data(**kwargs) | {
            "title": "Suggestions",
            "states": [(name, words, name == state) for name, words in STATES.items()],
            "table": self.request.GET.get("table", ""),
            "service": self.request.GET.get("service", ""),
            **content,
        }

    def _about(self, rows: SuggestionQuerySet) -> SuggestionQuerySet:
        """Return those about the table and the service that the address names, by any name they had."""
        table = self.request.GET.get("table")
        if table:
            rows = rows.about_table(id_named(Table, table) or 0)
        service = self.request.GET.get("service")
        if service:
            rows = rows.about_service(id_named(Service, service) or 0)
        return rows

    def _waiting(self, rows: SuggestionQuerySet) -> Context:
        user = self.request.user
        for_user = rows.waiting_for(user)
        others = rows.waiting().exclude(pk__in=for_user.values("pk")).order_by("number")
        own = list(others.filter(user_id=user.pk)[:PER_PAGE])
        of_others = list(others.exclude(user_id=user.pk)[:PER_PAGE])
        note_whom_they_wait_for([*own, *of_others])
        return {"for_user": list(for_user[:PER_PAGE]), "own": own, "others": of_others}

    def _in_state(self, rows: SuggestionQuerySet, state: str) -> Context:
        if state == "lapsed":
            rows = rows.lapsed()
        elif state != "all":
            rows = rows.filter(state=state)
        page = Paginator(rows, PER_PAGE).get_page(self.request.GET.get("page"))
        return {"page": page, "suggestions": page.object_list}


class OwnSuggestionsPage(Page):
    """What the reader suggested: first what waits, then what was answered or has lapsed, with the answers."""

    template_name = "ownership/own_suggestions.html"
    needs_role = True
    shows_past = False
    about_today = OF_TODAY

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: all that wait, and a page of the others, the latest first."""
        own = Suggestion.objects.with_answers().filter(user_id=self.request.user.pk)
        waiting = list(own.waiting())
        note_whom_they_wait_for(waiting)
        closed = own.exclude(pk__in=own.waiting().values("pk"))
        page = Paginator(closed, PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "title": "My suggestions",
            "waiting": waiting,
            "page": page,
            "closed": page.object_list,
        }


class TakeForm(forms.Form):
    """Why what is selected is taken, and the rest is not."""

    reason = ReasonField()
    rest = forms.CharField(
        required=False,
        label="Why not the rest",
        help_text="If you leave something out. Whoever suggested it is told.",
        widget=forms.Textarea(attrs={"rows": 1}),
    )


class DeclineForm(forms.Form):
    """Why nothing is taken."""

    reason = ReasonField()
    prefix = "decline"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "Why not"


class SuggestionPage(Page):
    """One suggestion: what it would write now, for those who may take it or decline it; what became of it."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "ownership/suggestion.html"
    needs_role = True
    shows_past = False
    about_today = OF_TODAY

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context of a suggestion that was just opened."""
        return self._context(_suggestion(kwargs["number"]))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        """Take, pass on, decline or withdraw the suggestion, or suggest it again. Refused to people who may not."""
        suggestion = _suggestion(number)
        acts = {
            "take": self._take,
            "pass_on": self._take,
            "decline": self._decline,
            "withdraw": self._withdraw,
            "again": self._suggest_again,
        }
        act = request.POST.get("act", "")
        if act not in acts:
            raise BadAddress(f"act takes one of {', '.join(acts)}.")
        is_own = suggestion.user_id == request.user.pk
        user: Any = request.user
        answers = act in ("take", "pass_on", "decline")
        may_act = suggestions.may_answer(user, suggestion) if answers else is_own
        if not may_act:
            sentence = suggestions.OWN if is_own else "Only who suggested it may do that."
            if answers and not is_own:
                sentence = _who_answers(suggestion, user)
            return refusal(
                request,
                403,
                "You don't have permission to do this",
                f"{sentence} Nothing was written.",
            )
        try:
            return acts[act](suggestion, user)
        except Stale:
            return self._show_moved(number)
        except NotApplied as error:
            return self._show_again(number, f"Nothing was written. {error}")

    def _take(self, suggestion: Suggestion, user: Any) -> HttpResponse:
        """Take what is selected, or pass it on to the team that has to agree."""
        review = Review(suggestion)
        form = TakeForm(self.request.POST)
        if self.request.POST.get("fingerprint") != review.fingerprint():
            return self._show_moved(suggestion.number)
        if not form.is_valid():
            return self._show_again(suggestion.number, take_form=form)
        chosen = _chosen(self.request, review)
        if self.request.POST["act"] == "pass_on":
            made = suggestions.pass_on(review, chosen, user=user, **form.cleaned_data)
            messages.success(self.request, PASSED_ON)
            return HttpResponseRedirect(made[0].get_absolute_url())
        revision = suggestions.take(review, chosen, user=user, **form.cleaned_data)
        undo = ""
        if chosen:
            undo = format_html(
                ' <a href="{}">Undo</a>', reverse("admin:ownership_undo", args=[revision])
            )
        messages.success(self.request, format_html("Taken as revision {}.{}", revision, undo))
        return HttpResponseRedirect(suggestion.get_absolute_url())

    def _decline(self, suggestion: Suggestion, user: Any) -> HttpResponse:
        form = DeclineForm(self.request.POST)
        if not form.is_valid():
            return self._show_again(suggestion.number, decline_form=form)
        head = current_head().revision
        reason = form.cleaned_data["reason"]
        suggestions.decline(_suggestion(suggestion.number), user=user, reason=reason, revision=head)
        messages.success(self.request, "Declined. The map was not changed.")
        return HttpResponseRedirect(reverse("pages:suggestions"))

    def _withdraw(self, suggestion: Suggestion, user: Any) -> HttpResponse:
        head = current_head().revision
        suggestions.withdraw(
            _suggestion(suggestion.number), user=user, reason=WITHDRAWN, revision=head
        )
        messages.success(self.request, "Withdrawn.")
        return HttpResponseRedirect(suggestion.get_absolute_url())

    def _suggest_again(self, suggestion: Suggestion, user: Any) -> HttpResponse:
        again = suggestions.suggest_again(suggestion, user)
        messages.success(self.request, "Suggested again, compared with the map as it is now.")
        return HttpResponseRedirect(again.get_absolute_url())

    def _show_moved(self, number: int) -> HttpResponse:
        """The page as it is now, to somebody whose page is out of date: perhaps somebody else has answered."""
        problem = MOVED
        if not _suggestion(number).is_waiting:
            problem = f"Nothing was written. {suggestions.NOT_WAITING}"
        return self._show_again(number, problem, 409)

    def _show_again(
        self,
        number: int,
        problem: str = "",
        status: int = 200,
        *,
        take_form: TakeForm | None = None,
        decline_form: DeclineForm | None = None,
    ) -> HttpResponse:
        """The page with everything read anew, what was selected and typed, and what is wrong."""
        context = self._context(_suggestion(number), take_form, decline_form)
        return self.render_to_response(context | {"problem": problem}, status=status)

    def _context(
        self,
        suggestion: Suggestion,
        take_form: TakeForm | None = None,
        decline_form: DeclineForm | None = None,
    ) -> Context:
        context = super().get_context_data() | {
            "title": f"Suggestion {suggestion.number}",
            "suggestion": suggestion,
            "is_own": suggestion.user_id == self.request.user.pk,
        }
        if not suggestion.is_waiting:
            context["suggested"] = stored_previews(suggestion)
            context["written"] = _written(suggestion)
            context["passed_on_as"] = _passed_on_as(suggestion)
            if suggestion.state in (Suggestion.State.IN_PART, Suggestion.State.PASSED_ON):
                context["not_taken"] = not_taken(
                    suggestion,
                    suggestion.answered_in,  # type: ignore[attr-defined]
                    context["passed_on_as"],
                )[:ROWS_SHOWN]
            return context
        note_whom_they_wait_for([suggestion])
        user: Any = self.request.user
        typed = self.request.POST if "fingerprint" in self.request.POST else None
        return (
            context
            | _review_context(Review(suggestion), self.request)
            | {
                "may_answer": suggestions.may_answer(user, suggestion),
                "take_form": take_form or TakeForm(typed, initial={"reason": suggestion.reason}),
                "decline_form": decline_form or DeclineForm(),
            }
        )


def _suggestion(number: int) -> Suggestion:
    """The suggestion with its answer; Http404 if there is none."""
    # More than a database holds is no number.
    suggestion: Suggestion | None = None
    if whole_number(str(number)) is not None:
        suggestion = Suggestion.objects.with_answers().filter(number=number).first()
    if suggestion is None:
        raise Http404(f"There is no suggestion {number}.")
    return suggestion


def _who_answers(suggestion: Suggestion, user: Any) -> str:
    """Who may take or decline it, in a sentence to somebody who may not."""
    teams = suggestions.teams_asked([suggestion])[suggestion.pk]
    if not user.has_perm("ownership.change_table") or not teams:
        return "Only team leads may take or decline a suggestion."
    names = " and ".join(str(team) for team in teams)
    return f"Only members of {names} may take or decline it."


def _chosen(request: HttpRequest, review: Review) -> set[str]:
    """The keys that are selected, and those without a conflict that the page does not show."""
    if "fingerprint" not in request.POST:
        return review.unasked
    chosen = set(request.POST.getlist("take")) | set(request.POST.getlist("conflicts"))
    for row in review.rows[ROWS_SHOWN:]:
        chosen |= review.unasked.intersection(row.choices)
    return chosen.intersection(review.choices)


def _review_context(review: Review, request: HttpRequest) -> Context:
    """What the page shows of a suggestion that waits: conflicts first, what is so already last."""
    chosen = _chosen(request, review)
    plan, blockers = review.plan(chosen)
    user: Any = request.user
    blockers += suggestions.blockers_for(review, plan, user)
    shown = review.rows[:ROWS_SHOWN]
    return {
        "chosen": chosen,
        "fingerprint": review.fingerprint(),
        "blockers": blockers[:ROWS_SHOWN],
        "can_be_passed_on": bool(blockers and suggestions.hand_overs(plan, user)),
        "previews": [row.preview(chosen) for row in shown if row.choices],
        "without_choice": [row.preview(chosen) for row in shown if not row.choices],
        "more": len(review.rows) - len(shown),
        "conflicts": sum(1 for conflict in review.choices.values() if conflict),
        "nothing_left": not review.choices,
        "has_parts": len(review.choices) > 1,
    }


def _passed_on_as(suggestion: Any) -> list[Suggestion]:
    """The hand-overs that passing it on suggested."""
    if suggestion.state != Suggestion.State.PASSED_ON:
        return []
    entries = entry_model(Suggestion).objects.filter(
        change_set=suggestion.answered_in, history_type=CREATED
    )
    return list(Suggestion.objects.filter(pk__in=entries.values("id")).order_by("number"))


def _written(suggestion: Any) -> list[EntryDescription]:
    """What taking it wrote of the map."""
    if suggestion.state not in (Suggestion.State.TAKEN, Suggestion.State.IN_PART):
        return []
    own = entry_model(Suggestion)
    models = [model for model in entry_models() if model is not own]
    entries, _ = change_set_entries(suggestion.answered_in, models)
    return entries
