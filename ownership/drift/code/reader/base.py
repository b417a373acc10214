"""What all parts of the reader share: its sources, its interpreter, and whose a file is."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ownership.drift.code import syntax
from ownership.drift.code.deployment import (
    Deployment,
    EntryPoint,
)
from ownership.drift.code.frames import Frame, UnknownCall
from ownership.drift.code.imports import Imports
from ownership.drift.code.interpreter import Interpreter
from ownership.drift.code.sources import CODE, Sources, is_test
from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.types import (
    READ_AND_WRITE,
    ActionOn,
    Location,
    ReadOrWrite,
)
from ownership.drift.values import (
    Text,
)


@dataclass
class Found:
    """What was found of one access so far."""

    direct: bool = False
    path: tuple[str, ...] = ()
    operations: set[str] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)
    calls: set[ActionOn] = field(default_factory=set)
    evidence: dict[Location, None] = field(default_factory=dict)


AccessKey = tuple[str, str, ReadOrWrite, str, bool]  # service, table, mode, function, reachable


class ReaderBase:
    """The accesses of all deployed functions."""

    def __init__(
        self,
        sources: Sources,
        deployment: Deployment,
        imports: Imports,
        names: Names,
        diagnostics: Diagnostics,
    ) -> None:
        self.sources = sources
        self.deployment = deployment
        self.names = names
        self.diagnostics = diagnostics
        self.imports = imports
        self.entries = deployment.entry_points(imports)
        environment = _known_environment(self.entries)
        self.interpreter = Interpreter(
            imports.find, imports.find_like, self._classes_named, environment, len(sources.paths)
        )
        self.accesses: dict[AccessKey, Found] = {}
        self.reached: set[syntax.Function] = set()
        self.unknown_calls: dict[tuple[str, UnknownCall], None] = {}  # by service
        self.services: set[str] = set()
        self._classes: dict[str, list[syntax.ClassDefinition]] | None = None
        self._module_of: dict[syntax.ClassDefinition, syntax.Module] = {}
        # The scope of the frames from which handlers are called: they are functions, not modules.
        outside = syntax.Module("", "javascript")
        outside.body = syntax.Function("", 1, [], [], outside)
        self.outside = Frame(outside.body, None)

    def _unresolved(
        self,
        text: Text,
        reason: str,
        service: str,
        modes: tuple[ReadOrWrite, ...] = READ_AND_WRITE,
    ) -> None:
        self.diagnostics.add_unresolved(text, reason, service, modes)

    def _call_of(self, callee: syntax.Expression) -> Frame:
        """The frame of a call with unknown arguments from outside."""
        unknown = syntax.Other(1, [])
        call = syntax.CallExpression(1, callee, [unknown, unknown, unknown])
        function = syntax.Function(
            "", 1, [], [syntax.ExpressionStatement(1, call)], self.outside.function.module
        )
        return self.interpreter.frame_of(
            (function, self.outside), lambda: Frame(function, self.outside)
        )

    def _classes_named(self, name: str) -> list[syntax.ClassDefinition]:
        """The classes of the project that are called so, or else that implement an interface of that name."""
        if self._classes is None:
            self._classes = self._all_classes()
        definitions = self._classes.get(name) or self._classes.get(f"implements {name}", [])
        for definition in definitions:
            module = self._module_of.get(definition)
            if module is not None:
                self.interpreter.module_frame(module)
        return definitions

    def _all_classes(self) -> dict[str, list[syntax.ClassDefinition]]:
        classes: dict[str, list[syntax.ClassDefinition]] = {}
        for module in self._all_modules():
            for definition in module.classes:
                self._module_of[definition] = module
                classes.setdefault(definition.name, []).append(definition)
                for interface in definition.interfaces:
                    classes.setdefault(f"implements {interface}", []).append(definition)
                # An abstract class is implemented by those that extend it.
                for base in definition.bases:
                    if isinstance(base, syntax.Name):
                        classes.setdefault(f"implements {base.name}", []).append(definition)
        return classes

    def _all_modules(self) -> Iterator[syntax.Module]:
        """The modules of all files but tests."""
        for name, path in self.sources.paths.items():
            if path.suffix in CODE and not is_test(name):
                module = self.sources.module(name)
                if isinstance(module, syntax.Module):
                    yield module

    def _is_own(self, entry: EntryPoint, file: str) -> bool:
        """Whether a file is the service's own: in its folder, and in no other service's inside that."""
        folder = entry.folder
        if folder and not file.startswith(f"{folder}/"):
            return False
        return self._owner_of(file) in (entry.service, None)

    def _owner_of(self, file: str) -> str | None:
        """The service in whose folder a file is; None if it is in none's."""
        folder = os.path.dirname(file)
        while True:
            service = self.deployment.service_folders.get(folder)
            if service is not None or not folder:
                return service
            folder = os.path.dirname(folder)


def _known_environment(entries: Iterable[EntryPoint]) -> dict[str, frozenset[str]]:
    """The texts that each environment variable is in any function, without those that are not known."""
    values: dict[str, set[str]] = {}
    unknown: set[str] = set()
    for entry in entries:
        for name, texts in entry.environment.items():
            if not texts or any(text.reason for text in texts):
                unknown.add(name)
            values.setdefault(name, set()).update(map(str, texts))
    return {name: frozenset(texts) for name, texts in values.items() if name not in unknown}
