from datetime import date
from smartgrid.domain.meters import MeterStore
from smartgrid.domain.readings import ReadingStore
from billing.models import InvoiceStore, Registry
class MonthlyRun:
    def __init__(self, meters, readings, invoices):
        self.meters, self.readings, self.invoices = meters, readings, invoices
    def __call__(self, event, context):
        for meter in self.meters.scan():
            total = sum(r["value"] for r in self.readings.query(meter.id))
            self.invoices.save({"id": f"{meter.id}-{date.today()}", "total": total})
run = MonthlyRun(MeterStore(), ReadingStore(), Registry.get(InvoiceStore))
