from iotlib import paging
from iotlib.store import connection

from .settings import settings


def handler(event, context):
    table = connection().Table(settings.readings_table)
    alarms = connection().Table(settings.alarms_table)
    with alarms.batch_writer(overwrite_by_pkeys=["id"]) as batch:
        for item in paging.everything(table.query, KeyConditionExpression="device = :d", IndexName="by-device"):
            if item["value"] > 100:
                batch.put_item(Item={"id": item["id"]})
