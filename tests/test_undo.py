"""Undo reverses just what a change set changed, shows what came later, and is a change set of its own."""

import pytest

from ownership import undo
from ownership.history import ChangeSet, change_set, entries_of
from ownership.models import Access, SecondaryIndex, Service, Table
from ownership.undo import CanNotUndo
from tests.factories import make_access, make_service, make_table

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
    with change_set(reason="Undo it", source=ChangeSet.Source.RESTORE, undoes=revision):
        undo.apply(undo.plan(revision, sequence), chosen)


@pytest.fixture
def table() -> Table:
    return make_table("orders", owner=make_service("payments"), description="Orders.")


def test_a_changed_field_goes_back_and_the_change_set_names_the_one_it_undoes(table):
    revision = edit(table, owner=make_service("users"))
    run(revision)
    assert Table.objects.get().owner.name == "payments"
    change = ChangeSet.objects.first()
    assert (change.undoes_id, change.source, change.reason) == (revision, "restore", "Undo it")
    assert [entry.changes for entry in entries_of([change.revision])] == [{"owner": ["users", "payments"]}]


def test_only_the_fields_that_the_change_set_changed_go_back(table):
    revision = edit(table, description="All orders.")
    edit(table, more_title="Wiki")
    run(revision)
    assert (Table.objects.get().description, Table.objects.get().more_title) == ("Orders.", "Wiki")


def test_a_field_that_a_later_change_touched_is_shown_and_stays_unless_chosen(table):
    revision = edit(table, description="Second.")
    later = edit(table, description="Third.")
    [step] = undo.plan(revision)
    assert step.fields == {"description": ["Third.", "Orders."]}
    assert list(step.conflicts.values()) == [f"Revision {later} changed it since."]
    run(revision)
    assert Table.objects.get().description == "Third."
    assert head() == later
    run(revision, chosen=step.conflicts)
    assert Table.objects.get().description == "Orders."


def test_a_deleted_table_comes_back_with_its_accesses_and_indexes_and_their_values(table):
    make_access(table, make_service("users"), mode="write", notes="Writes.", indirect=True)
    SecondaryIndex.objects.create(table=table, name="by-day", kind="GSI")
    pk = table.pk
    table.delete()
    deleted = [entry for entry in entries_of([head()]) if entry.label == "orders"]
    run(head(), deleted[0].sequence)
    back = Table.objects.get()
    assert (back.pk, back.name, back.owner.name) == (pk, "orders", "payments")
    access = back.accesses.get()
    assert (access.service.name, access.mode, access.notes, access.indirect) == ("users", "write", "Writes.", True)
    assert back.indexes.get().kind == "GSI"


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
    step = next(step for step in undo.plan(created) if step.entry.instance_type is Table)
    assert "users → orders came later and would be gone too." in " ".join(step.conflicts.values())
    run(created)
    assert Table.objects.exists()


def test_undoing_twice_changes_nothing_the_second_time(table):
    revision = edit(table, description="All orders.")
    run(revision)
    before = head()
    run(revision)
    assert head() == before
    assert undo.plan(revision)[0].explanation == "It is as it was before already."


def test_undoing_an_undo_brings_the_change_back(table):
    run(edit(table, description="All orders."))
    run(head())
    assert Table.objects.get().description == "All orders."


def test_a_rule_that_stands_in_the_way_is_named_and_nothing_is_changed(table):
    table.delete()
    revision = head()
    make_table("orders", owner=Service.objects.get())
    before = head()
    with pytest.raises(CanNotUndo, match="orders: There is a table of this name already"):
        run(revision)
    assert head() == before


def test_a_service_that_is_gone_is_named(table):
    access = make_access(table, make_service("users"))
    access.delete()
    revision = head()
    Service.objects.get(name="users").delete()
    with pytest.raises(CanNotUndo, match="its service users was deleted since; restore that first"):
        run(revision)


def test_a_creation_that_is_in_use_is_not_undone_and_its_users_are_named():
    service = make_service("payments")
    created = head()
    make_table("orders", owner=service)
    [step] = undo.plan(created)
    with pytest.raises(CanNotUndo, match="payments is still used: orders"):
        run(created, chosen=step.conflicts)
    assert Service.objects.exists()


def test_a_row_created_and_deleted_in_one_change_set_stays_gone(table):
    with change_set(reason="There and back"):
        make_access(table, make_service("users")).delete()
    run(head())
    assert not Access.objects.exists()


def test_a_row_changed_and_deleted_in_one_change_set_comes_back_as_it_was_before(table):
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
