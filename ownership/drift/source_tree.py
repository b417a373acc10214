"""Where the files that a report names lie in their repository.

Readers name files relative to the folder that they read. Programs that show findings beside a change want paths
relative to the repository.
"""

import os
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ownership.drift.readers.files import common_folder, resolved_path
from ownership.drift.types import Finding, Location

KINDS_SHOWN_IN_CODE = ("undeclared_use", "action_not_granted")


class Place(NamedTuple):
    """A file or folder of the repository by its path from the root, with ``/``, and the line if it is known."""

    path: str
    line: int | None = None


@dataclass(frozen=True)
class SourceTree:
    """A repository, and the folders that the locations of infrastructure and of code are relative to.

    ``start`` is what the command line named first. A live endpoint has neither ``start`` nor a folder.
    """

    root: Path
    infrastructure: Path | None = None
    code: Path | None = None
    start: Path | None = None

    def place(self, location: Location) -> Place | None:
        """The place of infrastructure; None for what is no file of the repository, such as a live table's ARN."""
        return self._place(location, self.infrastructure)

    def place_in_code(self, location: Location) -> Place | None:
        """The place of code."""
        return self._place(location, self.code)

    def _place(self, location: Location, folder: Path | None) -> Place | None:
        if folder is None:
            return None
        # What is made of a plan of Terraform is in `plan.json#address`.
        for name in (location.file, location.file.partition("#")[0]):
            file = folder / name
            if os.path.isfile(file) and file.is_relative_to(self.root):
                return Place(file.relative_to(self.root).as_posix(), location.line)
        return None

    def places(self, finding: Finding) -> list[Place]:
        """The files of the repository that show the finding: first what shows what is wrong, which may be code."""
        in_infrastructure = [self.place(location) for location in finding.evidence]
        in_code = [self.place_in_code(location) for location in finding.code_evidence]
        places = in_infrastructure + in_code
        if finding.kind in KINDS_SHOWN_IN_CODE:
            places = in_code + in_infrastructure
        return list(filter(None, dict.fromkeys(places)))

    def place_of_start(self) -> Place | None:
        """What the command line named; a location for what has none of its own."""
        if self.start is None or not self.start.is_relative_to(self.root):
            return None
        return Place(self.start.relative_to(self.root).as_posix())


def source_tree(arguments: Namespace) -> SourceTree:
    """The repository that the arguments' paths lie in; without one, the working directory or the folder that is read.

    A repository is the nearest folder upward that contains `.git`.
    """
    paths = infrastructure_paths(arguments)
    if not paths:
        return SourceTree(Path.cwd())
    infrastructure = common_folder(paths)
    if getattr(arguments, "root", None):
        infrastructure = resolved_path(arguments.root)
    code = None
    if getattr(arguments, "code", []):
        code = common_folder(arguments.code)
    root = repository_of(infrastructure) or _folder_without_git(infrastructure)
    return SourceTree(root, infrastructure, code, start=resolved_path(paths[0]))


def infrastructure_paths(arguments: Namespace) -> Sequence[Path]:
    """The paths that the chosen reader reads; none for a live endpoint."""
    if "path" in arguments:
        return [arguments.path]
    return getattr(arguments, "files", [])


def repository_of(folder: Path) -> Path | None:
    """The folder's repository; None where there is none."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def _folder_without_git(folder: Path) -> Path:
    here = Path.cwd()
    if folder.is_relative_to(here):
        return here
    return folder
