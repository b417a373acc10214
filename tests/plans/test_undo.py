"""Undo reverses exactly what a change set changed, shows later changes, and is a change set of its own."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.history.bulk import save_rows
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, entries_of
from ownership.models import Access, SecondaryIndex, Service, Table, Team
from ownership.plans.blockers import Cause
from ownership.plans.plan import Blocked
from ownership.plans.undo import Undo
from tests.support.factories import make_access, make_member, make_service, make_table, make_team
from tests.support.statements import wakings

pytestmark = pytest.mark.django_db


def head() -> int:
    return ChangeSet.objects.first().revision


def edit(row, **fields) -> int:
    row = type(row).objects.get(pk=row.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return head()


def run(revision: int, sequence: int | None = None, chosen=()) -> None:
    plan = Undo(revision, sequence).plan(chosen)
    plan.apply(user=None, reason="Undo it", source=ChangeSet.Source.RESTORE, undoes=revision)


@pytest.fixture
def table() -> Table:
    return make_table("orders", owner=make_service("payments"), description="Orders.")


def test_a_changed_field_goes_back_and_the_change_set_names_the_one_it_undoes(table):
    revision = edit(table, owner=make_service("users"))
    run(revision)
    assert Table.objects.get().owner.name == "payments"
    change = ChangeSet.objects.first()
    assert (change.undoes_id, change.source, change.reason) == (revision, "restore", "Undo it")
    assert [entry.changes for entry in entries_of([change.revision])] == [
        {"owner": ["users", "payments"]}
    ]


def test_only_the_fields_that_the_change_set_changed_go_back(table):
    revision = edit(table, description="All orders.")
    edit(table, more_title="Wiki")
    run(revision)
    assert (Table.objects.get().description, Table.objects.get().more_title) == ("Orders.", "Wiki")


def test_undoing_a_creation_shows_what_the_row_holds_now(table):
    created = Table.history.get().change_set_id
    edit(table, name="invoices", owner=make_service("users"))
    row = next(row for row in Undo(created).rows if row.entry.instance_type is Table)
    assert row.fields["name"] == ["invoices", None]
    assert row.fields["owner"] == ["users", None]


def test_a_field_changed_again_later_is_shown_and_kept_unless_chosen(table):
    revision = edit(table, description="Second.")
    later = edit(table, description="Third.")
    [row] = Undo(revision).rows
    assert row.fields == {"description": ["Third.", "Orders."]}
    [conflict] = row.conflicts.values()
    assert (conflict.why, conflict.by.revision) == (
        f"Revision {later} has changed it since.",
        later,
    )
    run(revision)
    assert Table.objects.get().description == "Third."
    assert head() == later
    run(revision, chosen=row.conflicts)
    assert Table.objects.get().description == "Orders."


def test_a_deleted_table_is_restored_with_its_accesses_and_indexes_and_their_values(table):
    make_access(table, make_service("users"), mode="write", notes="Writes.", indirect=True)
    SecondaryIndex.objects.create(table=table, name="by-day", kind="GSI")
    pk = table.pk
    table.delete()
    deleted = [entry for entry in entries_of([head()]) if entry.label == "orders"]
    run(head(), deleted[0].sequence)
    back = Table.objects.get()
    assert (back.pk, back.name, back.owner.name) == (pk, "orders", "payments")
    access = back.accesses.get()
    assert (access.service.name, access.mode, access.notes, access.indirect) == (
        "users",
        "write",
        "Writes.",
        True,
    )
    assert back.indexes.get().kind == "GSI"


def test_a_deleted_team_is_restored_with_its_members():
    team = make_team("money")
    make_member(team, "ann", is_lead=True)
    with change_set(reason="Reorganize"):
        make_team("other")
        team.delete()
    deleted = [entry for entry in entries_of([head()]) if entry.label == "money"]
    run(head(), deleted[0].sequence)
    membership = Team.objects.get(name="money").memberships.get()
    assert (membership.user.username, membership.is_lead) == ("ann", True)


def test_a_member_whose_account_is_gone_is_not_restored():
    membership = make_member(make_team("money"), "ann").memberships.get()
    membership.delete()
    membership.user.delete()
    with pytest.raises(Blocked, match="ann in money: its account has been deleted"):
        run(head())


def test_one_entry_of_a_change_set_can_be_undone_alone(table):
    with change_set(reason="Two edits"):
        edit_owner = Service.objects.get(name="payments")
        edit_owner.contact = "#payments"
        edit_owner.save()
        table.description = "All orders."
        table.save()
    run(head(), 2)
    assert Table.objects.get().description == "Orders."
    assert Service.objects.get().contact == "#payments"


def test_undoing_a_creation_deletes(table):
    make_access(table, make_service("users"))
    run(head())
    assert not Access.objects.exists()


def test_undoing_a_creation_that_others_built_on_must_be_chosen(table):
    created = Table.history.get().change_set_id
    make_access(table, make_service("users"))
    row = next(row for row in Undo(created).rows if row.entry.instance_type is Table)
    [conflict] = row.conflicts.values()
    assert (
        conflict.why
        == "The access users → orders was added or changed later and would be deleted too."
    )
    run(created)
    assert Table.objects.exists()


def test_undoing_twice_changes_nothing_the_second_time(table):
    revision = edit(table, description="All orders.")
    run(revision)
    before = head()
    run(revision)
    assert head() == before
    assert Undo(revision).rows[0].explanation == "Already has its earlier value."


def test_undoing_an_undo_restores_the_change(table):
    run(edit(table, description="All orders."))
    run(head())
    assert Table.objects.get().description == "All orders."


def test_a_broken_rule_is_named_and_nothing_is_changed(table):
    table.delete()
    revision = head()
    make_table("orders", owner=Service.objects.get())
    before = head()
    with pytest.raises(Blocked, match="orders: A table with this name already exists"):
        run(revision)
    assert head() == before


def test_a_missing_service_is_named(table):
    access = make_access(table, make_service("users"))
    access.delete()
    revision = head()
    service = access.service_id
    Service.objects.get(name="users").delete()
    with pytest.raises(Blocked, match="its service users has been deleted. Restore that first"):
        run(revision)
    [blocker] = Undo(revision).plan().blockers
    assert blocker.cause == Cause(Service, service, "users", deleted=True)


def test_a_creation_that_is_in_use_is_not_undone_and_its_users_are_named():
    service = make_service("payments")
    created = head()
    make_table("orders", owner=service)
    [row] = Undo(created).rows
    with pytest.raises(Blocked, match="payments: still used by orders"):
        run(created, chosen=row.conflicts)
    assert Service.objects.exists()


def test_a_row_created_and_deleted_in_one_change_set_stays_deleted(table):
    with change_set(reason="There and back"):
        make_access(table, make_service("users")).delete()
    run(head())
    assert not Access.objects.exists()


def test_a_row_changed_and_deleted_in_one_change_set_is_restored_as_it_was_before(table):
    access = make_access(table, make_service("users"), notes="Before.")
    with change_set(reason="Two at once"):
        access.notes = "In between."
        access.save()
        access.delete()
    run(head())
    assert Access.objects.get().notes == "Before."


def test_several_edits_of_a_field_in_one_change_set_go_back_to_the_first():
    service = make_service("payments", contact="first")
    with change_set(reason="Two at once"):
        for contact in ("second", "third"):
            service.contact = contact
            service.save()
    run(head())
    assert Service.objects.get().contact == "first"


def test_a_renamed_service_is_the_same_service(table):
    revision = edit(table, owner=make_service("users"))
    edit(Service.objects.get(name="payments"), name="checkout")
    run(revision)
    assert Table.objects.get().owner.name == "checkout"


def test_an_access_that_changed_since_is_not_lost_with_its_table_unless_chosen():
    service = make_table("of-the-same-group").owner
    with change_set(reason="Both at once"):
        table = make_table("orders", owner=service)
        access = make_access(table, service)
    created = head()
    edit(access, notes="Changed since.")
    run(created, chosen=[key for key in Undo(created).conflicts if key.startswith("access")])
    assert Table.objects.filter(name="orders").exists()
    run(created, chosen=_all(created))
    assert not Table.objects.filter(name="orders").exists()


def test_undoing_the_entry_of_a_created_table_shows_the_accesses_that_go_with_it():
    service = make_service("payments")
    with change_set(reason="Both at once"):
        make_access(make_table("orders", owner=service), service)
    entry = next(entry for entry in entries_of([head()]) if entry.label == "orders")
    assert [row.entry.label for row in Undo(head(), entry.sequence).rows] == [
        "payments → orders",
        "orders",
    ]


def found(revision, chosen=()):
    return [str(blocker) for blocker in Undo(revision).plan(chosen).blockers]


def test_a_taken_name_is_a_blocker_with_the_row_that_has_it(table):
    table.delete()
    revision = head()
    other = make_table("orders", owner=Service.objects.get())
    [blocker] = Undo(revision).plan().blockers
    assert (
        str(blocker)
        == "orders: A table with this name already exists. Change or delete that one first."
    )
    assert blocker.cause == Cause(Table, other.pk, "orders")


def test_a_name_passed_on_within_the_change_set_is_not_a_blocker():
    first, second = make_service("first"), make_service("second")
    with change_set(reason="Hand on"):
        for row, name in ((first, "third"), (second, "first")):
            row.name = name
            row.save()
    assert found(head()) == []
    run(head())
    assert list(Service.objects.order_by("pk").values_list("name", flat=True)) == [
        "first",
        "second",
    ]


def test_an_access_created_again_blocks_the_old_one(table):
    access = make_access(table, make_service("users"))
    access.delete()
    revision = head()
    make_access(table, Service.objects.get(name="users"))
    assert found(revision) == [
        "users → orders: This service already has an access to this table. Change or delete that one first."
    ]


def test_keys_combined_from_old_and_current_values_must_obey_the_rules(table):
    revision = edit(table, partition_key_name="id")
    edit(table, sort_key_name="year")
    assert found(revision) == ["orders: A sort key needs a partition key."]
    with pytest.raises(Blocked, match="A sort key needs a partition key"):
        run(revision)


def test_services_that_would_be_part_of_each_other_are_refused():
    whole, part = make_service("whole"), make_service("part")
    edit(part, part_of=whole)
    revision = edit(part, part_of=None)
    edit(whole, part_of=part)
    before = head()
    with pytest.raises(Blocked, match="would be a circle"):
        run(revision)
    assert head() == before


def test_a_rule_that_only_an_unchosen_change_would_break_is_not_a_blocker(table):
    revision = edit(table, name="orders-2")
    edit(table, name="orders-3")
    make_table("orders", owner=Service.objects.get())
    [row] = Undo(revision).rows
    assert found(revision) == []
    assert found(revision, row.conflicts) == [
        "orders-2: A table with this name already exists. Change or delete that one first."
    ]


def test_entries_that_are_not_blocked_can_be_undone_without_the_rest():
    users = make_service("users")
    with change_set(reason="Two services"):
        users.contact = "#users"
        users.save()
        other = make_service("other")
    revision = head()
    make_table("of-other", owner=other)
    rest = Undo(revision).plan().without_blocked()
    assert [step.label for step in rest.steps] == ["users"]
    rest.apply(user=None, reason="The rest", source=ChangeSet.Source.RESTORE)
    assert Service.objects.get(name="users").contact == ""
    assert Service.objects.filter(name="other").exists()


def statements(work):
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def many(size, suffix):
    """A change set that creates a service and so many tables of it, and one that changes and deletes half each."""
    service = make_service(f"of-{suffix}")
    with change_set(reason="Create"):
        tables = [
            make_table(f"{suffix}-{number}", owner=service, group=None) for number in range(size)
        ]
        save_rows(Access(table=table, service=service, mode="read") for table in tables)
    created = head()
    with change_set(reason="Change and delete"):
        for table in tables[: size // 2]:
            table.description = "Anew"
        save_rows(tables[: size // 2])
        Table.objects.filter(pk__in=[table.pk for table in tables[size // 2 :]]).delete()
    return created, head()


@pytest.mark.slow
def test_undoing_takes_as_many_statements_for_many_rows_as_for_few():
    make_table("first")  # the group of all
    counts = {}
    for size in (4, 40):
        created, changed = many(size, f"s{size}")
        counts[size] = [
            statements(lambda changed=changed: Undo(changed)),
            statements(lambda changed=changed: run(changed)),
            statements(lambda created=created: Undo(created)),
            statements(lambda created=created: run(created, chosen=_all(created))),
        ]
    assert counts[4] == counts[40] == [23, 57 + wakings(), 24, 72 + wakings()]
    assert Table.objects.count() == 1


def _all(revision):
    return list(Undo(revision).conflicts)


def test_what_was_deleted_is_not_restored_twice(table):
    table.delete()
    revision = head()
    run(revision)
    [row] = Undo(revision).rows
    assert (row.action, row.explanation) == ("", "It already exists again.")
