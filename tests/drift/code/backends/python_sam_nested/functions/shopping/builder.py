import os
from dataclasses import dataclass
from core.ddb import table, tables
@dataclass
class Builder:
    recipes: object
    plans: object
    lists: object
    @classmethod
    def default(cls):
        return cls(recipes=tables.recipes, plans=tables.plans, lists=table("LISTS_TABLE"))
    def build(self, plan_id):
        plan = self.plans.get_item(Key={"id": plan_id})["Item"]
        keys = [{"id": recipe} for recipe in plan["recipes"]]
        found = self.recipes.meta.client.batch_get_item(RequestItems={self.recipes.name: {"Keys": keys}})
        self.lists.put_item(Item={"id": plan_id, "recipes": found["Responses"][self.recipes.name]})
def handle(event, context):
    return Builder.default().build(event["plan"])
