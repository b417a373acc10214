"""What a run keeps is all that the comparison needs."""

import json

from ownership.drift.compare import compare
from ownership.drift.registry_client import from_map
from ownership.drift.serialization import (
    actions_from_json,
    actions_to_json,
    code_access_from_json,
    code_access_to_json,
    from_json,
    to_json,
    usage_from_json,
    usage_to_json,
)
from ownership.drift.types import (
    ActionOn,
    GrantedAccess,
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    Note,
    TableShape,
    Unresolved,
)
from tests.support.drift_code import code_usage
from tests.support.drift_projects import a_map

PLACE = Location("users/serverless.yml", 3)
FOUND = Infrastructure(
    "serverless",
    grants={
        GrantedAccess("users", "biztechUsers", "read"): (PLACE, Location("arn:aws:dynamodb:…"))
    },
    tables=(
        TableShape(
            "a",
            Keys(KeyAttribute("id", "S"), KeyAttribute("at")),
            (("by-at", Keys(KeyAttribute("at"))), ("odd", None)),
            (PLACE,),
        ),
        TableShape("bare"),
    ),
    services=frozenset({"users", "bots"}),
    all_tables=True,
    unresolved=(Unresolved(PLACE, "${ssm:x}", "not given", "users", frozenset({"read"})),),
    notes=(Note(PLACE, "a condition"),),
)


def test_what_was_found_survives_the_round_trip() -> None:
    content = json.loads(json.dumps(to_json(FOUND)))
    assert from_json("serverless", content, FOUND.grants, FOUND.actions) == FOUND


def test_the_actions_of_a_grant_survive_the_round_trip() -> None:
    actions = frozenset({ActionOn("Query"), ActionOn("Query", "*"), ActionOn("Scan", "*")})
    content = json.loads(json.dumps(actions_to_json(actions)))
    assert content == {"": ["Query"], "*": ["Query", "Scan"]}
    assert actions_from_json(content) == actions


def test_what_code_does_survives_the_round_trip() -> None:
    unresolved = Unresolved(PLACE, "table", "comes from a request", "users", frozenset({"read"}))
    usage = code_usage("users read_write X", "bots read Y indirectly", unresolved=(unresolved,))
    accesses = []
    for access in usage.accesses:
        content = json.loads(json.dumps(code_access_to_json(access)))
        accesses.append(code_access_from_json(access.service, access.table, access.mode, content))
    assert usage_from_json(json.loads(json.dumps(usage_to_json(usage))), accesses) == usage


def test_agreement_counts_pairs_and_leaves_out_unchecked_accesses() -> None:
    declared = from_map(
        a_map(
            "users read_write biztechUsers", "bots read biztechUsers", "stickers read biztechPrizes"
        )
    )
    grants = dict.fromkeys(
        [
            GrantedAccess("users", "biztechUsers", "read"),
            GrantedAccess("users", "biztechUsers", "write"),
        ],
        (PLACE,),
    )
    found = Infrastructure("serverless", grants, services=frozenset({"users", "bots"}))
    # users agrees, bots is granted nothing, of stickers nothing was read
    assert compare(declared, found).agreement() == (1, 2)


def test_agreement_counts_the_shapes_of_deployed_tables() -> None:
    key = {"partition_key": {"name": "id", "type": None}}
    declared = from_map(
        a_map("users read biztechUsers", "users read gone", biztechUsers={"key_schema": key})
    )
    found = Infrastructure(
        "dynamodb", tables=(TableShape("biztechUsers"), TableShape("other")), all_tables=True
    )
    # biztechUsers agrees; gone is not deployed, other not registered
    assert compare(declared, found).agreement() == (1, 3)
