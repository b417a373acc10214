"""The admin: where team leads edit, and see who changed what."""

from ownership.admin import accounts, changes, registry, tables, tokens, waivers

__all__ = ["accounts", "changes", "registry", "tables", "tokens", "waivers"]
