"""Projects of the Serverless Framework that are written in code, as far as they are objects: serverless.ts.

::

    import hello from "@functions/hello";
    const configuration: AWS = { service: "shop", functions: { hello } };
    module.exports = configuration;

Nothing is run: the file is followed like a handler, and what it exports becomes the mapping that serverless.yml has.
What can't be told is a placeholder. ``__dirname`` and ``process.cwd()`` are known, for handlers are named by them.
"""

from posixpath import dirname

from ownership.drift.code import syntax
from ownership.drift.code.imports import Imports
from ownership.drift.code.interpreter import Interpreter
from ownership.drift.code.possibilities import (
    FALSE,
    NO_VALUES,
    TRUE,
    CodeValue,
    Constant,
    EnvironmentVariable,
    Namespace,
    Obj,
    Possibility,
    Str,
)
from ownership.drift.code.sources import Sources
from ownership.drift.types import Location, ReadError
from ownership.drift.values import Map, Seq, Text, Value, placeholder

MAX_DEPTH = 30
UNKNOWN = "can't be told from the code"


def load_code(name: str, sources: Sources) -> Map:
    """What a file of code exports, as the values of a project. Raises ReadError."""
    location = Location(name)
    if name not in sources.paths:
        raise ReadError(location, "is not among the files that were read")
    module = sources.module(name)
    if isinstance(module, str):
        raise ReadError(location, module)
    imports = Imports(sources, set())
    interpreter = Interpreter(imports.find, imports.find_like, _no_classes, {}, len(sources.paths))
    interpreter.working_folder = dirname(name)
    interpreter.module_frame(module)
    interpreter.run()
    value = interpreter.exported(module, "default", 1)
    configuration = _Converter(interpreter, location).converted(value, 0)
    if not isinstance(configuration, Map) or not configuration:
        raise ReadError(
            location,
            "exports no object that can be told; `serverless print` makes a serverless.yml of it",
        )
    return configuration


def _no_classes(name: str) -> list[syntax.ClassDefinition]:
    return []


class _Converter:
    """Makes values of a project from values of code."""

    def __init__(self, interpreter: Interpreter, location: Location) -> None:
        self.interpreter = interpreter
        self.location = location

    def converted(self, value: CodeValue, depth: int) -> Value:
        """The value: an object if it may be one, else the text that it is."""
        if depth > MAX_DEPTH:
            return placeholder(self.location, UNKNOWN)
        for possibility in value:
            if isinstance(possibility, Obj):
                return self._object(possibility, depth)
            if isinstance(possibility, Namespace):
                return self._module(possibility, depth)
        texts = [self._text(possibility) for possibility in value]
        if len(texts) != 1:
            return placeholder(self.location, UNKNOWN)
        return texts[0]

    def _object(self, obj: Obj, depth: int) -> Value:
        if obj.is_list:
            items = [self.converted(value, depth + 1) for _, value in self.interpreter.fields(obj)]
            return Seq(obj.location, [*items, *self._more(obj)])
        entries: list[tuple[str, Value]] = []
        for key in self.interpreter.literal_names(obj):
            value = self.interpreter.read_field(obj, key)
            entries.append((Text(key, obj.location), self.converted(value, depth + 1)))
        entries += [(Text("…", obj.location), more) for more in self._more(obj)]
        return Map(obj.location, entries)

    def _more(self, obj: Obj) -> list[Value]:
        """What stands for the entries or items that an object has besides those that are known."""
        if not self.interpreter.has_more(obj):
            return []
        return [placeholder(obj.location, UNKNOWN)]

    def _module(self, namespace: Namespace, depth: int) -> Value:
        entries: list[tuple[str, Value]] = []
        for name in namespace.module.exports:
            value = self.interpreter.exported(namespace.module, name, 1)
            entries.append((Text(name, self.location), self.converted(value, depth + 1)))
        return Map(self.location, entries)

    def _text(self, possibility: Possibility) -> Text | None:
        if isinstance(possibility, Str):
            return Text("".join(_as_variable(part) for part in possibility.parts), self.location)
        if possibility in NO_VALUES:
            return None
        if isinstance(possibility, Constant) and possibility in (TRUE, FALSE):
            return Text(possibility.name, self.location)
        return placeholder(self.location, UNKNOWN)


def _as_variable(part: object) -> str:
    """A part of a text, with an environment variable in the framework's own form."""
    if isinstance(part, str):
        return part
    if not isinstance(part, EnvironmentVariable):
        return "${env:UNKNOWN}"
    default = Str(part.fallback).literal if part.fallback else None
    if default is None:
        return f"${{env:{part.name}}}"
    return f"${{env:{part.name}, '{default}'}}"
