from dataclasses import dataclass
from ..db.store import Store

@dataclass
class Meter:
    id: str
    customer: str = ""

class MeterStore(Store[Meter]):
    table_name = "meters"
    def load(self, item):
        return Meter(**item)
    def by_customer(self, customer):
        return list(self.query(customer, index="customer-index"))
    def deactivate(self, meter_id):
        self.table.update_item(Key={"id": meter_id}, UpdateExpression="SET active = :f", ExpressionAttributeValues={":f": False})
