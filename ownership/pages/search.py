"""What a search finds."""

from typing import Any

from ownership.catalog.search import LONGEST, search
from ownership.catalog.suggestions import near
from ownership.pages.base import Page


class SearchPage(Page):
    """Results for `?q=`."""

    template_name = "ownership/search.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what was found or else is called much like it, and what was too long to be looked at."""
        text = self.request.GET.get("q", "").strip()
        found = search(text)
        return super().get_context_data(**kwargs) | {
            "q": text[:LONGEST],
            "left_off": max(0, len(text) - LONGEST),
            "longest": LONGEST,
            "found": found,
            "near": [] if found or not text else near(text),
        }
