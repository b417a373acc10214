import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    readings_table: str
    alarms_table: str
    devices_table: str


settings = Settings(
    readings_table=os.environ["READINGS_TABLE"],
    alarms_table=os.environ.get("ALARMS_TABLE", "iot-alarms"),
    devices_table=os.environ["DEVICES_TABLE"],
)
