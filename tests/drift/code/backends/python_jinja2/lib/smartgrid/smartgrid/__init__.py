from .settings import settings
__all__ = ["settings"]
