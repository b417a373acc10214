"""An exported map is read back without a difference: the seed, random maps, and into an empty registry."""

import json

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from ownership.api.serializers import map_of_today
from ownership.exchange.exports import to_csv as csv_form
from ownership.exchange.exports import to_markdown as markdown_form
from ownership.exchange.imports import from_csv as csv
from ownership.exchange.imports import from_map
from ownership.exchange.imports import from_markdown as markdown
from ownership.exchange.imports.import_plan import plan_import
from ownership.exchange.seed import seed
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Environment, TableGroup
from tests.support.maps import maps


def from_csv(content):
    return csv.read("map.csv", b"".join(csv_form.render(content)).decode())


def from_markdown(content):
    return markdown.read("map.md", markdown_form.render(content))


def from_json(content):
    return from_map.read("map.json", json.dumps(content))


FORMS = pytest.mark.parametrize("exported", [from_csv, from_markdown, from_json])


def differences(statements, prune=True):
    planned = plan_import(statements, prune=prune)
    assert planned.problems == []
    return [step.label for step in planned.plan.steps]


@FORMS
def test_the_seed_comes_back_without_a_difference(seeded, exported):
    statements = exported(map_of_today())
    assert statements.ignored == []
    assert differences(statements) == []


@pytest.mark.slow
@FORMS
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(content=maps())
def test_any_map_comes_back_without_a_difference_and_creates_the_same_map_again(db, tmp_path, exported, content):
    file = tmp_path / "map.json"
    file.write_text(json.dumps(content))
    with transaction.atomic():
        seed(file)
        content = map_of_today()
        statements = exported(content)
        assert (statements.problems, statements.ignored) == ([], [])
        assert differences(statements) == []
        transaction.set_rollback(True)

    with transaction.atomic():
        plan = plan_import(exported(content)).plan
        plan.apply(user=None, reason="From a file", source=ChangeSet.Source.IMPORT)
        assert stated_rows(exported(map_of_today())) == stated_rows(exported(content))
        transaction.set_rollback(True)


def stated_rows(statements):
    """Every row that is stated, with its fields, in any order."""
    return {one.key: one.fields for one in statements.in_order()}


def test_what_csv_has_no_column_for_is_left_alone(seeded):
    statements = from_csv(map_of_today())
    with change_set(reason="Described"):
        Environment.objects.create(name="test")
        group = TableGroup.objects.get(name="BTX Tables")
        group.description = "A stock market"
        group.save()
        TableGroup.objects.create(name="Empty")
    assert differences(statements) == []


@pytest.mark.parametrize(
    "description",
    [
        "Primary key: id.",
        "Owned by x.",
        "All owned by the x service.",
        "See this for details.",
        "See it. See [a](b) for details.",
        "- Index x (GSI)",
        "| Service | Access | Notes |",
        "### Table",
        "1. One",
        "See",
    ],
)
@pytest.mark.parametrize("more", [None, {"title": "See Owned by y. for details.", "url": None}])
def test_text_that_looks_like_markup_or_a_generated_sentence_is_read_as_text(description, more):
    table = {
        "name": "one", "group": "Group", "owner": "a", "description": description, "more": more,
        "key_schema": None, "indexes": [], "accesses": [],
    }  # fmt: skip
    groups = [{"name": "Group", "description": description}]
    statements = from_markdown({"environments": [], "groups": groups, "services": [], "tables": [table]})

    rows = stated_rows(statements)
    assert (statements.problems, statements.ignored) == ([], [])
    assert rows[("group", ("Group",))]["description"] == description
    table_row = rows[("table", ("one",))]
    assert (table_row["description"], table_row["owner"], table_row["partition_key_name"]) == (description, "a", "")
    assert table_row["more_title"] == (more["title"] if more else "")
    assert {kind for kind, _ in rows} == {"group", "service", "table"}
