"""The files that seeding takes: one with a mistake is refused as a whole, with the place and the reason."""

import json

import pytest
import yaml
from django.core.management import CommandError, call_command

from ownership.exchange.seed import SeedError, seed
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Service
from tests.support.rows import registry_rows


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
    "aliases-no-list": (service(aliases="bulletin"), ["services › news", "a list"]),
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
    assert [rows for rows in registry_rows() if rows] == []


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
    "empty": ("map.yaml", b"", "map.yaml is empty."),
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
    assert [rows for rows in registry_rows() if rows] == []


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
        users = Service.objects.get(name="users")
        users.name = "accounts"
        users.save()

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
