"""Lists of the admin that stay fast with 10,000 tables, and answer odd addresses with a message."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Literal, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, ChangeList
from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import BigIntegerField, Func, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal

from ownership.admin.addresses import edit_url, history_url
from ownership.admin.titles import PlainTitles
from ownership.history.models import ChangeSet, current_head, entry_model
from ownership.models import Service, Table
from ownership.templatetags.display import when

Row = TypeVar("Row", bound=Model)

# Shown where a list has nothing to show.
NOTHING = "—"
BAD_LOOKUP = "The address contains a value that can’t be searched for. Showing the whole list."
# SQLite holds whole numbers of up to 18 digits.
MAX_DIGITS = 18


class CachedCountPaginator(Paginator):
    """Counts a list once per revision of the registry: counting is the one thing that reads all its rows."""

    object_list: QuerySet

    @cached_property
    def count(self) -> int:
        """The number of rows."""
        try:
            sql = self.object_list.query.sql_with_params()
        except EmptyResultSet:
            return 0
        key = sha256(repr((current_head(), sql)).encode()).hexdigest()
        return cache.get_or_set(f"count-{key}", self.object_list.count, None) or 0


class LargeChangeList(ChangeList):
    """A list that also shows how many rows there are without its filters."""

    def get_ordering_field_columns(self) -> dict[int, Literal["desc", "asc"]]:
        """The columns that somebody sorted by: none is marked while the list is in its own order."""
        if ORDER_VAR not in self.params:
            return {}
        return super().get_ordering_field_columns()

    def get_results(self, request: HttpRequest) -> None:
        """Django's results, with the count of all rows from the cache."""
        super().get_results(request)
        # Read the page's ids first. Otherwise databases look up what the list shows beside its rows, such as the
        # last change, for the rows of all earlier pages, too.
        ids = list(self.result_list.values_list("pk", flat=True))
        rows = self.apply_select_related(self.root_queryset).filter(pk__in=ids)
        self.result_list = rows.order_by(*self.queryset.query.order_by)
        self.full_result_count = self.result_count
        if self.query or self.has_active_filters:
            self.full_result_count = CachedCountPaginator(self.root_queryset, 1).count
        self.show_full_result_count = True


class LargeLists(admin.ModelAdmin):
    """For models that have many rows and change with the registry's revision."""

    paginator = CachedCountPaginator
    # Django's own way counts all rows each time; LargeChangeList shows the number.
    show_full_result_count = False
    # What people call the list's own order.
    order_name = ""

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return LargeChangeList


class IndexedSearch(admin.ModelAdmin):
    """Searches with the database's text indexes: a row is found if ``holding`` finds it for every word."""

    def holding(self, word: str) -> list[QuerySet]:
        """Ids of the rows that contain the word: one query for each place, because no index serves an OR."""
        raise NotImplementedError

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet,
        search_term: str,
    ) -> tuple[QuerySet, bool]:
        """The rows found, and False, as none occurs twice. Text in quotes is one word, as in Django's lists."""
        for word in smart_split(search_term):
            if len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]:
                word = unescape_string_literal(word)
            first, *others = [ids.order_by() for ids in self.holding(word)]
            queryset = queryset.filter(pk__in=first.union(*others))
        return queryset, False


class TolerantLists(PlainTitles):
    """Answers values in an address or form that a database refuses as Django answers other bad ones."""

    class Media:
        css = {"all": ["ownership/desk.css"]}
        js = ["ownership/desk.js"]

    def changelist_view(
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """The list; the whole list with a message if a value can't be looked up."""
        # Django redirects here from other bad addresses without saying why.
        if ERROR_FLAG in request.GET:
            messages.error(request, BAD_LOOKUP)
        try:
            return super().changelist_view(request, extra_context)
        except (ValueError, OverflowError, DataError):
            messages.error(request, BAD_LOOKUP)
            return HttpResponseRedirect(request.path)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Django's rule; a number too large for SQLite is refused on PostgreSQL, too."""
        if len(value) > MAX_DIGITS and value.lstrip("-").isdecimal():
            raise OverflowError(value)
        return super().lookup_allowed(lookup, value, request)


def links(rows: Iterable[Table | Service]) -> SafeString | str:
    """Links to the forms of tables or services, separated by commas."""
    addresses = [(edit_url(row), row.name) for row in rows]
    if not addresses:
        return NOTHING
    return format_html_join(", ", '<a href="{}">{}</a>', addresses)


def last_revision(model: type[Model], column: str) -> Coalesce:
    """Revision of the latest entry whose column holds the row's id; 0 if there is none."""
    # The first in descending order, not the maximum: databases find it at the index's end, however long the history.
    entries = entry_model(model).objects.filter(**{column: OuterRef("pk")})
    latest = entries.order_by("-change_set_id").values("change_set_id")[:1]
    return Coalesce(Subquery(latest, output_field=BigIntegerField()), 0)


def annotate_last_change(rows: QuerySet[Row], revision: Func) -> QuerySet[Row]:
    """Rows with ``last_revision``, as given, and the ``last_time`` and ``last_user`` of that change set."""
    change = ChangeSet.objects.filter(revision=OuterRef("last_revision"))
    return rows.annotate(last_revision=revision).annotate(
        last_time=Subquery(change.values("time")),
        last_user=Subquery(change.values("user_name")),
    )


def link_to_last_change(row: Any) -> SafeString:
    """When an annotated row changed last, which leads to its history, and who changed it."""
    time = when(row.last_time) if row.last_time else NOTHING
    return format_html(
        '<a href="{}">{}</a><br>{}', history_url(type(row), row.pk), time, row.last_user or ""
    )


def counted(number: int, noun: str) -> str:
    """``1 table``, ``2 tables``, ``2 accesses``."""
    plural = f"{noun}es" if noun[-1] in "sx" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
