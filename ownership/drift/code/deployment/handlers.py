"""The file of a handler, its name in that, and the environment of its function."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from posixpath import join, normpath

from ownership.drift.code.deployment.base import (
    BUILT_FOLDERS,
    INLINE,
    DeployedFunction,
    DeploymentBase,
    EntryPoint,
)
from ownership.drift.code.imports import Imports
from ownership.drift.code.sources import JAVASCRIPT
from ownership.drift.types import ReadError, shortened
from ownership.drift.values import (
    Text,
    placeholder,
)


class Handlers(DeploymentBase):
    """Makes entry points of functions."""

    def entry_points(self, imports: Imports) -> list[EntryPoint]:
        """All functions, with the files of their handlers and the values of their environment."""
        return [self._entry_point(function, imports) for function in self.functions]

    def _entry_point(self, function: DeployedFunction, imports: Imports) -> EntryPoint:
        handler = str(function.handler)
        file: str | None = None
        problem = function.problem
        name = handler.rpartition(".")[2]
        if function.inline is not None:
            file = self._inline(function, function.inline)
        elif not problem:
            file, name = self._handler_file_and_name(function, imports)
            if file is None:
                problem = f"the file of the handler {shortened(handler)} is not among those that were read"
        return EntryPoint(
            function.service,
            function.name,
            function.own_folder,
            file,
            name,
            function.handler.location,
            _environment(function),
            problem,
        )

    def _inline(self, function: DeployedFunction, inline: Text) -> str:
        """Code that is written in the template itself, as a file of its own."""
        source = str(inline)
        is_python = "def " in source or "import boto3" in source
        suffix = ".py" if is_python else ".js"
        name = f"{inline.location.file}{INLINE}/{function.name}{suffix}"
        # Lines are counted as in the template.
        text = "\n" * (inline.location.line or 1) + source
        self.sources.add_text(name, suffix, text)
        return name

    def _handler_file_and_name(
        self, function: DeployedFunction, imports: Imports
    ) -> tuple[str | None, str]:
        """The file of a handler, None if there is none, and the handler's name in it."""
        name = ""
        for path, name in _splits_of_handler(str(function.handler)):
            file = self._handler_file(function, path, imports)
            if file is not None:
                return file, name
        return None, name

    def _handler_file(self, function: DeployedFunction, path: str, imports: Imports) -> str | None:
        path = path.lstrip("/")
        stems = [normpath(join(function.base, path))]
        # Python's handlers may be written with dots.
        if "/" not in path and "." in path:
            stems.append(normpath(join(function.base, path.replace(".", "/"))))
        # Compiled ones are built from another folder.
        for stem in list(stems):
            stems += _source_stems(stem)
        for stem in stems:
            file = self._file_of_stem(stem, imports)
            if file is not None:
                return file
        return self._anywhere(function, path)

    def _file_of_stem(self, stem: str, imports: Imports) -> str | None:
        """The file whose name is this with some ending, or the main file of that folder."""
        for candidate in (f"{stem}.py", join(stem, "__init__.py")):
            if candidate in self.sources.paths:
                return candidate
        file = imports.javascript.file(stem)
        if file is None or PurePosixPath(file).suffix not in JAVASCRIPT:
            return None
        return file

    def _anywhere(self, function: DeployedFunction, path: str) -> str | None:
        """The only file of that name, below the function's own folder or anywhere."""
        wanted = path.replace(".", "/")
        names: list[str] = []
        for name in self.sources.by_name.get(PurePosixPath(wanted).name, []):
            stem = name.removesuffix(PurePosixPath(name).suffix)
            if f"/{stem}".endswith(f"/{wanted}"):
                names.append(name)
        own = [name for name in names if name.startswith(f"{function.own_folder}/")]
        # Archives are often named after the folder that they were made of.
        own_name = letters_of(function.name)
        named = [name for name in names if letters_of(PurePosixPath(name).parent.name) in own_name]
        for candidates in (own, names, named):
            if len(candidates) == 1:
                return candidates[0]
        return None


def _environment(function: DeployedFunction) -> dict[str, list[Text]]:
    """Each variable of a function's environment with the texts that it may be."""
    environment: dict[str, list[Text]] = {}
    for part in function.environment:
        for name, node in part.items():
            try:
                texts = function.template.texts(node)
            except ReadError as error:
                texts = [placeholder(error.location, error.reason)]
            environment[str(name)] = texts
    return environment


def _splits_of_handler(handler: str) -> Iterator[tuple[str, str]]:
    """What may be the file of a handler, and its name in that: ``users.Api.handler`` may be ``Api.handler``."""
    folder, slash, base = handler.rpartition("/")
    parts = base.split(".")
    for position in range(len(parts) - 1, 0, -1):
        yield folder + slash + ".".join(parts[:position]), ".".join(parts[position:])


def _source_stems(stem: str) -> list[str]:
    """Where the source of a built file may be: ``dist/users`` is built from ``src/users`` or ``users``."""
    parts = stem.split("/")
    stems: list[str] = []
    for position, part in enumerate(parts):
        if part in BUILT_FOLDERS:
            before, after = parts[:position], parts[position + 1 :]
            stems.append("/".join([*before, "src", *after]))
            stems.append("/".join([*before, *after]))
            if after[:1] == ["src"]:
                stems.append("/".join([*before, *after]))
    return stems


def letters_of(name: str) -> str:
    """A name without what separates its words."""
    return name.lower().replace("-", "").replace("_", "")
