import pytest

from ownership.drift.types import Location
from ownership.drift.values import PLACEHOLDER, Text, concat, from_variable, placeholder
from tests.support.drift_projects import names

LOCATION = Location("x", 1)


def fixed(value: str) -> Text:
    return from_variable(value, LOCATION)


def varying(value: str) -> Text:
    return from_variable(value, LOCATION, varies=True)


CASES = {
    "no variable": (["users"], "users"),
    "a varying end": (["users", varying("dev")], "users"),
    "an empty one": (["users", varying("")], "users"),
    "an unresolved one that is the environment": (["users", placeholder(LOCATION, "…", varies=True)], "users"),
    "an unresolved one": (["users", placeholder(LOCATION, "…")], None),
    "an unresolved one before the suffix": (["users", placeholder(LOCATION, "…"), varying("")], None),
    "the suffix before an unresolved one": (["users", varying(""), placeholder(LOCATION, "…")], None),
    "a pattern behind an unresolved one": (["users", placeholder(LOCATION, "…"), "*"], None),
    "its separator goes along": (["users-", varying("dev")], "users"),
    "a separator in the value": (["users", varying("-dev")], "users"),
    "a fixed end is part of the name": (["members", fixed("2026")], "members2026"),
    "with a suffix after it": (["members", fixed("2026"), varying("")], "members2026"),
    "a fixed end that is a suffix of the map": (["users", fixed("PROD")], "users"),
    "a variable in front": ([varying("dev"), "-users"], "dev-users"),
    "a variable for all": ([varying("users")], "users"),
    "all, with a suffix inside": ([from_variable(concat(["users", varying("dev")], LOCATION), LOCATION)], "users"),
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


def test_the_chosen_environments_suffix_is_removed_from_unregistered_tables_too() -> None:
    assert names("production").table(Text("otherPROD", LOCATION)) == "other"
    assert names("dev").table(Text("otherPROD", LOCATION)) == "otherPROD"


def test_another_environments_suffix_is_removed_from_tables_on_the_map() -> None:
    known = names("dev", tables=("biztechUsers",))
    assert known.table(Text("biztechUsersPROD", LOCATION)) == "biztechUsers"
