from common.dynamo import batch_get
from gateway import DynamoPayments
import os


def lambda_handler(event, context):
    payments = DynamoPayments()
    found = payments.find(event["id"])
    if found.get("Item"):
        payments.record({**found["Item"], "state": {"S": "refunded"}})
    return batch_get([os.environ["BOOKINGS"], os.environ["PAYMENTS"]], {"id": event["id"]})
