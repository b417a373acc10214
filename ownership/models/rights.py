"""Who may read, and who may edit what. With RIGHTS_FOLLOW_OWNER, a team edits what its services own; others suggest.

Two questions about editing are answered here, by the same rules:

- ``may_edit(user, row)``: may this person edit that row, as things are now? Pages and forms ask it, for what they
  offer. ``Rights(user)`` answers it for many rows.
- ``refusals(people, states)``: which rows of a change may not be written? Each row is judged as it was *and* as it
  would be, so nobody takes what they do not own, and nobody gives without the other team's yes. ``guard`` asks it at
  the end of each change set, under the registry's lock; ``history.signals.change_set_ending`` calls it. So no way to
  write gets around it. Previews of plans may ask it, too: the rows are then as they were.

A change set may have two people: who suggested it and who approves it. Each state of each row must be right for one
of them, and the one who approves must have a right to each row before or after; a row that is added or deleted counts
as its table's or service's team was before or will be after. That way B's lead accepts a table that A's lead offers,
with the accesses that go, and A's lead grants one that B's lead asks for.

The rules: an edit takes the role that it always takes. A table, its indexes, waivers and confirmations are its
owner's team's. An access is its table's team's or its service's team's; a service its own. What no team is answerable
for, groups and environments are any lead's. A team and its members are for the team's leads. Administrators may do
all, and so may commands, which have no user. Whose team somebody is in counts as it was before the change set.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser, User
from django.core.exceptions import PermissionDenied

from ownership.history.models import (
    CHANGED,
    CREATED,
    DELETED,
    ChangeSet,
    TrackedRow,
    kind_of_change,
)
from ownership.models.answerable import Moment, Overrides, read_already
from ownership.models.confirmations import Confirmation
from ownership.models.drift_runs import Waiver
from ownership.models.news import Endpoint
from ownership.models.services import Environment, Service, TableGroup
from ownership.models.suggestions import Suggestion
from ownership.models.tables import Access, SecondaryIndex, Table
from ownership.models.teams import Membership, Team

# A row before and after a change; None where it does not exist.
State = tuple[TrackedRow | None, TrackedRow | None]

# The groups of accounts.
TEAM_LEADS = "Team leads"
VIEWERS = "Viewers"
# Both groups have it, and every account that an administrator gave it in another way. For history, too: whoever may
# see the map with a role may see how it came about.
READING_PERMISSION = "view_table"
NO_ROLE = "Your account has no role in this registry. Ask an administrator to make it a viewer or a team lead."

PERMISSIONS = {CREATED: "add", CHANGED: "change", DELETED: "delete"}
NAMED = 3  # refusals that a message names


class NotPermitted(PermissionDenied):
    """A change set has rows that its people may not write. Nothing was written; the message says who may."""

    def __init__(self, refused: Sequence[Refusal]) -> None:
        sentences = list(dict.fromkeys(map(str, refused)))
        message = " ".join(sentences[:NAMED])
        if len(sentences) > NAMED:
            message += f" The same goes for {len(sentences) - NAMED:,} more."
        super().__init__(message)
        self.refused = refused


@dataclass(frozen=True)
class Refusal:
    """A row that may not be written. ``why`` goes on after the row's name, and names who may write it."""

    row: TrackedRow
    why: str

    def __str__(self) -> str:
        return f"{self.row} {self.why}"


def has_role(user: AbstractUser | AnonymousUser) -> bool:
    """Whether an account may read the map and its history: an active viewer, team lead or administrator."""
    return user.has_perm(f"ownership.{READING_PERMISSION}")


def has_permission(user: AbstractUser | AnonymousUser, row: TrackedRow, verb: str) -> bool:
    """Whether the account's role allows to ``add``, ``change`` or ``delete`` rows of this kind.

    What no role is needed for, such as answering a suggestion, is allowed.
    """
    options = row._meta
    if verb not in options.default_permissions:
        return True
    return user.has_perm(f"ownership.{verb}_{options.model_name}")


