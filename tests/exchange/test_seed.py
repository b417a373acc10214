"""The seed is the document, word for word. It only creates, and refuses a fixture with mistakes as a whole."""

import getpass
import json
from collections import Counter
from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import transaction

from ownership.exchange.seed import SEED_REASON, SeedError, seed
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, entries_of, entry_models, registry_models
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup
from tests.support import document_facts as document

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


def everything():
    """The registry's rows and its history, as far as a second seed could touch them."""
    return [
        list(model.objects.order_by("pk").values())
        for model in [*registry_models(), *entry_models(), ChangeSet]
    ]


def test_seeding_again_changes_nothing_and_adds_no_history(seeded):
    before = everything()
    output = StringIO()

    call_command("seed", stdout=output)

    assert everything() == before
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
    before = everything()

    call_command("seed", verbosity=0)

    assert everything() == before


def test_seeding_again_creates_what_was_added_to_the_fixture(seeded, tmp_path):
    fixture = minimal()
    fixture["tables"][0]["name"] = "biztechNews"

    assert seed_from(tmp_path, fixture) == {
        "tables": 1,
        "services": 1,
        "accesses": 1,
        "groups": 1,
        "environments": 1,
    }
    assert ChangeSet.objects.count() == 2


def test_seed_if_empty_leaves_a_registry_with_history_alone(seeded, tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps(minimal()))

    call_command("seed", path, "--if-empty", verbosity=0)

    assert ChangeSet.objects.count() == 1


def test_seed_says_what_it_created(db):
    output = StringIO()

    call_command("seed", stdout=output)

    assert (
        output.getvalue().strip()
        == "Created 3 environments, 7 groups, 19 services, 34 tables, 2 secondary indexes, 55 accesses."
    )


# A saved map


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


# Mistakes


def minimal():
    """A fixture with one entry of each kind, all of them right."""
    return {
        "environments": [{"name": "test"}],
        "groups": [{"name": "News"}],
        "services": [{"name": "news"}],
        "tables": [
            {
                "name": "newsItems",
                "group": "News",
                "owner": "news",
                "accesses": [{"service": "news", "mode": "read"}],
            }
        ],
    }


def seed_from(folder, fixture):
    """Seed from a fixture written as YAML."""
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump(fixture, sort_keys=False), encoding="utf-8")
    return seed(path)


def service(**fields):
    return lambda fixture: fixture["services"][0].update(fields)


def services(*rows):
    return lambda fixture: fixture["services"].extend(rows)


def table(**fields):
    return lambda fixture: fixture["tables"][0].update(fields)


def access(**fields):
    return lambda fixture: fixture["tables"][0]["accesses"][0].update(fields)


def again(kind):
    return lambda fixture: fixture[kind].append(fixture[kind][0])


def without(kind, key):
    return lambda fixture: fixture[kind][0].pop(key)


def keys(partition_key=None, sort_key=None):
    named = {"partition_key": partition_key, "sort_key": sort_key}
    return table(key_schema={role: key for role, key in named.items() if key is not None})


