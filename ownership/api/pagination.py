"""Pages of lists."""

from typing import Any

from rest_framework.pagination import PageNumberPagination

from ownership.api.errors import BadParameter
from ownership.history.models import whole_number

LARGEST = 1_000


class Pages(PageNumberPagination):
    """100 entries a page unless ``page_size`` says otherwise (at most 1,000); nonsense is refused, not guessed at."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = LARGEST
    page_size_query_description = f"Entries per page, 1 to {LARGEST}."
    page_query_description = "Page, from 1."

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The two parameters as OpenAPI has them."""
        page, size = super().get_schema_operation_parameters(view)
        size["schema"]["maximum"] = LARGEST
        return [page, size]

    def get_page_size(self, request: Any) -> int:
        """The size asked for; BadParameter where it isn't one."""
        return number_asked(request, "page_size", 100, LARGEST)

    def get_page_number(self, request: Any, paginator: Any) -> int:
        """The page asked for; a page beyond the last is told how many there are."""
        return number_asked(request, "page", 1, paginator.num_pages)


def number_asked(request: Any, name: str, default: int, largest: int) -> int:
    """A whole number from 1 to ``largest`` from the query; BadParameter where it is none."""
    number = whole_number(request.query_params.get(name, str(default)))
    if number is None or not 1 <= number <= largest:
        raise BadParameter({name: f"Takes a whole number from 1 to {largest}."})
    return number