@dataclass(frozen=True)
class Holders:
    """Who may edit a row: the members of some teams, or only their leads.

    Without teams, the role is enough; where only a team's leads may, nobody but administrators is left then.
    """

    team_ids: frozenset[int] = frozenset()
    leads_only: bool = False

    @property
    def anyone(self) -> bool:
        """Whether the role alone is enough."""
        return not self.team_ids and not self.leads_only

    @classmethod
    def of_teams(cls, *team_ids: int | None, leads_only: bool = False) -> Holders:
        """The members of these teams; None stands for no team."""
        return cls(frozenset(filter(None, team_ids)), leads_only)


ANYONE = Holders()


def _of_table(row: Any, moment: Moment) -> Holders:
    return Holders.of_teams(moment.team_of_owner(row))


def _of_its_table(row: Any, moment: Moment) -> Holders:
    """An index, a waiver, a confirmation: as the table that it belongs to."""
    return Holders.of_teams(moment.team_of_table(row.table_id, read_already(row, "table")))


def _of_access(row: Any, moment: Moment) -> Holders:
    of_table = moment.team_of_table(row.table_id, read_already(row, "table"))
    if of_table is None:
        return ANYONE
    of_service = moment.team_of_service(row.service_id, read_already(row, "service"))
    return Holders.of_teams(of_table, of_service)


def _of_service(row: Any, moment: Moment) -> Holders:
    return Holders.of_teams(moment.team_of_service(row.pk, row))


def _of_leads(row: Any, moment: Moment) -> Holders:
    """A team is its leads'. A new one has none yet."""
    team_id = row.pk if isinstance(row, Team) else row.team_id
    return Holders.of_teams(team_id, leads_only=True)


def _of_anyone(row: Any, moment: Moment) -> Holders:
    """The role is enough."""
    return ANYONE


# Whoever adds a model with history says here who edits its rows.
RULES: dict[type[TrackedRow], Callable[[Any, Moment], Holders]] = {
    Table: _of_table,
    SecondaryIndex: _of_its_table,
    Access: _of_access,
    Waiver: _of_its_table,
    Confirmation: _of_its_table,
    Service: _of_service,
    Team: _of_leads,
    Membership: _of_leads,
    TableGroup: _of_anyone,
    Environment: _of_anyone,
    Endpoint: _of_anyone,
    # Who may answer one is for plans/suggestions.py; what it writes of the map is judged row by row.
    Suggestion: _of_anyone,
}


class Rights:
    """What one person may edit, as things are now."""

    def __init__(self, user: AbstractUser | AnonymousUser) -> None:
        self.user = user
        self.moment = Moment()

    @cached_property
    def memberships(self) -> Mapping[int, bool]:
        """{id of a team that the person is in: whether as a lead}; one query."""
        memberships = Membership.objects.filter(user=self.user.pk).order_by()
        return dict(memberships.values_list("team", "is_lead"))

    @property
    def depend_on_teams(self) -> bool:
        """Whether the role alone is not enough: rights follow the owner, and the person is no administrator."""
        return settings.RIGHTS_FOLLOW_OWNER and not self.user.is_superuser

    def may_edit(self, row: TrackedRow) -> bool:
        """Whether the person may change the row, as it is given here."""
        if not has_permission(self.user, row, PERMISSIONS[CHANGED]):
            return False
        return not self.depend_on_teams or self.holds(holders(row, self.moment))

    def holds(self, of_row: Holders) -> bool:
        """Whether the person is one of them, or an administrator."""
        if self.user.is_superuser:
            return True
        if of_row.leads_only:
            return any(map(self.memberships.get, of_row.team_ids))
        return of_row.anyone or not of_row.team_ids.isdisjoint(self.memberships)

    def refusal(self, row: TrackedRow) -> Refusal | None:
        """Who may edit the row, if the person's teams may not; None otherwise, also where the role is missing."""
        if not self.depend_on_teams:
            return None
        of_row = holders(row, self.moment)
        if self.holds(of_row):
            return None
        [refusal] = _in_words([_Denial(row, of_row, is_after=False)])
        return refusal


