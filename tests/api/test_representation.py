"""The version of the representation, which is in every ETag, rises when the answers to the same map change."""

import hashlib
import json
import re
from datetime import date
from typing import Any

import pytest

from ownership.api.serializers import REPRESENTATION
from ownership.history.change_sets import change_set
from ownership.models import Confirmation, Environment, TableGroup
from tests.support.factories import make_access, make_service, make_table, make_team

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite

# Digest of all answers below, by version.
DIGESTS = {7: "4c82ae4509de51b2385260f7bb0ec87350d985ea264f0f4660e842604196378d"}

ADDRESSES = [
    "map/",
    "map/?environment=production",
    "map/?format=csv",
    "map/?format=markdown",
    "tables/",
    "tables/?environment=production",
    "tables/orders/",
    "tables/orders/?format=mermaid",
    "tables/orders/history/",
    "tables/orders/trace/",
    "services/",
    "services/till/",
    "services/shop/?format=mermaid",
    "services/till/history/",
    "services/shop/trace/?direction=upstream",
    "accesses/",
    "groups/",
    "teams/",
    "environments/",
    "changes/",
    "changes/atom/",
    "compare/?from=0",
    "drift/",
    "drift/waivers/",
]
# What differs from run to run: times, ids of requests, and digests, which cover times.
VARYING = re.compile(
    r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)|[0-9a-f]{32,64}|-[0-9a-f]{12}\b|changeset/\d+/"
)


@pytest.fixture
def fixed_map(lead) -> None:
    """A map in which each field has a value somewhere, and is empty elsewhere."""
    with change_set(user=lead, reason="Build a map", source="admin"):
        Environment.objects.create(name="production", suffix="PROD", description="The real one")
        Environment.objects.create(name="demo", pattern="{stage}-{name}")
        group = TableGroup.objects.create(name="Shop tables", description="Of the shop")
        team = make_team("Sellers", contact="#sellers", email="sellers@example.org")
        shop = make_service(
            "shop",
            team=team,
            description="Sells",
            contact="#shop",
            repository="https://git.example/shop",
        )
        till = make_service("till", part_of=shop, aliases=["checkout"])
        orders = make_table(
            "orders",
            group=group,
            owner=shop,
            description="One row per order",
            partition_key_name="id",
            partition_key_type="S",
            partition_key_format="UUID",
            sort_key_name="day",
            more_title="Handbook",
            more_url="https://docs.example/orders",
        )
        orders.indexes.create(name="by-day", kind="GSI", partition_key_name="day")
        make_table("receipts", group=group, owner=till)
        make_access(orders, shop, mode="read_write", notes="Owner")
        Confirmation.objects.create(
            table=orders,
            at_revision=1,
            confirmed_by="lead",
            confirmed_on=date(2026, 1, 31),
            until=date(2026, 7, 30),
            drift="No findings",
        )
        access = make_access(orders, till, mode="write", indirect=True, notes="Through shop")
    with change_set(user=lead, reason="Read them, too", source="admin"):
        access.mode = "read_write"
        access.save()


def normalized(answer: Any) -> str:
    """The answer's text without what varies. PostgreSQL stores the keys of changes in an order of its own."""
    content = b"".join(answer) if answer.streaming else answer.content
    text = content.decode()
    if answer["Content-Type"] == "application/json":
        text = json.dumps(json.loads(text), sort_keys=True)
    return VARYING.sub("", text)


@pytest.mark.slow
def test_answers_change_only_with_a_new_version(fixed_map, get):
    digest = hashlib.sha256()
    for address in ADDRESSES:
        answer = get(address)
        assert answer.status_code == 200, address
        digest.update(normalized(answer).encode())

    assert DIGESTS.get(REPRESENTATION) == digest.hexdigest(), (
        "The answers to the same map have changed. Raise REPRESENTATION in ownership/api/serializers.py, so that "
        "clients do not get 304 for the old form, and replace the digest here."
    )


def test_it_is_the_newest_version():
    assert list(DIGESTS) == [REPRESENTATION]
