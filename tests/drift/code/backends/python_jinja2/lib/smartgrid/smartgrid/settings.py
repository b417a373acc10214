import os
from dataclasses import dataclass, field

def _env(name, default=None):
    value = os.environ.get(name, default)
    if value is None:
        raise KeyError(name)
    return value

@dataclass(frozen=True)
class Settings:
    env: str = field(default_factory=lambda: _env("ENVIRONMENT", "dev"))
    prefix: str = field(default_factory=lambda: _env("TABLE_PREFIX", "grid"))

    def table(self, name: str) -> str:
        return f"{self.prefix}-{name}-{self.env}"

settings = Settings()
