from .store import Store
from .models import Device, Reading

__all__ = ["Device", "Reading", "Store"]
