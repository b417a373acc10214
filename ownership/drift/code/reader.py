"""Reader of code: which tables each deployed function uses, and by which way.

For every entry point of infrastructure, its handler is interpreted, and what the frames that it reaches do is
collected. Texts get the values of the function's environment variables here, and names of tables become those of
the map.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from ownership.drift.code import syntax
from ownership.drift.code.derived import derived_text
from ownership.drift.code.dynamodb import MODES
from ownership.drift.code.entry_points import (
    INLINE,
    Deployment,
    EntryPoint,
    letters_of,
)
from ownership.drift.code.frames import Doubt, Frame, TableUse, UnknownCall
from ownership.drift.code.imports import Imports
from ownership.drift.code.interpreter import Interpreter
from ownership.drift.code.sources import CODE, Sources, is_test
from ownership.drift.code.values import (
    Class,
    Derived,
    EnvironmentVariable,
    Func,
    Str,
    TextPart,
    one,
)
from ownership.drift.diagnostics import Diagnostics
from ownership.drift.naming import Names
from ownership.drift.readers.files import Files, resolved_path
from ownership.drift.types import (
    ActionOn,
    CodeAccess,
    CodeUsage,
    Location,
    ReadError,
    ReadOrWrite,
)
from ownership.drift.values import (
    PLACEHOLDER,
    Text,
    concat,
    from_variable,
    names_environment,
    placeholder,
)

MAX_COMBINATIONS = 100  # of the values of the environment variables in one name
MAX_EVIDENCE = 20  # places of one access
READ_AND_WRITE: tuple[ReadOrWrite, ...] = ("read", "write")
NOT_FOUND = "the handler is not among what its file exports, or is not a function that can be followed"


def read_code(
    paths: Sequence[Path],
    names: Names,
    given: Mapping[str, str],
    services: Mapping[str, str] | None = None,
) -> CodeUsage:
    """Read the code that the infrastructure below these paths deploys.

    Nothing outside the folder that all paths have in common is read. ``given`` are values of variables, and
    ``services`` maps roles to services, both as the readers of infrastructure take them.
    """
    tops = [resolved_path(path) for path in paths]
    folders = [top if top.is_dir() else top.parent for top in tops]
    diagnostics = Diagnostics()
    files = Files(Path(os.path.commonpath(folders)))
    for path, top in zip(paths, tops, strict=True):
        if not top.exists():
            diagnostics.add_error(ReadError(Location(str(path)), "does not exist"))
    sources = Sources(files, diagnostics)
    deployment = Deployment(sources, names, given, services or {}, diagnostics)
    deployment.read([top for top in tops if top.exists()])
    imports = Imports(sources, deployment.roots)
    reader = _Reader(sources, deployment, imports, names, diagnostics)
    return reader.read()


@dataclass
class _Found:
    """What was found of one access so far."""

    direct: bool = False
    path: tuple[str, ...] = ()
    operations: set[str] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)
    calls: set[ActionOn] = field(default_factory=set)
    evidence: dict[Location, None] = field(default_factory=dict)


AccessKey = tuple[str, str, ReadOrWrite, str, bool]  # service, table, mode, function, reachable


class _Reader:
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
        self.accesses: dict[AccessKey, _Found] = {}
        self.reached: set[syntax.Function] = set()
        self.unknown_calls: dict[tuple[str, UnknownCall], None] = {}  # by service
        self.services: set[str] = set()
        self._classes: dict[str, list[syntax.ClassDefinition]] | None = None
        self._module_of: dict[syntax.ClassDefinition, syntax.Module] = {}
        # The scope of the frames from which handlers are called: they are functions, not modules.
        outside = syntax.Module("", "javascript")
        outside.body = syntax.Function("", 1, [], [], outside)
        self.outside = Frame(outside.body, None)

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
            for service in self.services:
                text = Text("the code", Location("."))
                self._unresolved(text, "takes too many steps to follow", service)
        else:
            self._read_unreached()
            self._report_unknown_calls()
        if not self.entries and not self.diagnostics.errors:
            self.diagnostics.add_note(
                Location("."),
                "no infrastructure was found that deploys functions",
            )
        return CodeUsage(
            accesses=tuple(self._result()),
            services=frozenset(self.services),
            unresolved=tuple(self.diagnostics.unresolved),
            notes=tuple(self.diagnostics.notes),
            errors=tuple(self.diagnostics.errors.values()),
        )

    # Starting

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
        return self._call_of(syntax.Entry(1, module, entry.handler))

    def _call_of(self, callee: syntax.Expression) -> Frame:
        """The frame of a call with unknown arguments from outside."""
        unknown = syntax.Other(1, [])
        call = syntax.Call(1, callee, [unknown, unknown, unknown])
        function = syntax.Function("", 1, [], [syntax.Evaluate(1, call)], self.outside.function.module)
        return self.interpreter.frame_of((function, self.outside), lambda: Frame(function, self.outside))

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

    # Collecting

    def _collect(self, entry: EntryPoint, start: Frame, reachable: bool = True) -> None:
        """Add what is done by the frames that a call from outside reaches."""
        paths = _reached_from(start)
        if reachable and not any(frame.scope is not None for frame in paths if frame is not start):
            self._unresolved(Text(entry.function, entry.location), NOT_FOUND, entry.service)
        for frame, path in paths.items():
            if reachable:
                self.reached.add(frame.function)
            way = _from_handler(entry, path)
            for use in frame.uses:
                self._add_use(entry, use, way, reachable)
            if reachable:
                for doubt in frame.doubts:
                    self._add_doubt(entry, doubt)
                for call in frame.unknown_calls:
                    self.unknown_calls[entry.service, call] = None

    def _add_doubt(self, entry: EntryPoint, doubt: Doubt) -> None:
        location = _reported(doubt.location)
        self._unresolved(Text("", location), doubt.why, entry.service)

    def _unresolved(self, text: Text, reason: str, service: str) -> None:
        self.diagnostics.add_unresolved(text, reason, service, READ_AND_WRITE)

    def _add_use(
        self,
        entry: EntryPoint,
        use: TableUse,
        path: tuple[str, ...],
        reachable: bool,
    ) -> None:
        if use.table is None:
            return
        mode = MODES[use.operation]
        for text in self._texts(use.table, entry, use.location):
            table = self.names.table(_table_in(text))
            if table is None:
                if reachable:
                    quote = Text(str(text), _reported(use.named_at), text.variables)
                    reason = f"the table of {use.operation} can't be resolved"
                    self.diagnostics.add_unresolved(quote, reason, entry.service, (mode,))
                continue
            key: AccessKey = (
                entry.service,
                table,
                mode,
                entry.function,
                reachable,
            )
            found = self.accesses.setdefault(key, _Found())
            direct = self._is_own(entry, use.named_at.file)
            if not found.path or (direct and not found.direct):
                found.path = path
            found.direct = found.direct or direct
            found.operations.add(use.operation)
            if use.index is None:
                found.calls.add(ActionOn(use.operation))
            else:
                for index in self._index_names(use.index, entry, use.location):
                    found.indexes.add(index)
                    found.calls.add(ActionOn(use.operation, index))
            found.evidence[_reported(use.named_at)] = None
            found.evidence[_reported(use.location)] = None

    def _index_names(self, index: Str, entry: EntryPoint, location: Location) -> Iterator[str]:
        for text in self._texts(index, entry, location):
            name = self.names.index(text)
            if name and PLACEHOLDER not in name:
                yield name

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

    # Texts

    def _texts(self, value: Str, entry: EntryPoint, location: Location) -> list[Text]:
        """A text with the values of the function's environment; several where a variable has several."""
        choices: list[list[Text]] = []
        for part in value.parts:
            choices.append(self._part_texts(part, entry, location, is_whole=len(value.parts) == 1))
        texts: list[Text] = []
        for number, combination in enumerate(product(*choices)):
            if number >= MAX_COMBINATIONS:
                texts.append(placeholder(location, "the name has too many values"))
                break
            texts.append(concat(combination, location))
        return texts

    def _part_texts(
        self,
        part: TextPart,
        entry: EntryPoint,
        location: Location,
        is_whole: bool,
    ) -> list[Text]:
        if isinstance(part, str):
            return [Text(part, location)]
        if isinstance(part, Derived):
            whole = self._texts(Str(part.parts), entry, location)
            return [derived_text(text, part.operation, part.argument) for text in whole]
        is_environment = names_environment(part.name) and not is_whole
        known = entry.environment.get(part.name)
        if known:
            return [_from_environment(text, location, is_environment) for text in known]
        if part.fallback is not None:
            fallback = self._texts(Str(part.fallback), entry, location)
            return [_from_environment(text, location, is_environment) for text in fallback]
        return [_not_set(part, location, is_environment)]

    # Functions that nobody deploys

    def _read_unreached(self) -> None:
        """Add what is done by functions in services' folders that no handler reaches."""
        started: list[tuple[EntryPoint, Frame]] = []
        for module in list(self._all_modules()):
            service = self._owner_of(module.file)
            if service is None:
                continue
            for function in module.functions:
                if function in self.reached:
                    continue
                frame = self._start_unreached(module, function)
                if frame is not None:
                    label = f"{module.file}#{function.name}"
                    started.append(
                        (
                            EntryPoint(
                                service,
                                label,
                                "",
                                module.file,
                                "",
                                Location(module.file),
                            ),
                            frame,
                        )
                    )
        self.interpreter.run()
        for entry, frame in started:
            self._collect(entry, frame, reachable=False)

    def _start_unreached(self, module: syntax.Module, function: syntax.Function) -> Frame | None:
        """Call a function that no handler reaches; None if it is inside another one."""
        scope = self.interpreter.module_frame(module)
        if function.name in module.body.variables:
            callee: syntax.Expression = syntax.Given(function.line, one(Func(function, scope)))
            if function in self._functions_of(module):
                return self._call_of(callee)
            return None
        class_name, _, method = function.name.partition(".")
        for (definition, _), cls in list(self.interpreter.classes.items()):
            if definition.name == class_name and definition in module.classes and method:
                return self._call_of(_method_of(cls, method, function.line))
        return None

    def _functions_of(self, module: syntax.Module) -> set[syntax.Function]:
        functions: set[syntax.Function] = set()
        for statement in module.body.body:
            if isinstance(statement, syntax.Declare):
                value = statement.value
                while isinstance(value, syntax.Decorate):
                    value = value.value
                if isinstance(value, syntax.FunctionExpression):
                    functions.add(value.function)
        return functions

    # Calls of something unknown

    def _report_unknown_calls(self) -> None:
        """Report ``this.users.find()`` of something unknown where a class ``UsersRepository`` uses tables in it."""
        classes = self._classes_by_method()
        for service, call in self.unknown_calls:
            receiver = letters_of(call.receiver)
            for name in sorted(classes.get(call.method, ())):
                if receiver in letters_of(name) or letters_of(name) in receiver:
                    text = Text(
                        f"{call.receiver}.{call.method}",
                        _reported(call.location),
                    )
                    self._unresolved(
                        text,
                        f"is called on something unknown, which may be a {name}",
                        service,
                    )
                    break

    def _classes_by_method(self) -> dict[str, set[str]]:
        """Method → the classes in which it uses a table, itself or by what it calls."""
        using = _functions_using_tables(self.interpreter.frames.values())
        classes: dict[str, set[str]] = {}
        for module in self._all_modules():
            for function in module.functions:
                class_name, _, method = function.name.rpartition(".")
                if class_name and function in using:
                    classes.setdefault(method, set()).add(class_name)
        return classes

    # Result

    def _result(self) -> Iterator[CodeAccess]:
        for key, found in sorted(self.accesses.items()):
            service, table, mode, function, reachable = key
            yield CodeAccess(
                service=service,
                table=table,
                mode=mode,
                function=function,
                direct=found.direct,
                path=found.path,
                operations=tuple(sorted(found.operations)),
                indexes=tuple(sorted(found.indexes)),
                evidence=tuple(found.evidence)[:MAX_EVIDENCE],
                reachable=reachable,
                calls=tuple(sorted(found.calls)),
            )


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


