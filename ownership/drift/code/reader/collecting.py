"""What the frames do that a handler reaches."""

from collections import deque
from collections.abc import Iterator

from ownership.drift.code.deployment import (
    EntryPoint,
)
from ownership.drift.code.dynamodb import OPERATION_MODES
from ownership.drift.code.frames import Frame, TableUse
from ownership.drift.code.reader.base import AccessKey, Found
from ownership.drift.code.reader.texts import Texts, reported, table_in
from ownership.drift.types import (
    ActionOn,
    CodeAccess,
)
from ownership.drift.values import (
    Text,
)

MAX_EVIDENCE = 20  # places of one access
NOT_FOUND = (
    "the handler is not among what its file exports, or is not a function that can be followed"
)


class Collecting(Texts):
    """Collects accesses."""

    def _collect(self, entry: EntryPoint, start: Frame, reachable: bool = True) -> None:
        """Add what is done by the frames that a call from outside reaches."""
        paths = _reached_from(start)
        if reachable and not any(frame.scope is not None for frame in paths if frame is not start):
            self._unresolved(Text(entry.function, entry.location), NOT_FOUND, entry.service)
        for frame, path in paths.items():
            way = _from_handler(entry, path)
            for use in frame.uses:
                self._add_use(entry, use, way, reachable)
            if reachable:
                self._add_reached(entry, frame)

    def _add_reached(self, entry: EntryPoint, frame: Frame) -> None:
        """Take down that a frame is reached, and what in it can't be told."""
        self.reached.add(frame.function)
        for doubt in frame.doubts:
            location = reported(doubt.location)
            self._unresolved(Text("", location), doubt.why, entry.service, doubt.modes)
        for call in frame.unknown_calls:
            self.unknown_calls[entry.service, call] = None

    def _add_use(
        self,
        entry: EntryPoint,
        use: TableUse,
        path: tuple[str, ...],
        reachable: bool,
    ) -> None:
        mode = OPERATION_MODES[use.operation]
        for text in self._texts(use.table, entry, use.location):
            table = self.names.table(table_in(text))
            if table is not None:
                key = (entry.service, table, mode, entry.function, reachable)
                self._add_access(entry, use, path, key)
            elif reachable:
                quote = Text(str(text), reported(use.named_at), text.variables)
                reason = f"the table of {use.operation} can't be resolved"
                self.diagnostics.add_unresolved(quote, reason, entry.service, (mode,))

    def _add_access(
        self,
        entry: EntryPoint,
        use: TableUse,
        path: tuple[str, ...],
        key: AccessKey,
    ) -> None:
        found = self.accesses.setdefault(key, Found())
        direct = self._is_own(entry, use.named_at.file)
        if not found.path or (direct and not found.direct):
            found.path = path
        found.direct = found.direct or direct
        found.operations.add(use.operation)
        if use.index is None:
            found.calls.add(ActionOn(use.operation))
        else:
            for index in self._index_names(use.index, entry, use.location):
                found.indexes.add(index)
                found.calls.add(ActionOn(use.operation, index))
        found.evidence[reported(use.named_at)] = None
        found.evidence[reported(use.location)] = None

    def _result(self) -> Iterator[CodeAccess]:
        for key, found in sorted(self.accesses.items()):
            service, table, mode, function, reachable = key
            yield CodeAccess(
                service=service,
                table=table,
                mode=mode,
                function=function,
                direct=found.direct,
                path=found.path,
                operations=tuple(sorted(found.operations)),
                indexes=tuple(sorted(found.indexes)),
                evidence=tuple(found.evidence)[:MAX_EVIDENCE],
                reachable=reachable,
                calls=tuple(sorted(found.calls)),
            )


def _reached_from(start: Frame) -> dict[Frame, tuple[str, ...]]:
    """The frames that a call reaches, each with the way to it.

    Functions come first, then what modules do when they are imported.
    """
    paths: dict[Frame, tuple[str, ...]] = {start: ()}
    modules: deque[Frame] = deque()
    functions: deque[Frame] = deque([start])
    while functions or modules:
        frame = functions.popleft() if functions else modules.popleft()
        for called in frame.calls:
            if called not in paths:
                paths[called] = (*paths[frame], called.label)
                waiting = modules if called.scope is None else functions
                waiting.append(called)
    return paths


def _from_handler(entry: EntryPoint, path: tuple[str, ...]) -> tuple[str, ...]:
    """A way that begins with the handler, also where that is made by another function: ``wrap(list)``."""
    handler = f"{entry.file}#{entry.handler}"
    if not entry.handler or path[:1] == (handler,):
        return path
    return (handler, *path)
