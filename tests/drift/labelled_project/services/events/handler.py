import os

import boto3

tables = boto3.resource("dynamodb")
events = tables.Table(os.environ["EVENTS"])


def create(event, context):
    events.put_item(Item=event)
    return tables.Table("shopTickets").get_item(Key={"id": event["ticket"]})


def lookup(event, context):
    return tables.Table("shopVenues").query(KeyConditionExpression=event["key"])
