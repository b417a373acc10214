import os
from datetime import datetime
import boto3
from boto3.dynamodb.conditions import Key
from repository import PlanRepository, Shares
db = boto3.resource('dynamodb')
plans = PlanRepository(db)
def get_handler(method):
    return globals()[f"do_{method.lower()}"]
def do_get(event):
    plan = plans[event["id"]]
    return plan, Shares.for_plan(event["id"])
def do_post(event):
    plans.append(event["plan"])
def do_delete(event):
    del plans[event["id"]]
def lambda_handler(event, context):
    return get_handler(event["httpMethod"])(event)
