from decimal import Decimal
from smartgrid.db.store import Store
class ReadingStore(Store):
    table_name = "readings"
    key_name = "meter_id"
    def load(self, item):
        return dict(item, value=Decimal(item["value"]))
    def dump(self, entity):
        return entity
    def add_many(self, readings):
        with self.batch() as batch:
            for reading in readings:
                batch.put_item(Item=reading)
    def purge(self, meter_id):
        with self.table.batch_writer() as writer:
            for reading in self.query(meter_id):
                writer.delete_item(Key={"meter_id": meter_id, "at": reading["at"]})
