"""Makes registry rows; a test names only what matters to it."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.models import (
    Access,
    Confirmation,
    Membership,
    Service,
    Suggestion,
    Table,
    TableGroup,
    Team,
    Waiver,
)
from ownership.models.rights import TEAM_LEADS, VIEWERS
from ownership.plans.division import parts_by_owner
from ownership.plans.steps import Step, copy_of
from ownership.plans.suggestions import suggest

_number = count(1)


def make_service(name: str | None = None, **fields: Any) -> Service:
    """A saved service."""
    return Service.objects.create(name=name or f"service-{next(_number)}", **fields)


def make_table(name: str | None = None, **fields: Any) -> Table:
    """A saved table with a group and an owner of its own unless given."""
    number = next(_number)
    fields.setdefault("group", None)
    group = fields.pop("group") or TableGroup.objects.get_or_create(name="Group")[0]
    owner = fields.pop("owner", None) or make_service()
    return Table.objects.create(name=name or f"table-{number}", group=group, owner=owner, **fields)


def make_access(
    table: Table | None = None, service: Service | None = None, **fields: Any
) -> Access:
    """A saved access, reading by default."""
    return Access.objects.create(
        table=table or make_table(), service=service or make_service(), **{"mode": "read"} | fields
    )


def make_confirmation(table: Table | None = None, days: int = 180, **fields: Any) -> Confirmation:
    """A saved confirmation of a table as it is now, which ends in so many days."""
    until = timezone.now().date() + timedelta(days=days)
    fields.setdefault("table", table or make_table())
    fields.setdefault("at_revision", current_head().revision)
    on = until - timedelta(days=180)
    return Confirmation.objects.create(
        **{"confirmed_by": "somebody", "confirmed_on": on, "until": until} | fields
    )


def make_waiver(table: Table | None = None, **fields: Any) -> Waiver:
    """A saved waiver of a table that isn't deployed, by default for a month."""
    until = timezone.now().date() + timedelta(days=30)
    if "table_name" not in fields:
        fields["table"] = table or make_table()
    return Waiver.objects.create(**{"kind": "table_not_deployed", "until": until} | fields)


def make_team(name: str | None = None, **fields: Any) -> Team:
    """A saved team without members."""
    return Team.objects.create(name=name or f"team-{next(_number)}", **fields)


def make_member(team: Team, name: str | None = None, **fields: Any) -> User:
    """An account with the role of team leads that is a member of the team. It is made unless there is one."""
    user, is_new = User.objects.get_or_create(username=name or f"member-{next(_number)}")
    if is_new:
        user.groups.add(Group.objects.get(name=TEAM_LEADS))
    Membership.objects.create(team=team, user=user, **fields)
    return user


def make_suggestion(
    row: Table | Service | Access | None = None,
    by: User | None = None,
    reason: str = "It is so",
    **fields: Any,
) -> Suggestion:
    """A suggestion that waits: to set these fields of the row, by default a description of a new table."""
    row = row or make_table()
    if by is None:
        by = User.objects.get_or_create(username="suggester")[0]
        by.groups.add(Group.objects.get(name=VIEWERS))
    before = type(row).objects.get(pk=row.pk)
    after = copy_of(before)
    for name, value in (fields or {"description": "As suggested"}).items():
        setattr(after, name, value)
    revision = current_head().revision
    parts = parts_by_owner([Step(before, after)], by)
    [suggestion] = suggest(parts, user=by, reason=reason, revision=revision)
    return suggestion


def edit(
    row: Table | Service,
    undoes: int | None = None,
    reason: str = "An edit",
    user: User | None = None,
    **fields: Any,
) -> int:
    """Save these fields of the row as one change set; its revision."""
    with change_set(reason=reason, undoes=undoes, user=user):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
    return current_head().revision
