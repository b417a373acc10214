"""The first page: the map in the document's order."""

from typing import Any

from ownership.map import whole_tables
from ownership.pages.base import Page


class HomePage(Page):
    """Groups with their tables, owners and accesses."""

    template_name = "ownership/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With all tables."""
        return super().get_context_data(**kwargs) | {"tables": whole_tables()}
