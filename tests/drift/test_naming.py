import pytest

from ownership.drift.environment_words import names_environment
from ownership.drift.naming import Names
from ownership.drift.registry_client import from_map
from ownership.drift.types import Location
from ownership.drift.values import PLACEHOLDER, Text, concat, from_variable, placeholder
from tests.support.drift_projects import a_map, names, names_with

LOCATION = Location("x", 1)


def fixed(value: str) -> Text:
    return from_variable(value, LOCATION)


def varying(value: str) -> Text:
    return from_variable(value, LOCATION, is_environment=True)


def given(value: str) -> Text:
    return from_variable(value, LOCATION, may_vary=True)


CASES = {
    "no variable": (["users"], "users"),
    "a varying end": (["users", varying("dev")], "users"),
    "an empty one": (["users", varying("")], "users"),
    "an unresolved one that is the environment": (
        ["users", placeholder(LOCATION, "…", is_environment=True)],
        "users",
    ),
    "an unresolved one": (["users", placeholder(LOCATION, "…")], None),
    "an unresolved one before the suffix": (
        ["users", placeholder(LOCATION, "…"), varying("")],
        None,
    ),
    "the suffix before an unresolved one": (
        ["users", varying(""), placeholder(LOCATION, "…")],
        None,
    ),
    "a pattern behind an unresolved one": (["users", placeholder(LOCATION, "…"), "*"], None),
    "its separator goes along": (["users-", varying("dev")], "users"),
    "a separator in the value": (["users", varying("-dev")], "users"),
    "a fixed end is part of the name": (["members", fixed("2026")], "members2026"),
    "with a suffix after it": (["members", fixed("2026"), varying("")], "members2026"),
    "a fixed end that is a suffix of the map": (["users", fixed("PROD")], "users"),
    "the stage in front": ([varying("dev"), "-users"], "users"),
    "a stage in front that is not known": (
        [placeholder(LOCATION, "…", is_environment=True), "-users"],
        "users",
    ),
    "an empty stage in front": ([varying(""), "-users"], "users"),
    "an empty stage before a pattern": ([varying(""), "-*"], None),
    "a stage before any table": ([varying("dev"), "*"], None),
    "a stage in front with its separator": ([varying("dev_"), "users"], "users"),
    "a stage in front without a separator": ([varying("dev"), "users"], "devusers"),
    "the same before a table of the map": ([varying("dev"), "biztechUsers"], "biztechUsers"),
    "a stage before a pattern of which the map knows nothing": ([varying("dev"), "-*"], None),
    "a stage before a pattern of tables of the map": ([varying("biztech"), "*"], "biztech*"),
    "a stage before a beginning": ([varying("dev"), "-us*"], "us*"),
    "another variable in front": ([fixed("eu"), "-users"], "eu-users"),
    "a stage in the middle": (["shop-", varying("dev"), "-users"], "shop-dev-users"),
    "an input at the end": (["users-", given("2026")], "users-2026"),
    "an input at the end that is an environment": (["users-", given("staging")], "users"),
    "an input behind a table of the map": (["biztechUsers-", given("2026")], "biztechUsers"),
    "a stage and an input": ([varying("dev"), "-", given("orders")], "orders"),
    "an input and a stage": ([given("orders"), "-", varying("dev")], "orders"),
    "a variable for all": ([varying("users")], "users"),
    "all, with a suffix inside": (
        [from_variable(concat(["users", varying("dev")], LOCATION), LOCATION)],
        "users",
    ),
    "a suffix in a part": (
        ["club", from_variable(concat(["Users", varying("dev")], LOCATION), LOCATION)],
        "clubUsers",
    ),
    "a suffix of separator and stage": (
        ["users", from_variable(concat(["-", varying("dev")], LOCATION), LOCATION)],
        "users",
    ),
    "a written suffix of a table of the map": (["biztechUsersPROD"], "biztechUsers"),
    "a written suffix of no table of the map": (["otherPROD"], "otherPROD"),
    "a table of the map that ends like a suffix": (["biztechPROD"], "biztechPROD"),
    "a pattern": (["users*"], "users*"),
    "a pattern behind a suffix": (["users", varying("dev"), "*"], "users"),
    "a pattern behind an empty suffix": (["users", varying(""), "*"], "users*"),
    "a pattern before a suffix": (["biz*", varying("dev")], "biz*"),
    "unresolved in front": ([placeholder(LOCATION, "…"), "users"], None),
    "unresolved altogether": ([placeholder(LOCATION, "…")], None),
}


@pytest.mark.parametrize(("pieces", "base"), CASES.values(), ids=CASES)
def test_base_names(pieces: list[str], base: str | None) -> None:
    known = names(tables=("biztechUsers", "biztechPROD"))
    assert known.table(concat(pieces, LOCATION)) == base
    assert PLACEHOLDER not in (base or "")


