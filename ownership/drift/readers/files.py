"""Reads files below one folder, the root, and none outside it.

A project may include files that are named in it (``${file(../../common.yml)}``), and a pull request may come
from anyone. So links are resolved before they are followed, and size and kind of a file are checked before it
is read.
"""

import errno
import os
import stat
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from ownership.drift.readers.yaml_values import parse
from ownership.drift.types import Location, ReadError
from ownership.drift.values import Value

MAX_BYTES = 2_000_000  # CloudFormation itself takes templates up to 1 MB
TEMPLATE_SUFFIXES = {  # of what may be a template
    ".cfn",
    ".j2",
    ".jinja",
    ".jinja2",
    ".json",
    ".template",
    ".tmpl",
    ".tpl",
    ".yaml",
    ".yml",
}
# Folders of packages, and of what was built or vendored.
PASSED_OVER = {
    "__pycache__",
    "bower_components",
    "build",
    "cdk.out",
    "coverage",
    "dist",
    "env",
    "node_modules",
    "site-packages",
    "vendor",
    "vendored",
    "venv",
}


def resolved_path(path: Path) -> Path:
    """The path without links. Links in a circle, or that may not be read, stay as they are."""
    try:
        return Path(os.path.realpath(path))  # unlike Path.resolve(), raises nothing for a circle
    except OSError:
        return Path(os.path.abspath(path))


def common_folder(paths: Iterable[Path]) -> Path:
    """The folder that all of these files and folders are in."""
    folders = []
    for path in paths:
        folder = resolved_path(path)
        if not folder.is_dir():
            folder = folder.parent
        folders.append(folder)
    return Path(os.path.commonpath(folders))


class NotReadable(ValueError):
    """A file is of another kind, or too large. The message says which, without its name."""


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The content of a regular file. Raises NotReadable, or OSError; never waits for a pipe or reads a device."""
    descriptor = _open(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotReadable("is not a file")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > max_bytes:
        raise NotReadable(f"is larger than {max_bytes:,} bytes")
    return content


def _open(path: Path) -> int:
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        # Links in a circle lead to no file; a socket can't be opened.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotReadable("is not a file") from error
        raise


def folders_below(path: Path, passed_over: Container[str] = ()) -> Iterator[tuple[Path, set[str]]]:
    """A folder and those below it, each with the names of its files; none for a file.

    Folders of packages, hidden ones and those ``passed_over`` are left out. Links are not followed.
    """
    for folder, subfolders, file_names in os.walk(path):
        # os.walk goes into what is left in this list.
        kept = [name for name in subfolders if not _is_skipped(name) and name not in passed_over]
        subfolders[:] = sorted(kept)
        yield Path(folder), set(file_names)


def _is_skipped(folder: str) -> bool:
    return folder == "node_modules" or folder.startswith(".")


class Files:
    """Reads the files under one root, and none outside it."""

    def __init__(self, root: Path) -> None:
        self.root = resolved_path(root)
        self.included: set[Path] = set()  # the files that were found by the name in another
        # Projects share what they include, so a few parsed files are kept; more would cost memory.
        self._load = lru_cache(maxsize=8)(self._parse)

    def display_name(self, path: Path) -> str:
        """The path as reports show it: relative to the root."""
        if path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return path.as_posix()

    def find(self, folder: Path, name: str, *, includes: bool = True) -> Path | None:
        """The file called ``name``, relative to ``folder``; None if there is none.

        ``includes``: it is part of the file that names it. Raises ValueError if it lies outside the root, by its
        name or through a link.
        """
        try:
            path = resolved_path(folder / name)
        except (
            OSError,
            ValueError,
        ) as error:  # a name that is too long, or has a NUL in it
            raise ValueError(f"{name!r} is not a valid file name") from error
        if not path.is_relative_to(self.root):
            raise ValueError(
                f"{name} is outside {self._root_name}, the folder to read (--root FOLDER)"
            )
        if not path.is_file():
            return None
        if includes:
            self.included.add(path)
        return path

    def read_text(self, path: Path) -> str:
        """The text of a file. Raises ReadError if it can't be read, is too large, or is not UTF-8."""
        content = self.read_bytes(path, MAX_BYTES)
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ReadError(Location(self.display_name(path)), "is not UTF-8 text") from error

    def read_bytes(self, path: Path, max_bytes: int) -> bytes:
        """The content of a file. Raises ReadError if it can't be read, or is too large."""
        location = Location(self.display_name(path))
        try:
            self._check(path, location)
            return read_bytes(path, max_bytes)
        except NotReadable as error:
            raise ReadError(location, str(error)) from error
        except OSError as error:
            raise ReadError(location, error.strerror or "can't be opened") from error

    def load(self, path: Path) -> Value:
        """The values of a YAML or JSON file. Raises ReadError."""
        return self._load(path)

    @property
    def _root_name(self) -> str:
        return self.root.name or str(self.root)

    def _check(self, path: Path, location: Location) -> None:
        if not resolved_path(path).is_relative_to(self.root):
            raise ReadError(
                location,
                f"links to a file outside {self._root_name}, the folder to read",
            )

    def _parse(self, path: Path) -> Value:
        return parse(self.read_text(path), self.display_name(path))
