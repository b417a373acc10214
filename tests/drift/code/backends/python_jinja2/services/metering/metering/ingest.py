import base64, json
from smartgrid.domain.readings import ReadingStore
from smartgrid.domain.meters import MeterStore
readings, meters = ReadingStore(), MeterStore()
def _decode(records):
    for record in records:
        yield json.loads(base64.b64decode(record["kinesis"]["data"]))
def handler(event, _context):
    batch = [reading for reading in _decode(event["Records"]) if meters.get(reading["meter_id"])]
    readings.add_many(batch)
    return {"count": len(batch)}
