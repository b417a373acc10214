"""A comparison as JSON, for the command line and the API. The keys are described in docs/drift.md and docs/api.md.

The API's OpenAPI document is made from these types and their texts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NewType, TypedDict

from ownership.drift.compare import Comparison, Waived
from ownership.drift.types import (
    DeclaredMap,
    Finding,
    FindingKind,
    Infrastructure,
    KeyAttribute,
    Location,
    Offer,
    Unchecked,
    WaiverTerms,
)

IsoDate = NewType("IsoDate", str)


class EvidenceJSON(TypedDict):
    """A file and line where something was found."""

    file: str
    line: int | None


class WaivedJSON(TypedDict):
    """Until when a finding is waived, and why."""

    until: Annotated[IsoDate, "the last day, UTC"]
    reason: str


class ReportedFindingJSON(TypedDict):
    """A difference between the map and the infrastructure."""

    kind: FindingKind
    table: str
    service: Annotated[str | None, "null if the finding is about the table itself"]
    declared: str | None
    granted: str | None
    owner: Annotated[str | None, "the service to ask"]
    waived: WaivedJSON | None
    evidence: list[EvidenceJSON]


class DriftKeyJSON(TypedDict):
    """A key attribute as it is deployed."""

    name: str
    type: Literal["S", "N", "B"] | None


class DriftKeySchemaJSON(TypedDict):
    """The partition key and, if there is one, the sort key."""

    partition_key: DriftKeyJSON
    sort_key: DriftKeyJSON | None


class OfferJSON(TypedDict):
    """Deployed keys that the map leaves open, of a table or of its index."""

    table: str
    index: str | None
    key_schema: DriftKeySchemaJSON
    evidence: list[EvidenceJSON]


class UncheckedJSON(TypedDict):
    """A declared access that the run could not judge."""

    table: str
    service: str
    reason: str


class UnresolvedJSON(EvidenceJSON):
    """A value that could not be determined from the files."""

    text: str
    reason: str
    service: str | None


class NoteJSON(EvidenceJSON):
    """Something that people should know."""

    text: str


class UnreadableJSON(EvidenceJSON):
    """A file that could not be read."""

    reason: str


class RestJSON(TypedDict):
    """What a report contains besides its findings."""

    offers: list[OfferJSON]
    unchecked: list[UncheckedJSON]
    unresolved: list[UnresolvedJSON]
    notes: list[NoteJSON]
    errors: list[UnreadableJSON]


def as_json(
    declared: DeclaredMap,
    found: Infrastructure,
    result: Comparison,
    environment: str | None,
    waived: Waived,
) -> dict[str, object]:
    """The whole report of the command line."""
    by_kind = Counter(finding.kind for finding in result.findings)
    summary = {
        "reader": found.reader,
        "environment": environment,
        "revision": declared.revision,
        "services": sorted(found.services),
        "findings": len(result.findings),
        "waived": len(waived),
        "by_kind": dict(sorted(by_kind.items())),
        "offers": len(result.offers),
        "unchecked": len(result.unchecked),
        "unresolved": len(found.unresolved),
        "errors": len(found.errors),
    }
    findings = [finding_json(finding, waived) for finding in result.findings]
    return {
        "summary": summary,
        "findings": findings,
        **rest_json(found, result.offers, result.unchecked),
    }


def finding_json(finding: Finding, waived: Waived) -> ReportedFindingJSON:
    """One finding, with the waiver that covers it."""
    waiver = waived.get(finding)
    return {
        "kind": finding.kind,
        "table": finding.table,
        "service": finding.service,
        "declared": finding.declared,
        "granted": finding.granted,
        "owner": finding.owner,
        "waived": _waived(waiver) if waiver else None,
        "evidence": _evidence(finding.evidence),
    }


def _waived(waiver: WaiverTerms) -> WaivedJSON:
    return {"until": IsoDate(waiver.until.isoformat()), "reason": waiver.reason}


def rest_json(found: Infrastructure, offers: Iterable[Offer], unchecked: Iterable[Unchecked]) -> RestJSON:
    """Everything besides the findings."""
    rest: RestJSON = {
        "offers": [],
        "unchecked": [],
        "unresolved": [],
        "notes": [],
        "errors": [],
    }
    for offer in offers:
        rest["offers"].append(_offer(offer))
    for access in unchecked:
        rest["unchecked"].append({"table": access.table, "service": access.service, "reason": access.reason})
    for unresolved in found.unresolved:
        rest["unresolved"].append(
            {
                **_location(unresolved.location),
                "text": unresolved.text,
                "reason": unresolved.reason,
                "service": unresolved.service,
            }
        )
    for note in found.notes:
        rest["notes"].append({**_location(note.location), "text": note.text})
    for error in found.errors:
        rest["errors"].append({**_location(error.location), "reason": error.reason})
    return rest


def _offer(offer: Offer) -> OfferJSON:
    sort = offer.key_schema.sort
    return {
        "table": offer.table,
        "index": offer.index,
        "key_schema": {
            "partition_key": _key(offer.key_schema.partition),
            "sort_key": _key(sort) if sort else None,
        },
        "evidence": _evidence(offer.evidence),
    }


def _key(key: KeyAttribute) -> DriftKeyJSON:
    return {"name": key.name, "type": key.type}  # type: ignore[typeddict-item]


def _location(location: Location) -> EvidenceJSON:
    return {"file": location.file, "line": location.line}


def _evidence(locations: Sequence[Location]) -> list[EvidenceJSON]:
    return [_location(location) for location in locations]