PATTERNS = {"dev": "shop-{stage}-{name}", "production": "live.{name}"}
BY_PATTERN = {
    "the stage in the middle": (["shop-", varying("dev"), "-users"], "users"),
    "another value of it": (["shop-", varying("pr-17"), "-users"], "users"),
    "a stage that is not known": (
        ["shop-", placeholder(LOCATION, "…", is_environment=True), "-users"],
        "users",
    ),
    "all variables": ([fixed("shop"), "-", varying("dev"), "-users"], "users"),
    "a variable for all": (
        [from_variable(concat(["shop-", varying("dev"), "-users"], LOCATION), LOCATION)],
        "users",
    ),
    "a prefix that is not the stage": ([varying("dev"), ".users"], "users"),
    "a pattern of names": (["shop-", varying("dev"), "-us*"], "us*"),
    "all names": (["shop-", varying("dev"), "-*"], "*"),
    "another service's prefix": (["bank-", varying("dev"), "-users"], "bank-dev-users"),
    "written out, on the map": (["shop-dev-orders"], "orders"),
    "written out in production, on the map": (["live.orders"], "orders"),
    "written out, not on the map": (["shop-dev-users"], "shop-dev-users"),
    "the addition alone": (["shop-dev-"], "shop-dev-"),
    "something unresolved in the name": (
        ["shop-", varying("dev"), "-", placeholder(LOCATION, "…")],
        None,
    ),
}


@pytest.mark.parametrize(("pieces", "base"), BY_PATTERN.values(), ids=BY_PATTERN)
def test_base_names_by_the_patterns_of_the_map(pieces: list[str], base: str | None) -> None:
    assert names_with(PATTERNS, tables=("orders",)).table(concat(pieces, LOCATION)) == base


@pytest.mark.parametrize("table", ["orders", "eu-orders"])
def test_of_two_patterns_that_fit_the_one_that_gives_a_table_of_the_map_counts(table: str) -> None:
    known = names_with({"dev": "{stage}-{name}", "live": "{stage}-eu-{name}"}, tables=(table,))
    assert known.table(concat([varying("dev"), "-eu-orders"], LOCATION)) == table


def test_the_longer_of_two_services_in_a_roles_name_is_meant() -> None:
    known = names(services=("users", "admin-users"))
    assert known.role(["admin-users-dev-lambdaRole"]) == "admin-users"
    assert known.role(["users-dev-lambdaRole"]) == "users"


def test_a_service_is_known_by_its_alias_unless_another_is_called_so() -> None:
    document = a_map(services={"payments": None, "pay": None})
    document["services"][0]["aliases"] = ["Pay", "money"]
    known = Names.of(from_map(document))
    assert (known.service(("money",), None), known.service(("PAY",), None)) == ("payments", "pay")


def test_the_chosen_environments_pattern_is_removed_from_unregistered_tables_too() -> None:
    text = Text("shop-dev-users", LOCATION)
    assert names_with(PATTERNS, "dev").table(text) == "users"
    assert names_with(PATTERNS, "production").table(text) == "shop-dev-users"


@pytest.mark.parametrize(
    ("variable", "is_environment"),
    [
        ("self:custom.tableSuffix", True),
        ("env:APP_ENV", True),
        ("opt:stage", True),
        ("StageName", True),
        ("self:custom.suffixes.prod", True),
        ("self:custom.stage.prod", True),
        ("tablesuffix", True),
        ("self:custom.stagedOrders", False),
        ("self:custom.envelopes", False),
        ("self:custom.postage", False),
        ("self:custom.stageOrders", False),
        ("self:stages.orders", False),
        ("self:custom.orders.prod", False),
        ("OrdersTable", False),
        ("env:PROD", False),
    ],
)
def test_variables_are_the_environment_by_whole_words_of_their_names(
    variable: str, is_environment: bool
) -> None:
    assert names_environment(variable) is is_environment


INDEXES = {
    "a stage in front": ([varying("dev"), "-by-day"], "by-day"),
    "a stage at the end": (["by-day-", varying("dev")], "by-day"),
    "written out": (["by-dayPROD"], "by-dayPROD"),
    "of the map": ([varying("dev"), "-by-year"], "dev-by-year"),
    "not known": (["by-", placeholder(LOCATION, "…")], None),
}


@pytest.mark.parametrize(("pieces", "base"), INDEXES.values(), ids=INDEXES)
def test_indexes_are_called_as_in_any_environment(pieces: list[str], base: str | None) -> None:
    document = a_map(orders={"indexes": [{"name": "dev-by-year", "key_schema": None}]})
    assert Names.of(from_map(document)).index(concat(pieces, LOCATION)) == base


def test_what_the_map_is_given_by_hand_comes_first() -> None:
    document = a_map(orders={})
    known = Names.of(
        from_map(document),
        given={"OrdersTable": "orders", "legacy_2019": "orders", "bills": "invoices"},
    )
    assert known.table(Text("OrdersTable", LOCATION)) == "orders"
    assert known.table(Text("legacy_2019", LOCATION)) == "orders"
    assert known.table(concat(["bills-", varying("dev")], LOCATION)) == "invoices"


def test_the_chosen_environments_suffix_is_removed_from_unregistered_tables_too() -> None:
    assert names("production").table(Text("otherPROD", LOCATION)) == "other"
    assert names("dev").table(Text("otherPROD", LOCATION)) == "otherPROD"


def test_another_environments_suffix_is_removed_from_tables_on_the_map() -> None:
    known = names("dev", tables=("biztechUsers",))
    assert known.table(Text("biztechUsersPROD", LOCATION)) == "biztechUsers"
