"""Which file an import means.

::

    ./db, ../lib/db.js             a file beside the importing one: .ts, .js, … or a folder's index
    @shop/db, lib/db               TypeScript's paths, a package of the same repository, a layer (/opt/nodejs/db)
    from shared.db import get      Python: below the function's folder, a layer, or any folder around the file

Anything else is a package, and is not read. Source: Node.js documentation, "Modules"; TypeScript documentation,
"Module resolution"; Python documentation, "The import system"; AWS Lambda Developer Guide, "Layers".
"""

import sys
from functools import lru_cache
from pathlib import PurePosixPath
from posixpath import basename, dirname, join, normpath

from ownership.drift.code import syntax
from ownership.drift.code.possibilities import (
    External,
)
from ownership.drift.code.sources import JAVASCRIPT, PYTHON, Sources, is_test

FoundModule = syntax.Module | External | None

NEVER_LOCAL = {*sys.stdlib_module_names, "boto3", "botocore"}
BUILT = {"build", "dist", "lib", "out"}  # folders of what packages build
MAX_EXTENDED = 5  # settings that extend each other
MAX_MODULES = 100  # that one import with an unknown part may mean
LAYER_FOLDERS = ("/opt/nodejs/", "/opt/")
BUILT_SUFFIXES = {
    ".js": (".ts", ".tsx"),
    ".mjs": (".mts",),
    ".cjs": (".cts",),
    ".jsx": (".tsx",),
}


