import os
from typing import Any, Callable

import boto3

_resource = boto3.Session().resource("dynamodb", region_name=os.getenv("AWS_REGION"))


def table(variable: str):
    return _resource.Table(os.environ[variable])


def update(table_name: str, key: dict[str, Any], **values: Any) -> None:
    _resource.Table(table_name).update_item(Key=key, AttributeUpdates=values)


def batch_get(names: list[str], key: dict[str, Any]) -> dict[str, Any]:
    request = {name: {"Keys": [key]} for name in names}
    return _resource.batch_get_item(RequestItems=request)["Responses"]


def with_retries(action: Callable[..., Any], *args: Any, attempts: int = 3, **kwargs: Any) -> Any:
    for attempt in range(attempts):
        try:
            return action(*args, **kwargs)
        except _resource.meta.client.exceptions.ProvisionedThroughputExceededException:
            if attempt == attempts - 1:
                raise
