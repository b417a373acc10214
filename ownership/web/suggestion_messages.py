"""What people read after they sent suggestions."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ownership.models import Suggestion


def suggestions_sent(suggestions: Sequence[Suggestion]) -> SafeString:
    """How many, with a link: to the one, or to the list."""
    if len(suggestions) == 1:
        sentence = 'Sent as a suggestion. <a href="{}">View</a>'
        return format_html(sentence, suggestions[0].get_absolute_url())
    sentence = 'Sent as {} suggestions, one for each owner. <a href="{}">View</a>'
    return format_html(sentence, len(suggestions), reverse("pages:suggestions"))
