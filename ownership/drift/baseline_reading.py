"""``--baseline FILE|GIT-REF``: the findings of an earlier report, or of the same paths at a commit."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path

from ownership.drift import registry_client
from ownership.drift.baseline import Baseline, load_report, unreadable_notes
from ownership.drift.commit_files import OPTION, Commit, files_of, find_commit, is_ignored
from ownership.drift.compare import compare
from ownership.drift.readers.files import NotReadable, read_bytes, resolved_path
from ownership.drift.source_tree import SourceTree, infrastructure_paths, repository_of
from ownership.drift.types import CodeUsage, DeclaredMap, Finding, Infrastructure, ReadError

MAX_COMPARED_BYTES = 2_000_000  # of a file that may have changed

# Reads what the arguments name: infrastructure, and code where some is named.
Read = Callable[[Namespace, DeclaredMap], tuple[Infrastructure, CodeUsage | None]]


def read_baseline(
    arguments: Namespace,
    declared: DeclaredMap,
    findings: Iterable[Finding],
    sources: SourceTree,
    read: Read,
) -> Baseline:
    """The findings that ``--baseline`` names. Raises ReadError.

    ``findings`` are those of now: which of their files have changed since is a part of the answer.
    """
    name = arguments.baseline
    if not name.strip():
        raise ReadError(OPTION, "is empty: name a report of --format json, or a commit")
    file = Path(name)
    if file.is_file():
        return load_report(file, arguments.reader, arguments.environment)
    if sources.infrastructure is None:
        raise ReadError(
            OPTION, f"{arguments.reader} reads no files: give a report of --format json, not {name}"
        )
    repository = repository_of(sources.infrastructure)
    if repository is None:
        raise ReadError(
            OPTION, f"{name} is no file, and {sources.infrastructure} is in no Git repository"
        )
    commit = find_commit(repository, name)
    folders = _folders(arguments, sources, repository)
    with files_of(commit, folders) as top:
        return _at_commit(commit, top, arguments, declared, findings, sources, read)


def _folders(arguments: Namespace, sources: SourceTree, repository: Path) -> list[Path]:
    """What is needed of the commit: what is read, and the files that options name."""
    if sources.code is not None and not sources.code.is_relative_to(repository):
        raise ReadError(
            OPTION, f"{sources.code} is outside {repository}: give a report of --format json"
        )
    folders = [folder for folder in (sources.infrastructure, sources.code) if folder is not None]
    for path in (arguments.tables, getattr(arguments, "roles", None), _map_file(arguments)):
        if path is None:
            continue
        file = resolved_path(path)
        if file.is_relative_to(repository):
            folders.append(file)
    return folders


def _at_commit(
    commit: Commit,
    top: Path,
    arguments: Namespace,
    declared: DeclaredMap,
    findings: Iterable[Finding],
    sources: SourceTree,
    read: Read,
) -> Baseline:
    changed = _changed_files(findings, sources, commit.repository, top)
    then = _arguments_at(commit.repository, top, arguments)
    missing = _missing_at_commit(arguments, then)
    if len(missing) == len(infrastructure_paths(arguments)):
        return Baseline(str(commit), (), [_missing_note(commit, missing)], changed)
    for name in ("files", "code"):
        if name in then:
            paths = getattr(then, name)
            setattr(then, name, [path for path in paths if path.exists()])
    if then.registry != arguments.registry:
        declared = registry_client.load_map(then.registry)
    found, usage = read(then, declared)
    errors = [*found.errors]
    if usage is not None:
        errors += usage.errors
    notes = unreadable_notes(len(errors))
    if missing:
        notes.append(_missing_note(commit, missing))
    return Baseline(str(commit), compare(declared, found, usage).findings, notes, changed)


def _missing_at_commit(now: Namespace, then: Namespace) -> list[Path]:
    """Those of the paths that infrastructure is read from which the commit does not have."""
    missing: list[Path] = []
    for path, at_commit in zip(infrastructure_paths(now), infrastructure_paths(then), strict=True):
        if not at_commit.exists():
            missing.append(path)
    return missing


def _arguments_at(repository: Path, top: Path, arguments: Namespace) -> Namespace:
    """The arguments with the paths of the commit's files. An option's file that the commit lacks is that of now."""

    def at_commit(path: Path) -> Path:
        resolved = resolved_path(path)
        if not resolved.is_relative_to(repository):
            return path
        return top / resolved.relative_to(repository)

    then = Namespace(**vars(arguments))
    for name in ("path", "root"):
        path = getattr(arguments, name, None)
        if path is not None:
            setattr(then, name, at_commit(path))
    for name in ("files", "code"):
        if name in arguments:
            setattr(then, name, [at_commit(path) for path in getattr(arguments, name)])
    for name in ("tables", "roles"):
        path = getattr(arguments, name, None)
        if path is not None and at_commit(path).exists():
            setattr(then, name, at_commit(path))
    map_file = _map_file(arguments)
    if map_file is not None and at_commit(map_file).exists():
        then.registry = str(at_commit(map_file))
    return then


def _map_file(arguments: Namespace) -> Path | None:
    """The file of the map; None where it comes from a registry."""
    source = arguments.registry
    if not source or source.startswith(("https://", "http://")):
        return None
    return Path(source)


def _missing_note(commit: Commit, paths: Iterable[Path]) -> str:
    """Raises ReadError for what Git keeps nowhere."""
    for path in paths:
        if is_ignored(commit.repository, resolved_path(path)):
            reason = f"Git ignores {path}, so no commit has it: give a report of --format json"
            raise ReadError(OPTION, reason)
    names = ", ".join(map(str, paths))
    return f"{commit} does not have {names}, so what it holds counts as new"


def _changed_files(
    findings: Iterable[Finding], sources: SourceTree, repository: Path, top: Path
) -> frozenset[str]:
    """Those of the findings' files that are not the same at the commit, by their paths in the repository."""
    files: set[str] = set()
    for finding in findings:
        files.update(place.path for place in sources.places(finding))
    changed: set[str] = set()
    for file in files:
        if _content(repository / file) != _content(top / file):
            changed.add(file)
    return frozenset(changed)


def _content(file: Path) -> bytes | None:
    try:
        return read_bytes(file, MAX_COMPARED_BYTES)
    except (NotReadable, OSError):
        return None
