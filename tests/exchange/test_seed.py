"""The seed is the document, word for word. It only creates: what people did stays."""

import getpass
import json
from collections import Counter
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from ownership.exchange.seed import SEED_REASON, seed
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, entries_of, registry_models
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup
from tests.support import document_facts as document
from tests.support.rows import registry_rows

OWNERSHIP_ONLY = "The document states ownership only."


def key_schema_of(partition_key, sort_key):
    """As the API gives it."""
    if partition_key is None:
        return None
    name, form = partition_key
    return {
        "partition_key": {"name": name, "type": None, "format": form},
        "sort_key": sort_key and {"name": sort_key, "type": None, "format": None},
    }


# What the document says, read from the database


@pytest.mark.usefixtures("seeded")
class TestTheSeedIsTheDocument:
    """Every fact, and no more of them."""

    def test_groups_are_the_documents_headings_in_its_order(self):
        assert [group.name for group in TableGroup.objects.all()] == document.GROUPS

    def test_environments_have_the_documents_suffixes(self):
        assert dict(Environment.objects.values_list("name", "suffix")) == document.ENVIRONMENTS

    def test_services_and_their_parts_are_those_that_the_document_names(self):
        rows = Service.objects.order_by("pk").values_list("name", "part_of__name")
        assert list(rows) == list(document.SERVICES.items())

    def test_tables_are_the_documents_in_its_order(self):
        assert [
            (
                table.name,
                table.group.name,
                table.owner.name,
                table.description,
                (table.partition_key_name, table.partition_key_format or None)
                if table.partition_key_name
                else None,
                table.sort_key_name or None,
            )
            for table in Table.objects.select_related("group", "owner")
        ] == document.TABLES

    def test_no_key_type_is_guessed(self):
        assert set(Table.objects.values_list("partition_key_type", "sort_key_type")) == {("", "")}

    def test_indexes_are_the_two_that_the_notes_name(self):
        rows = SecondaryIndex.objects.values_list(
            "table__name", "name", "kind", "partition_key_name"
        )
        assert sorted(rows) == sorted((*index, "") for index in document.INDEXES)

    def test_accesses_are_the_documents_rows_word_for_word_and_in_its_order(self):
        rows = Access.objects.exclude(table__name__in=document.STATED_OWNERSHIP_ONLY).order_by(
            "table__group__position", "table__position", "position"
        )
        assert (
            list(rows.values_list("table__name", "service__name", "mode", "indirect", "notes"))
            == document.ACCESSES
        )

    def test_where_only_ownership_is_stated_the_owner_reads_and_writes_and_a_note_says_so(self):
        rows = Access.objects.filter(table__name__in=document.STATED_OWNERSHIP_ONLY)
        owners = {name: owner for name, _, owner, *_ in document.TABLES}
        assert sorted(
            rows.values_list("table__name", "service__name", "mode", "indirect", "notes")
        ) == sorted(
            (table, owners[table], "read_write", False, OWNERSHIP_ONLY)
            for table in document.STATED_OWNERSHIP_ONLY
        )

    def test_tables_point_to_the_pages_that_the_document_names(self):
        rows = Table.objects.exclude(more_title="").values_list("name", "more_title", "more_url")
        assert {name: (title, url) for name, title, url in rows} == {
            name: (title, "") for name, title in document.MORE.items()
        }

    def test_the_owner_is_in_the_first_row_of_every_table(self):
        assert [
            table.name
            for table in Table.objects.all()
            if table.accesses.first().service != table.owner
        ] == []


