"""A comparison as people and as programs read it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ownership.drift.types import Comparison, DeclaredMap, Finding, Infrastructure, Location, WaiverTerms

Waived = Mapping[Finding, WaiverTerms]

TODO = {
    "unregistered_table": "add the table to the map, or take the grant away",
    "table_not_deployed": "take the table out of the map, or deploy it",
    "undeclared_access": "declare the access, or take the grant away",
    "access_not_granted": "take the access out of the map, or grant it",
    "wider_grant": "declare the wider access, or narrow the grant",
    "narrower_grant": "declare the narrower access, or widen the grant",
    "key_schema_differs": "correct the key schema in the map",
    "index_differs": "correct the indexes in the map",
}
MODES = {"read": "Read", "write": "Write", "read_write": "Read + Write"}
SHOWN_PLACES = 3  # per finding in the text; JSON has them all


def as_json(
    declared: DeclaredMap, found: Infrastructure, result: Comparison, environment: str | None, waived: Waived
) -> dict[str, Any]:
    """The report as plain values; its keys are described in docs/drift.md."""
    return {
        "summary": {
            "reader": found.reader,
            "environment": environment,
            "revision": declared.revision,
            "services": sorted(found.services),
            "findings": len(result.findings),
            "waived": len(waived),
            "by_kind": dict(sorted(Counter(f.kind for f in result.findings).items())),
            "offers": len(result.offers),
            "unchecked": len(result.unchecked),
            "unresolved": len(found.unresolved),
            "errors": len(found.errors),
        },
        "findings": [finding_json(f, waived.get(f)) for f in result.findings],
        **rest_json(found, result),
    }


def finding_json(finding: Finding, waiver: WaiverTerms | None) -> dict[str, Any]:
    """A finding as plain values."""
    return {
        "kind": finding.kind,
        "table": finding.table,
        "service": finding.service,
        "declared": finding.declared,
        "granted": finding.granted,
        "owner": finding.owner,
        "waived": {"until": waiver.until.isoformat(), "reason": waiver.reason} if waiver else None,
        "evidence": _places(finding.evidence),
    }


def rest_json(found: Infrastructure, result: Comparison) -> dict[str, Any]:
    """What a report has beside its findings."""
    return {
        "offers": [
            {
                "table": o.table,
                "index": o.index,
                "key_schema": _key_schema(o.key_schema),
                "evidence": _places(o.evidence),
            }
            for o in result.offers
        ],
        "unchecked": [asdict(u) for u in result.unchecked],
        "unresolved": [
            {**asdict(u.location), "text": u.text, "reason": u.reason, "service": u.service} for u in found.unresolved
        ],
        "notes": [{**asdict(n.location), "text": n.text} for n in found.notes],
        "errors": [{**asdict(e.location), "reason": e.reason} for e in found.errors],
    }


def _places(places: Iterable[Location]) -> list[dict[str, Any]]:
    return [asdict(place) for place in places]


def _key_schema(schema: Any) -> dict[str, Any]:
    sort = asdict(schema.sort) if schema.sort else None
    return {"partition_key": asdict(schema.partition), "sort_key": sort}


def as_text(declared: DeclaredMap, found: Infrastructure, result: Comparison, waived: Waived) -> str:
    """The report for a terminal: what could not be read, findings by owner, then what is worth knowing."""
    return "\n".join(_lines(declared, found, result, waived)) + "\n"


def _lines(declared: DeclaredMap, found: Infrastructure, result: Comparison, waived: Waived) -> Iterator[str]:
    for error in found.errors:
        yield f"COULD NOT READ {error}"
    if found.errors:
        yield ""
    by_owner: dict[str, list[Finding]] = defaultdict(list)
    counting = [finding for finding in result.findings if finding not in waived]
    for finding in counting:
        by_owner[f"Ask {finding.owner}" if finding.owner else "Owner not known"].append(finding)
    for owner, findings in sorted(by_owner.items()):
        yield f"{owner} ({len(findings)})"
        rows = [[f.kind, f.table, f.service or "–", difference(f)] for f in findings]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        for row, finding in zip(rows, findings, strict=True):
            yield (
                "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + "  " + row[3]
            )
            shown = [str(place) for place in finding.evidence[:SHOWN_PLACES]]
            more = len(finding.evidence) - len(shown)
            if shown:
                yield "      " + ", ".join(shown) + (f" and {more} more" if more else "")
        yield ""
    if counting:
        yield "What to do"
        for kind in sorted({f.kind for f in counting}):
            yield f"  {kind}: {TODO[kind]}"
        yield ""
    yield from _section(
        "Waived", (f"{in_a_line(f)}: until {waiver.until}: {waiver.reason}" for f, waiver in waived.items())
    )
    yield from _section(
        "Offered: keys that the map leaves open",
        (f"{o.table}{f' index {o.index}' if o.index else ''}: {o.key_schema}" for o in result.offers),
    )
    yield from _section("Unresolved", (f"{u.location}: {u.text}: {u.reason}" for u in found.unresolved))
    services: dict[str, set[str]] = defaultdict(set)
    for each in result.unchecked:
        services[each.reason].add(each.service)
    yield from _section("Unchecked", (f"{reason}: {', '.join(sorted(s))}" for reason, s in services.items()))
    yield from _section("Notes", (f"{n.location}: {n.text}" for n in found.notes))
    revision = f" of revision {declared.revision}" if declared.revision is not None else ""
    read = f"{_number(len(found.services), 'service')}, {_number(len(found.tables), 'deployed table')}"
    count = _number(len(result.findings), "finding") + (f", {len(waived)} of them waived" if waived else "")
    yield f"{count}; {found.reader} read {read}; compared with the map{revision}."


def in_a_line(finding: Finding) -> str:
    """What a finding is known by, in a line."""
    return f"{finding.kind} {finding.table}" + (f" {finding.service}" if finding.service else "")


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield f"{title} ({len(lines)})"
        yield from (f"  {line}" for line in lines)
        yield ""


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def difference(finding: Finding) -> str:
    """What is declared and what was found; nothing for a table that is there or isn't."""
    if finding.declared is None and finding.granted is None:
        return ""
    return f"declared: {in_words(finding.declared)}; found: {in_words(finding.granted)}"


def in_words(permitted: str | None) -> str:
    """A mode as people read it; keys as they are."""
    return "nothing" if permitted is None else MODES.get(permitted, permitted)
