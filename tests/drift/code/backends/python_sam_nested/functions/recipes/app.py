from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent_function
from routes import drafts
from core.ddb import tables, paginate
import os
logger, tracer = Logger(), Tracer()
app = APIGatewayRestResolver()
app.include_router(drafts.router, prefix="/drafts")
@app.get("/recipes")
@tracer.capture_method
def index():
    return list(paginate(tables.recipes.query, IndexName="by-title"))
@app.get("/recipes/<recipe_id>")
def show(recipe_id: str):
    return tables.recipes.get_item(Key={"id": recipe_id}).get("Item")
@app.post("/recipes")
def create():
    tables.recipes.put_item(Item=app.current_event.json_body)
@logger.inject_lambda_context
def lambda_handler(event, context):
    return app.resolve(event, context)
