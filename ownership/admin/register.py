"""Imports every module that registers a model with the admin site; the app's configuration imports this one."""

from ownership.admin import (
    accesses,
    change_sets,
    endpoints,
    environments,
    groups,
    services,
    tables,
    teams,
    tokens,
    users,
    waivers,
)

__all__ = [
    "accesses",
    "change_sets",
    "endpoints",
    "environments",
    "groups",
    "services",
    "tables",
    "teams",
    "tokens",
    "users",
    "waivers",
]
