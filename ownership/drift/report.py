"""A comparison as text, and the words that all reports use."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ownership.drift import verdicts
from ownership.drift.compare import Comparison, Waived
from ownership.drift.iam_changes import as_list, iam_changes
from ownership.drift.types import (
    MODE_PARTS,
    DeclaredMap,
    Finding,
    Infrastructure,
    Location,
    Offer,
    ReadError,
    ReadOrWrite,
    Unchecked,
    combined_mode,
    label_of,
    label_of_code,
)

WHAT_TO_DO: dict[str, str] = {  # by kind of finding
    "unregistered_table": "add the table to the map, or remove the grant",
    "table_not_deployed": "remove the table from the map, or deploy it",
    "undeclared_access": "declare the access, or remove the grant",
    "access_not_granted": "remove the access from the map, or grant it",
    "wider_grant": "declare the wider access, or narrow the grant",
    "narrower_grant": "declare the narrower access, or widen the grant",
    "unused_declaration": "remove the access from the map, then the grant",
    "undeclared_use": "declare the access and grant it",
    "action_not_granted": "grant the action",
    "key_schema_differs": "correct the key schema in the map",
    "index_differs": "correct the indexes in the map",
}
LOCATIONS_SHOWN = 3  # of a finding; JSON has them all


def as_text(
    declared: DeclaredMap,
    found: Infrastructure,
    result: Comparison,
    waived: Waived,
    errors_in_code: Iterable[ReadError] = (),
) -> str:
    """The report for a terminal: what could not be read, the findings by owner, then everything else."""
    open_findings = [finding for finding in result.findings if finding not in waived]
    lines = [
        *error_lines([*found.errors, *errors_in_code]),
        *_findings_by_owner(open_findings),
        *_what_to_do(open_findings),
        *_for_owners_of_iam(open_findings),
        *_section("Waived", _waived_lines(waived)),
        *_section(
            "Offered: deployed keys that the map leaves open",
            map(offer_in_a_line, result.offers),
        ),
        *_section(
            "Unresolved: could not be determined from the files",
            _unresolved_lines(found),
        ),
        *_section("Not checked", _unchecked_lines(result.unchecked)),
        *_section("Notes", _note_lines(found)),
        _summary(declared, found, result, waived),
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, entries: Iterable[str]) -> list[str]:
    """The entries below their title and number; nothing where there are none."""
    lines = [f"  {entry}" for entry in entries]
    if not lines:
        return []
    return [f"{title} ({len(lines)})", *lines, ""]


def error_lines(errors: Iterable[ReadError]) -> list[str]:
    """What could not be read; nothing where there is nothing."""
    lines = [f"COULD NOT READ {error}" for error in errors]
    if lines:
        lines.append("")
    return lines


def _findings_by_owner(findings: Iterable[Finding]) -> list[str]:
    by_owner: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_owner[finding.owner or ""].append(finding)
    unowned = by_owner.pop("", [])
    lines = []
    for owner in sorted(by_owner):
        lines += _finding_rows(f"Owner: {owner}", by_owner[owner])
    if unowned:
        lines += _finding_rows("Owner unknown", unowned)
    return lines


def _finding_rows(title: str, findings: Sequence[Finding]) -> list[str]:
    """The findings below their title in columns, each with its evidence in a line below."""
    rows = []
    for finding in findings:
        rows.append((finding.kind, finding.table, finding.service or "–"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    lines = [f"{title} ({len(findings)})"]
    for row, finding in zip(rows, findings, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  " + "  ".join([*cells, difference(finding)]))
        if finding.evidence:
            lines.append(f"      {evidence_in_a_line(finding.evidence)}")
        if finding.code_evidence:
            lines.append(f"      in code: {evidence_in_a_line(finding.code_evidence)}")
    return [*lines, ""]


def _what_to_do(findings: Iterable[Finding]) -> list[str]:
    """By verdict where code tells which side is wrong, and otherwise by kind."""
    lines = []
    kinds = set()
    for group, of_group in verdicts.grouped(findings).items():
        if group in (verdicts.NOT_KNOWN, verdicts.ABOUT_TABLES):
            kinds |= {finding.kind for finding in of_group}
        else:
            lines.append(
                f"  {verdicts.TITLES[group]} ({len(of_group)}): {verdicts.WHAT_TO_DO[group]}"
            )
    lines += [f"  {kind}: {WHAT_TO_DO[kind]}" for kind in sorted(kinds)]
    return ["What to do", *lines, ""] if lines else []


def _for_owners_of_iam(findings: Iterable[Finding]) -> list[str]:
    """What they are to change; nothing where code does not tell."""
    changes = iam_changes(findings)
    if not changes:
        return []
    number = sum(map(len, changes.values()))
    return [f"For the owners of IAM ({number})", *(f"  {line}" for line in as_list(changes)), ""]


def _waived_lines(waived: Waived) -> Iterator[str]:
    for finding, waiver in waived.items():
        yield f"{in_a_line(finding)}: until {waiver.until}: {waiver.reason}"


def _unresolved_lines(found: Infrastructure) -> Iterator[str]:
    for unresolved in found.unresolved:
        yield f"{unresolved.location}: {unresolved.text}: {unresolved.reason}"


def _unchecked_lines(unchecked: Iterable[Unchecked]) -> Iterator[str]:
    services: dict[str, set[str]] = defaultdict(set)
    for access in unchecked:
        services[access.reason].add(access.service)
    for reason, names in services.items():
        yield f"{reason}: {', '.join(sorted(names))}"


def _note_lines(found: Infrastructure) -> Iterator[str]:
    for note in found.notes:
        yield f"{note.location}: {note.text}"


def _summary(
    declared: DeclaredMap, found: Infrastructure, result: Comparison, waived: Waived
) -> str:
    findings = _count(len(result.findings), "finding")
    if waived:
        findings += f", {len(waived)} of them waived"
    services = _count(len(found.services), "service")
    tables = _count(len(found.tables), "deployed table")
    compared_with = "the map"
    if declared.revision is not None:
        compared_with += f" of revision {declared.revision}"
    summary = (
        f"{findings}; {found.reader} read {services}, {tables}; compared with {compared_with}."
    )
    truth = result.truth()
    if truth is not None:
        accesses = _count(truth.accesses, "access", "es")
        summary += f"\nMap, IAM and code agree on {truth.agreeing} of {accesses}; {truth.unknown} not known."
    return summary


def _count(number: int, noun: str, plural: str = "s") -> str:
    ending = "" if number == 1 else plural
    return f"{number} {noun}{ending}"


def in_a_line(finding: Finding) -> str:
    """The finding's kind, table and service."""
    return " ".join(filter(None, finding.identity))


