import asyncio
import os

import aioboto3

session = aioboto3.Session()


async def add(customer, points):
    async with session.resource("dynamodb") as dynamodb:
        table = await dynamodb.Table(os.environ["LOYALTY_TABLE"])
        await table.update_item(Key={"id": customer}, UpdateExpression="ADD points :p")
        bookings = await dynamodb.Table(os.environ["BOOKINGS"])
        return await bookings.scan(FilterExpression="customer = :c")


def lambda_handler(event, context):
    return asyncio.run(add(event["customer"], event["points"]))
