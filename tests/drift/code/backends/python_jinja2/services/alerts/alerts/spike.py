from .base import Alert
from smartgrid.domain.meters import MeterStore
class Spike(Alert):
    def matches(self, row):
        return True
    def on_hits(self, hits):
        super().on_hits(hits)
        store = MeterStore()
        for hit in hits:
            store.table.update_item(Key={"id": hit["meter_id"]["S"]}, UpdateExpression="SET flagged = :t")
handler = Spike.as_handler()
