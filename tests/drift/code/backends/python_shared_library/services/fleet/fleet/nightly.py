import os
from functools import partial

import boto3

from iotlib.names import Tables, table_name
from iotlib.transactions import Transaction

client = boto3.client("dynamodb")


def pages(operation, **arguments):
    paginator = client.get_paginator(operation)
    yield from paginator.paginate(**arguments)


def expired():
    for page in pages("scan", TableName=table_name(Tables.DEVICES)):
        yield from page["Items"]


def main(event, context):
    with Transaction(client) as transaction:
        for device in expired():
            transaction.delete(Tables.DEVICES, device["id"])
            transaction.check(Tables.OWNERS, device["owner"])
    count = partial(client.update_item, TableName="iot-%s-%s" % ("counters", os.environ["ENVIRONMENT"]))
    count(Key={"id": {"S": "nightly"}})
    client.execute_statement(Statement=f'DELETE FROM "{table_name(Tables.READINGS)}" WHERE id = ?')