def _functions_using_tables(frames: Iterable[Frame]) -> set[syntax.Function]:
    """The functions that use tables, themselves or by what they call."""
    callers: dict[Frame, list[Frame]] = {}
    waiting: list[Frame] = []
    for frame in frames:
        for called in frame.calls:
            callers.setdefault(called, []).append(frame)
        if frame.uses or frame.doubts:
            waiting.append(frame)
    seen = set(waiting)
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if caller not in seen:
                seen.add(caller)
                waiting.append(caller)
    return {frame.function for frame in seen}


def _method_of(cls: Class, method: str, line: int) -> syntax.Expression:
    instance = syntax.Call(line, syntax.Given(line, one(cls)), [], is_new=True)
    return syntax.Member(line, instance, method)


def _reached_from(start: Frame) -> dict[Frame, tuple[str, ...]]:
    """The frames that a call reaches, each with the way to it.

    Functions come first, then what modules do when they are imported.
    """
    paths: dict[Frame, tuple[str, ...]] = {start: ()}
    modules: deque[Frame] = deque()
    functions: deque[Frame] = deque([start])
    while functions or modules:
        frame = functions.popleft() if functions else modules.popleft()
        for called in frame.calls:
            if called in paths:
                continue
            if called.scope is None:
                paths[called] = (*paths[frame], called.label)
                modules.append(called)
            else:
                paths[called] = (*paths[frame], called.label)
                functions.append(called)
    return paths


def _from_handler(entry: EntryPoint, path: tuple[str, ...]) -> tuple[str, ...]:
    """A way that begins with the handler, also where that is made by another function: ``wrap(list)``."""
    handler = f"{entry.file}#{entry.handler}"
    if not entry.handler or path[:1] == (handler,):
        return path
    return (handler, *path)


def _reported(location: Location) -> Location:
    """A location as reports name it: code that is written in a template is in that file."""
    file, inline, _ = location.file.partition(INLINE)
    return Location(file, location.line) if inline else location


def _table_in(text: Text) -> Text:
    """The name in a table's ARN; any other text itself."""
    if not text.startswith("arn:"):
        return text
    start = text.find(":table/")
    if start < 0:
        return text
    start += len(":table/")
    end = text.find("/", start)
    return text.part(start, len(text) if end < 0 else end)


def _from_environment(text: Text, location: Location, is_environment: bool) -> Text:
    return from_variable(text, location, varies=is_environment)


def _not_set(variable: EnvironmentVariable, location: Location, is_environment: bool) -> Text:
    reason = f"the infrastructure sets no environment variable {variable.name}"
    return placeholder(location, reason, varies=is_environment)
