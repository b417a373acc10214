from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.logging import Logger
from iotlib.repository import DeviceRepository, OwnerRepository

app = APIGatewayRestResolver()
logger = Logger()
owners = OwnerRepository()


@app.get("/devices/<device_id>")
def get_device(device_id: str):
    return DeviceRepository().find(device_id)


@app.post("/devices")
def add_device():
    device = app.current_event.json_body
    owner = owners.find(device["owner"])
    if owner:
        DeviceRepository().add(device)
    return {"added": bool(owner)}


@logger.inject_lambda_context
def lambda_handler(event, context):
    return app.resolve(event, context)
