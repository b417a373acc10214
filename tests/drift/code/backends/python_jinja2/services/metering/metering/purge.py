from concurrent.futures import ThreadPoolExecutor
from smartgrid.db.store import stores
from smartgrid.domain.meters import MeterStore
from smartgrid.domain.readings import ReadingStore
from smartgrid.locks import Lock
def handler(event, context):
    meters, readings = stores(MeterStore, ReadingStore)
    with Lock("purge"), ThreadPoolExecutor(max_workers=4) as pool:
        for meter in meters.scan():
            pool.submit(readings.purge, meter.id)
            meters.deactivate(meter.id)
