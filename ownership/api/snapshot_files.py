"""The folder SNAPSHOT_DIR, where the processes of one machine share snapshots.

If nothing can be written there, each process makes its own snapshots, and a warning is logged.
"""

import fcntl
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

# Files that are kept: the forms of the current map, and those that slow readers may still ask for.
MOST_FILES = 12
CHECKSUM_SIZE = hashlib.sha256().digest_size
SNAPSHOT_NAME = re.compile("[0-9a-f]{64}")

LOG = logging.getLogger(__name__)


@contextmanager
def one_process_at_a_time() -> Iterator[None]:
    """Hold a lock between processes, so that a new revision is built once. It is released if its holder dies."""
    with ExitStack() as stack:
        folder = _usable_folder()
        try:
            if folder is not None:
                file = stack.enter_context((folder / "lock").open("w"))
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:  # a full disk, or something else of that name
            LOG.warning("Snapshots of the map can't be shared in %s: %s", folder, error)
        yield


def read(name: str) -> bytes | None:
    """The content of a snapshot; None if there is none, or if it is damaged, as after a power failure."""
    folder = _usable_folder()
    if folder is None:
        return None
    try:
        stored = (folder / name).read_bytes()
    except OSError:
        return None
    content = stored[:-CHECKSUM_SIZE]
    if hashlib.sha256(content).digest() != stored[-CHECKSUM_SIZE:]:
        return None
    return content


def write(name: str, content: bytes) -> None:
    """Write a snapshot with its checksum, whole or not at all, and delete the oldest ones.

    Only called by the process that holds the lock, so that one temporary file is enough.
    """
    folder = _usable_folder()
    if folder is None:
        return
    part = folder / "part"
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_bytes(content + hashlib.sha256(content).digest())
        part.replace(folder / name)
        _delete_oldest(folder)
    except OSError as error:  # such as a full disk
        LOG.warning("A snapshot of the map can't be written to %s: %s", folder, error)


def _usable_folder() -> Path | None:
    """The folder, created if missing; None if it can't be written or belongs to another user."""
    folder = Path(settings.SNAPSHOT_DIR)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_ours = folder.stat().st_uid == os.getuid()
    except OSError:
        return None
    if is_ours and os.access(folder, os.W_OK):
        return folder
    return None


def _delete_oldest(folder: Path) -> None:
    # Only snapshots: the setting may name a folder with other things in it.
    snapshots = [path for path in folder.iterdir() if SNAPSHOT_NAME.fullmatch(path.name)]
    snapshots.sort(key=lambda path: path.stat().st_mtime)
    for path in snapshots[:-MOST_FILES]:
        path.unlink(missing_ok=True)
