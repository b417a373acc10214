"""What a search finds."""

from typing import Any

from ownership.pages.base import Page
from ownership.search import LONGEST, search


class SearchPage(Page):
    """Results for `?q=`."""

    template_name = "ownership/search.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what was found, and whether the text was too long to look at all of it."""
        text = self.request.GET.get("q", "").strip()
        return super().get_context_data(**kwargs) | {
            "q": text[:LONGEST],
            "left_off": max(0, len(text) - LONGEST),
            "longest": LONGEST,
            "found": search(text),
        }
