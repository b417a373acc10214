import os
from enum import Enum


class Tables(str, Enum):
    DEVICES = "devices"
    OWNERS = "owners"
    READINGS = "readings"


def table_name(table: Tables) -> str:
    return "iot-{}-{}".format(table.value, os.environ["ENVIRONMENT"])
