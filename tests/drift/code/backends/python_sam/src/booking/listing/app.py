from boto3.dynamodb.conditions import Key
from common.dynamo import table

from .pages import Pages


def handler(event, context):
    source = table("BOOKINGS")
    pages = Pages(lambda **more: source.query(IndexName="by-customer", KeyConditionExpression=Key("c").eq(1), **more))
    return [item for page in pages for item in page]
