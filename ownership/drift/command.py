"""The command line: ``python -m ownership.drift READER …``. See docs/drift.md."""

import argparse
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ownership.drift import registry_client
from ownership.drift.baseline import BaselineChanges, changes_since
from ownership.drift.baseline_reading import read_baseline
from ownership.drift.baseline_words import baseline_lines
from ownership.drift.code import report as code_report
from ownership.drift.code.reader import read_code
from ownership.drift.compare import Comparison, Waived, compare, waived
from ownership.drift.formats import FORMATS, SHOW_CHANGES
from ownership.drift.given_names import GivenNames
from ownership.drift.naming import Names
from ownership.drift.options import TOKEN, parser
from ownership.drift.readers.cloudformation import read_templates
from ownership.drift.readers.dynamodb import read_endpoint
from ownership.drift.readers.files import Files, resolved_path
from ownership.drift.readers.serverless import read_projects
from ownership.drift.readers.terraform import read_plans
from ownership.drift.report_github import append_summary
from ownership.drift.reported import Reported
from ownership.drift.source_tree import SourceTree, source_tree
from ownership.drift.types import (
    CodeUsage,
    DeclaredMap,
    Infrastructure,
    Location,
    ReadError,
    WaiverTerms,
)
from ownership.drift.values import Map, as_text

# Objects made between two rounds of the garbage collector. Nearly all that is read stays until the end, so that
# Python's 700 would take a third of the time of a large run.
OBJECTS_BETWEEN_ROUNDS = 50_000
# Exit statuses.
NO_DRIFT, DRIFT, UNREADABLE = 0, 1, 2

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"  # names the file that GitHub shows below a step
CODE_COMPARES_NOTHING = (
    "code compares nothing, so it has --format text and json and no --baseline: "
    "use serverless or cloudformation with --code FOLDER"
)
MAP_HINT = (
    "say which map to compare with: the address of a registry's map (https://…/api/v1/map/), "
    f"with its token in {TOKEN}, or a file that contains the map"
)


def read(arguments: argparse.Namespace, declared: DeclaredMap) -> Infrastructure:
    """Run the chosen reader. Raises ReadError where nothing could be read at all."""
    tables, roles = _tables(arguments), _roles(arguments)
    found = _read(arguments, _names(arguments, declared, tables), roles)
    notes = [
        *tables.notes("table", {table.name for table in declared.tables}),
        *roles.notes("service", {service.name for service in declared.services}),
    ]
    return replace(found, notes=(*found.notes, *notes))


def _read(arguments: argparse.Namespace, names: Names, roles: Mapping[str, str]) -> Infrastructure:
    if arguments.reader == "serverless":
        return read_projects(arguments.path, names, dict(arguments.var), arguments.root)
    if arguments.reader == "cloudformation":
        given = dict(arguments.var)
        return read_templates(arguments.files, names, given, roles, arguments.stack, arguments.code)
    if arguments.reader == "terraform":
        return read_plans(arguments.files, names, roles, arguments.root)
    return read_endpoint(names, arguments.endpoint_url, arguments.region)


def read_all(
    arguments: argparse.Namespace, declared: DeclaredMap
) -> tuple[Infrastructure, CodeUsage | None]:
    """The infrastructure, and the code that was given. Raises ReadError."""
    return read(arguments, declared), read_usage(arguments, declared)


def read_usage(arguments: argparse.Namespace, declared: DeclaredMap) -> CodeUsage | None:
    """What the code that was given does; None where none was given. Raises ReadError."""
    paths = getattr(arguments, "code", [])
    if not paths:
        return None
    names = _names(arguments, declared, _tables(arguments))
    return read_code(paths, names, dict(arguments.var), _roles(arguments))


def _names(arguments: argparse.Namespace, declared: DeclaredMap, tables: GivenNames) -> Names:
    environment = arguments.environment
    try:
        return Names.of(declared, environment, tables)
    except KeyError as error:
        known = ", ".join(declared.environments) or "none"
        reason = f"{environment} is not in the map, which has {known}"
        raise ReadError(Location("--environment"), reason) from error


def _tables(arguments: argparse.Namespace) -> GivenNames:
    return _given_names(arguments.tables, "tables to tables of the map")


def _roles(arguments: argparse.Namespace) -> GivenNames:
    return _given_names(getattr(arguments, "roles", None), "roles to services")


def _given_names(path: Path | None, what: str) -> GivenNames:
    """What a file says that maps texts to texts; nothing where none is given. Raises ReadError."""
    if path is None:
        return GivenNames({}, {})
    path = resolved_path(path)
    content = Files(path.parent).load(path)
    if not isinstance(content, Map) or not all(
        isinstance(value, str) for value in content.values()
    ):
        raise ReadError(Location(str(path)), f"is not a mapping of {what}")
    names = {str(key): str(value) for key, value in content.items()}
    return GivenNames(names, {str(key): as_text(key, content.location).location for key in content})


