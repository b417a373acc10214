"""Which file an import of JavaScript or TypeScript means."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import PurePosixPath
from posixpath import dirname, join, normpath

from ownership.drift.code.imports.loading import FoundModule, ModuleLoader, folders_around
from ownership.drift.code.sources import JAVASCRIPT

LAYER_FOLDERS = ("/opt/nodejs/", "/opt/")
BUILT_SUFFIXES = {
    ".js": (".ts", ".tsx"),
    ".mjs": (".mts",),
    ".cjs": (".cts",),
    ".jsx": (".tsx",),
}
BUILT = {"build", "dist", "lib", "out"}  # folders of what packages build
MAX_EXTENDED = 5  # settings that extend each other


@dataclass(frozen=True)
class PathSettings:
    """``baseUrl`` and ``paths`` of a tsconfig.json."""

    base: str | None = None
    paths: Mapping[str, list[str]] = field(default_factory=dict)


class JavaScriptImports:
    """Finds modules of JavaScript and TypeScript."""

    def __init__(self, loader: ModuleLoader) -> None:
        self.loader = loader
        self.sources = loader.sources
        self.packages = self._packages()
        self._settings_of = lru_cache(maxsize=None)(self._settings)

    def find_like(self, file: str, start: str) -> list[FoundModule]:
        """The modules that ``require("./actions/" + name)`` may mean."""
        if not start.startswith("."):
            return []
        folder = dirname(normpath(join(dirname(file), start + "x")))
        return self.loader.load_all(folder, JAVASCRIPT, start.rpartition("/")[2])

    def find(self, file: str, module: str) -> FoundModule:
        """What an import means in a file; None for a package."""
        if not module.startswith("."):
            return self._first_of(self._candidates(file, module))
        found = self._first_of([normpath(join(dirname(file), module))])
        if found is None:
            reason = f"calls {module}, which is not among the files that were read"
            return self.loader.unread(module, reason)
        return found

    def _first_of(self, names: list[str]) -> FoundModule:
        for name in names:
            file = self.file(name)
            if file is not None:
                return self.loader.load(file)
        return None

    def file(self, name: str) -> str | None:
        """The file that a name without ending, or a folder's name, means."""
        suffix = PurePosixPath(name).suffix
        names = [name]
        # TypeScript imports `./db.ts` as `./db.js`.
        for source_suffix in BUILT_SUFFIXES.get(suffix, ()):
            names.append(name.removesuffix(suffix) + source_suffix)
        names += [name + ending for ending in (*JAVASCRIPT, ".json")]
        names += [join(name, "index") + ending for ending in JAVASCRIPT]
        return self.sources.first_file(names)

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
        for around in folders_around(file):
            candidates.append(normpath(join(around, inner)))
            candidates.append(normpath(join(around, "src", inner)))
        return candidates

    def _configured(self, file: str, module: str) -> list[str]:
        """What ``baseUrl`` and ``paths`` of the nearest tsconfig.json make of an import."""
        candidates: list[str] = []
        settings = self._settings_of(dirname(file))
        # With `paths`, there is always a base.
        if settings.base is None:
            return candidates
        for pattern, targets in settings.paths.items():
            middle = _matched_by_star(pattern, module)
            if middle is None:
                continue
            for target in targets:
                path = target.replace("*", middle)
                candidates.append(normpath(join(settings.base, path)))
        candidates.append(normpath(join(settings.base, module)))
        return candidates

    def _settings(self, folder: str) -> PathSettings:
        """The settings that hold in a folder."""
        for around in folders_around(join(folder, "file")):
            for name in ("tsconfig.json", "jsconfig.json"):
                settings = join(around, name)
                if settings in self.sources.paths:
                    return self._settings_in(settings, 0)
        return PathSettings()

    def _settings_in(self, name: str, depth: int) -> PathSettings:
        """The settings in a file, and in those that it extends."""
        content = self.sources.json(name)
        folder = dirname(name)
        settings = self._extended(content.get("extends"), folder, depth)
        options = content.get("compilerOptions")
        if not isinstance(options, dict):
            return settings
        base, paths = options.get("baseUrl"), options.get("paths")
        if isinstance(base, str):
            settings = replace(settings, base=normpath(join(folder, base)))
        if isinstance(paths, dict):
            own_base = settings.base or normpath(folder)
            settings = PathSettings(own_base, _lists_of_texts(paths))
        return settings

    def _extended(self, extended: object, folder: str, depth: int) -> PathSettings:
        """The settings that others extend; those of packages are not read."""
        if not isinstance(extended, str) or not extended.startswith(".") or depth >= MAX_EXTENDED:
            return PathSettings()
        target = normpath(join(folder, extended))
        for candidate in (target + ".json", target):
            if candidate in self.sources.paths:
                return self._settings_in(candidate, depth + 1)
        return PathSettings()

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
        for folder in sorted(self.sources.folders):
            if folder.endswith(f"/{inner}"):
                candidates.append(folder)
        return candidates


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


def _lists_of_texts(content: dict[str, object]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for key, value in content.items():
        if isinstance(value, list):
            lists[key] = [item for item in value if isinstance(item, str)]
    return lists
