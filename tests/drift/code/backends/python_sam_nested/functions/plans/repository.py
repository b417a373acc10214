import os
from boto3 import client as aws
class PlanRepository:
    def __init__(self, db, name=os.environ.get("PLANS_TABLE")):
        self.table = db.Table(name)
    def __getitem__(self, key):
        return self.table.get_item(Key={"id": key})["Item"]
    def __setitem__(self, key, plan):
        self.table.put_item(Item={"id": key, **plan})
    def __delitem__(self, key):
        self.table.delete_item(Key={"id": key})
    def append(self, plan):
        self[plan["id"]] = plan
class Shares:
    _client = aws("dynamodb")
    _table = os.environ["SHARES_TABLE"]
    @classmethod
    def for_plan(cls, plan):
        shares = cls._client.query(TableName=cls._table, KeyConditionExpression="plan = :p")
        ratings = cls._client.get_item(TableName=os.environ["RATINGS_TABLE"], Key={"id": {"S": plan}})
        return shares, ratings
