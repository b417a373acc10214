"""A comparison as JSON, for the command line and the API. The keys are described in docs/drift.md and docs/api.md.

The API's OpenAPI document is made from these types and their texts.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NewType, TypedDict

from ownership.drift.compare import Comparison, Truth, Waived
from ownership.drift.types import (
    ActionOn,
    DeclaredMap,
    Finding,
    FindingKind,
    InCode,
    Infrastructure,
    KeyAttribute,
    Location,
    NeededAction,
    Note,
    Offer,
    ReadError,
    ReadOrWrite,
    Unchecked,
    Unresolved,
    Verdict,
    WaiverTerms,
)
from ownership.drift.verdicts import ABOUT_TABLES, grouped

IsoDate = NewType("IsoDate", str)


class EvidenceJSON(TypedDict):
    """A file and line where something was found."""

    file: str
    line: int | None


class WaivedJSON(TypedDict):
    """Until when a finding is waived, and why."""

    until: Annotated[IsoDate, "the last day, UTC"]
    reason: str


class ActionJSON(TypedDict):
    """An action of IAM on the finding's table, or on one of its indexes."""

    action: Annotated[str, "such as `dynamodb:Query`"]
    index: Annotated[str | None, "the index, or a pattern of its name; null for the table itself"]


class NeededActionJSON(ActionJSON):
    """An action that code needs and IAM does not permit."""

    service: Annotated[
        str, "whose functions they are: the finding's service, or one that it is part of"
    ]
    functions: Annotated[list[str], "the functions whose role lacks it"]


class CodePathJSON(TypedDict):
    """How code outside the service's own folder comes to use the table."""

    mode: ReadOrWrite
    path: Annotated[
        list[str], "the functions from the handler to the call, each as `file#function`"
    ]


class ReportedFindingJSON(TypedDict):
    """A difference between the map, the infrastructure and the code."""

    kind: FindingKind
    table: str
    service: Annotated[str | None, "null if the finding is about the table itself"]
    declared: str | None
    granted: str | None
    owner: Annotated[str | None, "the service to ask"]
    waived: WaivedJSON | None
    evidence: list[EvidenceJSON]
    in_code: Annotated[
        InCode | None, "what code does; null if it was not read, or may do more than was found"
    ]
    code_evidence: list[EvidenceJSON]
    code_paths: Annotated[list[CodePathJSON], "for modes that only code of other folders uses"]
    verdict: Annotated[
        Verdict | None,
        "which side is wrong, of all modes together; null if code does not tell of each, or for tables themselves",
    ]
    verdicts: Annotated[dict[str, Verdict | None], "by mode, of those that the finding is about"]
    to_allow: Annotated[list[NeededActionJSON], "what IAM lacks for what code does"]
    to_remove: Annotated[list[ActionJSON], "what IAM permits and no code needs"]


class TruthJSON(TypedDict):
    """How many accesses are known to be the same in map, IAM and code."""

    agreeing: int
    accesses: Annotated[int, "all that are declared or found"]
    unknown: Annotated[int, "of which nobody can say"]


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
        "by_verdict": by_verdict(result.findings),
        "truth": truth_json(result.truth()),
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
        "in_code": finding.in_code,
        "code_evidence": _evidence(finding.code_evidence),
        "code_paths": [{"mode": mode, "path": list(path)} for mode, path in finding.code_paths],
        "verdict": finding.verdict,
        "verdicts": dict(finding.verdicts),
        "to_allow": [_needed(needed) for needed in finding.to_allow],
        "to_remove": [_action(action) for action in finding.to_remove],
    }


def by_verdict(findings: Iterable[Finding]) -> dict[str, int]:
    """The number of findings about accesses by verdict; ``not_known`` where code does not tell."""
    numbers = {group: len(of_group) for group, of_group in grouped(findings).items()}
    numbers.pop(ABOUT_TABLES, None)
    return numbers


def truth_json(truth: Truth | None) -> TruthJSON | None:
    """The figure of accesses on which all sides agree; None if no code was read."""
    if truth is None:
        return None
    return {"agreeing": truth.agreeing, "accesses": truth.accesses, "unknown": truth.unknown}


def _action(action: ActionOn) -> ActionJSON:
    return {"action": f"dynamodb:{action.action}", "index": action.index or None}


def _needed(needed: NeededAction) -> NeededActionJSON:
    return {
        **_action(needed.action),
        "service": needed.service,
        "functions": list(needed.functions),
    }


def _waived(waiver: WaiverTerms) -> WaivedJSON:
    return {"until": IsoDate(waiver.until.isoformat()), "reason": waiver.reason}


def rest_json(
    found: Infrastructure, offers: Iterable[Offer], unchecked: Iterable[Unchecked]
) -> RestJSON:
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
        rest["unchecked"].append(
            {"table": access.table, "service": access.service, "reason": access.reason}
        )
    for unresolved in found.unresolved:
        rest["unresolved"].append(unresolved_json(unresolved))
    for note in found.notes:
        rest["notes"].append(note_json(note))
    for error in found.errors:
        rest["errors"].append(error_json(error))
    return rest


def unresolved_json(unresolved: Unresolved) -> UnresolvedJSON:
    """A value that could not be determined."""
    return {
        **_location(unresolved.location),
        "text": unresolved.text,
        "reason": unresolved.reason,
        "service": unresolved.service,
    }


def note_json(note: Note) -> NoteJSON:
    """Something that people should know."""
    return {**_location(note.location), "text": note.text}


def error_json(error: ReadError) -> UnreadableJSON:
    """A file that could not be read."""
    return {**_location(error.location), "reason": error.reason}


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
