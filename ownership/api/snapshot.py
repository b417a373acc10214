"""The current map as bytes: made once per revision, shared by the processes of one machine, never stale.

A snapshot is found by the history's head, which every request reads, so it needs no expiry: a new revision asks for
another one. Made outside any transaction, from rows of one revision: the head is read before and after, and where
it moved, all is read again. After a change only the tables that it touched are read and shaped anew.
"""

import fcntl
import gzip
import hashlib
import logging
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q
from rest_framework.renderers import JSONRenderer

from ownership.api import serializers
from ownership.catalog.queries import whole_map, whole_tables
from ownership.history.models import ChangeSet, Head, current_head
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup

# The version of the representation: a deploy that changes the code behind an answer changes its name.
_SOURCES = sorted(Path(__file__).parent.parent.rglob("*.py"))
CODE = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()

# Bytes of snapshots that a process keeps: some revisions and forms of a small map, a few of one with 10,000 tables.
MEMORY = 64 * 1024 * 1024
# Maps in pieces that it keeps beside them, those of the environments that were asked for last.
STATES = 4
# Files that stay in the folder: the forms of the current map, and some that slow readers may still ask for.
FILES = 12
DIGEST = hashlib.sha256().digest_size
_NAME = re.compile("[0-9a-f]{64}")  # of a snapshot's file
# When more than this part of the tables was touched, reading everything is quicker than reading them one by one.
FEW = 0.25

log = logging.getLogger(__name__)


@dataclass
class _State:
    """A map in pieces: what the next one is made from."""

    head: Head
    # "environments", "groups", "services": the JSON of each list
    lists: dict[str, bytes] = field(default_factory=dict)
    # the JSON of each table, by id, in the map's order
    tables: dict[int, bytes] = field(default_factory=dict)


