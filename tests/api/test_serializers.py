"""The shapes: exactly the keys that docs/api.md and the OpenAPI description promise."""

import pytest

from ownership.models import Environment, Service, Table
from tests.support.factories import make_access, make_service, make_table

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite

TABLE = [
    "name",
    "group",
    "description",
    "owner",
    "team",
    "key_schema",
    "more",
    "indexes",
    "accesses",
    "confirmation",
]
SERVICE = ["name", "part_of", "team", "description", "contact", "repository", "aliases"]
ACCESS = ["service", "mode", "indirect", "notes"]


def table_in(served, name):
    return next(row for row in served["tables"] if row["name"] == name)


def test_a_table_of_the_document_has_the_shape_that_consumers_rely_on(seeded, get):
    assert table_in(get("map/").json(), "biztechRegistrations") == {
        "name": "biztechRegistrations",
        "group": "Core Tables",
        "description": "Event registrations.",
        "owner": "registrations",
        "team": None,
        "key_schema": {
            "partition_key": {"name": "id", "type": None, "format": "email"},
            "sort_key": {"name": "eventID;year", "type": None, "format": None},
        },
        "more": None,
        "indexes": [{"name": "event-query", "kind": "GSI", "key_schema": None}],
        "accesses": [
            {
                "service": "registrations",
                "mode": "read_write",
                "indirect": False,
                "notes": "Owner. Create, update, delete registrations",
            },
            {
                "service": "payments",
                "mode": "read_write",
                "indirect": False,
                "notes": "Reads for event payment; writes registrationStatus via webhook",
            },
            {
                "service": "events",
                "mode": "read",
                "indirect": False,
                "notes": "Counts registrations via GSI event-query",
            },
            {
                "service": "profiles",
                "mode": "read_write",
                "indirect": False,
                "notes": "syncPartnerData reads/writes registration data",
            },
        ],
        "confirmation": None,
    }


def test_the_map_has_these_keys_and_no_others(seeded, get):
    served = get("map/").json()

    assert list(served) == [
        "revision",
        "environment",
        "environments",
        "groups",
        "teams",
        "services",
        "tables",
    ]
    assert (served["revision"], served["environment"]) == (1, None)
    assert {tuple(row) for row in served["environments"]} == {
        ("name", "suffix", "pattern", "description")
    }
    assert {tuple(row) for row in served["groups"]} == {("name", "description")}
    assert {tuple(row) for row in served["services"]} == {tuple(SERVICE)}
    assert {tuple(row) for row in served["tables"]} == {tuple(TABLE)}
    assert {tuple(access) for row in served["tables"] for access in row["accesses"]} == {
        tuple(ACCESS)
    }


def test_an_empty_registry_has_an_empty_map_of_revision_zero(get):
    answer = get("map/")

    assert answer["X-Registry-Revision"] == "0"
    assert answer.json() == {
        "revision": 0,
        "environment": None,
        "environments": [],
        "groups": [],
        "teams": [],
        "services": [],
        "tables": [],
    }


def test_lists_and_details_show_things_as_the_map_does(seeded, get):
    served = get("map/").json()

    assert get("tables/").json()["results"] == served["tables"]
    assert [get(f"tables/{row['name']}/").json() for row in served["tables"][:3]] == served[
        "tables"
    ][:3]
    by_name = sorted(served["services"], key=lambda row: row["name"])
    assert get("services/").json()["results"] == by_name
    assert get("services/teams/").json() == next(
        row for row in served["services"] if row["name"] == "teams"
    )
    assert get("groups/").json()["results"] == served["groups"]
    assert get("environments/").json()["results"] == served["environments"]


def test_the_list_of_accesses_is_the_maps_with_the_table_named(seeded, get):
    served = get("map/").json()

    assert get("accesses/").json()["results"] == [
        {"table": table["name"], **access}
        for table in served["tables"]
        for access in table["accesses"]
    ]


