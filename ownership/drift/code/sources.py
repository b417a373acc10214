"""The files of code below one folder: which are read, which are passed over, and what each contains.

Folders of packages, vendored and built code are passed over, and so are files that are minified or too large: what
is there was not written for people, and reading it may take forever. A module that is imported from there is known
to be unread.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from posixpath import dirname

from ownership.drift.code import syntax
from ownership.drift.diagnostics import Diagnostics
from ownership.drift.readers.files import PASSED_OVER, TEMPLATE_SUFFIXES, Files, resolved_path
from ownership.drift.types import Location, ReadError

JAVASCRIPT = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
PYTHON = (".py",)
CODE = (*JAVASCRIPT, *PYTHON)
DATA = (".json",)
MAX_FILES = 100_000
MAX_CODE_BYTES = 1_000_000
MAX_DATA_BYTES = 200_000
MINIFIED_BYTES = 20_000  # a shorter file is read in any case
MINIFIED_WIDTH = 400  # characters of a line, on average
TESTS = re.compile(
    r"(^|/)(__tests__|__mocks__|tests?|spec)/|\.(test|spec)\.\w+$|(^|/)(test_[^/]*|conftest|[^/]*_test)\.py$"
)
COMMENTS = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


def is_test(file: str) -> bool:
    """Whether a file is a test by its name."""
    return TESTS.search(file) is not None


class Sources:
    """The files of code below the root of ``files``, by their name relative to it."""

    def __init__(self, files: Files, diagnostics: Diagnostics) -> None:
        self.files = files
        self.diagnostics = diagnostics
        self.paths: dict[str, Path] = {}
        self.folders: set[str] = set()
        self.package_files: list[str] = []  # package.json
        self.infrastructure: list[Path] = []  # what may be a template
        self._modules: dict[str, syntax.Module | str] = {}
        self._links: dict[str, str] = {}
        self._passed_over: dict[str, int] = {}
        for path in self._walk(files.root):
            self._add(path)
        self._note_passed_over()

    # Files

    def _walk(self, top: Path) -> Iterator[Path]:
        count = 0
        for folder, subfolders, names in os.walk(top):
            # os.walk goes into what is left in this list.
            subfolders[:] = [
                name for name in sorted(subfolders) if self._goes_into(Path(folder, name))
            ]
            for name in sorted(names):
                count += 1
                if count > MAX_FILES:
                    reason = f"has more than {MAX_FILES:,} files; the rest is not read"
                    self.diagnostics.add_error(ReadError(Location(str(top)), reason))
                    return
                yield Path(folder, name)

    def _goes_into(self, folder: Path) -> bool:
        """Whether a folder is read; what is passed over, and where links lead, is remembered."""
        if folder.is_symlink():
            self._add_link(folder)
            return False
        if folder.name in PASSED_OVER:
            self._passed_over[folder.name] = self._passed_over.get(folder.name, 0) + 1
            return False
        return not folder.name.startswith(".")

    def _add(self, path: Path) -> None:
        # A link may lead anywhere, and to the same file twice.
        if path.is_symlink():
            self._add_link(path)
            return
        name = self.files.display_name(path)
        if path.suffix in CODE and not name.endswith(".d.ts"):
            self.paths[name] = path
            self._add_folders(dirname(name))
        elif path.suffix in DATA:
            self.paths[name] = path
            if path.name == "package.json":
                self.package_files.append(name)
        if path.suffix in TEMPLATE_SUFFIXES:
            self.infrastructure.append(path)

    def _add_folders(self, folder: str) -> None:
        """Remember a folder with code, and those around it."""
        while folder not in self.folders:
            self.folders.add(folder)
            folder = dirname(folder)

    def _add_link(self, path: Path) -> None:
        """Remember where a link leads, if that is below the root."""
        target = resolved_path(path)
        if target.is_relative_to(self.files.root) and target != self.files.root:
            self._links[self.files.display_name(path)] = self.files.display_name(target)

    def real_name(self, name: str) -> str:
        """A name in which a link, to a file or to a folder around it, is replaced by where it leads."""
        position = name
        while position and self._links:
            target = self._links.get(position)
            if target is not None:
                return target + name[len(position) :]
            position = dirname(position)
        return name

    def first_file(self, names: Iterable[str]) -> str | None:
        """The first of these names that is a file, as it is really called; None if there is none."""
        for name in names:
            real_name = self.real_name(name)
            if real_name in self.paths:
                return real_name
        return None

    def include(self, folder: str) -> None:
        """Read a folder that is passed over, for infrastructure says that code is deployed from it."""
        path = self.files.root / folder
        if path.is_dir() and path.resolve().is_relative_to(self.files.root):
            for inner in self._walk(path):
                self._add(inner)

    def _note_passed_over(self) -> None:
        if not self._passed_over:
            return
        counts = [f"{name} ({count})" for name, count in sorted(self._passed_over.items())]
        note = f"folders of packages, vendored and built code are passed over: {', '.join(counts)}"
        self.diagnostics.add_note(Location("."), note)

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """The last part of each file's name, without its ending → the files."""
        files: dict[str, list[str]] = {}
        for name in self.paths:
            path = PurePosixPath(name)
            if path.suffix in CODE:
                files.setdefault(path.stem, []).append(name)
        return files

    # Modules

    def module(self, name: str) -> syntax.Module | str:
        """The module in a file; a text that says why it can't be read."""
        if name not in self._modules:
            self._modules[name] = self._parse(name)
        return self._modules[name]

    def _parse(self, name: str) -> syntax.Module | str:
        path = self.paths[name]
        try:
            text = self.files.read_text(path)
        except ReadError as error:
            return self._unread(name, error.reason)
        if path.suffix in DATA:
            return self._data(name, text)
        size = len(text)
        if size > MAX_CODE_BYTES:
            return self._unread(name, f"is larger than {MAX_CODE_BYTES:,} characters")
        if size > MINIFIED_BYTES and size / (text.count("\n") + 1) > MINIFIED_WIDTH:
            return self._unread(name, "is minified")
        return self.parse_text(name, path.suffix, text)

    def parse_text(self, name: str, suffix: str, text: str) -> syntax.Module | str:
        """The module in a text; a text that says why it can't be parsed."""
        if suffix in PYTHON:
            from ownership.drift.code import python

            return python.parse(text, name)
        try:
            from ownership.drift.code import javascript
        except ImportError:
            reason = "needs tree-sitter: install the extra `code`"
            self.diagnostics.add_error(ReadError(Location("JavaScript and TypeScript"), reason))
            return f"{name} {reason}"
        return javascript.parse(text.encode(), name, suffix)

    def add_text(self, name: str, suffix: str, text: str) -> None:
        """Add code that has no file of its own."""
        self._modules[name] = self.parse_text(name, suffix, text)

    def _unread(self, name: str, reason: str) -> str:
        self.diagnostics.add_note(Location(name), f"{reason}, and is not read")
        return f"{name} {reason}, and is not read"

    def _data(self, name: str, text: str) -> syntax.Module | str:
        """A JSON file as a module whose export is the value in it."""
        if len(text) > MAX_DATA_BYTES:
            return f"{name} is larger than {MAX_DATA_BYTES:,} characters, and is not read"
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return f"{name} is not valid JSON, and is not read"
        module = syntax.Module(name, "javascript")
        exports = syntax.Member(1, syntax.Name(1, "module"), "exports")
        assignment = syntax.Assign(1, exports, _as_literal(value))
        module.body = syntax.Function(
            "", 1, [], [syntax.ExpressionStatement(1, assignment)], module
        )
        return module

    def json(self, name: str) -> dict[str, object]:
        """The settings in a JSON file, which may have comments; empty if it can't be read."""
        try:
            text = self.files.read_text(self.paths[name])
            text = COMMENTS.sub(lambda match: match[1] or "", text)
            text = TRAILING_COMMA.sub(lambda match: match[1] or "", text)
            value = json.loads(text)
        except (ReadError, ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


def _as_literal(value: object, depth: int = 0) -> syntax.Expression:
    """A value of JSON as an expression."""
    if depth > 50:
        return syntax.Other(1, [])
    match value:
        case dict():
            entries: list[tuple[syntax.Expression | None, syntax.Expression]] = []
            for key, inner in value.items():
                entries.append((syntax.Literal(1, key), _as_literal(inner, depth + 1)))
            return syntax.ObjectLiteral(1, entries)
        case list():
            return syntax.ListLiteral(1, [_as_literal(item, depth + 1) for item in value])
        case None | bool() | str():
            return syntax.Literal(1, value)
    return syntax.Literal(1, str(value))
