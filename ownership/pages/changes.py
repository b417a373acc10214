"""The log of all changes, one change set of it, and the log as CSV."""

from typing import Any

from django.db.models import Model
from django.http import Http404, HttpRequest, StreamingHttpResponse

from ownership.audit import feed
from ownership.audit.log import LogFilters
from ownership.audit.timeline import TimelinePage, change_set_entries, numbers_of_entries
from ownership.exchange.exports import history_to_csv
from ownership.history.models import ChangeSet, entry_model, registry_models, whole_number
from ownership.models import Service, Table, TableGroup
from ownership.pages.base import BadAddress, Context, Page
from ownership.pages.log_filters import PARAMETERS, QUICK_KINDS, filter_context, read_filters

# Entries of a change set that are seen at once; the others of its page are folded.
UNFOLDED = 20
MAX_NAMES = 10
NAMED: dict[str, type[Model]] = {"table": Table, "service": Service, "group": TableGroup}


class ChangesPage(Page):
    """All change sets, newest first, with filters and a search; also as CSV, oldest first."""

    template_name = "ownership/changes.html"
    needs_role = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the page, or with `?format=csv` the log as a file, read and sent piece by piece."""
        if asks_for_csv(request):
            return self._as_csv()
        return super().get(request, *args, **kwargs)

    def _filters(self) -> LogFilters:
        until = self.moment.revision if self.moment else None
        about = self.mine().history() if self.asks_for_mine() else None
        return read_filters(self.request, PARAMETERS, until, about)

    def _as_csv(self) -> StreamingHttpResponse:
        filters = self._filters()
        try:
            filters.selection()
        except feed.UnknownName as error:
            raise BadAddress(str(error)) from None
        pieces = history_to_csv.log(filters.entries())
        return csv_file(pieces, "changes.csv")

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the filters, and a page of the change sets that pass them."""
        filters = self._filters()
        problem, names = _unknown_name(self.request)
        page = TimelinePage([], None)
        if not problem:
            page = filters.page(whole_number(self.request.GET.get("before")))
        return super().get_context_data(**kwargs) | {
            **filter_context(self.request, PARAMETERS, QUICK_KINDS, registry_models()),
            "page": page,
            "problem": problem,
            "names": names,
            "search_is_cut": filters.is_cut,
        }


def _unknown_name(request: HttpRequest) -> tuple[str, list[tuple[str, str, str]]]:
    """Return what is wrong with a name among the filters, and names that contain it as (parameter, name, address).

    Empty where every name is, or was, that of something.
    """
    for parameter, model in NAMED.items():
        name = request.GET.get(parameter, "").strip()
        if not name or entry_model(model).objects.filter(name=name).exists():
            continue
        similar = model._default_manager.filter(name__icontains=name).order_by("name")
        offers = []
        for other in similar.values_list("name", flat=True)[:MAX_NAMES]:
            query = request.GET.copy()
            query[parameter] = other
            query.pop("before", None)
            offers.append((parameter, other, f"?{query.urlencode()}"))
        kind = model._meta.verbose_name
        return f"No {kind} has, or ever had, the name “{name}”.", offers
    return "", []


def asks_for_csv(request: HttpRequest) -> bool:
    """Whether `?format=csv` asks for a file; BadAddress for other values."""
    form = request.GET.get("format", "")
    if form not in ("", "csv"):
        raise BadAddress("format takes csv.")
    return form == "csv"


def csv_file(pieces: Any, name: str) -> StreamingHttpResponse:
    """Return the pieces as a file to download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=headers)


class ChangeSetPage(Page):
    """One change set with its entries, page by page, and what is before and after it."""

    template_name = "ownership/change_set.html"
    needs_role = True
    shows_past = False

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context, with the entries of one kind where `?kind=` names one."""
        revision = whole_number(str(kwargs["revision"]))
        if revision is None:  # more than a database holds
            raise Http404(f"There is no revision {kwargs['revision']}.")
        change_sets = ChangeSet.objects.prefetch_related("undone_by").in_bulk(
            [revision - 1, revision, revision + 1]
        )
        change_set = change_sets.get(revision)
        if change_set is None:
            raise Http404(f"There is no revision {revision}.")
        numbers = numbers_of_entries(revision)
        kinds = {}
        for model in registry_models():
            number = numbers.get(entry_model(model))
            if number:
                kinds[str(model._meta.model_name)] = (model, number)
        kind = self.request.GET.get("kind", "")
        if kind and kind not in kinds:
            raise BadAddress(f"kind takes one of {', '.join(kinds)}.")
        models = [entry_model(kinds[kind][0])] if kind else list(numbers)
        after = whole_number(self.request.GET.get("after")) or 0
        entries, more = change_set_entries(revision, models, after)
        return super().get_context_data(**kwargs) | {
            "change_set": change_set,
            "before": revision - 1,
            "previous": change_sets.get(revision - 1),
            "following": change_sets.get(revision + 1),
            "kinds": [
                (name, str(model._meta.verbose_name_plural), number)
                for name, (model, number) in kinds.items()
            ],
            "kind": kind,
            "total": sum(numbers.values()),
            "entries": entries[:UNFOLDED],
            "folded": entries[UNFOLDED:],
            "after": after,
            "more": more,
        }
