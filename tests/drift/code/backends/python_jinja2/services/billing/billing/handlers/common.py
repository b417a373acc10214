import os
import boto3
dynamodb = boto3.resource("dynamodb")
def table_from_env(variable: str):
    return dynamodb.Table(os.environ[variable])