class Imports:
    """Finds modules. ``roots``: folders from which Python's imports start, those of functions and of layers."""

    def __init__(self, sources: Sources, roots: set[str]) -> None:
        self.sources = sources
        self.roots = roots
        self.packages = self._packages()
        self._unread: dict[str, External] = {}
        self._folder_packages: dict[str, syntax.Module] = {}
        self._found: dict[tuple[str, str, int], FoundModule] = {}
        self._settings_of = lru_cache(maxsize=None)(self._settings)

    def find(self, file: str, module: str, level: int) -> FoundModule:
        """What an import means in a file; None for a package."""
        key = (dirname(file), module, level)
        if key not in self._found:
            if file.endswith(".py"):
                self._found[key] = self._find_python(file, module, level)
            else:
                self._found[key] = self._find_javascript(file, module)
        return self._found[key]

    def find_like(self, file: str, start: str) -> list[FoundModule]:
        """The modules that an import may mean whose name begins so: ``./actions/``, ``actions.``."""
        if file.endswith(".py"):
            return self._find_like_in_python(file, start)
        if not start.startswith("."):
            return []
        folder = dirname(normpath(join(dirname(file), start + "x")))
        return self._modules_in(folder, JAVASCRIPT, start.rpartition("/")[2])

    def _find_like_in_python(self, file: str, start: str) -> list[FoundModule]:
        path, _, first = start.rpartition(".")
        package = self.find(file, path, 0)
        if not isinstance(package, syntax.Module):
            return []
        return self._modules_in(dirname(package.file), PYTHON, first)

    def _modules_in(self, folder: str, suffixes: tuple[str, ...], first: str) -> list[FoundModule]:
        """The modules in a folder whose names begin so."""
        names: list[str] = []
        for name in self.sources.paths:
            if dirname(name) != folder or not name.endswith(suffixes) or is_test(name):
                continue
            base = basename(name)
            if base.startswith(first) and not base.startswith("__init__"):
                names.append(name)
        return [self._load(name) for name in names[:MAX_MODULES]]

    def _load(self, name: str) -> FoundModule:
        module = self.sources.module(name)
        if isinstance(module, str):
            return self._unread_module(name, f"calls code that is not read: {module}")
        return module

    def _unread_module(self, name: str, reason: str) -> External:
        if reason not in self._unread:
            self._unread[reason] = External((name,), unread=reason)
        return self._unread[reason]

    # JavaScript and TypeScript

    def _find_javascript(self, file: str, module: str) -> FoundModule:
        is_relative = module.startswith(".")
        if is_relative:
            candidates = [normpath(join(dirname(file), module))]
        else:
            candidates = self._candidates(file, module)
        for candidate in candidates:
            name = self.javascript_file(candidate)
            if name is not None:
                return self._load(name)
        if is_relative:
            reason = f"calls {module}, which is not among the files that were read"
            return self._unread_module(module, reason)
        return None

    def javascript_file(self, name: str) -> str | None:
        """The file that a name without ending, or a folder's name, means."""
        suffix = PurePosixPath(name).suffix
        names = [name]
        # TypeScript imports `./db.ts` as `./db.js`.
        for source_suffix in BUILT_SUFFIXES.get(suffix, ()):
            names.append(name.removesuffix(suffix) + source_suffix)
        for ending in (*JAVASCRIPT, ".json"):
            names.append(name + ending)
        for ending in JAVASCRIPT:
            names.append(join(name, "index") + ending)
        for candidate in names:
            real_name = self.sources.real_name(candidate)
            if real_name in self.sources.paths:
                return real_name
        return None

    def _candidates(self, file: str, module: str) -> list[str]:
        """The names that an import of something that is not relative may have."""
        return [
            *self._configured(file, module),
            *self._in_own_package(module),
            *self._in_layer(module),
            *self._around(file, module),
        ]

    def _in_own_package(self, module: str) -> list[str]:
        """``@shop/db/users``: a file in a package of the same repository."""
        parts = module.split("/")
        scope = 2 if module.startswith("@") else 1
        folder = self.packages.get("/".join(parts[:scope]))
        if folder is None:
            return []
        return self._in_package(folder, "/".join(parts[scope:]))

    def _in_layer(self, module: str) -> list[str]:
        """``/opt/nodejs/db``: a file that a layer puts there."""
        for prefix in LAYER_FOLDERS:
            if module.startswith(prefix):
                return self._in_layers(module.removeprefix(prefix))
        return []

    def _around(self, file: str, module: str) -> list[str]:
        """``lib/db``, ``@/lib/db``: a file below one of the folders around the importing one."""
        if module.startswith(("@/", "~/")):
            inner = module[2:]
        elif "/" in module and not module.startswith(("@", "/")):
            inner = module
        else:
            return []
        candidates: list[str] = []
        for around in _folders_around(file):
            candidates.append(normpath(join(around, inner)))
            candidates.append(normpath(join(around, "src", inner)))
        return candidates

    def _configured(self, file: str, module: str) -> list[str]:
        """What ``baseUrl`` and ``paths`` of the nearest tsconfig.json make of an import."""
        candidates: list[str] = []
        base, paths = self._settings_of(dirname(file))
        for pattern, targets in paths.items():
            middle = _matched_by_star(pattern, module)
            if middle is not None:
                candidates += [normpath(join(base or "", target.replace("*", middle))) for target in targets]
        if base is not None:
            candidates.append(normpath(join(base, module)))
        return candidates

    def _settings(self, folder: str) -> tuple[str | None, dict[str, list[str]]]:
        """``baseUrl`` and ``paths`` that hold in a folder."""
        for around in _folders_around(join(folder, "file")):
            for name in ("tsconfig.json", "jsconfig.json"):
                settings = join(around, name)
                if settings in self.sources.paths:
                    return self._paths_in(settings, 0)
        return None, {}

    def _paths_in(self, name: str, depth: int) -> tuple[str | None, dict[str, list[str]]]:
        """``baseUrl`` and ``paths`` of a file of settings, and of those that it extends."""
        content = self.sources.json(name)
        folder = dirname(name)
        base, paths = self._extended(content.get("extends"), folder, depth)
        options = content.get("compilerOptions")
        if not isinstance(options, dict):
            return base, paths
        own_base, own_paths = options.get("baseUrl"), options.get("paths")
        if isinstance(own_base, str):
            base = normpath(join(folder, own_base))
        if isinstance(own_paths, dict):
            paths = _lists_of_texts(own_paths)
            if base is None:
                base = folder or "."
        return base, paths

    def _extended(self, extended: object, folder: str, depth: int) -> tuple[str | None, dict[str, list[str]]]:
        """``baseUrl`` and ``paths`` of the settings that others extend; those of packages are not read."""
        if isinstance(extended, str) and extended.startswith(".") and depth < MAX_EXTENDED:
            target = normpath(join(folder, extended))
            for candidate in (target + ".json", target):
                if candidate in self.sources.paths:
                    return self._paths_in(candidate, depth + 1)
        return None, {}

    def _packages(self) -> dict[str, str]:
        """The packages of the repository itself: name → folder."""
        packages: dict[str, str] = {}
        for file in self.sources.package_files:
            name = self.sources.json(file).get("name")
            if isinstance(name, str):
                packages.setdefault(name, dirname(file))
        return packages

    def _in_package(self, folder: str, inner: str) -> list[str]:
        """The names that a file in a package, or its main file, may have."""
        if inner:
            return [normpath(join(folder, inner)), normpath(join(folder, "src", inner))]
        candidates: list[str] = []
        content = self.sources.json(join(folder, "package.json"))
        for key in ("source", "module", "main", "types"):
            main = content.get(key)
            if isinstance(main, str):
                candidates += _main_files(folder, main)
        candidates.append(normpath(join(folder, "index")))
        candidates.append(normpath(join(folder, "src/index")))
        return candidates

    def _in_layers(self, inner: str) -> list[str]:
        """Files that a layer may put below /opt."""
        wanted = inner.removesuffix(PurePosixPath(inner).suffix)
        candidates: list[str] = []
        for name in self.sources.by_name.get(PurePosixPath(inner).stem, []):
            stem = name.removesuffix(PurePosixPath(name).suffix)
            if f"/{stem}".endswith(f"/{wanted}"):
                candidates.append(name)
        for folder in self.sources.folders:
            if folder.endswith(f"/{inner}"):
                candidates.append(folder)
        return candidates

    # Python

    def _find_python(self, file: str, module: str, level: int) -> FoundModule:
        path = module.replace(".", "/")
        if level:
            return self._find_relative(file, path, level)
        if module.partition(".")[0] in NEVER_LOCAL:
            return None
        names = [normpath(join(root, path)) for root in self._python_roots(file)]
        for name in names:
            found = self._python_file(name)
            if found is not None:
                return found
        for name in names:
            if name in self.sources.folders and name != dirname(file):
                return self._package(name)
        return self._anywhere(file, path)

    def _find_relative(self, file: str, path: str, level: int) -> FoundModule:
        """``from ..package import name``: a dot is the file's own folder, each more one further up."""
        folder = dirname(file)
        for _ in range(level - 1):
            folder = dirname(folder)
        name = join(folder, path) if path else folder
        found = self._python_file(name)
        if found is None and name in self.sources.folders:
            return self._package(name)
        return found

    def _python_roots(self, file: str) -> list[str]:
        """Folders from which an import may start: the function's first, as on its path when it runs."""
        around = _folders_around(file)
        own = [folder for folder in around if folder in self.roots]
        others = sorted(self.roots - set(around))
        return [*own, *around, *others]

    def _python_file(self, name: str) -> FoundModule:
        for candidate in (f"{name}.py", join(name, "__init__.py")):
            real_name = self.sources.real_name(candidate)
            if real_name in self.sources.paths:
                return self._load(real_name)
        return None

    def _package(self, folder: str) -> syntax.Module:
        """A folder without ``__init__.py`` is a package as well."""
        name = join(folder, "__init__.py")
        package = self._folder_packages.get(name)
        if package is None:
            package = syntax.Module(name, "python")
            package.body = syntax.Function("", 1, [], [], package)
            self._folder_packages[name] = package
        return package

    def _anywhere(self, file: str, path: str) -> FoundModule:
        """The file of that name that is nearest, wherever it is: layers are often put together when built."""
        names = [*self._named(f"{path}.py"), *self._named(f"{path}/__init__.py")]
        if not names:
            return None
        nearness = {name: _common_folders(name, file) for name in names}
        names.sort(key=nearness.__getitem__, reverse=True)
        if len(names) == 1 or nearness[names[0]] > nearness[names[1]]:
            return self._load(names[0])
        module = path.replace("/", ".")
        return self._unread_module(path, f"calls {module}, which may be any of {', '.join(names[:3])}")

    def _named(self, path: str) -> list[str]:
        """The files whose name ends so."""
        candidates = self.sources.by_name.get(PurePosixPath(path).stem, [])
        return [name for name in candidates if name.endswith(f"/{path}")]


