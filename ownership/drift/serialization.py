"""What a reader found, as plain values and back, so that it can be kept and compared with later maps."""

from collections.abc import Mapping
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


def to_json(found: Infrastructure) -> dict[str, Any]:
    """All of it but its reader and its grants, which are kept apart so that they can be looked up by table."""
    return {
        "services": sorted(found.services),
        "unread": sorted(found.unread),
        "all_tables": found.all_tables,
        "tables": [asdict(table) for table in found.tables],
        "unresolved": [asdict(one) | {"modes": sorted(one.modes)} for one in found.unresolved],
        "notes": [asdict(note) for note in found.notes],
        "errors": [{"location": asdict(error.location), "reason": error.reason} for error in found.errors],
    }


def from_json(
    reader: str, content: Mapping[str, Any], grants: Mapping[GrantedAccess, tuple[Location, ...]]
) -> Infrastructure:
    """What ``to_json`` was given, with its reader and its grants."""
    return Infrastructure(
        reader=reader,
        grants=dict(grants),
        tables=tuple(
            TableShape(
                table["name"],
                _key_schema(table["key_schema"]),
                tuple((name, _key_schema(keys)) for name, keys in table["indexes"]),
                _places(table["locations"]),
            )
            for table in content["tables"]
        ),
        services=frozenset(content["services"]),
        unread=frozenset(content["unread"]),
        all_tables=content["all_tables"],
        unresolved=tuple(unresolved_from_json(one) for one in content["unresolved"]),
        notes=tuple(Note(Location(**note["location"]), note["text"]) for note in content["notes"]),
        errors=tuple(ReadError(Location(**error["location"]), error["reason"]) for error in content["errors"]),
    )


def unresolved_from_json(content: Mapping[str, Any]) -> Unresolved:
    """One of what could not be resolved."""
    values: dict[str, Any] = {
        **content,
        "location": Location(**content["location"]),
        "modes": frozenset(content["modes"]),
    }
    return Unresolved(**values)


def _places(places: Any) -> tuple[Location, ...]:
    return tuple(Location(**place) for place in places)


def _key_schema(content: Any) -> Keys | None:
    if content is None:
        return None
    sort = content["sort"]
    return Keys(KeyAttribute(**content["partition"]), KeyAttribute(**sort) if sort else None)
