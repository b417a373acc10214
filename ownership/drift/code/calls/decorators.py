"""What decorators make of functions and classes."""

from dataclasses import replace

from ownership.drift.code import syntax
from ownership.drift.code.calls.base import CallSite
from ownership.drift.code.calls.packages import PackageCalls
from ownership.drift.code.frames import (
    Arguments,
)
from ownership.drift.code.possibilities import (
    NO_VALUES,
    NOTHING,
    Bound,
    Class,
    CodeValue,
    External,
    Func,
    Marked,
    Method,
    Partial,
    Possibility,
)
from ownership.drift.code.values import one, only, union

# Decorators of Python that change how a method is called → the kind of method.
MARKS = {
    "cached_property": "property",
    "classmethod": "classmethod",
    "property": "property",
    "staticmethod": "staticmethod",
}
# Decorators by which a function is registered with an application.
ROUTES = {
    "action",
    "after_request",
    "any",
    "batch_resolver",
    "before_request",
    "command",
    "delete",
    "errorhandler",
    "event",
    "exception_handler",
    "field",
    "get",
    "head",
    "lambda_function",
    "message",
    "middleware",
    "not_found",
    "on_event",
    "on_s3_event",
    "on_sns_message",
    "on_sqs_message",
    "options",
    "patch",
    "post",
    "put",
    "resolver",
    "route",
    "schedule",
    "subscribe",
    "task",
    "websocket",
}


class Decorators(PackageCalls):
    """Applies decorators."""

    def decorate(self, decorator: CodeValue, value: CodeValue, node: syntax.Decorate) -> CodeValue:
        """What a decorator makes of a function or class."""
        return union([self._decorated_by(possibility, value, node) for possibility in decorator])

    def _decorated_by(
        self, decorator: Possibility, value: CodeValue, node: syntax.Decorate
    ) -> CodeValue:
        match decorator:
            case Func() | Bound() | Class() | Partial():
                return self.call_one(decorator, CallSite(node, Arguments([value]), node.line))
            case Method(owner=Marked() as owner, name=name):
                return one(_with_accessor(owner, name, value))
            case External():
                return self._decorated_by_package(decorator, value)
        if decorator in NO_VALUES:
            return NOTHING
        return value

    def _decorated_by_package(self, decorator: External, value: CodeValue) -> CodeValue:
        kind = MARKS.get(decorator.path[-1])
        if kind is not None:
            return one(Marked(kind, value))
        if not decorator.is_result:
            return value
        # `@app.get("/users")`: the application calls the function. `@tracer.traced` only wraps it.
        if ROUTES & set(decorator.path[-2:]):
            self.register(decorator, self.interpreter.functions_in([value]))
        # `@batch_processor(record_handler=handle)`: the decorated function runs the other one as well.
        if only(self.interpreter.read(decorator.held), Func, Bound):
            return value | one(decorator)
        return value


def _with_accessor(marked: Marked, name: str, value: CodeValue) -> Marked:
    """What ``@name.setter`` makes of a property."""
    if name == "setter":
        return replace(marked, setter=value)
    return marked
