"""The reader of a live endpoint, against a DynamoDB server of its own process."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ownership.drift.naming import Names
from ownership.drift.readers import dynamodb
from ownership.drift.readers.dynamodb import read_endpoint
from ownership.drift.registry_client import from_map
from ownership.drift.types import ReadError
from tests.support.drift_projects import a_map, names, names_with

boto3 = pytest.importorskip("boto3")
pytest.importorskip("moto")

# One process starts the endpoint that they share.
pytestmark = pytest.mark.xdist_group("dynamodb")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, "the server ended"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def create(endpoint: str, region: str, name: str, **more: Any) -> None:
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name=region)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "id", "KeyType": "HASH"},
            {"AttributeName": "year", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "year", "AttributeType": "N"},
        ],
        **more,
    )


def test_keys_types_and_indexes_are_read(endpoint: str) -> None:
    keys = [{"AttributeName": "year", "KeyType": "HASH"}]
    everything = {"ProjectionType": "ALL"}
    index = {"IndexName": "by-year", "KeySchema": keys, "Projection": everything}
    create(endpoint, "us-west-2", "biztechEvents", GlobalSecondaryIndexes=[index])
    found = read_endpoint(names(), endpoint, "us-west-2")
    (table,) = found.tables
    assert found.all_tables
    assert (table.name, str(table.key_schema)) == ("biztechEvents", "id (S) + year (N)")
    assert [(name, str(schema)) for name, schema in table.indexes] == [("by-year", "year (N)")]
    assert table.locations[0].file.endswith(":table/biztechEvents")


def test_an_environment_has_the_tables_with_its_suffix(endpoint: str) -> None:
    for name in ("biztechUsers", "biztechUsersPROD", "PROD"):
        create(endpoint, "eu-west-1", name)
    found = {
        e: {t.name for t in read_endpoint(names(e), endpoint, "eu-west-1").tables}
        for e in ("dev", "production")
    }
    assert found == {"dev": {"biztechUsers"}, "production": {"biztechUsers"}}


def test_tables_go_by_what_the_map_or_a_file_says(endpoint: str) -> None:
    for name in ("ordersPROD", "legacy_2019"):
        create(endpoint, "sa-east-1", name)
    document = a_map(ordersPROD={}, orders={})
    known = Names.of(from_map(document), given={"legacy_2019": "orders"})
    assert {table.name for table in read_endpoint(known, endpoint, "sa-east-1").tables} == {
        "ordersPROD",
        "orders",
    }


def test_a_missing_boto3_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ReadError, match="needs boto3: install the extra `dynamodb`"):
        read_endpoint(names(), "http://127.0.0.1:1")


def test_an_environment_has_the_tables_of_its_pattern(endpoint: str) -> None:
    for name in ("shop-dev-users", "live.users", "other"):
        create(endpoint, "eu-north-1", name)
    patterns = {"dev": "shop-{stage}-{name}", "live": "{stage}.{name}"}
    found = {}
    for environment in patterns:
        tables = read_endpoint(names_with(patterns, environment), endpoint, "eu-north-1").tables
        found[environment] = [table.name for table in tables]
    assert found == {"dev": ["users"], "live": ["users"]}


@pytest.mark.slow
def test_all_pages_are_read(endpoint: str) -> None:
    for number in range(105):
        create(endpoint, "us-east-2", f"table{number:03}")
    assert len(read_endpoint(names(), endpoint, "us-east-2").tables) == 105


def test_a_table_deleted_after_listing_is_not_deployed(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="ca-central-1")
    for name in ("gone", "stays"):
        create(endpoint, "ca-central-1", name)

    def delete_one(name: str, _: object) -> str:
        if name == "gone":
            client.delete_table(TableName=name)
        return name

    monkeypatch.setattr(dynamodb, "_base_name", delete_one)
    assert [table.name for table in read_endpoint(names(), endpoint, "ca-central-1").tables] == [
        "stays"
    ]


@pytest.mark.slow
def test_an_endpoint_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(ReadError, match="Could not connect"):
        read_endpoint(names(), f"http://127.0.0.1:{free_port()}", "us-west-2")
