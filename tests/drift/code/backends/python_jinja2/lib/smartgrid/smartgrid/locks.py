import boto3, os, time
from botocore.exceptions import ClientError
class Lock:
    """A lock in DynamoDB: with Lock("job"): …"""
    def __init__(self, name, table=None, ttl=60):
        self.name = name
        self.table_name = table or os.environ["LOCK_TABLE"]
        self.client = boto3.client("dynamodb")
    def __enter__(self):
        self.client.put_item(TableName=self.table_name, Item={"name": {"S": self.name}}, ConditionExpression="attribute_not_exists(#n)")
        return self
    def __exit__(self, *exc):
        self.client.delete_item(TableName=self.table_name, Key={"name": {"S": self.name}})
        return False
