"""What a reader found, as plain values and back, so that a run can be kept and compared with later maps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ownership.drift.types import (
    ActionOn,
    CodeAccess,
    CodeUsage,
    GrantedAccess,
    Infrastructure,
    KeyAttribute,
    Keys,
    Location,
    Note,
    ReadError,
    ReadOrWrite,
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
        "errors": [
            {"location": asdict(error.location), "reason": error.reason} for error in found.errors
        ],
    }


def from_json(
    reader: str,
    content: Content,
    grants: Mapping[GrantedAccess, tuple[Location, ...]],
    actions: Mapping[GrantedAccess, frozenset[ActionOn]],
) -> Infrastructure:
    """What ``to_json`` was given, with its reader, its grants and their actions."""
    return Infrastructure(
        reader=reader,
        grants=dict(grants),
        actions=dict(actions),
        tables=tuple(_table(table) for table in content["tables"]),
        services=frozenset(content["services"]),
        unread=frozenset(content["unread"]),
        all_tables=content["all_tables"],
        unresolved=tuple(unresolved_from_json(unresolved) for unresolved in content["unresolved"]),
        notes=_notes(content),
        errors=_errors(content),
    )


def actions_to_json(actions: Iterable[ActionOn]) -> dict[str, list[str]]:
    """The actions of a grant by index; those on the table itself under the empty name."""
    by_index: dict[str, list[str]] = {}
    for action in sorted(actions):
        by_index.setdefault(action.index, []).append(action.action)
    return by_index


def actions_from_json(content: Mapping[str, Sequence[str]]) -> frozenset[ActionOn]:
    """What ``actions_to_json`` was given."""
    actions: set[ActionOn] = set()
    for index, names in content.items():
        actions.update(ActionOn(name, index) for name in names)
    return frozenset(actions)


def usage_to_json(usage: CodeUsage) -> dict[str, Any]:
    """Everything but the accesses, which are kept apart like grants."""
    return {
        "services": sorted(usage.services),
        "unresolved": [_unresolved_to_json(unresolved) for unresolved in usage.unresolved],
        "notes": [asdict(note) for note in usage.notes],
        "errors": [
            {"location": asdict(error.location), "reason": error.reason} for error in usage.errors
        ],
    }


def usage_from_json(content: Content, accesses: Iterable[CodeAccess]) -> CodeUsage:
    """What ``usage_to_json`` was given, with its accesses."""
    return CodeUsage(
        accesses=tuple(accesses),
        services=frozenset(content["services"]),
        unresolved=tuple(unresolved_from_json(unresolved) for unresolved in content["unresolved"]),
        notes=_notes(content),
        errors=_errors(content),
    )


def code_access_to_json(access: CodeAccess) -> dict[str, Any]:
    """How a function uses a table; service, table and mode are kept beside it."""
    return {
        "function": access.function,
        "direct": access.direct,
        "path": list(access.path),
        "operations": list(access.operations),
        "indexes": list(access.indexes),
        "evidence": [[location.file, location.line] for location in access.evidence],
        "calls": [[call.action, call.index] for call in access.calls],
    }


def code_access_from_json(
    service: str, table: str, mode: ReadOrWrite, content: Content
) -> CodeAccess:
    """What ``code_access_to_json`` was given."""
    return CodeAccess(
        service=service,
        table=table,
        mode=mode,
        function=content["function"],
        direct=content["direct"],
        path=tuple(content["path"]),
        operations=tuple(content["operations"]),
        indexes=tuple(content["indexes"]),
        evidence=tuple(Location(file, line) for file, line in content["evidence"]),
        calls=tuple(ActionOn(*call) for call in content["calls"]),
    )


def _notes(content: Content) -> tuple[Note, ...]:
    return tuple(Note(Location(**note["location"]), note["text"]) for note in content["notes"])


def _errors(content: Content) -> tuple[ReadError, ...]:
    return tuple(
        ReadError(Location(**error["location"]), error["reason"]) for error in content["errors"]
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
