"""From paths to accesses."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ownership.drift.code import syntax
from ownership.drift.code.deployment import (
    Deployment,
    EntryPoint,
)
from ownership.drift.code.frames import Frame
from ownership.drift.code.imports import Imports
from ownership.drift.code.reader.unreached import Unreached
from ownership.drift.code.sources import Sources
from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.readers.files import Files, resolved_path
from ownership.drift.types import (
    CodeUsage,
    Location,
    ReadError,
)
from ownership.drift.values import (
    Text,
)

IS_FILE = "is a file: name the folder with the code and the infrastructure that deploys it"


class Reader(Unreached):
    """Reads all entry points."""

    def read(self) -> CodeUsage:
        started: list[tuple[EntryPoint, Frame]] = []
        # A project without functions was read as well: it has no code.
        self.services.update(self.deployment.service_folders.values())
        for entry in self.entries:
            self.services.add(entry.service)
            frame = self._start(entry)
            if frame is not None:
                started.append((entry, frame))
        self.interpreter.run()
        for entry, frame in started:
            self._collect(entry, frame)
        if self.interpreter.exhausted:
            for service in sorted(self.services):
                text = Text("the code", Location("."))
                self._unresolved(text, "takes too many steps to follow", service)
        else:
            self._read_unreached()
            self._report_unknown_calls()
        if not self.entries and not self.diagnostics.errors:
            self._report_without_functions()
        return CodeUsage(
            accesses=tuple(self._result()),
            services=frozenset(self.services),
            unresolved=tuple(self.diagnostics.unresolved),
            notes=tuple(self.diagnostics.notes),
            errors=tuple(self.diagnostics.errors.values()),
        )

    def _report_without_functions(self) -> None:
        """Say that nothing deploys code: with a project or template that is so, and without any, nothing was read."""
        if self.services or self.deployment.templates:
            self.diagnostics.add_note(
                Location("."), "the infrastructure in this folder deploys no functions"
            )
        else:
            location = Location(str(self.sources.files.root))
            reason = "has no infrastructure that deploys functions, so no code was read"
            self.diagnostics.add_error(ReadError(location, reason))

    def _start(self, entry: EntryPoint) -> Frame | None:
        """Interpret an entry point's handler."""
        text = Text(entry.function, entry.location)
        if entry.file is None:
            self._unresolved(text, entry.problem, entry.service)
            return None
        module = self.sources.module(entry.file)
        if isinstance(module, str):
            self._unresolved(text, module, entry.service)
            return None
        return self._call_of(syntax.ModuleExport(1, module, entry.handler))


def read_code(
    paths: Sequence[Path],
    names: Names,
    given: Mapping[str, str],
    services: Mapping[str, str] | None = None,
) -> CodeUsage:
    """Read the code that the infrastructure in these folders deploys.

    Nothing outside the folder that all of them have in common is read. ``given`` are values of variables, and
    ``services`` maps roles to services, both as the readers of infrastructure take them. Raises ReadError for what
    is no folder: the one around it was not asked for, and may be the whole machine.
    """
    tops = [resolved_path(path) for path in paths]
    for path, top in zip(paths, tops, strict=True):
        if not top.exists():
            raise ReadError(Location(str(path)), "does not exist")
        if not top.is_dir():
            raise ReadError(Location(str(path)), IS_FILE)
    diagnostics = Diagnostics()
    files = Files(Path(os.path.commonpath(tops)))
    sources = Sources(files, diagnostics)
    deployment = Deployment(sources, names, given, services or {}, diagnostics)
    deployment.read(tops)
    imports = Imports(sources, deployment.roots)
    reader = Reader(sources, deployment, imports, names, diagnostics)
    return reader.read()
