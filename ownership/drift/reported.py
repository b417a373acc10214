"""What a report for other programs is made of: a comparison, its waivers, where it lies, and what a change adds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeVar

from ownership.drift.baseline import BaselineChanges
from ownership.drift.compare import Comparison, Waived
from ownership.drift.source_tree import Place, SourceTree
from ownership.drift.types import (
    CodeUsage,
    DeclaredMap,
    Finding,
    Infrastructure,
    Location,
    Note,
    ReadError,
    Unresolved,
)

State = Literal["new", "unchanged"]
NO_CODE = CodeUsage()
Diagnostic = TypeVar("Diagnostic", ReadError, Unresolved, Note)


@dataclass(frozen=True)
class Reported:
    """One run of the command. ``changes`` is what differs from the baseline; None without one."""

    declared: DeclaredMap
    found: Infrastructure
    result: Comparison
    waived: Waived
    environment: str | None
    sources: SourceTree
    usage: CodeUsage | None = None
    changes: BaselineChanges | None = None

    @property
    def findings(self) -> Sequence[Finding]:
        """All findings, waived ones included."""
        return self.result.findings

    @property
    def open_findings(self) -> list[Finding]:
        """The findings that are not waived, what the change is about first.

        First those that the change adds, then those with evidence in a changed file, then the others.
        """
        findings = [finding for finding in self.findings if finding not in self.waived]
        if self.changes is not None:
            findings.sort(
                key=lambda finding: (
                    not self.is_new(finding),
                    not self._is_in_changed_file(finding),
                )
            )
        return findings

    @property
    def counting(self) -> list[Finding]:
        """The findings that make exit status 1: those that are open and, with a baseline, new."""
        return [finding for finding in self.open_findings if self.is_new(finding)]

    def is_new(self, finding: Finding) -> bool:
        """Whether the change adds it. Without a baseline, everything counts as new."""
        return self.changes is None or finding in self.changes.new

    def state(self, finding: Finding) -> State | None:
        """How it compares with the baseline; None without one."""
        if self.changes is None:
            return None
        if self.is_new(finding):
            return "new"
        return "unchanged"

    def _is_in_changed_file(self, finding: Finding) -> bool:
        return any(place.path in self._changed_files for place in self.sources.places(finding))

    @property
    def _changed_files(self) -> frozenset[str]:
        if self.changes is None:
            return frozenset()
        return self.changes.changed_files

    def place(self, finding: Finding) -> Place | None:
        """The best place to show the finding at; None where no file has to do with it.

        What is not granted is in no file. Then it is the file with most of the service's grants, or what was read.
        """
        places = self.sources.places(finding)
        if places:
            return places[0]
        if finding.evidence:  # a live table, a resource of a plan
            return None
        return self._places_of_services.get(finding.service) or self.sources.place_of_start()

    def place_in_change(self, finding: Finding) -> Place | None:
        """The same, but in a file that has changed since the baseline, if one of them shows the finding."""
        for place in self.sources.places(finding):
            if place.path in self._changed_files:
                return place
        return self.place(finding)

    @cached_property
    def _places_of_services(self) -> dict[str | None, Place]:
        counters: dict[str, Counter[str]] = defaultdict(Counter)
        for grant, locations in self.found.grants.items():
            counters[grant.service].update(location.file for location in locations)
        places: dict[str | None, Place] = {}
        for service, files in counters.items():
            best = min(files, key=lambda file: (-files[file], file))
            place = self.sources.place(Location(best))
            if place is not None:
                places[service] = place
        return places

    @property
    def _usage(self) -> CodeUsage:
        """What code does; nothing where none was read."""
        return self.usage or NO_CODE

    def read_errors(self) -> Iterator[tuple[ReadError, Place | None]]:
        """What could not be read."""
        yield from _placed(self.found.errors, self.sources.place)
        yield from _placed(self._usage.errors, self.sources.place_in_code)

    def unresolved(self) -> Iterator[tuple[Unresolved, Place | None]]:
        """What could not be determined from the files."""
        yield from _placed(self.found.unresolved, self.sources.place)
        yield from _placed(self._usage.unresolved, self.sources.place_in_code)

    def notes(self) -> Iterator[tuple[Note, Place | None]]:
        """What people should know."""
        yield from _placed(self.found.notes, self.sources.place)
        yield from _placed(self._usage.notes, self.sources.place_in_code)


def _placed(
    items: Iterable[Diagnostic], place: Callable[[Location], Place | None]
) -> Iterator[tuple[Diagnostic, Place | None]]:
    for item in items:
        yield item, place(item.location)
