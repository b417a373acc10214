import os, boto3
ddb = boto3.client("dynamodb")
def _attributes(event):
    return {name: {"S": value} for name, value in event["request"]["userAttributes"].items()}
def post_confirmation(event, context):
    put = dict(TableName=os.environ["USERS"], Item=_attributes(event))
    put.update(ConditionExpression="attribute_not_exists(id)")
    ddb.put_item(**put)
    return event