class Registry:
    """Where map and waivers come from: an address or a file."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.address, self.token = arguments.registry, arguments.token

    def declared(self) -> DeclaredMap:
        """The map. Raises ReadError."""
        if not self.address:
            raise ReadError(Location("--registry"), MAP_HINT)
        return registry_client.load_map(self.address, self.token)

    def declared_if_known(self) -> DeclaredMap | None:
        """The map; None if no map was named. Raises ReadError."""
        return self.declared() if self.address else None

    def waivers(self) -> Sequence[WaiverTerms]:
        """The registry's waivers. A file has none; where they can't be read, every finding counts."""
        if not self.address.startswith(("https://", "http://")):
            return []
        try:
            return registry_client.load_waivers(self.address, self.token)
        except ReadError as error:
            sys.stderr.write(f"drift: no waivers, so every finding counts: {error}\n")
            return []

    def keep(
        self,
        declared: DeclaredMap,
        found: Infrastructure,
        usage: CodeUsage | None,
        result: Comparison,
    ) -> str:
        """Keep the run where the registry can; returns what to tell about it."""
        return ""


def main(argv: Sequence[str] | None = None, write: Callable[[str], object] | None = None) -> int:
    """Read, compare and report to ``write`` or to standard output. Returns the exit status."""
    gc.set_threshold(OBJECTS_BETWEEN_ROUNDS, 20, 20)
    arguments = parser().parse_args(argv)
    return run(arguments, Registry(arguments), write)


def run(
    arguments: argparse.Namespace,
    registry: Registry,
    write: Callable[[str], object] | None = None,
) -> int:
    """The exit status: 0 no drift except what is waived, 1 drift, 2 something could not be read."""
    run_reader = run_code if arguments.reader == "code" else run_comparison
    try:
        return run_reader(arguments, registry, write or sys.stdout.write)
    except ReadError as error:
        sys.stderr.write(f"drift: {error}\n")
        return UNREADABLE
    # A bug, or a database that does not answer. Python would exit with status 1, which means drift.
    except Exception:
        traceback.print_exc()
        return UNREADABLE


def run_comparison(
    arguments: argparse.Namespace, registry: Registry, write: Callable[[str], object]
) -> int:
    """Report where map and infrastructure differ. Raises ReadError."""
    declared = registry.declared()
    found, usage = read_all(arguments, declared)
    result = compare(declared, found, usage)
    covered = _waived(result, registry, arguments.environment)
    sources = source_tree(arguments)
    changes = _changes(arguments, declared, result, found, usage, sources)
    report = Reported(
        declared, found, result, covered, arguments.environment, sources, usage, changes
    )
    text = FORMATS[arguments.format](report)
    kept = registry.keep(declared, found, usage, result)

    write(text)
    _write_elsewhere(arguments.format, report)
    if usage is not None and arguments.format == "json":
        _write_code_errors(usage)
    # Standard output is to stay one JSON document, or a list to send on.
    write_kept = write if arguments.format == "text" else sys.stderr.write
    write_kept(kept)

    if found.errors or (usage is not None and usage.errors):
        return UNREADABLE
    return DRIFT if report.counting else NO_DRIFT


def _changes(
    arguments: argparse.Namespace,
    declared: DeclaredMap,
    result: Comparison,
    found: Infrastructure,
    usage: CodeUsage | None,
    sources: SourceTree,
) -> BaselineChanges | None:
    """What is new and settled since the baseline; None where none is given. Raises ReadError."""
    if arguments.baseline is None:
        return None
    baseline = read_baseline(arguments, declared, result.findings, sources, read_all)
    return changes_since(baseline, result, found, usage)


def _write_elsewhere(format_name: str, report: Reported) -> None:
    """What does not fit into the report itself: the summary of a step on GitHub, and what a baseline tells."""
    if format_name not in SHOW_CHANGES:
        for line in baseline_lines(report.changes):
            sys.stderr.write(f"drift: {line}\n")
    summary = os.environ.get(STEP_SUMMARY)
    if format_name == "github" and summary:
        try:
            append_summary(report, Path(summary))
        except OSError as error:
            sys.stderr.write(f"drift: no summary: {summary}: {error.strerror}\n")


def _write_code_errors(usage: CodeUsage) -> None:
    """What of code could not be read, for which the JSON of a report has no place."""
    for error in usage.errors:
        sys.stderr.write(f"drift: {error}\n")


def run_code(
    arguments: argparse.Namespace, registry: Registry, write: Callable[[str], object]
) -> int:
    """Report what code does, and compare nothing. The exit status: 0, or 2 if something could not be read.

    With a map, tables and services get the names that they have on it. Raises ReadError.
    """
    if arguments.format not in ("text", "json") or arguments.baseline is not None:
        sys.stderr.write(f"drift: {CODE_COMPARES_NOTHING}\n")
        return UNREADABLE
    declared = registry.declared_if_known()
    if declared is None and arguments.environment is not None:
        sys.stderr.write(
            "drift: --environment has no effect without --registry, which has its pattern\n"
        )
        arguments.environment = None
    names = _names(arguments, declared or DeclaredMap(), _tables(arguments))
    usage = read_code(arguments.paths, names, dict(arguments.var))
    if arguments.format == "json":
        write(json.dumps(code_report.as_json(usage), ensure_ascii=False, indent=1) + "\n")
        _write_code_errors(usage)
        for note in usage.notes:
            sys.stderr.write(f"drift: {note.location}: {note.text}\n")
    else:
        write(code_report.as_text(usage))
    return UNREADABLE if usage.errors else NO_DRIFT


def _waived(result: Comparison, registry: Registry, environment: str | None) -> Waived:
    if not result.findings:
        return {}  # saves a request
    today = datetime.now(UTC).date()
    return waived(result.findings, registry.waivers(), environment, today)
