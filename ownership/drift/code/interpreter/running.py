"""Follows calls: interprets functions with the values that are passed to them, until nothing changes."""

from collections.abc import Iterable, Set
from itertools import product

from ownership.drift.code.evaluation import Evaluation
from ownership.drift.code.frames import Frame
from ownership.drift.code.interpreter.members import MemberLookup
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    ENVIRONMENT,
    NOTHING,
    Bound,
    Class,
    Client,
    CodeValue,
    EnvironmentVariable,
    External,
    Func,
    Method,
    Obj,
    Partial,
    Possibility,
    Str,
    TableHandle,
    TextPart,
)
from ownership.drift.code.values import one

MAX_KNOWN_TEXTS = 20  # of one text with environment variables
MAX_HELD_DEPTH = 4  # how deep functions are looked for in objects that are handed to a package


class Interpreter(MemberLookup):
    """Interprets frames, with everything that they share."""

    def interpret(self, frame: Frame) -> None:
        """Interpret a frame's body once."""
        if frame in self.stack or self.exhausted:
            self.enqueue(frame)
            return
        frame.rounds += 1
        frame.uses.clear()
        frame.doubts.clear()
        frame.unknown_calls.clear()
        self.stack.append(frame)
        try:
            Evaluation(self, frame).run()
        finally:
            self.stack.pop()

    def run(self) -> None:
        """Interpret until nothing changes, or the steps are used up."""
        while self.queue and not self.exhausted:
            frame = self.queue.popleft()
            self.queued.discard(frame)
            self.interpret(frame)

    def known_texts(self, value: Str) -> set[str] | None:
        """The texts that a text may be in any function; None where that is not known."""
        texts = {""}
        for part in value.parts:
            choices = self._texts_of_part(part)
            if not choices or len(choices) * len(texts) > MAX_KNOWN_TEXTS:
                return None
            texts = {start + end for start, end in product(texts, choices)}
        return texts

    def _texts_of_part(self, part: TextPart) -> Set[str] | None:
        if isinstance(part, str):
            return {part}
        if not isinstance(part, EnvironmentVariable):
            return None
        known = self.environment.get(part.name)
        if known is None and part.fallback is not None:
            return self.known_texts(Str(part.fallback))
        return known

    def functions_in(self, values: Iterable[CodeValue], depth: int = 0) -> CodeValue:
        """The functions, and what holds functions, in these values and in objects in them."""
        functions: list[Possibility] = []
        for value in values:
            for possibility in value:
                functions += self._functions_of(possibility, depth)
        return OrderedSet(functions)

    def _functions_of(self, possibility: Possibility, depth: int) -> CodeValue:
        if _may_be_called(possibility):
            return one(possibility)
        if isinstance(possibility, External) and (possibility.is_result or possibility.unread):
            return one(possibility.holder)
        if isinstance(possibility, Obj) and possibility.cls is None and depth < MAX_HELD_DEPTH:
            inner = [value for _, value in self.fields(possibility)]
            return self.functions_in([*inner, self.read(possibility.rest)], depth + 1)
        return NOTHING


def _may_be_called(possibility: Possibility) -> bool:
    """Whether a package can call this, or something of this."""
    if isinstance(possibility, Class):
        return possibility.definition.is_decorated
    if isinstance(possibility, Method):
        return isinstance(possibility.owner, Client | TableHandle)
    if possibility is ENVIRONMENT:
        return True
    return isinstance(possibility, Func | Bound | Partial | Client | TableHandle)
