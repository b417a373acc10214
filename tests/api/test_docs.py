"""docs/api.md agrees with the code: it has every address, filter and field, and its examples run."""

import csv
import json
import re
import shutil
import subprocess

import pytest
from django.conf import settings

from ownership.api import (
    compare,
    drift,
    filters,
    history,
    map_view,
    serializers,
    suggestions,
    trace,
    urls,
    views,
)
from ownership.catalog.trace import DEFAULT_DEPTH, MAX_DEPTH, MAX_ROWS
from ownership.history.change_sets import change_set
from ownership.models import Access
from tests.support.tokens import make_token

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite

TEXT = (settings.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def row(table, first):
    """The cells of a documented table's row, each as the set of its texts in code font."""
    section = TEXT.split(f"\n## {table}\n")[1].split("\n## ")[0]
    (line,) = [line for line in section.splitlines() if line.startswith(f"| {first}")]
    return [re.findall(r"`([^`]+)`", cell) for cell in line.strip("|").split("|")]


def test_every_address_is_documented_and_no_other():
    not_addresses = {"<path:anything>/"}
    addresses = set()
    for pattern in urls.urlpatterns:
        addresses.add(
            f"/api/v1/{pattern.pattern}".replace("<str:name>", "{name}").replace(
                "<str:number>", "{number}"
            )
        )

    documented = re.findall(r"^\| `(/api/v1/[^`]*)` \|", TEXT, re.MULTILINE)

    assert sorted(documented) == sorted(
        addresses - {f"/api/v1/{pattern}" for pattern in not_addresses}
    )


@pytest.mark.parametrize(
    ("address", "view"),
    [
        ("tables/", views.TableView),
        ("services/", views.ServiceView),
        ("accesses/", views.AccessView),
        ("groups/", views.GroupView),
        ("teams/", views.TeamView),
        ("environments/", views.EnvironmentView),
        ("suggestions/", suggestions.SuggestionView),
    ],
)
def test_every_filter_and_order_is_documented_and_no_other(address, view):
    _, documented_filters, orders = row("Filters, search, order, pages", f"`{address}`")

    filterset = getattr(view, "filterset_class", None)
    assert documented_filters == (list(filterset.base_filters) if filterset else [])
    assert orders == list(view.ordering_fields)


def test_every_parameter_of_history_is_documented_and_no_other():
    assert {*row("Following changes", "`changes/`")[1], "format"} == history.ChangesView.parameters
    assert {"before", "format"} == history.TimelineView.parameters
    assert {*row("The map as it was", "`compare/`")[1], "format"} == compare.CompareView.parameters


def test_every_parameter_of_drift_is_documented_and_no_other():
    parameters = set(row("Drift", "`drift/`")[1]) - {"none", "true", "false"}
    assert parameters | {"format"} == drift.DriftView.parameters
    assert row("Following changes", "`tables/{name}/history/`")[1] == ["before"]


def test_every_parameter_of_a_trace_is_documented_with_its_limits():
    parameters = row("Tracing data", "`tables/{name}/trace/`")[1]
    assert {*parameters, "format"} == {*trace.TableTraceView.parameters, *trace.DIRECTIONS}
    assert f"hops, 1 to {MAX_DEPTH} ({DEFAULT_DEPTH})" in TEXT
    assert f"At {MAX_ROWS} accesses" in TEXT


def test_every_form_is_documented_and_no_other():
    section = TEXT.split("\n## Other forms\n")[1].split("\n## ")[0]
    cells = [
        re.findall("`([^`]+)`", line) for line in section.splitlines() if line.startswith("| `")
    ]
    documented = {
        (address, *form)
        for *addresses, name, media in cells
        for address in addresses
        for form in [(name, media)]
    }
    forms = {
        "map/": map_view.MapView.renderer_classes[1:],
        "tables/{name}/": views.TableView.detail_renderers,
        "services/{name}/": views.ServiceView.detail_renderers,
    }
    assert documented == {
        (address, form.format, form.media_type)
        for address, renderers in forms.items()
        for form in renderers
    }


def test_csv_values_can_be_restored_as_documented(seeded, get, tmp_path, monkeypatch):
    with change_set(reason="A note that a spreadsheet would run"):
        access = Access.objects.get_by_natural_key("biztechUsers", "users")
        access.notes = "=1+1"
        access.save()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table-ownership-map.csv").write_bytes(b"".join(get("map/?format=csv")))
    (example,) = blocks("py")
    names = {"csv": csv}

    exec(example, names)

    assert (names["rows"][0]["table"], names["rows"][0]["notes"]) == ("biztechUsers", "=1+1")


@pytest.mark.parametrize(
    "parameter",
    ["search", "ordering", "page", "page_size", "format", "environment", "If-None-Match", "ETag"],
)
def test_what_all_lists_take_is_documented(parameter):
    assert re.search(rf"[`?]{parameter}\b", TEXT)


@pytest.mark.parametrize(
    "number",
    [
        f"{filters.LONGEST_SEARCH} characters",
        "100 unless",
        "at most 1,000)",
        "page_size` (500; at most 1,000",
    ],
)
def test_the_limits_are_documented(number):
    assert number in TEXT


@pytest.mark.parametrize(
    "serializer",
    [
        serializers.MapSerializer,
        serializers.TableSerializer,
        serializers.AccessSerializer,
        serializers.ServiceSerializer,
        serializers.ProblemSerializer,
        history.FeedSerializer,
        history.ChangeSetSerializer,
        history.EntrySerializer,
        trace.TraceSerializer,
        trace.HopSerializer,
        trace.PlaceSerializer,
    ],
)
def test_every_field_is_documented(serializer):
    fields = serializer().get_fields()

    assert [name for name in fields if not re.search(rf'[`"]{name}[`"]', TEXT)] == []


def test_the_examples_in_json_are_what_the_api_gives(seeded, get):
    table, service, problem = (json.loads(block) for block in blocks("json"))

    assert get("tables/biztechRegistrations/").json() == table
    assert get("services/teams/").json() == service
    assert get("tables/?mode=admin").json() == problem


@pytest.fixture
def served(committed, seeded, live_server, viewer, monkeypatch):
    """A server with the document's map, and the environment that the examples expect."""
    monkeypatch.setenv("REGISTRY", live_server.url)
    monkeypatch.setenv("TOKEN", make_token(viewer)[1])


def test_the_example_in_python_runs(served):
    (example,) = blocks("python")
    names = {}

    exec(example, names)

    assert names["owners"]["biztechUsers"] == "users"
    assert names["unchanged"] is None
    with pytest.raises(RuntimeError, match="No table is called 'nothing'"):
        names["read"]("tables/nothing/")


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_the_examples_in_curl_run(served, tmp_path):
    one, keeping = blocks("sh")

    def run(script):
        return subprocess.run(
            ["sh", "-euc", script], cwd=tmp_path, capture_output=True, check=True, timeout=60
        ).stdout

    assert json.loads(run(one))["name"] == "biztechUsers"
    run(keeping)
    first = (tmp_path / "map.json").read_bytes()
    assert len(json.loads(first)["tables"]) == 34
    assert run(keeping.replace("--silent", "--silent --write-out '%{http_code}'")) == b"304"
    assert (tmp_path / "map.json").read_bytes() == first