def offer_in_a_line(offer: Offer) -> str:
    """The offered keys and whose they are."""
    holder = offer.table
    if offer.index:
        holder += f" index {offer.index}"
    return f"{holder}: {offer.key_schema}"


def evidence_in_a_line(locations: Sequence[Location]) -> str:
    """The first locations, and how many more there are."""
    text = ", ".join(map(str, locations[:LOCATIONS_SHOWN]))
    more = len(locations) - LOCATIONS_SHOWN
    if more > 0:
        text += f" and {more} more"
    return text


def difference(finding: Finding) -> str:
    """What is declared, what was found and what code does; empty for a table that only one side has."""
    parts = []
    if finding.declared is not None or finding.granted is not None or finding.in_code is not None:
        parts += [f"declared: {label_of(finding.declared)}", f"found: {label_of(finding.granted)}"]
    if finding.in_code is not None:
        parts.append(f"in code: {label_of_code(finding.in_code)}")
    if finding.verdict is not None:
        parts.append(verdict_in_words(finding))
    return "; ".join(parts)


def verdict_in_words(finding: Finding) -> str:
    """Which side is wrong: "fix the map"; with the modes, "write: trim IAM", where the finding is not about all."""
    modes_by_words: dict[str, set[ReadOrWrite]] = {}
    for mode, verdict in finding.verdicts:
        if verdict is None:
            return ""
        modes_by_words.setdefault(verdicts.LABELS[verdict], set()).add(mode)
    mentioned: set[ReadOrWrite] = set()
    for value in (finding.declared, finding.granted, finding.in_code):
        mentioned.update(MODE_PARTS.get(value or "", ()))
    parts = []
    for words, modes in modes_by_words.items():
        is_all = modes == mentioned
        parts.append(words if is_all else f"{label_of(combined_mode(modes)).lower()}: {words}")
    return ", ".join(parts)
