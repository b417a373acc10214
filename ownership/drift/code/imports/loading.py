"""Modules by the files that they are in, and what stands for those that are not read."""

from posixpath import basename, dirname
from typing import TypeAlias

from ownership.drift.code import syntax
from ownership.drift.code.possibilities import External
from ownership.drift.code.sources import Sources, is_test

FoundModule: TypeAlias = syntax.Module | External | None
MAX_MODULES = 100  # that one import with an unknown part may mean


class ModuleLoader:
    """Loads modules from the sources."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._unread: dict[str, External] = {}

    def load(self, name: str) -> FoundModule:
        """The module in a file."""
        module = self.sources.module(name)
        if isinstance(module, str):
            return self.unread(name, f"calls code that is not read: {module}")
        return module

    def load_all(self, folder: str, suffixes: tuple[str, ...], first: str) -> list[FoundModule]:
        """The modules in a folder whose names begin so."""
        names: list[str] = []
        for name in self.sources.paths:
            if dirname(name) != folder or not name.endswith(suffixes) or is_test(name):
                continue
            base = basename(name)
            if base.startswith(first) and not base.startswith("__init__"):
                names.append(name)
        return [self.load(name) for name in names[:MAX_MODULES]]

    def unread(self, name: str, reason: str) -> External:
        """What stands for code of the project that is not read; the same for the same reason."""
        if reason not in self._unread:
            self._unread[reason] = External((name,), unread=reason)
        return self._unread[reason]


def folders_around(file: str) -> list[str]:
    """The folder of a file and those around it, innermost first."""
    folders: list[str] = []
    folder = dirname(file)
    while folder:
        folders.append(folder)
        folder = dirname(folder)
    return [*folders, ""]
