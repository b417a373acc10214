"""Which file an import of Python means."""

import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from posixpath import commonprefix, dirname, join, normpath

from ownership.drift.code import syntax
from ownership.drift.code.imports.loading import FoundModule, ModuleLoader, folders_around
from ownership.drift.code.sources import PYTHON

NEVER_LOCAL = {*sys.stdlib_module_names, "boto3", "botocore"}


class PythonImports:
    """Finds modules of Python. ``roots``: folders from which imports start, those of functions and of layers."""

    def __init__(self, loader: ModuleLoader, roots: set[str]) -> None:
        self.loader = loader
        self.sources = loader.sources
        self.roots = roots
        self._package_of = lru_cache(maxsize=None)(_folder_package)

    def find_like(self, file: str, start: str) -> list[FoundModule]:
        """The modules that ``import_module("actions." + name)`` may mean."""
        path, _, first = start.rpartition(".")
        package = self.find(file, path, 0)
        if not isinstance(package, syntax.Module):
            return []
        return self.loader.load_all(dirname(package.file), PYTHON, first)

    def find(self, file: str, module: str, level: int) -> FoundModule:
        """What an import means in a file; None for a package. ``level``: the dots of a relative one."""
        path = module.replace(".", "/")
        if level:
            # A dot is the file's own folder, each more one further up.
            folders = file.split("/")[:-level]
            return self._first_of(["/".join([*folders, path]).removesuffix("/")])
        if module.partition(".")[0] in NEVER_LOCAL:
            return None
        names = [normpath(join(root, path)) for root in self._roots_of(file)]
        return self._first_of(names, not_a_package=dirname(file)) or self._anywhere(file, path)

    def _first_of(self, names: list[str], not_a_package: str | None = None) -> FoundModule:
        """The first of these files, or else the first of these folders as a package."""
        file = self.sources.first_file(_module_files(names))
        if file is not None:
            return self.loader.load(file)
        for name in names:
            if name in self.sources.folders and name != not_a_package:
                return self._package_of(name)
        return None

    def _roots_of(self, file: str) -> list[str]:
        """Folders from which an import may start: the function's first, as on its path when it runs."""
        around = folders_around(file)
        own = [folder for folder in around if folder in self.roots]
        others = sorted(self.roots - set(around))
        return [*own, *around, *others]

    def _anywhere(self, file: str, path: str) -> FoundModule:
        """The file of that name that is nearest, wherever it is: layers are often put together when built."""
        names = [*self._named(f"{path}.py"), *self._named(f"{path}/__init__.py")]
        if not names:
            return None
        folders = file.split("/")
        nearness = {name: len(commonprefix([name.split("/"), folders])) for name in names}
        names.sort(key=nearness.__getitem__, reverse=True)
        if len(names) == 1 or nearness[names[0]] > nearness[names[1]]:
            return self.loader.load(names[0])
        module = path.replace("/", ".")
        return self.loader.unread(
            path, f"calls {module}, which may be any of {', '.join(names[:3])}"
        )

    def _named(self, path: str) -> list[str]:
        """The files whose name ends so."""
        candidates = self.sources.by_name.get(PurePosixPath(path).stem, [])
        return [name for name in candidates if name.endswith(f"/{path}")]


def _module_files(names: Iterable[str]) -> Iterator[str]:
    """The files that these modules may be in: one of their own, or their package's."""
    for name in names:
        yield f"{name}.py"
        yield join(name, "__init__.py")


def _folder_package(folder: str) -> syntax.Module:
    """A folder without ``__init__.py`` is a package as well, one without code."""
    package = syntax.Module(join(folder, "__init__.py"), "python")
    package.body = syntax.Function("", 1, [], [], package)
    return package