def may_edit(user: AbstractUser | AnonymousUser, row: TrackedRow) -> bool:
    """Whether the user may change the row: by role, and by team if rights follow the owner.

    A row that is not saved yet counts as it would be. At most four queries; none besides those for the role without
    the setting, and for administrators.
    """
    return Rights(user).may_edit(row)


def editable(user: AbstractUser | AnonymousUser, rows: Iterable[TrackedRow]) -> set[int | None]:
    """Ids of those of the rows, of one model, that the user may change; as many queries as for one, for 500 tables."""
    rows = list(rows)
    rights = Rights(user)
    if rights.depend_on_teams:
        rights.moment.read_owners(_table_ids(*rows))
    return {row.pk for row in rows if rights.may_edit(row)}


def holders(row: TrackedRow, moment: Moment) -> Holders:
    """Who may edit the row, as it is given here, at that moment. LookupError for a model without a rule."""
    return RULES[type(row)](row, moment)


def refusals(
    people: Sequence[AbstractUser], states: Sequence[State], *, is_written: bool
) -> list[Refusal]:
    """The rows that the people may not write, with who may. ``people``: who writes, then who suggested it, if anyone.

    ``is_written``: whether the database already holds the states after, as under the lock, or still those before, as
    for a preview. A fixed number of queries, and one for 500 tables.
    """
    if not settings.RIGHTS_FOLLOW_OWNER or not people:
        return []
    changes = _first_and_last(states)
    before = {_key(old, new): old for old, new in changes}
    after = {_key(old, new): new for old, new in changes}
    # What the database holds needs no overrides.
    moment_before = Moment(before if is_written else None)
    moment_after = Moment(None if is_written else after)
    table_ids: set[int] = set()
    for old, new in changes:
        table_ids.update(_table_ids(old, new))
    moment_before.read_owners(table_ids)
    moment_after.read_owners(table_ids)
    judges = [_rights_before(person, before) for person in people]
    denied = []
    for old, new in changes:
        denial = _denial(judges, old, new, moment_before, moment_after)
        if denial is not None:
            denied.append(denial)
    return _in_words(denied)


def _table_ids(*rows: TrackedRow | None) -> set[int]:
    """The tables that the rows belong to; none for a table itself, and for what belongs to none."""
    ids: set[Any] = {getattr(row, "table_id", None) for row in rows}
    return ids - {None}


def _row_of(old: TrackedRow | None, new: TrackedRow | None) -> TrackedRow:
    """The row as it would be; as it was, if it is deleted."""
    row = new or old
    assert row is not None  # noqa: S101  # a change is about a row
    return row


def _key(old: TrackedRow | None, new: TrackedRow | None) -> tuple[type[TrackedRow], int | None]:
    row = _row_of(old, new)
    return type(row), row.pk


def _first_and_last(states: Sequence[State]) -> list[State]:
    """Of each row its first state and its last one, unless it was created and deleted again.

    New rows that are not saved yet each stand for themselves.
    """
    rows: dict[object, State] = {}
    for number, (old, new) in enumerate(states):
        model, pk = _key(old, new)
        key: object = number if pk is None else (model, pk)
        first, _ = rows.get(key, (old, new))
        rows[key] = (first, new)
    return [state for state in rows.values() if state != (None, None)]


def _rights_before(person: AbstractUser, before: Overrides) -> Rights:
    """The rights of the person, in the teams that they were in before the change.

    So nobody makes themselves a lead and uses that in the same change set.
    """
    rights = Rights(person)
    changed = [pk for model, pk in before if model is Membership and pk is not None]
    unchanged = Membership.objects.filter(user=person.pk).exclude(pk__in=changed)
    memberships = dict(unchanged.order_by().values_list("team", "is_lead"))
    for row in before.values():
        if isinstance(row, Membership) and row.user_id == person.pk:
            memberships[row.team_id] = row.is_lead
    rights.memberships = memberships
    return rights


