import functools
import os

from iotlib.store import Store


def audited(action):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            result = function(*args, **kwargs)
            _write(action, result)
            return result

        return wrapper

    return decorator


def _write(action, result):
    Store(os.environ["AUDIT_TABLE"]).put({"id": action, "result": result})


def history(action):
    return Store(os.environ["AUDIT_TABLE"]).find(action)
