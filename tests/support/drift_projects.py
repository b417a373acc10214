"""Projects written into a temporary folder, and the map that they are read with."""

import re
from pathlib import Path
from typing import Any

from ownership.drift.naming import Names
from ownership.drift.readers.serverless import read_projects
from ownership.drift.registry_client import from_map
from ownership.drift.types import Infrastructure, combined_mode

BLOCK_MAPPING = re.compile(r"^(\w+):", re.MULTILINE)  # the keys at the top of a file
ARN = "arn:aws:dynamodb:us-west-2:*:table/"


def a_map(
    *accesses: str, services: dict[str, str | None] | None = None, **tables: Any
) -> dict[str, Any]:
    """A map of accesses like ``"users read_write biztechUsers"``; the first on a table is its owner's.

    ``services`` maps a service to what it is part of; ``tables`` adds fields to a table.
    """
    rows: dict[str, dict[str, Any]] = {
        name: {"name": name, "owner": None, "key_schema": None, "indexes": [], "accesses": []}
        for name in tables
    }
    names: dict[str, dict[str, Any]] = {
        name: {"name": name, "part_of": whole} for name, whole in (services or {}).items()
    }
    for access in accesses:
        service, mode, table = access.split()
        names.setdefault(service, {"name": service, "part_of": None})
        empty = {"name": table, "owner": None, "key_schema": None, "indexes": [], "accesses": []}
        row = rows.setdefault(table, empty)
        row["owner"] = row["owner"] or service
        row["accesses"].append({"service": service, "mode": mode})
    for name, fields in tables.items():
        rows[name] |= fields
    environments = [{"name": "dev", "suffix": ""}, {"name": "production", "suffix": "PROD"}]
    return {
        "revision": 7,
        "environments": environments,
        "services": list(names.values()),
        "tables": list(rows.values()),
    }


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write the files and give the folder.

    A project that says nothing of functions gets one, for a role that no function runs in permits nothing.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content
        if path.name == "serverless.yml" and BLOCK_MAPPING.search(content):
            text = _completed(content)
        path.write_text(text, encoding="utf-8")
    return folder


def _completed(project: str) -> str:
    """The project with what makes it one: functions and a provider, behind its own lines, which keep their numbers."""
    keys = BLOCK_MAPPING.findall(project)
    if "functions" not in keys:
        project = f"{project.rstrip()}\nfunctions: {{main: {{handler: main.handler}}}}\n"
    if "provider" not in keys and "service" not in keys:
        project = f"{project.rstrip()}\nprovider: {{name: aws}}\n"
    return project


def names(
    environment: str | None = None, tables: tuple[str, ...] = (), services: tuple[str, ...] = ()
) -> Names:
    """The names of a map with these tables and services."""
    document = a_map(services=dict.fromkeys(services), **{table: {} for table in tables})
    return Names.of(from_map(document), environment)


def names_with(
    patterns: dict[str, str], environment: str | None = None, tables: tuple[str, ...] = ()
) -> Names:
    """The names of a map whose environments have these patterns."""
    document = a_map(**{table: {} for table in tables})
    document["environments"] = [
        {"name": name, "pattern": pattern} for name, pattern in patterns.items()
    ]
    return Names.of(from_map(document), environment)


def read(
    folder: Path, files: dict[str, str], given: dict[str, str] | None = None, **known: Any
) -> Infrastructure:
    """What the Serverless reader finds in a folder with these files."""
    return read_projects(write(folder, files), names(**known), given or {})


def grants(found: Infrastructure) -> set[str]:
    """The grants as ``"users read_write biztechUsers"``."""
    modes: dict[tuple[str, str], set[Any]] = {}
    for access in found.grants:
        modes.setdefault((access.service, access.table), set()).add(access.mode)
    return {f"{service} {combined_mode(own)} {table}" for (service, table), own in modes.items()}


def statement(resource: str, actions: str = "[dynamodb:GetItem]", effect: str = "Allow") -> str:
    """A project file with one statement, in v1's form; ``resource`` is YAML in flow style."""
    return f"""\
service: club-users
provider:
  name: aws
  stage: ${{opt:stage, 'dev'}}
  environment:
    ENVIRONMENT: ${{file(../../config.${{self:provider.stage}}.json):ENVIRONMENT}}
  iamRoleStatements:
    - Effect: {effect}
      Action: {actions}
      Resource: {resource}
"""
