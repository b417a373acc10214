"""Lists that stay fast when the registry grows: counted once per revision, searched by the index of texts."""

from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal

from ownership.admin.addresses import edit_url
from ownership.history.models import current_head


class CountedOnce(Paginator):
    """Keeps how many rows a list has until the registry changes: to count is the one thing that reads all of them."""

    @cached_property
    def count(self) -> int:
        """The number of rows."""
        rows: Any = self.object_list
        try:
            asked = rows.query.sql_with_params()
        except EmptyResultSet:
            return 0
        key = sha256(repr((current_head(), asked)).encode()).hexdigest()
        return cache.get_or_set(f"count-{key}", rows.count, None)  # type: ignore[return-value]


class CountedList(ChangeList):
    """Tells beside what was found how many there are in all, without counting anew; reads whole only what it shows."""

    def get_results(self, request: HttpRequest) -> None:
        """Django's, with the count of all from where the others are kept.

        A page's rows are chosen by their ids first: what a list reads beside its rows, databases would look up for
        the rows of all the pages before, too.
        """
        super().get_results(request)
        chosen = list(self.result_list.values_list("pk", flat=True))
        page = self.apply_select_related(self.root_queryset).filter(pk__in=chosen)
        self.result_list = page.order_by(*self.queryset.query.order_by)
        everything = not self.query and not self.has_active_filters
        self.full_result_count = self.result_count if everything else CountedOnce(self.root_queryset, 1).count
        self.show_full_result_count = True


class CountedLists:
    """For the admin of a model that there may be many of."""

    paginator: Any = CountedOnce
    show_full_result_count = False  # CountedList tells it

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that counts so."""
        return CountedList


class SearchedByIndex:
    """Finds the rows that every word is found ``holding``."""

    def holding(self, word: str) -> list[QuerySet]:
        """Ids of the rows that have the word somewhere, a query for each place: by OR no index would serve any."""
        raise NotImplementedError

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """The rows, and that none is in them twice; what stands in quotes is one word, as in other lists."""
        for word in smart_split(search_term):
            quoted = len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]
            first, *others = self.holding(unescape_string_literal(word) if quoted else word)
            queryset = queryset.filter(pk__in=first.order_by().union(*(other.order_by() for other in others)))
        return queryset, False


NOT_LOOKED_FOR = "The address or form held a value that can't be looked for; this is the whole list."


class SteadyLists:
    """Lists whose filters and actions answer nonsense in the address or form as Django answers most of it."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list; or, for values that the database can't take, the list without them and a word about it."""
        if ERROR_FLAG in request.GET:  # Django leads here from an address that it can't follow, and says nothing
            messages.error(request, NOT_LOOKED_FOR)
        try:
            return super().changelist_view(request, extra_context)  # type: ignore[misc]
        except (ValueError, OverflowError, DataError):
            messages.error(request, NOT_LOOKED_FOR)
            return HttpResponseRedirect(request.path)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """As ever; a number that is beyond SQLite is refused on PostgreSQL, too."""
        if len(value) > 18 and value.lstrip("-").isdecimal():
            raise OverflowError
        return super().lookup_allowed(lookup, value, request)  # type: ignore[misc]


NOTHING = "—"


def links(rows: list[Any]) -> SafeString | str:
    """Links to the forms of tables or services, by commas."""
    if not rows:
        return NOTHING
    return format_html_join(", ", '<a href="{}">{}</a>', ((edit_url(row), row.name) for row in rows))
