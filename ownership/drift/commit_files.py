"""The files of a commit in a temporary folder, as Git keeps them.

Neither `git checkout` nor `git archive`: those run filters and hooks, and leave out what attributes exclude. Here
Git only lists the commit's files and prints their content.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from ownership.drift.readers.files import MAX_BYTES
from ownership.drift.types import Location, ReadError, shortened

OPTION = Location("--baseline")
TIMEOUT = 120  # seconds for one call of git
MAX_FILES = 200_000
MAX_TOTAL_BYTES = 1_000_000_000
CHUNK = 1 << 20
LINK = "120000"  # modes of a tree's entries
SUBMODULE = "160000"
REPOSITORY_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
)
FETCH_ALL = "fetch all history (GitHub: fetch-depth: 0 for actions/checkout; GitLab: GIT_DEPTH: 0)"


class TreeEntry(NamedTuple):
    """A file of a commit."""

    mode: str
    object_id: str
    path: str


class Commit(NamedTuple):
    """A commit of a repository, by the name that was given and by its hash."""

    repository: Path
    name: str
    object_id: str

    def __str__(self) -> str:
        return f"{self.name} ({self.object_id[:10]})"


def find_commit(repository: Path, name: str) -> Commit:
    """The commit of that name: a branch, a tag, a hash. Raises ReadError if there is none."""
    if name.startswith("-"):  # never an option of git
        raise ReadError(OPTION, f"{name} is neither a file nor the name of a commit")
    object_id = _git(
        repository, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", may_fail=True
    )
    if object_id:
        return Commit(repository, name, object_id.decode().strip())
    if _git(repository, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise ReadError(
            OPTION, f"{name} is neither a file nor a commit of this shallow clone: {FETCH_ALL}"
        )
    raise ReadError(OPTION, f"{name} is neither a file nor a commit of {repository}")


def is_ignored(repository: Path, path: Path) -> bool:
    """Whether Git is told to keep nothing of the path."""
    answer = _git(repository, "check-ignore", "--no-index", "--", str(path), may_fail=True)
    return bool(answer)


@contextmanager
def files_of(commit: Commit, folders: Iterable[Path]) -> Iterator[Path]:
    """The commit's files below these folders of the repository, under the repository's own name. Raises ReadError.

    Files that are larger than readers take keep their size and lose their content.
    """
    with tempfile.TemporaryDirectory(prefix="drift-") as temporary:
        top = Path(temporary) / (commit.repository.name or "repository")
        top.mkdir()
        entries = _entries(commit, folders)
        _write_files(commit, top, [entry for entry in entries if entry.mode != LINK])
        # Links come last, so that no file is written through one.
        _write_links(commit, top, [entry for entry in entries if entry.mode == LINK])
        yield top


def _entries(commit: Commit, folders: Iterable[Path]) -> list[TreeEntry]:
    paths = {folder.relative_to(commit.repository).as_posix() for folder in folders}
    wanted = [] if "." in paths else sorted(paths)
    listing = _git(
        commit.repository, "ls-tree", "-r", "-z", "--full-tree", commit.object_id, "--", *wanted
    )
    entries = []
    for line in listing.split(b"\0")[:-1]:
        head, _, name = line.partition(b"\t")
        mode, _, object_id = head.decode().split()
        path = os.fsdecode(name)
        if mode == SUBMODULE:
            reason = f"{path} is a submodule, whose files {commit} does not hold: give a report of --format json"
            raise ReadError(OPTION, reason)
        if ".." not in path.split("/") and not path.startswith("/"):
            entries.append(TreeEntry(mode, object_id, path))
    if len(entries) > MAX_FILES:
        raise ReadError(
            OPTION, f"{commit} has more than {MAX_FILES:,} files: give a report of --format json"
        )
    return entries


def _write_files(commit: Commit, top: Path, entries: Sequence[TreeEntry]) -> None:
    total = 0
    with _contents(commit, entries) as answers:
        for entry in entries:
            size = _size(commit, answers, entry)
            file = top / entry.path
            file.parent.mkdir(parents=True, exist_ok=True)
            if size > MAX_BYTES:
                _skip(answers, size)
                file.touch()
                os.truncate(file, size)
            else:
                total += size
                file.write_bytes(answers.read(size))
            answers.read(1)  # the line's end
            if total > MAX_TOTAL_BYTES:
                reason = f"{commit} has more than {MAX_TOTAL_BYTES:,} bytes: give a report of --format json"
                raise ReadError(OPTION, reason)


def _write_links(commit: Commit, top: Path, entries: Sequence[TreeEntry]) -> None:
    with _contents(commit, entries) as answers:
        for entry in entries:
            target = answers.read(_size(commit, answers, entry))
            answers.read(1)
            link = top / entry.path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.fsdecode(target))


@contextmanager
def _contents(commit: Commit, entries: Sequence[TreeEntry]) -> Iterator[IO[bytes]]:
    """Git's answer to the request for these files: for each a line about it, its content and an end of line."""
    with tempfile.TemporaryFile() as request:
        request.write("".join(f"{entry.object_id}\n" for entry in entries).encode())
        request.seek(0)
        command = _command(commit.repository, "cat-file", "--batch")
        with subprocess.Popen(  # noqa: S603
            command,
            stdin=request,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as process:
            assert process.stdout is not None  # noqa: S101 -- PIPE
            try:
                yield process.stdout
            finally:
                process.kill()


def _size(commit: Commit, answers: IO[bytes], entry: TreeEntry) -> int:
    """The size that the answer's next line states."""
    words = answers.readline().split()
    if len(words) != 3 or words[1] != b"blob":
        raise ReadError(OPTION, f"{entry.path} of {commit} is not in this clone: {FETCH_ALL}")
    return int(words[2])


def _skip(answers: IO[bytes], size: int) -> None:
    while size > 0:
        size -= len(answers.read(min(size, CHUNK))) or size


def _git(repository: Path, *arguments: str, may_fail: bool = False) -> bytes:
    """What git prints; nothing if it fails and may. Raises ReadError."""
    try:
        result = subprocess.run(  # noqa: S603
            _command(repository, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReadError(OPTION, f"git {arguments[0]} took longer than {TIMEOUT} seconds") from error
    if result.returncode == 0:
        return result.stdout
    complaint = result.stderr.decode("utf-8", "replace").strip()
    # `--quiet` and `check-ignore` say no without a word.
    if may_fail and not complaint:
        return b""
    raise ReadError(OPTION, f"git {arguments[0]} failed: {shortened(complaint)}")


def _command(repository: Path, *arguments: str) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise ReadError(
            OPTION, "git is not installed: install it, or give a report of --format json"
        )
    return [program, "-C", str(repository), "-c", "core.fsmonitor=false", *arguments]


def _environment() -> dict[str, str]:
    """The environment without what would point git to another repository, as in a hook."""
    environment = {
        name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES
    }
    return environment | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
