import os
from smartgrid.db.store import Store
from smartgrid.db.connection import get_table
class InvoiceStore(Store):
    def __init__(self):
        super().__init__(table=get_table(os.environ["INVOICE_TABLE"]))
    def load(self, item):
        return item
    def open_invoices(self):
        return (invoice for invoice in self.scan() if not invoice["paid"])
class Registry:
    _stores = {}
    @classmethod
    def get(cls, store_class):
        if store_class not in cls._stores:
            cls._stores[store_class] = store_class()
        return cls._stores[store_class]
