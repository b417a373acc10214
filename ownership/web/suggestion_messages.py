"""What people read before and after they send suggestions."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ownership.models import Suggestion
from ownership.plans.blockers import Blocker

MAX_NAMED = 20  # rows of others that a page names

NOTHING_TO_SUGGEST = (
    "Nothing was suggested: all of it is already waiting for an answer, or is yours to change."
)


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


def suggestions_sent(suggestions: Sequence[Suggestion]) -> SafeString:
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
