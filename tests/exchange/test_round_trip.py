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
from ownership.models import Environment, Service, TableGroup
from tests.support.factories import make_team
from tests.support.maps import maps


def from_csv(content):
    return csv.read("map.csv", b"".join(csv_form.render(content)).decode())


def from_markdown(content):
    return markdown.read("map.md", markdown_form.render(content))


def from_json(content):
    return from_map.read("map.json", json.dumps(content))


# What a database stores is the same in any form; JSON has all of it.
SQLITE = pytest.mark.sqlite
FORMS = pytest.mark.parametrize(
    "exported",
    [pytest.param(from_csv, marks=SQLITE), pytest.param(from_markdown, marks=SQLITE), from_json],
)


def differences(statements, prune=True):
    planned = plan_import(statements, prune=prune)
    assert planned.problems == []
    return [step.label for step in planned.plan.steps]


@FORMS
def test_the_seed_comes_back_without_a_difference(seeded, exported):
    statements = exported(map_of_today())
    assert statements.ignored == []
    assert differences(statements) == []


@pytest.fixture
def teams(seeded):
    """Money owns payments, whose part's team is its own; People's texts look like the marks of a team's line."""
    money = make_team("Money", contact="#money", email="money@example.org")
    people = make_team("People, contact: all", contact="a, e-mail b: c (d)")
    for name, team in (("payments", money), ("teams", people), ("interactions", money)):
        service = Service.objects.get(name=name)
        service.team = team
        service.save()


@FORMS
def test_teams_come_back_without_a_difference(teams, exported):
    statements = exported(map_of_today())
    assert statements.ignored == []
    assert differences(statements) == []


@FORMS
def test_a_file_moves_a_service_to_another_team_and_makes_a_new_one(teams, exported):
    content = json.loads(json.dumps(map_of_today()))
    content["teams"].append({"name": "New", "contact": "", "email": ""})
    for service in content["services"]:
        if service["name"] == "payments":
            service["team"] = "New"
    assert differences(exported(content)) == ["New", "payments"]


def test_json_alone_takes_a_service_out_of_its_team_where_a_file_lists_teams(teams):
    content = json.loads(json.dumps(map_of_today()))
    for service in content["services"]:
        service["team"] = None
    content["teams"] = []
    # Teams that a file does not list are kept: it lists none of their members either.
    assert sorted(differences(from_json(content))) == ["interactions", "payments", "teams"]
    for service in content["services"]:
        del service["team"]
    assert differences(from_json(content)) == []


def test_a_description_of_one_line_break_comes_back(seeded):
    group = TableGroup.objects.first()
    group.description = "\n"
    group.save()
    statements = from_markdown(map_of_today())
    assert statements.ignored == []
    assert differences(statements) == []


@pytest.mark.slow
@FORMS
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(content=maps())
def test_any_map_comes_back_without_a_difference_and_creates_the_same_map_again(
    db, tmp_path, exported, content
):
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
    """Every row that is stated, with those of its fields that have a value, in any order."""
    rows = {}
    for one in statements.in_order():
        rows[one.key] = {name: value for name, value in one.fields.items() if value is not None}
    return rows


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
    statements = from_markdown(
        {"environments": [], "groups": groups, "teams": [], "services": [], "tables": [table]}
    )

    rows = stated_rows(statements)
    assert (statements.problems, statements.ignored) == ([], [])
    assert rows[("group", ("Group",))]["description"] == description
    table_row = rows[("table", ("one",))]
    assert (table_row["description"], table_row["owner"], table_row["partition_key_name"]) == (
        description,
        "a",
        "",
    )
    assert table_row["more_title"] == (more["title"] if more else "")
    assert {kind for kind, _ in rows} == {"group", "service", "table"}
