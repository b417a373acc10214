"""The OpenAPI description: valid, checked in, true of real answers; and a page that loads nothing from outside."""

import re
from functools import cache
from io import StringIO
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from ownership.api import filters, urls
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.sqlite  # no database decides the description

CHECKED_IN = settings.BASE_DIR / "docs" / "openapi.yaml"


@cache
def description() -> dict[str, Any]:
    return yaml.safe_load(CHECKED_IN.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_description_is_valid_and_the_checked_in_one_is_current(db):
    written = StringIO()

    call_command("spectacular", "--validate", "--fail-on-warn", stdout=written)

    assert written.getvalue().rstrip() == CHECKED_IN.read_text(encoding="utf-8").rstrip(), (
        "run `make schema`"
    )


@pytest.mark.slow
def test_the_schema_address_serves_it(get):
    assert yaml.safe_load(get("schema/").content) == description()
    assert get("schema/?format=json").json() == description()
    assert get("schema/", accept="application/vnd.oai.openapi+json").json() == description()


def test_every_address_is_described(db):
    not_data = {"schema/", "docs/", "<path:anything>/"}
    addresses = {str(pattern.pattern) for pattern in urls.urlpatterns} - not_data

    assert set(description()["paths"]) == {
        "/api/v1/" + address.replace("<str:", "{").replace(">", "}") for address in addresses
    }


@pytest.mark.parametrize(
    ("address", "filterset"),
    [
        ("tables/", filters.TableFilters),
        ("services/", filters.ServiceFilters),
        ("accesses/", filters.AccessFilters),
    ],
)
def test_every_filter_is_described(address, filterset):
    parameters = description()["paths"][f"/api/v1/{address}"]["get"]["parameters"]

    described = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}

    expected = {
        *filterset.base_filters,
        "search",
        "ordering",
        "page",
        "page_size",
        "revision",
        "as_of",
    }
    assert expected == described - {"environment"}
    assert all(parameter["description"] for parameter in parameters)


def as_json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: null by ``nullable``; and nothing beyond what is described."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: as_json_schema(value) for key, value in schema.items()}
    if "properties" in result:
        result["additionalProperties"] = False
    return {"anyOf": [{"type": "null"}, result]} if result.pop("nullable", False) else result


def check(address, status, answer):
    """Hold an answer to what is described for its address and status."""
    described = description()["paths"][f"/api/v1/{address}"]["get"]["responses"][str(status)]
    assert answer.status_code == status, answer.content
    # CSV and other forms, which are plain text, are described beside JSON.
    media_type = answer["Content-Type"]
    assert media_type.endswith("json")
    whole = as_json_schema(
        {"components": description()["components"], **described["content"][media_type]["schema"]}
    )
    jsonschema_rs.Draft202012Validator(whole).validate(answer.json())


@pytest.mark.parametrize(
    "environment", ["", "?environment=production"], ids=["plain", "physical-names"]
)
def test_answers_about_the_document_are_as_described(seeded, get, environment):
    check("map/", 200, get(f"map/{environment}"))
    check("tables/", 200, get(f"tables/{environment}"))
    check("tables/{name}/", 200, get(f"tables/biztechRegistrations/{environment}"))
    check("services/", 200, get("services/"))
    check("services/{name}/", 200, get("services/teams/"))
    check("accesses/", 200, get("accesses/?page_size=10"))
    check("groups/", 200, get("groups/"))
    check("environments/", 200, get("environments/"))


def test_answers_with_every_field_filled_are_as_described(get):
    table = make_table(
        "full",
        partition_key_name="id",
        partition_key_type="S",
        sort_key_name="day",
        sort_key_type="N",
        more_title="Handbook",
        more_url="https://docs.example/full",
    )
    table.indexes.create(name="by-day", kind="LSI", partition_key_name="id", partition_key_type="B")
    make_access(
        table,
        make_service(
            "part", part_of=make_service(), repository="https://git.example", aliases=["p"]
        ),
    )

    check("map/", 200, get("map/"))
    check("services/{name}/", 200, get("services/part/"))


def test_history_is_as_described(here, get):
    check("changes/", 200, get("changes/"))
    check("tables/{name}/history/", 200, get("tables/here-it-is/history/"))
    check("services/{name}/history/", 200, get("services/owner/history/"))


@pytest.mark.slow
def test_problems_are_as_described(db, get):
    for address in (
        "map/",
        "tables/",
        "services/",
        "accesses/",
        "groups/",
        "teams/",
        "environments/",
        "changes/",
    ):
        check(address, 400, get(f"{address}?nothing=1"))
        check(address, 401, Client().get(f"/api/v1/{address}"))
        check(address, 406, get(address, accept="text/html"))
    check("tables/{name}/", 404, get("tables/nothing/"))
    check("services/{name}/", 404, get("services/nobody/"))


def test_the_headers_of_caching_are_described_and_there(db, get):
    answer = get("map/")

    responses = description()["paths"]["/api/v1/map/"]["get"]["responses"]

    assert (
        set(responses["200"]["headers"])
        == set(responses["304"]["headers"])
        == {"ETag", "X-Registry-Revision"}
    )
    assert {"ETag", "X-Registry-Revision"} <= set(answer.headers)


def test_the_page_loads_nothing_from_outside_and_runs_no_script_of_its_own(get):
    page = get("docs/").content.decode()

    sources = re.findall(r"""(?:src=|<link[^>]* href=)["']([^"']*)["']""", page)
    assert len(sources) >= 4
    assert {
        source for source in sources if not source.startswith(("/static/", "/api/v1/docs/?script="))
    } == set()
    assert [
        body for body in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) if body.strip()
    ] == []
    assert re.search(r"<style|\sstyle=|\son\w+=", page) is None
    assert "http" not in page


def test_the_page_has_the_sites_header_and_a_way_back(get):
    page = get("docs/").content.decode()

    assert '<html lang="en">' in page
    assert "<title>API · Ownership registry</title>" in page
    assert '<header class="site">' in page
    assert 'href="/">Map</a>' in page


def test_everything_that_the_page_loads_exists(get):
    page = get("docs/").content.decode()

    static = re.findall(r"""(?:src|href)=["']/static/([^"']*)["']""", page)

    assert [path for path in static if finders.find(path) is None] == []


def test_the_pages_script_asks_this_server_for_the_description(get):
    answer = get("docs/?script=")

    assert answer["Content-Type"] == "application/javascript"
    assert "/api/v1/schema/" in answer.content.decode()
    assert re.search(r"https?://", answer.content.decode()) is None


def test_the_page_keeps_the_strict_content_security_policy(get):
    policy = get("docs/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
