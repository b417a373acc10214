"""Sending a plan's parts as suggestions, and what people read before and after that."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ownership.models import Suggestion
from ownership.plans.blockers import Blocker
from ownership.plans.division import Division, divide
from ownership.plans.plan import Plan
from ownership.plans.suggestions import suggest

SUGGESTING = "ownership.add_suggestion"
MAX_NAMED = 20  # rows of others that a page names

NOTHING_TO_SUGGEST = (
    "Nothing was suggested: all of it is already waiting for an answer, or is yours to change."
)


def send(request: HttpRequest, plan: Plan, reason: str) -> Division:
    """Send each owner what concerns their tables, as a suggestion, and say so. Return what is left of the plan then."""
    if not request.user.has_perm(SUGGESTING):
        raise PermissionDenied
    user: Any = request.user
    parts = divide(plan, user).parts
    if parts:
        made = suggest(parts, user=user, reason=reason, revision=plan.revision)
        messages.success(request, _sent(made))
    else:
        messages.info(request, NOTHING_TO_SUGGEST)
    return divide(plan, user)


def rows_of_others(
    refused: Sequence[Blocker], waiting: Sequence[tuple[str, Suggestion]]
) -> dict[str, Any]:
    """The context of ``refused.html`` and ``already_suggested.html``: what a preview names of a plan's division."""
    return {
        "refused": refused[:MAX_NAMED],
        "more_refused": len(refused[MAX_NAMED:]),
        "waiting": waiting[:MAX_NAMED],
        "more_waiting": len(waiting[MAX_NAMED:]),
    }


def _sent(suggestions: Sequence[Suggestion]) -> SafeString:
    """How many, with links: to the one, and to the list of what the person suggested."""
    own = reverse("pages:suggestions-mine")
    if len(suggestions) == 1:
        sentence = 'Sent as a suggestion. <a href="{}">View</a> · <a href="{}">My suggestions</a>'
        return format_html(sentence, suggestions[0].get_absolute_url(), own)
    sentence = 'Sent as {} suggestions, one for each owner. <a href="{}">My suggestions</a>'
    return format_html(sentence, len(suggestions), own)


def suggested() -> SafeString:
    """The same on the page of the one that was just made."""
    sentence = (
        "Suggested. The map has not changed yet: somebody else will take your suggestion or decline it. "
        'You find it under <a href="{}">My suggestions</a>.'
    )
    return format_html(sentence, reverse("pages:suggestions-mine"))
