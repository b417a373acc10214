from iotlib.names import table_name


class Transaction:
    def __init__(self, client):
        self.client = client
        self.items = []

    def __enter__(self):
        return self

    def __exit__(self, *details):
        for start in range(0, len(self.items), 100):
            self.client.transact_write_items(TransactItems=self.items[start : start + 100])

    def delete(self, table, key):
        self.items.append({"Delete": {"TableName": table_name(table), "Key": {"id": {"S": key}}}})

    def check(self, table, key):
        condition = {"TableName": table_name(table), "Key": {"id": {"S": key}}}
        self.items.append({"ConditionCheck": condition})