def test_the_api_serves_the_document(seeded, viewer_client):
    served = viewer_client.get("/api/v1/map/").json()

    assert [group["name"] for group in served["groups"]] == document.GROUPS
    assert {row["name"]: row["suffix"] for row in served["environments"]} == document.ENVIRONMENTS
    assert [(row["name"], row["part_of"]) for row in served["services"]] == list(
        document.SERVICES.items()
    )
    assert [
        (row["name"], row["group"], row["owner"], row["description"], row["key_schema"])
        for row in served["tables"]
    ] == [
        (name, group, owner, description, key_schema_of(partition_key, sort_key))
        for name, group, owner, description, partition_key, sort_key in document.TABLES
    ]
    assert [
        (table["name"], access["service"], access["mode"], access["indirect"], access["notes"])
        for table in served["tables"]
        for access in table["accesses"]
        if table["name"] not in document.STATED_OWNERSHIP_ONLY
    ] == document.ACCESSES
    assert [
        (table["name"], index["name"], index["kind"])
        for table in served["tables"]
        for index in table["indexes"]
    ] == document.INDEXES
    assert {
        row["name"]: row["more"]["title"] for row in served["tables"] if row["more"]
    } == document.MORE


# History


def test_the_seed_is_revision_one_with_one_entry_per_row(seeded):
    change = ChangeSet.objects.get()
    entries = entries_of([1])

    assert (change.revision, change.source) == (1, "seed")
    assert change.user_name == getpass.getuser()
    assert change.reason == f"{SEED_REASON} (ownership.yaml)"
    assert {entry.history_type for entry in entries} == {"+"}
    rows = {(model, row.pk) for model in registry_models() for row in model.objects.all()}
    assert Counter((entry.instance_type, entry.id) for entry in entries) == dict.fromkeys(rows, 1)
    assert len(rows) == 3 + 7 + 19 + 34 + 2 + 55


def test_seeding_again_changes_nothing_and_adds_no_history(seeded):
    before = registry_rows()
    output = StringIO()

    call_command("seed", stdout=output)

    assert registry_rows() == before
    assert output.getvalue().startswith("Nothing to create")


def edit_a_note(table, service):
    access = table.accesses.get(service=service)
    access.notes = "A lead knows better"
    access.save()


def hand_over(table, service):
    table.owner = Service.objects.get(name="payments")
    table.save()


def rename_the_table(table, service):
    table.name = "biztechAccounts"
    table.save()


def delete_the_table(table, service):
    table.delete()


def delete_an_access(table, service):
    table.accesses.get(service=service).delete()


def rename_the_service(table, service):
    service.name = "accounts"
    service.save()


def delete_an_index(table, service):
    SecondaryIndex.objects.get(name="event-query").delete()


def rename_a_group(table, service):
    group = table.group
    group.name = "Central Tables"
    group.save()


def rename_an_environment(table, service):
    environment = Environment.objects.get(name="production")
    environment.name = "live"
    environment.save()


@pytest.mark.parametrize(
    "edit",
    [
        edit_a_note,
        hand_over,
        rename_the_table,
        delete_the_table,
        delete_an_access,
        rename_the_service,
        delete_an_index,
        rename_a_group,
        rename_an_environment,
    ],
    ids=lambda edit: edit.__name__,
)
def test_seeding_again_never_undoes_what_a_lead_did(seeded, lead, edit):
    with change_set(user=lead, reason="A lead edits"):
        edit(Table.objects.get(name="biztechUsers"), Service.objects.get(name="users"))
    before = registry_rows()

    call_command("seed", verbosity=0)

    assert registry_rows() == before


def test_seed_says_what_it_created(db):
    output = StringIO()

    call_command("seed", stdout=output)

    assert (
        output.getvalue().strip()
        == "Created 3 environments, 7 groups, 19 services, 34 tables, 2 secondary indexes, 55 accesses."
    )


# A saved map


@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?environment=production"])
def test_a_saved_map_seeds_an_empty_registry_with_the_same_map(db, viewer_client, tmp_path, query):
    with transaction.atomic():
        call_command("seed", verbosity=0)
        saved = viewer_client.get(f"/api/v1/map/{query}").content
        transaction.set_rollback(True)
    assert not Table.objects.exists()
    path = tmp_path / "saved.json"
    path.write_bytes(saved)

    seed(path)

    assert viewer_client.get(f"/api/v1/map/{query}").json() == json.loads(saved)
