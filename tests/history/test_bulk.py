"""Rows written together leave the entries of rows written one by one, in a fixed number of statements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.audit.verification import Verification
from ownership.history.bulk import RowRefused, delete_rows, save_rows
from ownership.history.change_sets import change_set, entry_content
from ownership.history.models import ChangeSet, entries_of
from ownership.models import Access, Service, Table, TableGroup
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db


@pytest.fixture
def group():
    return TableGroup.objects.create(name="Group")


def new_map(group, size):
    """A service, and tables of its own with an access each; not saved."""
    service = Service(name=f"of-{size}")
    tables = [Table(name=f"table-{size}-{n}", group=group, owner=service) for n in range(size)]
    accesses = [
        Access(table=table, service=service, mode="read", notes=f"Note {n}")
        for n, table in enumerate(tables)
    ]
    return service, tables, accesses


def save_all(group, size):
    """A new map of that size, saved many at once in one change set; its tables."""
    service, tables, accesses = new_map(group, size)
    with change_set(reason=f"{size} tables"):
        for rows in ([service], tables, accesses):
            save_rows(rows)
    return tables


def contents(revision):
    """What the entries of a change set say, without ids, which differ from row to row."""
    own = ("id", "change_set_id", "gained_by", "lost_by")
    return [
        {name: value for name, value in entry_content(entry).items() if name not in own}
        | {
            name: Service.objects.filter(pk=getattr(entry, name)).exists()
            for name in ("gained_by", "lost_by")
        }
        for entry in entries_of([revision])
    ]


def statements(write):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        write()
    return len(queries)


def last_revision():
    return ChangeSet.objects.order_by("-revision").values_list("revision", flat=True).first()


def test_new_rows_leave_the_entries_that_saving_each_leaves(group):
    save_all(group, 3)
    together = contents(last_revision())
    Table.objects.all().delete()
    Service.objects.all().delete()
    service, tables, accesses = new_map(group, 3)
    with change_set(reason="Each by itself"):
        for row in [service, *tables, *accesses]:
            row.save()
    assert len(together) == 7
    assert contents(last_revision()) == together


def test_entries_of_changed_rows_hold_only_the_changed_fields(group):
    tables = save_all(group, 3)
    other = make_service("other")
    tables[0].description, tables[2].owner = "Anew", other
    with change_set(reason="Two of three"):
        save_rows(tables)
    assert [(entry.label, entry.changes) for entry in entries_of([last_revision()])] == [
        ("table-3-0", {"description": ["", "Anew"]}),
        ("table-3-2", {"owner": ["of-3", "other"]}),
    ]
    assert entries_of([last_revision()])[1].gained_by == other.pk
    assert Table.objects.get(name="table-3-2").owner == other


def test_saving_unchanged_rows_writes_no_entry(group):
    tables = save_all(group, 3)
    before = last_revision()
    save_rows(tables)
    assert last_revision() == before


def test_deleted_rows_leave_the_entries_that_deleting_each_leaves(group):
    entries = []
    for delete in (delete_rows, lambda rows: [row.delete() for row in rows]):
        tables = save_all(group, 3)
        with change_set(reason="Gone"):
            delete(tables)
        Service.objects.all().delete()
        entries.append(sorted(contents(last_revision() - 1), key=lambda entry: entry["label"]))
        for entry in entries[-1]:
            del entry["sequence"]  # together, all accesses go before the first table
    assert [entry["history_type"] for entry in entries[0]] == ["-"] * 6
    assert entries[0] == entries[1]


def test_the_number_of_statements_does_not_grow_with_the_rows(group):
    tables = {size: save_all(group, size) for size in (2, 20)}
    created = {size: statements(lambda size=size: save_all(group, size + 1)) for size in (2, 20)}
    for table in [*tables[2], *tables[20]]:
        table.description = "Anew"
    changed = {size: statements(lambda size=size: save_rows(tables[size])) for size in (2, 20)}
    deleted = {size: statements(lambda size=size: delete_rows(tables[size])) for size in (2, 20)}
    assert (created[20], changed[20], deleted[20]) == (created[2], changed[2], deleted[2])


def test_history_written_in_bulk_verifies(group):
    tables = save_all(group, 5)
    tables[0].description = "Anew"
    save_rows(tables)
    delete_rows(tables[3:])
    assert list(Verification().run()) == []


def test_a_refused_row_is_named_and_nothing_is_saved(group):
    owner = make_table("taken").owner
    before = last_revision()
    _, tables, _ = new_map(group, 3)
    for table in tables:
        table.owner = owner
    tables[1].name = "taken"
    with pytest.raises(RowRefused) as refused:
        save_rows(tables)
    assert refused.value.row is tables[1]
    assert "taken" in str(refused.value)
    assert last_revision() == before
    assert Table.objects.count() == 1


@pytest.mark.parametrize("new_first", [True, False], ids=["new row first", "new row last"])
def test_a_new_row_of_a_refused_batch_can_be_saved_later_without_taking_another_row_s_id(new_first):
    make_service("taken")
    refused, new = make_service("refused"), Service(name="new")
    refused.name = "taken"
    with pytest.raises(RowRefused, match="taken"):
        save_rows([new, refused] if new_first else [refused, new])
    make_service("other")  # on SQLite it gets the id that the new row had for a moment
    save_rows([new])
    names = set(Service.objects.values_list("name", flat=True))
    assert names == {"taken", "refused", "other", "new"}


def test_two_rows_of_a_batch_can_not_form_a_circle():
    first, second = make_service("first"), make_service("second")
    first.part_of, second.part_of = second, first
    with pytest.raises(RowRefused, match="second"):
        save_rows([first, second])
    assert not Service.objects.filter(part_of__isnull=False).exists()


def test_deleting_a_row_that_is_in_use_names_it():
    free, used = make_service("free"), make_access().service
    with pytest.raises(RowRefused, match=used.name):
        delete_rows([free, used])
    assert Service.objects.filter(name="free").exists()


def test_deleting_no_rows_is_no_change_set(group):
    head = ChangeSet.objects.count()
    assert Table.objects.filter(name="none").delete() == (0, {})
    assert ChangeSet.objects.count() == head
