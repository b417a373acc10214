import os
import boto3
def segments(total):
    session = boto3.session.Session()
    table = session.resource("dynamodb").Table(os.environ["USERS"])
    return [lambda number=number: table.scan(Segment=number, TotalSegments=total) for number in range(total)]
def handler(event, context):
    pages = [segment() for segment in segments(4)]
    statement = f'SELECT id FROM "{os.environ["USERS"]}"'
    boto3.client("dynamodb").execute_statement(Statement=statement)
    boto3.client("dynamodb").batch_execute_statement(Statements=[{"Statement": 'DELETE FROM "meal-exports" WHERE id = ?'}])
    return len(pages)
