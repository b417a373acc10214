"""The page of search results."""

from typing import Any

from ownership.catalog.search import LONGEST_TEXT, search
from ownership.catalog.suggestions import similar_names
from ownership.pages.base import Context, Page


class SearchPage(Page):
    """Results for `?q=`."""

    template_name = "ownership/search.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: results, or else similar names, and how much of the text was too long to read."""
        text = self.request.GET.get("q", "").strip()
        results = search(text)
        similar = []
        if text and not results:
            similar = similar_names(text)
        return super().get_context_data(**kwargs) | {
            "q": text[:LONGEST_TEXT],
            "left_off": max(0, len(text) - LONGEST_TEXT),
            "longest": LONGEST_TEXT,
            "found": results,
            "near": similar,
        }
