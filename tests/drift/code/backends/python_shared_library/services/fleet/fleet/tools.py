"""Run by hand."""

from iotlib.store import Store


def rebuild():
    store = Store("iot-rebuilt")
    store.put({"id": "1"})


if __name__ == "__main__":
    rebuild()
