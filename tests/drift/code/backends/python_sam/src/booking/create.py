import os

from common import dynamo, metrics
from shared import validate

flights = dynamo.table("FLIGHTS")
TABLE_NAME = os.environ["BOOKINGS"]


def reserve(flight_id):
    flights.update_item(
        Key={"id": flight_id}, UpdateExpression="ADD seats :n", ConditionExpression="seats > :zero"
    )


def lambda_handler(event, context):
    booking = validate(event)
    flight = flights.get_item(Key={"id": booking["flight"]}, ConsistentRead=True)
    if "Item" not in flight:
        raise ValueError("no such flight")
    reserve(booking["flight"])
    bookings = dynamo._resource.Table(TABLE_NAME)
    bookings.put_item(Item=booking)
    metrics.count("bookings")
    return booking["id"]
