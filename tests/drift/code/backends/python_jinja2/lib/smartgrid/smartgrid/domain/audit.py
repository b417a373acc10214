import functools
import time
from smartgrid.db.connection import LazyTable
from smartgrid import settings
_audit = LazyTable(settings.table("audit"))

def audited(action):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            result = function(*args, **kwargs)
            _audit.put_item(Item={"id": str(time.time()), "action": action})
            return result
        return wrapper
    return decorator
