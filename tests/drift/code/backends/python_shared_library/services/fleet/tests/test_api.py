from iotlib.store import Store


def test_put():
    Store("iot-tests").put({})
