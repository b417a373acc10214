"""Rights that follow the owner: who may write which row, before and after, whichever way it is written."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, Person, registry_models
from ownership.models import Access, Membership, SecondaryIndex, Service, Table, TableGroup, Team
from ownership.models.rights import RULES, TEAM_LEADS, VIEWERS, NotPermitted, may_edit, refusals
from ownership.plans.plan import Plan, Refused
from ownership.plans.steps import Step, copy_of
from ownership.plans.undo import Undo
from tests.support.factories import (
    make_access,
    make_member,
    make_table,
    make_team,
    make_waiver,
)
from tests.support.owned_map import OwnedMap

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # rights are decided in Python


@pytest.fixture
def owned(db, settings) -> OwnedMap:
    settings.RIGHTS_FOLLOW_OWNER = True
    return OwnedMap()


def write(user: User | None, *acts: Callable[[], Any], suggested_by: User | None = None) -> None:
    """All of it in one change set."""
    person = Person(suggested_by.pk, suggested_by.username) if suggested_by else None
    with change_set(user=user, reason="Try", source="admin", suggested_by=person):
        for act in acts:
            act()


def edit(row: Any, **fields: Any) -> Callable[[], None]:
    def act() -> None:
        fresh = type(row).objects.get(pk=row.pk)
        for name, value in fields.items():
            setattr(fresh, name, value)
        fresh.save()

    return act


def add(model: Any, **fields: Any) -> Callable[[], Any]:
    return lambda: model(**fields).save()


def remove(row: Any) -> Callable[[], Any]:
    return lambda: type(row).objects.get(pk=row.pk).delete()


# What ann of Money tries: {what: (the acts, whether she may)}
ACTS: dict[str, tuple[Callable[[OwnedMap], list[Callable[[], Any]]], bool]] = {
    "edits her table": (lambda m: [edit(m.accounts, description="x")], True),
    "edits a table of a part": (lambda m: [edit(m.receipts, description="x")], True),
    "edits a table that nobody is answerable for": (
        lambda m: [edit(m.loose, description="x")],
        True,
    ),
    "edits another team's table": (lambda m: [edit(m.replies, description="x")], False),
    "renames another team's table": (lambda m: [edit(m.replies, name="mine-now")], False),
    "takes another team's table": (lambda m: [edit(m.replies, owner=m.wallet)], False),
    "gives her table away": (lambda m: [edit(m.accounts, owner=m.bot)], False),
    "gives her table to nobody": (lambda m: [edit(m.accounts, owner=m.spare)], True),
    "takes a table of nobody": (lambda m: [edit(m.loose, owner=m.wallet)], True),
    "deletes her table": (lambda m: [remove(m.accounts)], True),
    "deletes another team's table": (lambda m: [remove(m.replies)], False),
    "adds a table of another team": (
        lambda m: [add(Table, name="new-table", owner=m.bot, group=m.replies.group)],
        False,
    ),
    "adds a table of hers": (
        lambda m: [add(Table, name="new-table", owner=m.till, group=m.replies.group)],
        True,
    ),
    "adds an index to another team's table": (
        lambda m: [add(SecondaryIndex, table=m.replies, name="by-day")],
        False,
    ),
    "adds an index to hers": (
        lambda m: [add(SecondaryIndex, table=m.receipts, name="by-day")],
        True,
    ),
    "edits her service's access to another table": (lambda m: [edit(m.used, mode="write")], True),
    "removes her service's access to another table": (lambda m: [remove(m.used)], True),
    "adds her part's access to another table": (
        lambda m: [add(Access, table=m.replies, service=m.till, mode="read")],
        True,
    ),
    "edits another service's access to her table": (
        lambda m: [edit(m.use_of_bot, mode="write")],
        True,
    ),
    "adds another service's access to its own table": (
        lambda m: [add(Access, table=m.replies, service=m.bot, mode="read")],
        False,
    ),
    "adds an access of nobody's service to another table": (
        lambda m: [add(Access, table=m.replies, service=m.spare, mode="read")],
        False,
    ),
    "gives another service her access to another table": (
        lambda m: [edit(m.used, service=m.spare)],
        False,
    ),
    "edits her service": (lambda m: [edit(m.wallet, contact="#x")], True),
    "renames another team's service": (lambda m: [edit(m.bot, name="mine-now")], False),
    "makes another team's service part of hers": (lambda m: [edit(m.bot, part_of=m.wallet)], False),
    "makes it part of hers without its team": (
        lambda m: [edit(m.bot, part_of=m.wallet, team=None)],
        False,
    ),
    "makes nobody's service part of hers": (lambda m: [edit(m.spare, part_of=m.wallet)], True),
    "makes her service part of another team's": (lambda m: [edit(m.till, part_of=m.bot)], False),
    "changes the team of another service": (lambda m: [edit(m.bot, team=m.money)], False),
    "changes the team of her service": (lambda m: [edit(m.wallet, team=m.bots)], False),
    "gives another team's part a team": (lambda m: [edit(m.till, team=m.money)], True),
    "takes the table and its service at once": (
        lambda m: [edit(m.bot, team=m.money), edit(m.replies, owner=m.wallet)],
        False,
    ),
    "takes a table by way of nobody's service": (
        lambda m: [edit(m.spare, team=m.money), edit(m.replies, owner=m.spare)],
        False,
    ),
    "makes herself a lead of the other team first": (
        lambda m: [
            add(Membership, team=m.bots, user=m.ann, is_lead=True),
            edit(m.replies, description="x"),
        ],
        False,
    ),
    "leaves her team and edits its table at once": (
        lambda m: [
            remove(Membership.objects.get(user=m.ann)),
            edit(m.accounts, description="x"),
        ],
        True,
    ),
    "adds somebody to her team": (lambda m: [add(Membership, team=m.money, user=m.ben)], True),
    "adds herself to another team": (lambda m: [add(Membership, team=m.bots, user=m.ann)], False),
    "removes somebody from another team": (
        lambda m: [remove(Membership.objects.get(user=m.ben))],
        False,
    ),
    "edits her team": (lambda m: [edit(m.money, contact="#x")], True),
    "edits another team": (lambda m: [edit(m.bots, oidc_group="leads")], False),
    "adds a team": (lambda m: [add(Team, name="Mine")], False),
    "adds a group": (lambda m: [add(TableGroup, name="More")], True),
    "moves another team's table to another group": (
        lambda m: [
            add(TableGroup, name="More"),
            lambda: edit(m.replies, group=TableGroup.objects.get(name="More"))(),
        ],
        False,
    ),
    "edits two tables of which one is another team's": (
        lambda m: [edit(m.accounts, description="x"), edit(m.replies, description="x")],
        False,
    ),
    "waives a finding on another team's table": (lambda m: [lambda: make_waiver(m.replies)], False),
    "waives a finding on hers": (lambda m: [lambda: make_waiver(m.receipts)], True),
    "waives a finding on a table that is not on the map": (
        lambda m: [lambda: make_waiver(table_name="x")],
        True,
    ),
}


@pytest.mark.parametrize(("acts", "is_allowed"), ACTS.values(), ids=ACTS)
def test_a_team_writes_what_is_its_own_before_and_after(owned, acts, is_allowed):
    head = ChangeSet.objects.count()
    if is_allowed:
        write(owned.ann, *acts(owned))
        return
    with pytest.raises(NotPermitted):
        write(owned.ann, *acts(owned))
    assert ChangeSet.objects.count() == head
    # Administrators may, and so may commands, which have no user.
    write(owned.root, *acts(owned))
    assert ChangeSet.objects.count() == head + 1


def test_without_the_setting_every_lead_may_all(owned, settings):
    settings.RIGHTS_FOLLOW_OWNER = False
    write(owned.ann, edit(owned.replies, owner=owned.wallet), edit(owned.bots, contact="#x"))
    assert may_edit(owned.ann, owned.replies)


def test_a_command_without_a_user_may_all(owned):
    write(None, edit(owned.replies, owner=owned.wallet), add(Team, name="More"))


def test_what_the_provider_says_at_a_sign_in_is_not_judged(owned):
    with change_set(user=owned.ann, reason="Groups", source="sign_in"):
        Membership(team=owned.bots, user=owned.ann).save()
    assert may_edit(owned.ann, owned.replies)


def test_a_member_who_is_no_lead_edits_tables_but_not_the_team(owned):
    write(owned.member, edit(owned.accounts, description="x"))
    with pytest.raises(NotPermitted, match="may be changed by leads of Money "):
        write(owned.member, edit(owned.money, contact="#x"))


def test_whoever_lost_the_role_or_the_account_after_the_form_was_opened_writes_nothing(owned):
    owned.ann.groups.clear()
    with pytest.raises(NotPermitted):
        write(owned.ann, edit(owned.accounts, description="x"))
    owned.ann.groups.add(Group.objects.get(name=TEAM_LEADS))
    User.objects.filter(pk=owned.ann.pk).update(is_active=False)
    with pytest.raises(NotPermitted):
        write(owned.ann, edit(owned.accounts, description="x"))


def test_the_sentence_names_who_may(owned):
    with pytest.raises(NotPermitted) as refused:
        write(owned.ann, edit(owned.replies, description="x"))
    assert str(refused.value) == "replies belongs to Bots: only its members may change it."
    with pytest.raises(NotPermitted) as refused:
        write(owned.ben, edit(owned.replies, owner=owned.wallet))
    assert str(refused.value) == "replies would belong to Money (#money), which must agree to that."
    owned.ben.groups.clear()
    with pytest.raises(NotPermitted) as refused:
        write(owned.ben, edit(owned.loose, description="x"))
    assert str(refused.value) == "loose may be changed by team leads alone."


def test_the_message_names_three_rows_and_counts_the_others(owned):
    tables = [make_table(f"replies-{number}", owner=owned.bot) for number in range(5)]
    with pytest.raises(NotPermitted) as refused:
        write(owned.ann, *[edit(table, description="x") for table in tables])
    rows = ["replies-0", "replies-1", "replies-2"]
    sentences = [f"{row} belongs to Bots: only its members may change it." for row in rows]
    assert str(refused.value) == f"{' '.join(sentences)} The same goes for 2 more."


# Two people

HAND_OVERS = {
    "the giver suggests, the receiver agrees": ("ben", "ann", True),
    "the receiver suggests, the giver agrees": ("ann", "ben", True),
    "a stranger suggests, the receiver agrees": ("cat", "ann", False),
    "a stranger suggests, the giver agrees": ("cat", "ben", False),
    "the giver suggests, a stranger agrees": ("ben", "cat", False),
    "an administrator suggests, the receiver agrees": ("root", "ann", True),
    "an administrator suggests, a stranger agrees": ("root", "cat", False),
    "a stranger suggests, an administrator agrees": ("cat", "root", True),
    "somebody in the giving team without a role suggests": ("viewer", "ann", False),
}


@pytest.mark.parametrize(("by", "to", "is_allowed"), HAND_OVERS.values(), ids=HAND_OVERS)
def test_a_hand_over_takes_both_teams(owned, by, to, is_allowed):
    make_member(make_team("Strangers"), "cat")
    viewer = User.objects.create(username="viewer")
    viewer.groups.add(Group.objects.get(name=VIEWERS))
    Membership.objects.create(team=owned.bots, user=viewer)
    giver, receiver = (User.objects.get(username=name) for name in (by, to))
    hand_over = edit(owned.replies, owner=owned.wallet)
    if is_allowed:
        write(receiver, hand_over, suggested_by=giver)
        assert Table.objects.get(name="replies").owner == owned.wallet
    else:
        with pytest.raises(NotPermitted):
            write(receiver, hand_over, suggested_by=giver)


def test_a_hand_over_is_taken_with_the_accesses_that_it_deletes_and_adds(owned):
    own_use = make_access(owned.replies, owned.bot)
    to_money = edit(owned.replies, owner=owned.wallet)
    with pytest.raises(NotPermitted):
        # Without the hand-over, the access is none of Money's.
        write(owned.ann, remove(own_use), suggested_by=owned.ben)
    write(owned.ann, to_money, remove(own_use), suggested_by=owned.ben)
    assert not Access.objects.filter(table=owned.replies, service=owned.bot).exists()
    back = edit(Table.objects.get(name="replies"), owner=owned.bot)
    use_it = add(Access, table=owned.replies, service=owned.bot, mode="read")
    write(owned.ann, back, use_it, suggested_by=owned.ben)
    assert Access.objects.filter(table=owned.replies, service=owned.bot).exists()


def test_a_suggestion_of_an_administrator_is_taken_by_the_owner_alone(owned):
    change = edit(owned.replies, description="x")
    with pytest.raises(NotPermitted):
        write(owned.ann, change, suggested_by=owned.root)
    write(owned.ben, change, suggested_by=owned.root)


# May edit


def test_may_edit_says_what_the_guard_says(owned):
    assert may_edit(owned.ann, owned.receipts)
    assert may_edit(owned.ann, owned.used)
    assert not may_edit(owned.ann, owned.replies)
    assert may_edit(owned.root, owned.replies)
    assert not may_edit(owned.ann, Access(table=owned.replies, service=owned.bot))
    assert may_edit(owned.ann, Access(table=owned.replies, service=owned.till))
    owned.ann.groups.clear()
    assert not may_edit(User.objects.get(username="ann"), owned.receipts)


def test_a_preview_is_judged_before_it_is_written_also_with_new_rows(owned):
    service = Service(name="new-part", part_of=owned.bot)
    table = Table(name="new-table", owner=service, group=owned.replies.group)
    access = Access(table=table, service=service, mode="read")
    steps = [Step(None, row) for row in (service, table, access)]
    plan = Plan(steps, ChangeSet.objects.count())
    assert plan.refused_to(owned.ben) == []
    blockers = plan.refused_to(owned.ann)
    assert [str(blocker) for blocker in blockers] == [
        f"{label}: would belong to Bots, which must agree to that."
        for label in ("new-part", "new-table", "new-part → new-table")
    ]
    with pytest.raises(Refused, match="new-part would belong to Bots"):
        plan.apply(user=owned.ann, reason="Try", source="import")
    assert not Service.objects.filter(name="new-part").exists()


# The former owner


def test_a_former_owner_takes_no_table_back_by_undo(owned):
    write(owned.root, edit(owned.accounts, owner=owned.bot))
    undo = Undo(ChangeSet.objects.count())
    assert undo.plan().refused_to(owned.ann)
    with pytest.raises(Refused, match="accounts belongs to Bots"):
        undo.plan().apply(user=owned.ann, reason="Back", source="restore", undoes=undo.revision)
    # Nor does the new owner give it back alone.
    with pytest.raises(Refused, match=r"would belong to Money \(#money\)"):
        undo.plan().apply(user=owned.ben, reason="Back", source="restore", undoes=undo.revision)


def test_a_table_that_was_deleted_is_restored_by_its_owner_alone(owned):
    write(owned.root, remove(owned.replies))
    undo = Undo(ChangeSet.objects.count())
    with pytest.raises(Refused):
        undo.plan().apply(user=owned.ann, reason="Back", source="restore", undoes=undo.revision)
    undo.plan().apply(user=owned.ben, reason="Back", source="restore", undoes=undo.revision)
    assert Table.objects.filter(name="replies").exists()


def test_undoing_a_change_set_with_rows_of_others_is_refused_as_a_whole(owned):
    write(owned.root, edit(owned.accounts, description="x"), edit(owned.replies, description="x"))
    undo = Undo(ChangeSet.objects.count())
    with pytest.raises(Refused, match="replies belongs to Bots"):
        undo.plan().apply(user=owned.ann, reason="Back", source="restore", undoes=undo.revision)
    assert Table.objects.get(name="accounts").description == "x"
    own = Undo(undo.revision, 1)
    own.plan().apply(user=owned.ann, reason="Back", source="restore", undoes=undo.revision)
    assert Table.objects.get(name="accounts").description == ""


# The rules and their cost


def test_every_model_with_history_has_a_rule():
    assert set(RULES) == set(registry_models())


def test_judging_many_rows_takes_as_many_queries_as_judging_few(owned):
    def counted(size: int) -> int:
        tables = [make_table(owner=owned.bot) for _ in range(size)]
        steps = []
        for table in tables:
            after = copy_of(Table.objects.get(pk=table.pk))
            after.owner_id = owned.wallet.pk
            steps.append((table, after))
            steps.append((None, Access(table=table, service=owned.bot, mode="read")))
        ann = User.objects.get(username="ann")
        with CaptureQueriesContext(connection) as queries:
            assert len(refusals([ann], steps, is_written=False)) == size
        return len(queries)

    # Links of services, twice; owners of tables; memberships; permissions twice; names of teams.
    assert counted(3) == counted(30) == 7
