from aws_lambda_powertools.event_handler.api_gateway import Router
from core.ddb import table
router = Router()
@router.put("/<draft>")
def save(draft: str):
    table("PLANS_TABLE").update_item(Key={"id": draft}, UpdateExpression="SET d = :d")
