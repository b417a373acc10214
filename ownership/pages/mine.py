"""The page of what is "mine": what waits for the reader, and what the reader's teams are answerable for."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.core.paginator import Paginator
from django.urls import reverse

from ownership.catalog.confirmation import TO_CONFIRM, tables_with_states
from ownership.catalog.mine import Mine
from ownership.catalog.queries import whole_tables
from ownership.findings.latest_runs import FoundByRun, open_findings_of
from ownership.models import Service, Suggestion, Table, Team
from ownership.models.answerable import teams_by_service
from ownership.models.suggestions import SuggestionQuerySet
from ownership.pages.base import Context, Page
from ownership.pages.suggestions import note_whom_they_wait_for
from ownership.pages.table_list import any_confirmed, listed

TABLES_PER_PAGE = 50
# Findings that the section lists; the drift page has the others.
FINDINGS_SHOWN = 20
SUGGESTIONS_SHOWN = 20

User = AbstractUser | AnonymousUser


@dataclass(frozen=True)
class WaitingSection:
    """One kind of thing that waits for the reader.

    ``name`` is its anchor on the page, ``number`` how many things wait. ``template`` shows them, with ``section`` in
    its context.
    """

    name: str
    title: str
    number: int
    template: str
    content: Context


class MinePage(Page):
    """What waits for the reader, section by section, then the tables and services of the reader's teams."""

    template_name = "ownership/mine.html"
    needs_role = True
    shows_past = False
    about_today = "What waits for you is about today"

    def get_context_data(self, **kwargs: object) -> Context:
        """Return the context. Of somebody who is in no team, that is said; what they suggested is listed."""
        mine = self.mine()
        sections = []
        for find in SECTIONS:
            section = find(mine, self.request.user)
            if section.number:
                sections.append(section)
        tables = whole_tables().filter(mine.tables)
        page = Paginator(tables, TABLES_PER_PAGE).get_page(self.request.GET.get("page"))
        tables_on_page = listed(page.object_list, teams_by_service())
        return super().get_context_data(**kwargs) | {
            "teams": Team.objects.filter(pk__in=mine.team_ids),
            "sections": sections,
            "page": page,
            "tables": tables_on_page,
            "shows_states": any_confirmed(tables_on_page),
            "services": Service.objects.filter(mine.services),
        }


def findings(mine: Mine, user: User) -> WaitingSection:
    """The findings of drift about the tables."""
    found = []
    number = 0
    for of_run in open_findings_of(mine.tables):
        room = max(0, FINDINGS_SHOWN - number)
        found.append(FoundByRun(of_run.run, of_run.findings[:room]))
        number += len(of_run.findings)
    return WaitingSection(
        name="findings",
        title="Findings on my tables",
        number=number,
        template="ownership/mine_findings.html",
        content={"found": found, "more": max(0, number - FINDINGS_SHOWN)},
    )


def to_confirm(mine: Mine, user: User) -> WaitingSection:
    """The tables whose entries somebody should confirm."""
    tables = tables_with_states(Table.objects.filter(mine.tables))
    waiting = tables.filter(confirmation_state__in=TO_CONFIRM).order_by("name")
    by_state: dict[str, list[Table]] = {state.value: [] for state in TO_CONFIRM}
    for table in waiting:
        by_state[table.confirmation_state].append(table)
    states = []
    for state in TO_CONFIRM:
        if by_state[state.value]:
            states.append((state, by_state[state.value]))
    return WaitingSection(
        name="to-confirm",
        title="To confirm",
        number=sum(map(len, by_state.values())),
        template="ownership/mine_confirm.html",
        content={"states": states},
    )


def suggestions(mine: Mine, user: User) -> WaitingSection:
    """The changes that people suggest to the reader's teams."""
    changes = mine.suggestions(user).filter(kind=Suggestion.Kind.CHANGE)
    return _of_suggestions("suggestions", "Suggestions", changes)


def hand_overs(mine: Mine, user: User) -> WaitingSection:
    """The tables that others want to hand over to the reader's teams."""
    offered = mine.suggestions(user).filter(kind=Suggestion.Kind.HAND_OVER)
    return _of_suggestions("hand-overs", "Hand-overs to agree to", offered)


def own_suggestions(mine: Mine, user: User) -> WaitingSection:
    """What the reader suggested, and nobody has answered yet."""
    waiting = Suggestion.objects.waiting().filter(user_id=user.pk).order_by("number")
    section = _of_suggestions("own-suggestions", "My suggestions", waiting)
    section.content["all"] = reverse("pages:suggestions-mine")
    note_whom_they_wait_for(section.content["suggestions"])
    return section


def _of_suggestions(name: str, title: str, waiting: SuggestionQuerySet) -> WaitingSection:
    rows = list(waiting.with_answers())
    return WaitingSection(
        name=name,
        title=title,
        number=len(rows),
        template="ownership/mine_suggestions.html",
        content={
            "suggestions": rows[:SUGGESTIONS_SHOWN],
            "more": max(0, len(rows) - SUGGESTIONS_SHOWN),
            "all": reverse("pages:suggestions"),
        },
    )


# What can wait for the reader, in the order of the page.
SECTIONS: tuple[Callable[[Mine, User], WaitingSection], ...] = (
    suggestions,
    hand_overs,
    to_confirm,
    findings,
    own_suggestions,
)
