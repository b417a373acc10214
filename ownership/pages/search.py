"""What a search finds."""

from typing import Any

from ownership.catalog.search import LONGEST_TEXT, search
from ownership.catalog.suggestions import similar_names
from ownership.pages.base import Page


class SearchPage(Page):
    """Results for `?q=`."""

    template_name = "ownership/search.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what was found or else is called much like it, and what was too long to be looked at."""
        text = self.request.GET.get("q", "").strip()
        found = search(text)
        return super().get_context_data(**kwargs) | {
            "q": text[:LONGEST_TEXT],
            "left_off": max(0, len(text) - LONGEST_TEXT),
            "longest": LONGEST_TEXT,
            "found": found,
            "near": [] if found or not text else similar_names(text),
        }
