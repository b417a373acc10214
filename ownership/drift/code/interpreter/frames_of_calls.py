"""Frames: which one a call is, and when it is interpreted."""

from collections.abc import Callable
from dataclasses import replace

from ownership.drift.code import syntax
from ownership.drift.code.frames import (
    Arguments,
    Frame,
    FrameKey,
    unknown_arguments,
)
from ownership.drift.code.interpreter.base import InterpreterBase
from ownership.drift.code.interpreter.named_texts import marked, unmarked
from ownership.drift.code.possibilities import (
    NOTHING,
    CodeValue,
    Func,
)
from ownership.drift.code.values import limited, one

# What may be interpreted within each other before a call is put into the queue instead: Python's stack has an end.
MAX_FRAMES_INSIDE = 20
MAX_NESTING = 100  # expressions
MAX_RECURSION = 3  # frames of one function within each other, before they become one


class FramesOfCalls(InterpreterBase):
    """Finds or makes the frame of a call."""

    def frame_of(self, key: FrameKey, make: Callable[[], Frame]) -> Frame:
        """The frame of a key, which is interpreted if it is new."""
        frame = self.frames.get(key)
        if frame is not None:
            return frame
        frame = make()
        self.frames[key] = frame
        self.interpret_now_or_later(frame)
        return frame

    def interpret_now_or_later(self, frame: Frame) -> None:
        """Interpret a new frame at once, or later where too much is being interpreted already."""
        if self.nesting > MAX_NESTING or len(self.stack) > MAX_FRAMES_INSIDE:
            self.enqueue(frame)
        else:
            self.interpret(frame)

    def call_function(
        self, function: Func, this: CodeValue, arguments: Arguments, line: int
    ) -> CodeValue:
        """The result of a call from the current frame."""
        caller = self.current
        code = function.function
        location = caller.location(line)
        if code.module.is_python and this:
            arguments = replace(arguments, positional=[this, *arguments.positional])
            this = NOTHING
        arguments = self._relevant(code, marked(arguments, location))
        if not code.own_this:
            this = NOTHING
        frame = self._frame(function, this, arguments, caller)
        caller.calls.setdefault(frame, line)
        return unmarked(self._result(frame), location)

    def _relevant(self, code: syntax.Function, arguments: Arguments) -> Arguments:
        """The arguments without those that no parameter takes."""
        kinds = [parameter.kind for parameter in code.parameters]
        if "rest" in kinds:
            return arguments
        return replace(arguments, positional=arguments.positional[: len(code.parameters)])

    def _frame(self, function: Func, this: CodeValue, arguments: Arguments, caller: Frame) -> Frame:
        code = function.function
        key: FrameKey = (code, function.scope, this, caller.at_import, *arguments.key())
        existing = self.frames.get(key)
        if existing is not None:
            return existing
        enclosing = self._too_many_within(code, caller)
        if enclosing is not None:
            return self._merged(enclosing, this, arguments)
        count = self.frame_counts.get(code, 0)
        if count >= self.max_frames:
            arguments = unknown_arguments(len(code.parameters))
            key = (code, function.scope, caller.at_import, "too many")
        self.frame_counts[code] = count + 1

        def make() -> Frame:
            frame = Frame(code, function.scope, this, arguments, caller, caller.at_import)
            frame.cls = self.class_of_method(function)
            return frame

        return self.frame_of(key, make)

    def _too_many_within(self, code: syntax.Function, caller: Frame) -> Frame | None:
        """The innermost frame of the same function around a call, if there are too many of them."""
        around = [frame for frame in caller.creators() if frame.function is code]
        return around[0] if len(around) >= MAX_RECURSION else None

    def _merged(self, frame: Frame, this: CodeValue, arguments: Arguments) -> Frame:
        """The frame, interpreted with these arguments as well: recursion ends in it."""
        merged = _merged_arguments(frame.arguments, arguments)
        merged_this = limited(frame.this | this)
        if merged != frame.arguments or merged_this != frame.this:
            frame.arguments = merged
            frame.this = merged_this
            self.enqueue(frame)
        return frame

    def _result(self, frame: Frame) -> CodeValue:
        result = self.read(frame.result)
        if not frame.function.is_generator:
            return result
        generator = self.object_at("generator", frame, frame.function.line, is_list=True)
        self.add(generator.rest, self.read(frame.yielded))
        return one(generator)


def _merged_arguments(first: Arguments, second: Arguments) -> Arguments:
    """What each argument of two calls may be."""
    length = max(len(first.positional), len(second.positional))
    positional = [limited(first.at(position) | second.at(position)) for position in range(length)]
    keywords = dict(first.keywords)
    for name, value in second.keywords.items():
        keywords[name] = limited(keywords.get(name, NOTHING) | value)
    return Arguments(
        positional,
        keywords,
        first.rest | second.rest,
        first.more | second.more,
    )
