"""Calls of boto3, and of libraries on top of it: one small handler each."""

from pathlib import Path

import pytest

from tests.support.drift_code import BOTO, accesses, places, read_function

CASES: dict[str, tuple[str, set[str]]] = {
    "client": (
        """
def main(event, context):
    client.get_item(TableName="a", Key={})
    client.batch_write_item(RequestItems={"b": [], os.environ["TABLE"]: []})
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "c"}}, {"ConditionCheck": {"TableName": "d"}}])
    client.describe_table(TableName="z")
""",
        {"read a", "write b", "write users", "write c", "read d"},
    ),
    "resource and table": (
        """
table = resource.Table("a")
def main(event, context):
    table.put_item(Item={}, ReturnValues="ALL_OLD")
    with table.batch_writer() as batch:
        batch.delete_item(Key={})
    resource.batch_get_item(RequestItems={"b": {"Keys": []}})
    table.meta.client.query(TableName="c")
    print(table.name, table.item_count)
""",
        {"write a", "read b", "read c"},
    ),
    "sessions and other services": (
        """
session = boto3.session.Session(profile_name="x")
dynamo = session.client(service_name="dynamodb")
s3 = boto3.client("s3")
def main(event, context):
    s3.put_object(Bucket="b", Key="k")
    boto3.client("sqs").delete_message(QueueUrl="q")
    dynamo.scan(TableName="a")
""",
        {"read a"},
    ),
    "paginator": (
        """
def main(event, context):
    paginator = client.get_paginator("query")
    for page in paginator.paginate(TableName="a", IndexName="i"):
        print(page)
""",
        {"read a"},
    ),
    "PartiQL": (
        """
def main(event, context):
    client.execute_statement(Statement='SELECT * FROM "a"."i" WHERE x = ?')
    client.batch_execute_statement(Statements=[{"Statement": "INSERT INTO b VALUE {}"}])
    client.execute_transaction(TransactStatements=[{"Statement": f"UPDATE {os.environ['TABLE']} SET x = 1"}])
""",
        {"read a", "write b", "write users"},
    ),
    "keyword dictionaries": (
        """
def search(**kwargs):
    return client.query(**kwargs)

def main(event, context):
    arguments = {"TableName": "a"}
    if event.get("last"):
        arguments["ExclusiveStartKey"] = event["last"]
    client.scan(**arguments)
    search(TableName="b", **event)
    search(**dict(TableName="c"))
""",
        {"read a", "read b", "read c"},
    ),
    "positional and keyword arguments": (
        """
def save(item, *, table="a", **more):
    resource.Table(table).put_item(Item=item, **more)

def load(table, key, /, consistent=True):
    return resource.Table(table).get_item(Key=key)

def forward(function, *args, **kwargs):
    return function(*args, **kwargs)

def main(event, context):
    save({})
    save({}, table="b")
    load("c", {})
    forward(save, {}, table="d")
    forward(load, "e", {}, consistent=False)
""",
        {"write a", "write b", "read c", "write d", "read e"},
    ),
    "what is not processed is sent again": (
        """
def main(event, context):
    request = {"a": []}
    while request:
        request = client.batch_write_item(RequestItems=request).get("UnprocessedItems")
""",
        {"write a"},
    ),
    "models of PynamoDB": (
        """
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model
class Base(Model):
    id = UnicodeAttribute(hash_key=True)
class User(Base):
    class Meta:
        table_name = os.environ["TABLE"]
class Order(Base):
    class Meta:
        table_name = "orders"
def main(event, context):
    user = User.get(event["id"])
    user.save()
    for order in Order.query(event["id"]):
        order.update(actions=[])
""",
        {"read users", "write users", "read orders", "write orders"},
    ),
    "what Lambda Powertools keeps": (
        """
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
@idempotent(persistence_store=DynamoDBPersistenceLayer(table_name="done"))
def main(event, context): client.scan(TableName="a")
""",
        {"read a", "read done", "write done"},
    ),
    "variables by name, and a client made once": (
        """
names = {key: os.environ.get(key) for key in ("TABLE", "ORDERS")}
made = None
def connect():
    global made
    made = boto3.client("dynamodb")
def main(event, context):
    if made is None: connect()
    made.scan(TableName=names["TABLE"])
    made.get_item(TableName="orders-STAGE".replace("STAGE", os.environ["STAGE"]))
""",
        {"read users", "read orders"},
    ),
    "iterators, and operations by name": (
        """
from functools import reduce
from itertools import chain
def call(operation, name, **parameters):
    table = resource.Table(name)
    return {"get": table.get_item, "put": table.put_item}[operation](**parameters)
def main(event, context):
    for name in chain(filter(None, [os.getenv("TABLE")]), ["b"]):
        call("put", name, Item={})
    call("get", "c", Key={})
    reduce(lambda found, name: found or client.scan(TableName=name), ["d"], None)
""",
        {"write users", "write b", "read c", "read d"},
    ),
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES)
def test_accesses_are_found(tmp_path: Path, body: str, expected: set[str]) -> None:
    usage = read_function(tmp_path, {"handler.py": BOTO + body})
    assert accesses(usage) == expected
    assert places(usage) == []
    assert usage.errors == ()
