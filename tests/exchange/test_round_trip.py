"""What was exported is read back without a difference: from the seed, from random maps, and into an empty registry."""

import json

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from ownership.api.serializers import map_of_today
from ownership.exchange.exports import to_csv as csv_form
from ownership.exchange.exports import to_markdown as markdown_form
from ownership.exchange.imports import from_csv as csv
from ownership.exchange.imports import from_markdown as markdown
from ownership.exchange.imports.plan import compare
from ownership.exchange.seed import seed
from ownership.history.change_sets import change_set
from ownership.models import Environment, TableGroup
from tests.support.maps import maps


def from_csv(content):
    return csv.read("map.csv", b"".join(csv_form.lines(content)).decode())


def from_markdown(content):
    return markdown.read("map.md", markdown_form.render(content))


FORMS = pytest.mark.parametrize("exported", [from_csv, from_markdown])


def differences(stated, prune=True):
    plan = compare(stated, prune=prune)
    assert plan.problems == []
    return [str(change) for change in plan.changes]


@FORMS
def test_the_seed_comes_back_without_a_difference(seeded, exported):
    stated = exported(map_of_today())
    assert stated.ignored == []
    assert differences(stated) == []


@FORMS
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(content=maps())
def test_any_map_comes_back_without_a_difference_and_makes_the_same_map_anew(db, tmp_path, exported, content):
    file = tmp_path / "map.json"
    file.write_text(json.dumps(content))
    with transaction.atomic():
        seed(file)
        content = map_of_today()
        stated = exported(content)
        assert (stated.problems, stated.ignored) == ([], [])
        assert differences(stated) == []
        transaction.set_rollback(True)

    with transaction.atomic():
        compare(exported(content), prune=False).apply(user=None, reason="From a file")
        assert all_said(exported(map_of_today())) == all_said(exported(content))
        transaction.set_rollback(True)


def all_said(stated):
    """Every row that is told of, with its fields; in whatever order."""
    return {(one.kind, one.key): one.fields for one in stated.ordered()}


def test_what_csv_has_no_column_for_is_left_alone(seeded):
    stated = from_csv(map_of_today())
    with change_set(reason="Described"):
        Environment.objects.create(name="test")
        group = TableGroup.objects.get(name="BTX Tables")
        group.description = "A stock market"
        group.save()
        TableGroup.objects.create(name="Empty")
    assert differences(stated) == []


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
def test_a_text_that_reads_like_a_mark_or_sentence_of_ours_is_not_taken_for_one(description, more):
    table = {
        "name": "one", "group": "Group", "owner": "a", "description": description, "more": more,
        "key_schema": None, "indexes": [], "accesses": [],
    }  # fmt: skip
    groups = [{"name": "Group", "description": description}]
    stated = from_markdown({"environments": [], "groups": groups, "services": [], "tables": [table]})

    said = all_said(stated)
    assert (stated.problems, stated.ignored) == ([], [])
    assert said[("group", ("Group",))]["description"] == description
    one = said[("table", ("one",))]
    assert (one["description"], one["owner"], one["partition_key_name"]) == (description, "a", "")
    assert one["more_title"] == (more["title"] if more else "")
    assert {kind for kind, _ in said} == {"group", "service", "table"}
