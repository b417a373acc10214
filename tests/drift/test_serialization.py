"""What a run keeps is all that the comparison needs."""

import json

from ownership.drift.compare import compare
from ownership.drift.registry_client import from_map
from ownership.drift.serialization import from_json, to_json
from ownership.drift.types import (
    GrantedAccess,
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    Note,
    TableShape,
    Unresolved,
)
from tests.support.drift_projects import a_map

PLACE = Location("users/serverless.yml", 3)
FOUND = Infrastructure(
    "serverless",
    grants={GrantedAccess("users", "biztechUsers", "read"): (PLACE, Location("arn:aws:dynamodb:…"))},
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
    assert from_json("serverless", json.loads(json.dumps(to_json(FOUND))), FOUND.grants) == FOUND


def test_agreement_counts_pairs_and_leaves_out_unchecked_accesses() -> None:
    declared = from_map(a_map("users read_write biztechUsers", "bots read biztechUsers", "stickers read biztechPrizes"))
    grants = dict.fromkeys(
        [GrantedAccess("users", "biztechUsers", "read"), GrantedAccess("users", "biztechUsers", "write")], (PLACE,)
    )
    found = Infrastructure("serverless", grants, services=frozenset({"users", "bots"}))
    # users agrees, bots is granted nothing, of stickers nothing was read
    assert compare(declared, found).agreement() == (1, 2)


def test_agreement_counts_the_shapes_of_deployed_tables() -> None:
    key = {"partition_key": {"name": "id", "type": None}}
    declared = from_map(a_map("users read biztechUsers", "users read gone", biztechUsers={"key_schema": key}))
    found = Infrastructure("dynamodb", tables=(TableShape("biztechUsers"), TableShape("other")), all_tables=True)
    # biztechUsers agrees; gone is not deployed, other not registered
    assert compare(declared, found).agreement() == (1, 3)
