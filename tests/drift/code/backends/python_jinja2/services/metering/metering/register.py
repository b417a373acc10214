from smartgrid.domain.meters import Meter, MeterStore
from smartgrid.domain.audit import audited
@audited("meter.registered")
def handler(event, context):
    MeterStore().save(Meter(**event), overwrite=False)
    return event
