"""The current map as bytes: built once per revision, shared by the processes of one machine, never stale.

A snapshot is named by the history's head, which each request reads, so it needs no expiry time: a new revision has
another name. It is built outside any transaction. The head is read before and after; if it moved, everything is read
again.
"""

import gzip
import hashlib
import threading
from collections import OrderedDict
from functools import lru_cache

from ownership.api import snapshot_files
from ownership.api.map_pieces import MapPieces, read_all, update
from ownership.api.serializers import REPRESENTATION
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models import Environment

# Bytes of snapshots that a process keeps: many of a small map, a few of one with 10,000 tables.
MOST_BYTES = 64 * 1024 * 1024
# Maps in pieces that a process keeps besides: those of the environments that were requested last.
MOST_PIECES = 4
GZIP_LEVEL = 5


class Snapshots:
    """The snapshots of one process, and those that other processes left in the shared folder."""

    def __init__(self) -> None:
        self._contents: OrderedDict[str, bytes] = OrderedDict()
        # By the id of the environment whose physical names they have, or None.
        self._pieces: OrderedDict[int | None, MapPieces] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, head: Head, environment: Environment | None, compressed: bool
    ) -> tuple[Head, bytes]:
        """The map as JSON, compressed with gzip if asked, and the head that it shows.

        ``head`` is the current head as the caller has just read it. The result may be of a later one.
        """
        while True:
            name = snapshot_name(head, environment, compressed)
            content = self._contents.get(name)
            if content is None:
                content = self._find_or_build(name, head, environment, compressed)
            if content is not None:
                return head, content
            head = current_head()

    def _find_or_build(
        self, name: str, head: Head, environment: Environment | None, compressed: bool
    ) -> bytes | None:
        """Take it from the folder or build it, in one thread of one process. None if the head has moved meanwhile."""
        plain = b""
        if compressed:
            # Before the lock below is taken, which building the plain map needs, too.
            plain_head, plain = self.get(head, environment, compressed=False)
            if plain_head != head:
                return None
        with self._lock, snapshot_files.one_process_at_a_time():
            # Another thread or process may have been faster.
            content = self._contents.get(name) or snapshot_files.read(name)
            if content is None:
                if compressed:
                    content = gzip.compress(plain, GZIP_LEVEL, mtime=0)
                else:
                    content = self._build(head, environment)
                if content is None:
                    return None
                snapshot_files.write(name, content)
            self._keep(name, content)
        return content

    def _build(self, head: Head, environment: Environment | None) -> bytes | None:
        key = None if environment is None else environment.pk
        old = self._pieces.get(key)
        pieces = None
        if old is not None:
            pieces = update(old, head, environment)
        if pieces is None:
            pieces = read_all(head, environment)
        if current_head() != head:
            return None
        self._pieces[key] = pieces
        self._pieces.move_to_end(key)
        if len(self._pieces) > MOST_PIECES:
            self._pieces.popitem(last=False)
        return pieces.as_json(environment)

    def _keep(self, name: str, content: bytes) -> None:
        self._contents[name] = content
        size = sum(map(len, self._contents.values()))
        # The newest one stays, however large it is.
        while size > MOST_BYTES and len(self._contents) > 1:
            _, oldest = self._contents.popitem(last=False)
            size -= len(oldest)


@lru_cache(maxsize=64)
def snapshot_name(head: Head, environment: Environment | None, compressed: bool) -> str:
    """The name of a snapshot, in memory and as a file."""
    physical_names = None
    if environment is not None:
        physical_names = [environment.pk, environment.name, environment.name_pattern]
    selectors = [head.digest, REPRESENTATION, physical_names, compressed]
    return hashlib.sha256(repr(selectors).encode()).hexdigest()


snapshots = Snapshots()
