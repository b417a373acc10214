from dataclasses import asdict, dataclass


@dataclass
class Device:
    id: str
    owner: str


@dataclass
class Reading:
    device: str
    value: float

    @classmethod
    def parse(cls, content):
        return cls(device=content["device"], value=content["value"])

    def as_item(self):
        return asdict(self)
