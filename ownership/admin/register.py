"""Imports every module that registers a model with the admin site; the application's configuration imports this one."""

from ownership.admin import change_sets, registry, tables, tokens, users, waivers

__all__ = ["change_sets", "registry", "tables", "tokens", "users", "waivers"]