def _matched_by_star(pattern: str, module: str) -> str | None:
    """What stands for the star of a pattern such as ``@lib/*``; None if the pattern does not match."""
    start, star, end = pattern.partition("*")
    if not star:
        return "" if module == pattern else None
    if not module.startswith(start) or not module.endswith(end):
        return None
    return module[len(start) : len(module) - len(end)]


def _main_files(folder: str, main: str) -> list[str]:
    """A package's main file, and what it is built from: what is built is not there."""
    candidates = [normpath(join(folder, main))]
    first, *inner = PurePosixPath(main).parts or ("",)
    if first in BUILT:
        stem = "/".join(inner).removesuffix(".js").removesuffix(".d.ts")
        candidates.append(normpath(join(folder, "src", stem)))
    return candidates


def _folders_around(file: str) -> list[str]:
    """The folder of a file and those around it, innermost first."""
    folders: list[str] = []
    folder = dirname(file)
    while folder:
        folders.append(folder)
        folder = dirname(folder)
    return [*folders, ""]


def _common_folders(first: str, second: str) -> int:
    count = 0
    for one, other in zip(first.split("/"), second.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count


def _lists_of_texts(content: dict[object, object]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for key, value in content.items():
        if isinstance(key, str) and isinstance(value, list):
            lists[key] = [item for item in value if isinstance(item, str)]
    return lists
