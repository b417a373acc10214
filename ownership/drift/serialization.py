"""What a reader found, as plain values and back, so that a run can be kept and compared with later maps."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from ownership.drift.types import (
    GrantedAccess,
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    Note,
    ReadError,
    TableShape,
    Unresolved,
)

Content = Mapping[str, Any]


def to_json(found: Infrastructure) -> dict[str, Any]:
    """Everything but the reader and the grants. Grants are kept apart, so that they can be looked up by table."""
    return {
        "services": sorted(found.services),
        "unread": sorted(found.unread),
        "all_tables": found.all_tables,
        "tables": [asdict(table) for table in found.tables],
        "unresolved": [_unresolved_to_json(unresolved) for unresolved in found.unresolved],
        "notes": [asdict(note) for note in found.notes],
        "errors": [{"location": asdict(error.location), "reason": error.reason} for error in found.errors],
    }


def from_json(reader: str, content: Content, grants: Mapping[GrantedAccess, tuple[Location, ...]]) -> Infrastructure:
    """What ``to_json`` was given, with its reader and its grants."""
    return Infrastructure(
        reader=reader,
        grants=dict(grants),
        tables=tuple(_table(table) for table in content["tables"]),
        services=frozenset(content["services"]),
        unread=frozenset(content["unread"]),
        all_tables=content["all_tables"],
        unresolved=tuple(unresolved_from_json(unresolved) for unresolved in content["unresolved"]),
        notes=tuple(Note(Location(**note["location"]), note["text"]) for note in content["notes"]),
        errors=tuple(ReadError(Location(**error["location"]), error["reason"]) for error in content["errors"]),
    )


def _unresolved_to_json(unresolved: Unresolved) -> dict[str, Any]:
    return asdict(unresolved) | {"modes": sorted(unresolved.modes)}


def unresolved_from_json(content: Content) -> Unresolved:
    """One value that could not be determined."""
    return Unresolved(
        location=Location(**content["location"]),
        text=content["text"],
        reason=content["reason"],
        service=content["service"],
        modes=frozenset(content["modes"]),
    )


def _table(content: Content) -> TableShape:
    indexes = []
    for name, keys in content["indexes"]:
        indexes.append((name, _keys(keys)))
    return TableShape(
        content["name"],
        _keys(content["key_schema"]),
        tuple(indexes),
        _locations(content["locations"]),
    )


def _locations(content: Iterable[Content]) -> tuple[Location, ...]:
    return tuple(Location(**location) for location in content)


def _keys(content: Content | None) -> Keys | None:
    if content is None:
        return None
    sort = content["sort"]
    return Keys(KeyAttribute(**content["partition"]), KeyAttribute(**sort) if sort else None)
