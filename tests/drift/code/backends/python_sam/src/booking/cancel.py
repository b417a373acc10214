import os

from common.dynamo import update, with_retries


def lambda_handler(event, context):
    status = "CANCELLED" if event.get("cancel", True) else "CONFIRMED"
    with_retries(update, os.environ["BOOKINGS"], {"id": event["id"]}, status=status)
