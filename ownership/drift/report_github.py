"""A report as workflow commands of GitHub Actions, which annotate a pull request, and as its step's summary."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ownership.drift.baseline_words import baseline_lines, counts
from ownership.drift.finding_words import KINDS, message, title
from ownership.drift.report import difference
from ownership.drift.reported import Reported
from ownership.drift.source_tree import Place
from ownership.drift.types import Finding, printable

MAX_ANNOTATIONS = 10  # GitHub shows no more errors of a step
MAX_SUMMARY_BYTES = 1_048_576  # GitHub drops a step's summary that is larger
ROOM_FOR_LAST_LINE = 1_000
MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in "\\`*_{}[]#|~>"} | {"<": "&lt;", "&": "&amp;"}
)


def as_github(report: Reported) -> str:
    """Annotations: what could not be read, then at most ten findings, what the change is about first."""
    lines = []
    errors = list(report.read_errors())
    for error, place in errors[:MAX_ANNOTATIONS]:
        lines.append(_command("error", str(error), "Could not read", place))
    lines += _more(
        len(errors) - MAX_ANNOTATIONS, "file that could not be read", "files that could not be read"
    )
    findings = report.open_findings
    for finding in findings[:MAX_ANNOTATIONS]:
        level = "error" if report.is_new(finding) else "warning"
        lines.append(
            _command(level, message(finding), title(finding), report.place_in_change(finding))
        )
    lines += _more(len(findings) - MAX_ANNOTATIONS, "finding", "findings")
    lines += baseline_lines(report.changes)
    lines.append(counts(report))
    return "".join(f"{line}\n" for line in lines)


def _more(count: int, singular: str, plural: str) -> list[str]:
    if count <= 0:
        return []
    return [
        f"and {count} more {singular if count == 1 else plural}: see the summary, or --format text"
    ]


def _command(level: str, text: str, heading: str, place: Place | None) -> str:
    properties = {}
    if place is not None:
        properties["file"] = place.path
        if place.line is not None:
            properties["line"] = str(place.line)
    properties["title"] = heading
    listed = ",".join(f"{name}={_escaped_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def append_summary(report: Reported, file: Path) -> None:
    """Add the summary to the step's file, as much as GitHub takes. Raises OSError."""
    written = file.stat().st_size if file.exists() else 0
    with file.open("a", encoding="utf-8", errors="replace") as summary:
        summary.write(as_summary(report, MAX_SUMMARY_BYTES - written))


def as_summary(report: Reported, max_bytes: int = MAX_SUMMARY_BYTES) -> str:
    """A table of all open findings in Markdown, of at most so many bytes: rows are left out, and counted."""
    head = ["## Drift", "", _markdown(counts(report)), ""]
    for error, _ in list(report.read_errors())[:MAX_ANNOTATIONS]:
        head.append(f"- could not read {_markdown(str(error))}")
    for line in baseline_lines(report.changes):
        head.append(f"- {_markdown(line.strip())}")
    findings = report.open_findings
    rows = list(_rows(findings, report))
    if rows:
        head += [
            "",
            "| Finding | Service | Table | Owner | Difference | Where |",
            "|---|---|---|---|---|---|",
        ]
    text = "".join(f"{line}\n" for line in head)
    size = len(text.encode("utf-8", "replace"))
    if size + ROOM_FOR_LAST_LINE > max_bytes:
        return ""
    kept = []
    for row in rows:
        size += len(row.encode("utf-8", "replace"))
        if size + ROOM_FOR_LAST_LINE > max_bytes:
            break
        kept.append(row)
    text += "".join(kept)
    if len(kept) < len(rows):
        text += f"\nand {len(rows) - len(kept)} more, for which there is no room here\n"
    return text


def _rows(findings: Iterable[Finding], report: Reported) -> Iterator[str]:
    for finding in findings:
        place = report.place(finding)
        name = KINDS[finding.kind].title
        if report.state(finding) == "new":
            name = f"New: {name}"
        cells = [
            name,
            finding.service or "",
            finding.table,
            finding.owner or "",
            difference(finding),
            _place_in_words(place),
        ]
        yield f"| {' | '.join(map(_markdown, cells))} |\n"


def _place_in_words(place: Place | None) -> str:
    if place is None:
        return ""
    return place.path if place.line is None else f"{place.path}:{place.line}"


def _markdown(text: str) -> str:
    """A text that Markdown shows as it is."""
    return printable(text).translate(MARKDOWN)