def test_a_list_says_how_many_there_are_and_where_the_next_page_is(seeded, get):
    served = get("tables/?page_size=10&page=2").json()

    assert list(served) == ["count", "next", "previous", "results"]
    assert (served["count"], len(served["results"])) == (34, 10)
    assert served["next"] == "http://testserver/api/v1/tables/?page=3&page_size=10"
    assert served["previous"] == "http://testserver/api/v1/tables/?page_size=10"


def test_a_service_shows_contact_and_repository(get):
    make_service("whole")
    make_service(
        "part",
        part_of=Service.objects.get(),
        description="Part of it.",
        contact="#help",
        repository="https://git.example/part",
        aliases=["part-prod"],
    )

    assert get("services/part/").json() == {
        "name": "part",
        "part_of": "whole",
        "team": None,
        "description": "Part of it.",
        "contact": "#help",
        "repository": "https://git.example/part",
        "aliases": ["part-prod"],
    }
    assert get("services/whole/").json()["part_of"] is None


def test_unknown_values_are_null_and_known_ones_are_given(get):
    table = make_table(
        "full",
        partition_key_name="id",
        partition_key_type="S",
        sort_key_name="day",
        sort_key_type="N",
        sort_key_format="YYYYMMDD",
        more_title="Handbook",
        more_url="https://docs.example/full",
    )
    table.indexes.create(name="by-day", kind="LSI", partition_key_name="id", sort_key_name="day")
    make_table("bare").indexes.create(name="unknown")

    full, bare = get("tables/full/").json(), get("tables/bare/").json()

    assert full["key_schema"] == {
        "partition_key": {"name": "id", "type": "S", "format": None},
        "sort_key": {"name": "day", "type": "N", "format": "YYYYMMDD"},
    }
    assert full["more"] == {"title": "Handbook", "url": "https://docs.example/full"}
    assert full["indexes"][0]["kind"] == "LSI"
    assert full["indexes"][0]["key_schema"]["sort_key"]["name"] == "day"
    assert (bare["key_schema"], bare["more"]) == (None, None)
    assert bare["indexes"] == [{"name": "unknown", "kind": None, "key_schema": None}]


def test_more_without_an_address_is_a_title_alone(get):
    make_table("noted", more_title="Handbook")

    assert get("tables/noted/").json()["more"] == {"title": "Handbook", "url": None}


def test_indirect_accesses_say_so(get):
    make_access(make_table("target"), indirect=True)

    assert [access["indirect"] for access in get("tables/target/").json()["accesses"]] == [True]


@pytest.mark.parametrize(
    ("environment", "physical_name"),
    [("production", "biztechUsersPROD"), ("staging", "biztechUsers"), ("dev", "biztechUsers")],
)
def test_an_environment_adds_the_physical_name_everywhere(seeded, get, environment, physical_name):
    query = f"?environment={environment}"

    served = get(f"map/{query}").json()

    assert served["environment"] == environment
    assert list(table_in(served, "biztechUsers")) == ["name", "physical_name", *TABLE[1:]]
    for table in (
        table_in(served, "biztechUsers"),
        get(f"tables/{query}").json()["results"][0],
        get(f"tables/biztechUsers/{query}").json(),
    ):
        assert (table["name"], table["physical_name"]) == ("biztechUsers", physical_name)


def test_text_is_returned_as_it_was_written(get):
    text = "→ naïve “quotes” <b>&amp;</b>\n𝔘 \u202e end"
    make_table("odd", description=text)

    assert get("tables/odd/").json()["description"] == text


def test_environments_are_in_the_order_of_their_positions(get):
    Environment.objects.create(name="a-later", position=1)
    Environment.objects.create(name="z-first", position=0)

    assert [row["name"] for row in get("environments/").json()["results"]] == ["z-first", "a-later"]


def test_tables_are_in_the_order_of_their_groups(get):
    first = make_table("first")
    make_table("second")
    Table.objects.get(name="second").delete()
    make_table("third", position=1)
    make_table("second", position=0)

    assert [row["name"] for row in get("map/").json()["tables"]] == [first.name, "second", "third"]
