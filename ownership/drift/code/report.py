"""What code does, as JSON and as text."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypedDict

from ownership.drift.report import error_lines
from ownership.drift.report_json import EvidenceJSON
from ownership.drift.types import (
    CodeAccess,
    CodeUsage,
    Location,
    ReadOrWrite,
    Unresolved,
    label_of,
)


class CodeAccessJSON(TypedDict):
    """One function's use of one table in one mode."""

    service: str
    table: str
    mode: ReadOrWrite
    function: str
    direct: bool
    path: list[str]
    operations: list[str]
    indexes: list[str]
    evidence: list[EvidenceJSON]
    reachable: bool


class CodeUnresolvedJSON(TypedDict):
    """A place that may be more accesses."""

    service: str | None
    file: str
    line: int | None
    why: str
    mode: ReadOrWrite | None  # None: may be both


class CodeReportJSON(TypedDict):
    """What the code of all deployed functions does."""

    accesses: list[CodeAccessJSON]
    unresolved: list[CodeUnresolvedJSON]


def as_json(usage: CodeUsage) -> CodeReportJSON:
    """The accesses and what is unresolved."""
    return {
        "accesses": [_access(access) for access in usage.accesses],
        "unresolved": [_unresolved(unresolved) for unresolved in usage.unresolved],
    }


def _access(access: CodeAccess) -> CodeAccessJSON:
    return {
        "service": access.service,
        "table": access.table,
        "mode": access.mode,
        "function": access.function,
        "direct": access.direct,
        "path": list(access.path),
        "operations": list(access.operations),
        "indexes": list(access.indexes),
        "evidence": [_evidence(location) for location in access.evidence],
        "reachable": access.reachable,
    }


def _evidence(location: Location) -> EvidenceJSON:
    return {"file": location.file, "line": location.line}


def _unresolved(unresolved: Unresolved) -> CodeUnresolvedJSON:
    return {
        "service": unresolved.service,
        "file": unresolved.location.file,
        "line": unresolved.location.line,
        "why": _why(unresolved),
        "mode": _only_mode(unresolved),
    }


def _only_mode(unresolved: Unresolved) -> ReadOrWrite | None:
    if len(unresolved.modes) != 1:
        return None
    [mode] = unresolved.modes
    return mode


def _why(unresolved: Unresolved) -> str:
    if not unresolved.text:
        return unresolved.reason
    return f"{unresolved.text}: {unresolved.reason}"


def as_text(usage: CodeUsage) -> str:
    """What could not be read, the accesses by service, then everything else."""
    return "\n".join([*error_lines(usage.errors), usage_as_text(usage)])


def usage_as_text(usage: CodeUsage) -> str:
    """The accesses by service, then everything else but what could not be read."""
    lines = [*_by_service(usage.accesses)]
    lines += _section("Unresolved: may be more accesses", _unresolved_lines(usage.unresolved))
    lines += _section("Notes", (f"{note.location}: {note.text}" for note in usage.notes))
    reached = [access for access in usage.accesses if access.reachable]
    services = "1 service" if len(usage.services) == 1 else f"{len(usage.services)} services"
    lines.append(f"{len(reached)} accesses by the deployed functions of {services}.")
    return "\n".join(lines) + "\n"


def _by_service(accesses: Iterable[CodeAccess]) -> Iterator[str]:
    services: dict[str, list[CodeAccess]] = defaultdict(list)
    for access in accesses:
        services[access.service].append(access)
    for service, of_service in services.items():
        yield f"Service: {service}"
        for access in of_service:
            yield f"  {_in_a_line(access)}"
            yield f"      {' > '.join(access.path)}"
            yield f"      {', '.join(map(str, access.evidence[:4]))}"
        yield ""


def _in_a_line(access: CodeAccess) -> str:
    words = [access.table, label_of(access.mode).lower(), "in", access.function]
    words.append(f"({', '.join(access.operations)})")
    if access.indexes:
        words.append(f"by {', '.join(access.indexes)}")
    if not access.direct:
        words.append("indirect")
    if not access.reachable:
        words.append("not deployed")
    return " ".join(words)


def _unresolved_lines(unresolved: Iterable[Unresolved]) -> Iterator[str]:
    for item in unresolved:
        yield f"{item.service}: {item.location}: {_why(item)}"


def _section(title: str, entries: Iterable[str]) -> list[str]:
    """The entries below their title and number; nothing where there are none."""
    lines = [f"  {entry}" for entry in entries]
    return [f"{title} ({len(lines)})", *lines, ""] if lines else []
