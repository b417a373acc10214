"""``this`` and ``super``: the instance that a method is called on, and what its bases have."""

from ownership.drift.code import syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.iteration import Iteration
from ownership.drift.code.frames import Frame
from ownership.drift.code.possibilities import (
    NOTHING,
    UNDEFINED,
    UNKNOWN_VALUE,
    Class,
    CodeValue,
    Obj,
)
from ownership.drift.code.values import one, only, union


class Instances(Iteration):
    """Evaluates ``this`` and ``super``."""

    def _this(self, node: syntax.This) -> CodeValue:
        return self._nearest_this()

    def _super(self, node: syntax.Super) -> CodeValue:
        """``super()`` alone, whose members are not followed as those of the instance are."""
        return UNKNOWN_VALUE

    def _this_or_self(self) -> CodeValue:
        if not self.frame.is_python:
            return self._nearest_this()
        method = self._method_frame()
        return NOTHING if method is None else method.arguments.at(0)

    def _nearest_this(self) -> CodeValue:
        """What ``this`` is: arrow functions have none of their own."""
        # A module has one in any case.
        return next(frame.this for frame in self.frame.around() if frame.function.own_this)

    def _method_frame(self) -> Frame | None:
        """The frame of the method that this is a part of; None outside of classes."""
        for frame in self.frame.around():
            if frame.cls is not None:
                return frame
        return None

    def _current_class(self) -> Class | None:
        method = self._method_frame()
        return None if method is None else method.cls

    def _super_member(self, name: str, line: int) -> CodeValue:
        """``super().name``: what the base class has, with the same instance."""
        cls = self._current_class()
        if cls is None:
            return UNKNOWN_VALUE
        results: list[CodeValue] = []
        for possibility in self._this_or_self():
            if isinstance(possibility, Obj):
                results.append(self.interpreter.base_member(possibility, cls, name, line))
            elif isinstance(possibility, Class):
                results.append(self.interpreter.base_static_member(possibility, cls, name))
        return union(results)

    def _super_call(self, node: syntax.CallExpression) -> CodeValue:
        """``super(…)`` in a constructor."""
        cls = self._current_class()
        if cls is None:
            return one(UNDEFINED)
        site = CallSite(node, self._arguments(node), node.line)
        for instance in only(self._this_or_self(), Obj):
            self.calls.construct_bases(cls, instance, site)
        return one(UNDEFINED)
