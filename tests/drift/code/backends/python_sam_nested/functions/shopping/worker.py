import boto3, os
class Worker:
    table = boto3.resource("dynamodb").Table(os.environ["TABLE_ARN"].split("/")[1])
    @staticmethod
    def handle(event, context):
        Worker.table.delete_item(Key={"id": event["id"]})
handle = Worker.handle
