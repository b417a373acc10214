"""Pages of lists."""

from typing import Any

from django.core.paginator import Paginator
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from ownership.api import parameters

LARGEST_PAGE = 1_000


class Pages(PageNumberPagination):
    """100 entries a page, or as many as ``page_size`` says, at most 1,000. Any other value is an error."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = LARGEST_PAGE
    page_size_query_description = f"Entries per page, 1 to {LARGEST_PAGE}."
    page_query_description = "Page number, from 1."

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """The two parameters in OpenAPI."""
        page, size = super().get_schema_operation_parameters(view)
        size["schema"]["maximum"] = LARGEST_PAGE
        return [page, size]

    def get_page_size(self, request: Request) -> int:
        """The requested size; BadParameter if it is not allowed."""
        return parameters.number(request, "page_size", self.page_size, LARGEST_PAGE)

    def get_page_number(self, request: Request, paginator: Paginator) -> int:
        """The requested page; BadParameter, with the number of pages, if there is no such page."""
        return parameters.number(request, "page", 1, paginator.num_pages)
