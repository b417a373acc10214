"""The page of search results, and the names that the search field suggests."""

from typing import Any

from django.http import HttpRequest, JsonResponse

from ownership.catalog.completion import completions
from ownership.catalog.search import LONGEST_TEXT, LONGEST_TYPED, search
from ownership.catalog.similar_names import similar_names
from ownership.models.answerable import teams_by_service
from ownership.models.rights import has_role
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
        past = results.past
        if not has_role(self.request.user):
            # What was deleted, by whom and why is for people who may see history.
            past = [name for name in past if name.row is not None]
        return super().get_context_data(**kwargs) | {
            # Of an empty page there is nothing to see on another day.
            "shows_past": bool(text),
            "q": text[:LONGEST_TEXT],
            "left_off": max(0, len(text) - LONGEST_TEXT),
            "longest": LONGEST_TEXT,
            "words": text.split() if len(text) <= LONGEST_TYPED else [],
            "found": results,
            "past": past,
            "teams": teams_by_service() if results else {},
            "near": similar,
        }


class CompletionsPage(Page):
    """Names that contain `?q=`, as JSON: ``{"suggestions": [{"name", "kind", "remark", "url"}, …]}``."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        """Answer with the names of the page's moment."""
        keep = self._moment_context()["keep"]
        suggestions = []
        for completion in completions(request.GET.get("q", "")):
            suggestion = {
                "name": completion.name,
                "kind": completion.kind,
                "remark": completion.remark,
                "url": f"{completion.url}{keep}{completion.anchor}",
            }
            suggestions.append(suggestion)
        return JsonResponse({"suggestions": suggestions})