MISTAKES = {
    "unknown-owner": (table(owner="nobody"), ["tables › newsItems", "unknown service 'nobody'"]),
    "unknown-group": (table(group="Olds"), ["tables › newsItems", "unknown group 'Olds'"]),
    "unknown-service": (
        access(service="nobody"),
        ["tables › newsItems › accesses › nobody", "unknown service 'nobody'"],
    ),
    "doubled-table": (again("tables"), ["tables › newsItems", "is listed twice"]),
    "doubled-service": (again("services"), ["services › news", "is listed twice"]),
    "doubled-group": (again("groups"), ["groups › News", "is listed twice"]),
    "doubled-environment": (again("environments"), ["environments › test", "is listed twice"]),
    "doubled-access": (
        lambda fixture: fixture["tables"][0]["accesses"].append(
            {"service": "news", "mode": "write"}
        ),
        ["tables › newsItems › accesses › news", "is listed twice"],
    ),
    "doubled-index": (
        table(indexes=[{"name": "by-day"}, {"name": "by-day"}]),
        ["tables › newsItems › indexes › by-day", "is listed twice"],
    ),
    "bad-mode": (
        access(mode="readwrite"),
        ["tables › newsItems › accesses › news", "mode", "'readwrite'"],
    ),
    "bad-index-kind": (
        table(indexes=[{"name": "by-day", "kind": "XSI"}]),
        ["tables › newsItems › indexes › by-day", "kind", "'XSI'"],
    ),
    "bad-table-name": (table(name="no spaces"), ["tables › no spaces", "name: Use 3–255 letters"]),
    "bad-service-name": (services({"name": "a b"}), ["services › a b", "name: Use 1–100 letters"]),
    "bad-suffix": (
        lambda fixture: fixture["environments"][0].update(suffix="!"),
        ["environments › test", "suffix: Use letters, digits"],
    ),
    "bad-repository": (
        service(repository="nowhere"),
        ["services › news", "repository: Enter a valid URL"],
    ),
    "bad-alias": (service(aliases=[7]), ["services › news", "aliases is 7; expected names"]),
    "nul-in-notes": (
        access(notes="a\0b"),
        ["tables › newsItems › accesses › news", "Remove the NUL"],
    ),
    "line-break-in-group": (
        lambda fixture: fixture["groups"].append({"name": "a\nb"}),
        [r"groups › a\nb", "Use a single line"],
    ),
    "half-a-character": (
        table(description="\ud800"),
        ["tables › newsItems", r"description is '\ud800'"],
    ),
    "half-a-character-in-alias": (
        service(aliases=["\ud800"]),
        ["services › news", r"aliases is '\ud800'"],
    ),
    "sort-key-without-partition-key": (
        keys(sort_key={"name": "day"}),
        ["tables › newsItems › key_schema", "a sort key needs a partition key"],
    ),
    "sort-key-same-as-partition-key": (
        keys({"name": "id"}, {"name": "id"}),
        ["tables › newsItems", "must be different attributes"],
    ),
    "key-without-name": (
        keys({"format": "UUID"}),
        ["tables › newsItems › key_schema › partition_key", "'name' is missing"],
    ),
    "key-with-empty-name": (
        keys({"name": ""}),
        ["tables › newsItems › key_schema › partition_key", "name is empty"],
    ),
    "unknown-key-type": (
        keys({"name": "id", "type": "X"}),
        ["tables › newsItems", "partition key type", "'X'"],
    ),
    "empty-key-schema": (
        table(key_schema={}),
        ["tables › newsItems › key_schema", "'partition_key' is missing"],
    ),
    "empty-more": (table(more={}), ["tables › newsItems › more", "'title' is missing"]),
    "unknown-key": (table(ownr="news"), ["tables › newsItems", "unknown key 'ownr'", "owner"]),
    "unknown-key-at-top": (
        lambda fixture: fixture.update(tabels=[]),
        ["map.yaml", "unknown key 'tabels'", "tables"],
    ),
    "revision-elsewhere": (service(revision=1), ["services › news", "unknown key 'revision'"]),
    "wrong-type": (
        table(description=7),
        ["tables › newsItems", "description is 7", "expected text"],
    ),
    "yes-is-not-a-name": (
        services({"name": True}),
        ["services › 2", "name is True", "expected text"],
    ),
    "one-is-not-true": (
        access(indirect=1),
        ["accesses › news", "indirect is 1", "expected true or false"],
    ),
    "list-is-an-entry": (
        lambda fixture: fixture.update(groups={}),
        ["map.yaml", "groups is {}", "expected a list"],
    ),
    "entry-is-text": (
        lambda fixture: fixture["groups"].append("Olds"),
        ["groups › 2", "expected an entry with keys, found 'Olds'"],
    ),
    "missing-mode": (
        lambda fixture: fixture["tables"][0]["accesses"][0].pop("mode"),
        ["accesses › news", "needs a mode"],
    ),
    "missing-owner": (without("tables", "owner"), ["tables › newsItems", "needs an owner"]),
    "missing-name": (without("services", "name"), ["services › 1", "'name' is missing"]),
    "missing-list": (
        lambda fixture: fixture.pop("services"),
        ["map.yaml", "'services' is missing"],
    ),
    "unknown-part-of": (service(part_of="nobody"), ["services › news", "unknown service 'nobody'"]),
    "part-of-itself": (service(part_of="news"), ["services › news", "circle: news → news"]),
    "part-of-circle": (
        services({"name": "one", "part_of": "two"}, {"name": "two", "part_of": "one"}),
        ["services › one", "circle: one → two → one"],
    ),
    "last-entry-wrong": (
        lambda fixture: fixture["tables"].append(
            {"name": "late", "group": "News", "owner": "late"}
        ),
        ["tables › late", "unknown service 'late'"],
    ),
}


