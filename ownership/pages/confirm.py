"""Confirming: the tables by how far their entries are confirmed, and the form that confirms some of them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html

from ownership.catalog.confirmation import (
    MEANINGS,
    TO_CONFIRM,
    ConfirmationState,
    TableConfirmation,
    ids_by_state,
    states_of,
)
from ownership.catalog.queries import whole_tables
from ownership.drift.types import Finding
from ownership.findings.summary import drift_summaries
from ownership.history.head import Head
from ownership.history.models import ChangeSet, current_head, whole_number
from ownership.models import DriftRun, Service, Table, TableGroup, Team
from ownership.models.answerable import teams_by_service
from ownership.models.rights import NAMED, NotPermitted, Rights
from ownership.pages import accesses as access_tables
from ownership.pages.base import BadAddress, Context, Page
from ownership.plans.confirming import Confirmed, changes_since, confirm
from ownership.web.refusals import refusal

TABLES_PER_PAGE = 100
MAX_TABLES = 500  # in one POST
LONGEST_NOTE = 1_000
TO_CONFIRM_FILTER, ALL_FILTER = "", "all"
PERMISSION = "ownership.change_table"


@dataclass(frozen=True)
class Card:
    """A table as the page shows it for somebody to confirm."""

    table: Table
    standing: TableConfirmation
    access_table: access_tables.AccessTable
    shape_findings: list[Finding]
    words: str  # what the runs say in short, as the confirmation will keep it
    may_confirm: bool
    ticked: bool
    team: Team | None = None  # that is answerable for the owner


@dataclass(frozen=True)
class StateChip:
    """A state to filter by: how many tables are in it, and the address that lists them."""

    label: str
    meaning: str
    number: int
    address: str
    chosen: bool


class ConfirmPage(Page):
    """The tables to confirm, the most urgent state first. A POST confirms those that are ticked, as they were shown.

    `?state=` takes a value of ConfirmationState or `all`, `?group=` and `?owner=` take names, and `?mine=true` leaves
    what is the reader's. `?table=`, also given several times, shows these tables alone.
    """

    http_method_names = ["get", "head", "post", "options"]
    template_name = "ownership/confirm.html"
    needs_role = True
    shows_past = False
    about_today = "Entries are confirmed as they are now"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the chosen tables with all that is confirmed of them."""
        # Read before the rows: what changes after that was not shown.
        head = current_head()
        names = self.request.GET.getlist("table")
        if names:
            tables = list(whole_tables().filter(name__in=names[:MAX_TABLES]))
            listing: Context = {"named": names}
        else:
            tables, listing = self._listed()
        ticked = {table.pk for table in tables} if len(names) == 1 else set()
        return super().get_context_data(**kwargs) | self._form(head, tables, ticked) | listing

    def _listed(self) -> tuple[list[Table], Context]:
        """Return the tables of the page that the address asks for, and the filters around them."""
        state = self.request.GET.get("state", TO_CONFIRM_FILTER)
        states = _states(state)
        condition = self._condition()
        ids = ids_by_state(Table.objects.filter(condition))
        asked_ids = [pk for asked in states for pk in ids[asked]]
        page = Paginator(asked_ids, TABLES_PER_PAGE).get_page(self.request.GET.get("page"))
        tables = whole_tables().in_bulk(page.object_list)
        numbers = {each: len(ids[each]) for each in ids}
        group, owner = self.request.GET.get("group", ""), self.request.GET.get("owner", "")
        owners = Service.objects.filter(owned_tables__isnull=False).distinct()
        return [tables[pk] for pk in page.object_list if pk in tables], {
            "page": page,
            "order": [str(each.label).lower() for each in states],
            "chips": _chips(numbers, state, self.request.GET),
            "asked": {"state": state, "group": group, "owner": owner},
            "filtered": bool(group or owner),
            "groups": TableGroup.objects.values_list("name", flat=True),
            "owners": owners.values_list("name", flat=True),
        }

    def _condition(self) -> Q:
        """The condition that the filters set, apart from the state. BadAddress for a name that nothing has."""
        condition = Q()
        for name, model in (("group", TableGroup), ("owner", Service)):
            value = self.request.GET.get(name, "")
            if not value:
                continue
            if not model._default_manager.filter(name=value).exists():
                raise BadAddress(f"{name}={value[:100]}: There is no such {name}.")
            condition &= Q((f"{name}__name", value))
        if self.asks_for_mine():
            condition &= self.mine().tables
        return condition

    def _form(self, head: Head, tables: list[Table], ticked: Collection[int]) -> Context:
        """Return the context of the form that confirms the tables as of that head."""
        summaries = drift_summaries(tables)
        standings = states_of(tables)
        rights = Rights(self.request.user)
        teams = teams_by_service()
        cards = []
        for table in tables:
            card = Card(
                table=table,
                standing=standings[table.pk],
                access_table=access_tables.of_table(
                    table.accesses.all(), summaries[table.name].accesses
                ),
                shape_findings=summaries[table.name].shape_findings(),
                words=summaries[table.name].in_words(),
                may_confirm=rights.may_edit(table),
                ticked=table.pk in ticked,
                team=teams.get(table.owner_id),
            )
            cards.append(card)
        return {
            "title": "Confirm",
            "cards": cards,
            "may_confirm": sum(card.may_confirm for card in cards),
            "head": head,
            "runs": _latest_runs(),
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm the ticked tables. Where something is not as it was shown, show it again and write nothing of it."""
        if not request.user.has_perm(PERMISSION):
            message = "Only team leads may confirm what the map says. Nothing was saved."
            return refusal(request, 403, "You don't have permission to do this", message)
        shown_at = _posted_head(request)
        ids = _posted_ids(request)
        if not ids:
            messages.warning(request, "Nothing was confirmed: tick at least one table first.")
            return HttpResponseRedirect(request.get_full_path())
        note = request.POST.get("note", "").strip()[:LONGEST_NOTE]
        tables = list(whole_tables().filter(pk__in=ids))
        problem = _problem(request, shown_at) or _refusal(request, tables)
        if problem:
            return self._again(tables, note, problem=problem)
        summaries = drift_summaries(tables)
        drift = {table.pk: summaries[table.name].in_words() for table in tables}
        try:
            outcome = confirm(ids, shown_at.revision, user=request.user, reason=note, drift=drift)  # type: ignore[arg-type]
        except NotPermitted as error:
            return self._again(tables, note, problem=str(error))
        if outcome.revision is None and outcome.left_out:
            meanwhile = changes_since([table.pk for table in outcome.left_out], shown_at.revision)
            return self._again(tables, note, meanwhile=meanwhile)
        return self._done(outcome, shown_at)

    def _again(self, tables: list[Table], note: str, **context: Any) -> HttpResponse:
        """Show the same tables as they are now, with what was ticked and typed."""
        ticked = [table.pk for table in tables]
        form = self._form(current_head(), tables, ticked)
        names = [table.name for table in tables]
        page = super().get_context_data(named=names, note=note, **form, **context)
        return self.render_to_response(page, status=409)

    def _done(self, outcome: Confirmed, shown_at: Head) -> HttpResponse:
        """Say what was confirmed, and lead to what was left out, or back."""
        if outcome.revision is None:
            messages.warning(
                self.request, "Nothing was confirmed: the selected tables have been deleted."
            )
            return HttpResponseRedirect(reverse("pages:confirm"))
        change_set = reverse("pages:change-set", args=[outcome.revision])
        number = len(outcome.tables)
        message = format_html(
            '{} confirmed (<a href="{}">revision {}</a>).',
            "1 table" if number == 1 else f"{number} tables",
            change_set,
            outcome.revision,
        )
        messages.success(self.request, message)
        if not outcome.left_out:
            return HttpResponseRedirect(self._back(outcome.tables))
        messages.warning(self.request, _sentence_on(outcome.left_out, shown_at))
        query = urlencode([("table", table.name) for table in outcome.left_out])
        return HttpResponseRedirect(f"{reverse('pages:confirm')}?{query}")

    def _back(self, tables: list[Table]) -> str:
        """The page that somebody came from: of the one table, or the list with its filters."""
        if self.request.GET.getlist("table") == [tables[0].name]:
            return tables[0].get_absolute_url()
        query = self.request.GET.copy()
        query.pop("table", None)
        return (
            f"{reverse('pages:confirm')}?{query.urlencode()}" if query else reverse("pages:confirm")
        )


def _states(asked: str) -> tuple[ConfirmationState, ...]:
    """The states that the filter's value stands for; BadAddress for another value."""
    if asked == TO_CONFIRM_FILTER:
        return TO_CONFIRM
    if asked == ALL_FILTER:
        return tuple(ConfirmationState)
    if asked in ConfirmationState.values:
        return (ConfirmationState(asked),)
    known = ", ".join([*ConfirmationState.values, ALL_FILTER])
    raise BadAddress(f"state={asked[:100]}: It takes {known}.")


def _chips(numbers: dict[ConfirmationState, int], chosen: str, query: QueryDict) -> list[StateChip]:
    """The states to choose from, each with its number of tables; those of the other filters only."""
    others = {name: query[name] for name in ("group", "owner", "mine") if query.get(name)}
    to_confirm = sum(numbers[state] for state in TO_CONFIRM)
    choices = [(TO_CONFIRM_FILTER, "To confirm", "All that somebody should look at.", to_confirm)]
    for state in ConfirmationState:
        choices.append((state.value, str(state.label), MEANINGS[state], numbers[state]))
    choices.append((ALL_FILTER, "All", "All tables.", sum(numbers.values())))
    chips = []
    for value, label, meaning, number in choices:
        parameters = others | ({"state": value} if value else {})
        chips.append(
            StateChip(label, meaning, number, f"?{urlencode(parameters)}", value == chosen)
        )
    return chips


def _latest_runs() -> str:
    """The numbers of the latest runs, as the form posts them back."""
    runs = DriftRun.objects.latest_of_each().values_list("pk", flat=True)
    return ",".join(map(str, runs))


def _posted_head(request: HttpRequest) -> Head:
    try:
        return Head.parse(request.POST.get("head", ""))
    except ValueError:
        raise BadAddress("head: The form says no revision. Open the page again.") from None


def _posted_ids(request: HttpRequest) -> list[int]:
    values = request.POST.getlist("table")
    if len(values) > MAX_TABLES:
        raise BadAddress(
            f"Confirm at most {MAX_TABLES} tables at once; {len(values)} are selected."
        )
    ids = []
    for value in values:
        pk = whole_number(value)
        if pk is None:
            raise BadAddress("table: It takes the number of a table.")
        ids.append(pk)
    return list(dict.fromkeys(ids))


def _problem(request: HttpRequest, shown_at: Head) -> str:
    """Why nothing is confirmed as it was shown, apart from changes of the tables; empty if nothing is in the way."""
    if not ChangeSet.objects.filter(revision=shown_at.revision, digest=shown_at.digest).exists():
        return "The registry was restored from a backup after this page was loaded."
    if request.POST.get("runs", "") != _latest_runs():
        return "There is a newer run of drift than the one that this page showed."
    return ""


def _refusal(request: HttpRequest, tables: list[Table]) -> str:
    """Who may confirm those of the tables that the reader may not; empty if there are none."""
    rights = Rights(request.user)
    refusals = filter(None, map(rights.refusal, tables))
    return " ".join(map(str, list(refusals)[:NAMED]))


def _sentence_on(left_out: list[Table], shown_at: Head) -> str:
    """Which tables were left out, and who changed them."""
    names = ", ".join(table.name for table in left_out)
    changes = changes_since([table.pk for table in left_out], shown_at.revision)
    people = ", ".join(dict.fromkeys(group.change_set.user_name for group in changes))
    return f"Left out, because {people} changed them after this page was loaded: {names}. Look at them again."
