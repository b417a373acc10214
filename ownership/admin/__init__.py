"""The admin: where team leads edit, and see who changed what."""

from ownership.admin import changes, registry, tables, tokens, waivers

__all__ = ["changes", "registry", "tables", "tokens", "waivers"]
