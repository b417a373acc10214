"""Where a resource of a plan stands in the ``.tf`` files beside it.

A plan knows no lines. But a resource has one block in its module, and the plan says in which folder a module is that
is not downloaded. So ``module.billing.aws_iam_role.run`` of ``infra/plan.json``, whose module ``billing`` has the
source ``./billing``, is the block ``resource "aws_iam_role" "run"`` in ``infra/billing/*.tf``. Only blocks' first
lines are looked for; nothing else of the files is read.
Source: Terraform documentation, "Resource blocks", "Module sources".
"""

import re
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from ownership.drift.readers.files import Files, resolved_path
from ownership.drift.readers.terraform_plan import TerraformPlan
from ownership.drift.readers.terraform_resource import TerraformResource, reference_name
from ownership.drift.types import Infrastructure, Location, ReadError

BLOCK = re.compile(r'^[ \t]*(resource|data)[ \t]+"([\w-]+)"[ \t]+"([\w-]+)"[ \t]*\{', re.MULTILINE)
LOCAL = ("./", "../")
PATTERNS = ("*.tf", "*.tofu")
MAX_FILES = 200  # in one folder


class SourceFinder:
    """Finds the blocks of the resources of plans. ``files`` are below the folder that it may not leave."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._plans: list[tuple[Path, TerraformPlan]] = []
        self._blocks: dict[Path, dict[str, list[Location]]] = {}

    def add(self, path: Path, plan: TerraformPlan) -> None:
        """Add the plan in a file."""
        self._plans.append((path, plan))

    def with_lines(self, found: Infrastructure) -> Infrastructure:
        """What a reader found, with the line of each resource before its address in the evidence."""
        wanted = set(chain.from_iterable(found.grants.values()))
        for table in found.tables:
            wanted.update(table.locations)
        lines = self._lines(wanted)

        def both(locations: tuple[Location, ...]) -> tuple[Location, ...]:
            known = dict.fromkeys(lines[location] for location in locations if location in lines)
            return (*known, *locations)

        grants = {access: both(locations) for access, locations in found.grants.items()}
        tables = [replace(table, locations=both(table.locations)) for table in found.tables]
        return replace(found, grants=grants, tables=tuple(tables))

    def _lines(self, wanted: set[Location]) -> dict[Location, Location]:
        lines = {}
        for path, plan in self._plans:
            for resource in plan.resources.values():
                if resource.location in wanted:
                    blocks = self._blocks_of(path, plan, resource)
                    # Twice in one module is no valid configuration: one of them may be in a comment.
                    if len(blocks) == 1:
                        lines[resource.location] = blocks[0]
        return lines

    def _blocks_of(
        self, path: Path, plan: TerraformPlan, resource: TerraformResource
    ) -> list[Location]:
        folder = self._folder(path.parent, plan.module_sources(resource.module))
        if folder is None:
            return []
        return self._blocks_in(folder).get(resource.reference_name, [])

    def _folder(self, folder: Path, sources: list[str]) -> Path | None:
        """The folder of a module; None for one that is downloaded, or outside the root."""
        for source in sources:
            if not source.startswith(LOCAL) or "\0" in source:
                return None
            folder = resolved_path(folder / source)
        return folder if folder.is_relative_to(self.files.root) else None

    def _blocks_in(self, folder: Path) -> dict[str, list[Location]]:
        """The blocks of a module by how references name them."""
        if folder not in self._blocks:
            self._blocks[folder] = {}
            for pattern in PATTERNS:
                for path in islice(sorted(folder.glob(pattern)), MAX_FILES):
                    self._add_blocks(path, self._blocks[folder])
        return self._blocks[folder]

    def _add_blocks(self, path: Path, blocks: dict[str, list[Location]]) -> None:
        try:
            text = self.files.read_text(path)
        except ReadError:
            return  # the address says where it is all the same
        line, position = 1, 0
        for match in BLOCK.finditer(text):
            line += text.count("\n", position, match.start())
            position = match.start()
            kind, resource_type, name = match.groups()
            location = Location(self.files.display_name(path), line)
            reference = reference_name(kind == "data", resource_type, name)
            blocks.setdefault(reference, []).append(location)