class Snapshots:
    """The snapshots of one process, beside those that all processes of this machine find in the folder."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        # By the id of the environment whose physical names stand in it, or None.
        self._states: dict[int | None, _State] = {}
        self._lock = threading.Lock()

    def get(self, head: Head, environment: Environment | None, compressed: bool) -> tuple[Head, bytes]:
        """The map as JSON, or that compressed with gzip, and the head that it shows: the one given, or a later one.

        ``head`` is the current one, as the caller has just read it.
        """
        while True:
            name = _name(head, environment, compressed)
            content = self._kept.get(name) or self._make(name, head, environment, compressed)
            if content is not None:
                return head, content
            head = current_head()

    def _make(self, name: str, head: Head, environment: Environment | None, compressed: bool) -> bytes | None:
        """From the folder or anew, by one thread of one process; None where the head moved meanwhile."""
        plain = b""
        if compressed:
            shown, plain = self.get(head, environment, False)
            if shown != head:
                return None
        with self._lock, _one_process():
            content = self._kept.get(name) or _read(name)
            if content is None:
                content = gzip.compress(plain, 5, mtime=0) if compressed else self._build(head, environment)
                if content is None:
                    return None
                _write(name, content)
            self._keep(name, content)
            return content

    def _keep(self, name: str, content: bytes) -> None:
        self._kept[name] = content
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > MEMORY:
            self._kept.popitem(last=False)

    def _build(self, head: Head, environment: Environment | None) -> bytes | None:
        key = environment.pk if environment else None
        state = _changed(self._states.get(key), head, environment) or _whole(head, environment)
        if current_head() != head:
            return None
        self._states.pop(key, None)
        self._states[key] = state
        while len(self._states) > STATES:
            del self._states[next(iter(self._states))]
        names = {"revision": head[0], "environment": environment and environment.name}
        start = JSONRenderer().render(names).removesuffix(b"}")
        lists = b"".join(b',\n"%s":%s' % (name.encode(), rows) for name, rows in state.lists.items())
        return b'%s%s,\n"tables":[\n%s\n]}\n' % (start, lists, b",\n".join(state.tables.values()))


def _whole(head: Head, environment: Environment | None) -> _State:
    """All of it read and shaped."""
    rows = whole_map()
    return _State(
        head,
        {name: _list(name, rows[name]) for name in _LISTS},
        {table.pk: piece for table, piece in _pieces(rows["tables"], environment)},
    )


def _changed(before: _State | None, head: Head, environment: Environment | None) -> _State | None:
    """The earlier map with what changed since; None where that is much, or where its history is not ours any more."""
    if before is None or not ChangeSet.objects.filter(revision=before.head[0], digest=before.head[1]).exists():
        return None

    def since(model: Any, column: str = "id") -> list[int]:
        entries = model.history.model.objects.filter(change_set__gt=before.head[0], change_set__lte=head[0])
        return list(entries.order_by().values_list(column, flat=True).distinct())

    environments, groups, services = since(Environment), since(TableGroup), since(Service)
    touched = {*since(Table), *since(Access, "table_id"), *since(SecondaryIndex, "table_id")}
    if groups or services:
        named = Q(group__in=groups) | Q(owner__in=services) | Q(accesses__service__in=services)
        touched |= set(Table.objects.filter(named).order_by().values_list("pk", flat=True))
    # In today's order, which a change of position or name alters for others, too.
    order = list(Table.objects.values_list("pk", flat=True))
    anew = [pk for pk in order if pk in touched or pk not in before.tables]
    if (environment and environments) or len(anew) > max(FEW * len(order), 10):
        return None
    lists = {
        name: _list(name, rows.all()) if ids else before.lists[name]
        for (name, (rows, _)), ids in zip(_LISTS.items(), (environments, groups, services), strict=True)
    }
    pieces = {table.pk: piece for table, piece in _pieces(whole_tables().filter(pk__in=anew), environment)}
    # A table that another change deleted just now is in neither; the head has moved then.
    return _State(head, lists, {pk: pieces.get(pk) or before.tables.get(pk, b"") for pk in order})


# In the order of whole_map().
_LISTS: dict[str, tuple[Any, Any]] = {
    "environments": (Environment.objects.all(), serializers.EnvironmentSerializer),
    "groups": (TableGroup.objects.all(), serializers.GroupSerializer),
    "services": (Service.objects.select_related("part_of").order_by("pk"), serializers.ServiceSerializer),
}


def _list(name: str, rows: Any) -> bytes:
    return JSONRenderer().render(_LISTS[name][1](rows, many=True).data)


def _pieces(tables: Any, environment: Environment | None) -> Iterator[tuple[Table, bytes]]:
    # `view` tells the serializer that it is an answer's: without an environment there is no physical name.
    shape, renderer = serializers.TableSerializer(context={"environment": environment, "view": None}), JSONRenderer()
    for table in tables:
        yield table, renderer.render(shape.to_representation(table))


@lru_cache(maxsize=64)
def _name(head: Head, environment: Environment | None, compressed: bool) -> str:
    selects = [head[1], CODE, environment and [environment.pk, environment.name, environment.suffix], compressed]
    return hashlib.sha256(repr(selects).encode()).hexdigest()


def _folder() -> Path | None:
    """Where the processes of this machine share snapshots; None where nothing can be written."""
    folder = Path(settings.SNAPSHOT_DIR)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid() else None
    except OSError:
        return None


@contextmanager
def _one_process() -> Iterator[None]:
    """Held by one process at a time, so that a new revision is built once; freed when its holder dies."""
    with ExitStack() as stack:
        try:
            if folder := _folder():
                file = stack.enter_context((folder / "lock").open("w"))
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:  # a full disk, or something else of that name: then each process makes its own
            log.warning("The map's snapshots could not be shared in %s: %s", folder, error)
        yield


def _read(name: str) -> bytes | None:
    """The content of a file; None where there is none, or not as it was written: a machine may have lost its power."""
    folder = _folder()
    try:
        kept = (folder / name).read_bytes() if folder else b""
    except OSError:
        return None
    content = kept[:-DIGEST]
    return content if hashlib.sha256(content).digest() == kept[-DIGEST:] else None


def _write(name: str, content: bytes) -> None:
    """Whole or not at all, its digest behind it; and away with what nobody asks for any more."""
    folder = _folder()
    if folder is None:
        return
    part = folder / "part"  # one is enough: only who holds the lock writes
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with part.open("wb") as file:
            file.write(content)
            file.write(hashlib.sha256(content).digest())
        part.replace(folder / name)
        # Nothing but snapshots: the setting may name a folder of other things.
        ours = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
        for path in sorted(ours, key=lambda path: path.stat().st_mtime)[:-FILES]:
            path.unlink(missing_ok=True)
    except OSError as error:  # a full disk, say: then each process has its own
        log.warning("The map's snapshot could not be written to %s: %s", folder, error)


snapshots = Snapshots()