@pytest.mark.sqlite
@pytest.mark.parametrize(("mistake", "expected_words"), MISTAKES.values(), ids=MISTAKES)
def test_a_fixture_with_a_mistake_is_refused_as_a_whole_with_entry_and_reason(
    db, tmp_path, mistake, expected_words
):
    fixture = minimal()
    mistake(fixture)

    with pytest.raises(SeedError) as refused:
        seed_from(tmp_path, fixture)

    assert [words for words in expected_words if words not in str(refused.value)] == []
    assert [rows for rows in everything() if rows] == []


FILES = {
    "not-yaml": ("map.yaml", b"services: [", "map.yaml is not YAML"),
    "not-json": ("map.json", b"{,}", "map.json is not JSON"),
    "yaml-in-json": ("map.json", b"services: []", "map.json is not JSON"),
    "doubled-yaml-key": ("map.yaml", b"groups: []\ngroups: []", "the key 'groups' is given twice"),
    "doubled-nested-yaml-key": (
        "map.yaml",
        b"groups: [{name: a, name: b}]",
        "the key 'name' is given twice",
    ),
    "doubled-json-key": (
        "map.json",
        b'{"groups": [], "groups": []}',
        "the key 'groups' is given twice",
    ),
    "list-as-key": ("map.yaml", b"{[1]: 2}", "the key [1] is not a name"),
    "python-object": ("map.yaml", b"!!python/object/apply:os.getcwd []", "map.yaml is not YAML"),
    "merge-key": ("map.yaml", b"a: &a {}\nb: {<<: *a}", "map.yaml is not YAML"),
    "impossible-date": ("map.yaml", b"groups: 2026-99-99", "map.yaml is not YAML"),
    "too-deep": ("map.json", b"[" * 200_000, "map.json is not JSON"),
    "not-utf-8": ("map.yaml", "größe".encode("latin-1"), "map.yaml is not text in UTF-8"),
    "list-at-top": ("map.yaml", b"- groups", "map.yaml: expected an entry with keys"),
    "empty": ("map.yaml", b"", "map.yaml: expected an entry with keys, found None"),
    "name-yes": (
        "map.yaml",
        b"environments: []\ngroups: [{name: yes}]\nservices: []\ntables: []",
        "groups › 1: name is True; expected text",
    ),
    "half-a-character": (
        "map.json",
        rb'{"environments": [{"name": "\ud800"}], "groups": [], "services": [], "tables": []}',
        r"name is '\ud800'",
    ),
}


@pytest.mark.parametrize(("name", "content", "expected_text"), FILES.values(), ids=FILES)
def test_a_file_that_is_not_a_fixture_is_refused_with_the_reason(
    db, tmp_path, name, content, expected_text
):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(SeedError) as refused:
        seed(path)

    assert expected_text in str(refused.value)
    assert [rows for rows in everything() if rows] == []


def test_a_missing_file_is_refused_with_its_path(db, tmp_path):
    with pytest.raises(
        CommandError, match=r"Nothing was seeded\. .*nowhere\.yaml can't be read: No such file"
    ):
        call_command("seed", tmp_path / "nowhere.yaml")


def test_a_name_that_the_registry_has_renamed_is_reported_as_such(seeded, lead, tmp_path):
    news = minimal()
    news["tables"][0]["owner"] = "users"
    news["services"].append({"name": "users"})
    with change_set(user=lead, reason="A lead edits"):
        rename_the_service(None, Service.objects.get(name="users"))

    with pytest.raises(SeedError, match="renamed or deleted the service 'users'"):
        seed_from(tmp_path, news)


def test_a_service_may_be_listed_before_the_one_it_is_part_of(db, tmp_path):
    fixture = minimal()
    fixture["services"] = [
        {"name": "part", "part_of": "whole"},
        *fixture["services"],
        {"name": "whole"},
    ]

    seed_from(tmp_path, fixture)

    assert Service.objects.get(name="part").part_of.name == "whole"


def test_a_fixture_in_json_seeds_like_one_in_yaml(db, tmp_path):
    path = tmp_path / "map.json"
    path.write_text(json.dumps(minimal()))

    assert seed(path) == {"environments": 1, "groups": 1, "services": 1, "tables": 1, "accesses": 1}
