"""Finds the module that an import means, in either language."""

from posixpath import dirname

from ownership.drift.code.imports.javascript import JavaScriptImports
from ownership.drift.code.imports.loading import FoundModule, ModuleLoader
from ownership.drift.code.imports.python import PythonImports
from ownership.drift.code.sources import Sources


class Imports:
    """Finds modules. ``roots``: folders from which Python's imports start, those of functions and of layers."""

    def __init__(self, sources: Sources, roots: set[str]) -> None:
        loader = ModuleLoader(sources)
        self.javascript = JavaScriptImports(loader)
        self.python = PythonImports(loader, roots)
        self._found: dict[tuple[str, str, int], FoundModule] = {}

    def find(self, file: str, module: str, level: int) -> FoundModule:
        """What an import means in a file; None for a package."""
        key = (dirname(file), module, level)
        if key not in self._found:
            if file.endswith(".py"):
                self._found[key] = self.python.find(file, module, level)
            else:
                self._found[key] = self.javascript.find(file, module)
        return self._found[key]

    def find_like(self, file: str, start: str) -> list[FoundModule]:
        """The modules that an import may mean whose name begins so: ``./actions/``, ``actions.``."""
        if file.endswith(".py"):
            return self.python.find_like(file, start)
        return self.javascript.find_like(file, start)
