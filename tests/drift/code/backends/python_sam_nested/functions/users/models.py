import os
from pynamodb.models import Model
from pynamodb.attributes import UnicodeAttribute
class User(Model):
    class Meta:
        table_name = os.environ["USERS"]
        region = "eu-west-1"
    id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()
def handler(event, context):
    user = User.get(event["id"])
    user.name = event["name"]
    user.save()
