import os
from typing import Protocol

import boto3


class Payments(Protocol):
    def record(self, payment: dict) -> None: ...


class DynamoPayments:
    def __init__(self, client=None, table_name=None):
        self._client = client or boto3.client("dynamodb")
        self._name = table_name or os.environ["PAYMENTS"]

    def record(self, payment: dict) -> None:
        self._client.put_item(TableName=self._name, Item=payment)

    def find(self, identifier: str):
        return self._client.get_item(TableName=self._name, Key={"id": {"S": identifier}})


class Collector:
    def __init__(self, payments: Payments):
        self.payments = payments

    def collect(self, event):
        self.payments.record({"id": {"S": event["id"]}})
