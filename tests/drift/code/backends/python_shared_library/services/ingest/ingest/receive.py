"""Receives readings."""

import json
import logging

from iotlib.audit import audited
from iotlib.models import Device, Reading
from iotlib.store import Store

from .settings import settings

logger = logging.getLogger(__name__)
readings = Store(settings.readings_table)
devices = Store(settings.devices_table)


@audited("receive")
def handler(event, context):
    """Puts what devices send; table.delete_item(Key=key) is for others."""
    count = 0
    for record in event["Records"]:
        reading = Reading.parse(json.loads(record["body"]))
        device = devices.get(reading.device)
        if device is None:
            logger.warning("unknown device, see iot-owners")
            continue
        readings.put(reading.as_item())
        count += 1
    return {"count": count}
