from smartgrid.locks import Lock
from smartgrid import settings
import boto3
TASKS = []
def task(function):
    TASKS.append(function)
    return function
@task
def old_sessions(db):
    table = db.Table(settings.table("sessions"))
    scan = table.scan(ProjectionExpression="id")
    for item in scan["Items"]:
        table.delete_item(Key=item)
@task
def old_events(db):
    name = "grid-%s-%s" % ("events", settings.env)
    client = db.meta.client
    client.batch_write_item(RequestItems={name: [{"DeleteRequest": {"Key": {"id": "1"}}}]})
def handler(event, context):
    with Lock("cleanup"):
        for run in TASKS:
            run(boto3.resource("dynamodb"))