@dataclass(frozen=True)
class _Denial:
    """A row that may not be written, and who holds it in the state that is not right: now, or as it would be."""

    row: TrackedRow
    of_row: Holders
    is_after: bool


def _denial(
    judges: Sequence[Rights],
    before: TrackedRow | None,
    after: TrackedRow | None,
    moment_before: Moment,
    moment_after: Moment,
) -> _Denial | None:
    """Why the people may not write this row; None if they may. The first of the judges is who writes."""
    row = _row_of(before, after)
    verb = PERMISSIONS[kind_of_change(before, after)]
    able = [rights for rights in judges if has_permission(rights.user, row, verb)]
    of_before = holders(before or row, moment_before)
    of_after = holders(after or row, moment_after)

    denial_before = _Denial(row, of_before, is_after=False)
    denial_after = _Denial(row, of_after, is_after=True)
    # Each state must be right for one of the people.
    if before is not None and not any(rights.holds(of_before) for rights in able):
        return denial_before
    if after is not None and not any(rights.holds(of_after) for rights in able):
        return denial_after
    # Whoever writes must have a right to one of them.
    writer = judges[0]
    may_write = _counts_for(writer, before, of_before) or _counts_for(writer, after, of_after)
    if writer in able and may_write:
        return None
    return denial_before if after is None else denial_after


def _counts_for(writer: Rights, state: TrackedRow | None, of_row: Holders) -> bool:
    """Whether the writer has a right to a row in this state.

    Where the row does not exist, only a team's right counts: an access that is deleted with a hand-over may be deleted
    by whoever gets its table.
    """
    if state is None and of_row.anyone:
        return False
    return writer.holds(of_row)


def _in_words(denied: Sequence[_Denial]) -> list[Refusal]:
    """Who may write each row, after its name: "belongs to Money (#money): only its members may change it.".

    One query, or none for none.
    """
    if not denied:
        return []
    ids: set[int] = set()
    for denial in denied:
        ids |= denial.of_row.team_ids
    teams = Team.objects.in_bulk(ids)
    return [Refusal(denial.row, _why_not(denial, teams)) for denial in denied]


def _why_not(denial: _Denial, teams: Mapping[int, Team]) -> str:
    of_row = denial.of_row
    named = [_with_contact(teams[pk]) for pk in sorted(of_row.team_ids) if pk in teams]
    names = " or ".join(named)
    if of_row.anyone:
        return "may be changed by team leads alone."
    if not named:
        return "may be changed by administrators alone."
    if of_row.leads_only:
        return f"may be changed by leads of {names} and by administrators alone."
    if denial.is_after:
        return f"would belong to {names}, which must agree to that."
    whose = "their" if len(named) > 1 else "its"
    return f"belongs to {names}: only {whose} members may change it."


def _with_contact(team: Team) -> str:
    contact = team.contact or team.email
    return f"{team.name} ({contact})" if contact else team.name


def guard(draft: Any, states: Sequence[State], **kwargs: object) -> None:
    """Raise NotPermitted if the change set that is ending has rows that its people may not write.

    A receiver of ``change_set_ending``, under the lock. Change sets without a user are commands'; what a sign-in
    changes is the provider's decision.
    """
    if (
        not settings.RIGHTS_FOLLOW_OWNER
        or draft.user_id is None
        or draft.source == ChangeSet.Source.SIGN_IN
    ):
        return
    ids = [draft.user_id]
    if draft.suggested_by is not None:
        ids.append(draft.suggested_by.id)
    refused = refusals(_accounts(ids), states, is_written=True)
    if refused:
        raise NotPermitted(refused)


def _accounts(ids: Collection[int]) -> list[AbstractUser]:
    """The accounts in that order; read now, because a role may have ended since the request began."""
    found = User.objects.in_bulk(list(ids))
    accounts: list[AbstractUser] = []
    for pk in ids:
        # An account that is gone has no rights, and neither has this one.
        accounts.append(found.get(pk, User(pk=pk, is_active=False)))
    return accounts
