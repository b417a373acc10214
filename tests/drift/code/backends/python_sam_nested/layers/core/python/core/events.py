import json
from .ddb import table
class Event:
    kind = "event"
    def __init__(self, **data): self.data = data
    def emit(self):
        boto = table("RECIPES_TABLE")
        return boto.update_item(Key={"id": self.data["id"]}, UpdateExpression="SET last = :k", ExpressionAttributeValues={":k": self.kind})
class Uploaded(Event):
    kind = "uploaded"
