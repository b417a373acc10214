"""What decorators make of functions and classes."""

from dataclasses import replace

from ownership.drift.code import syntax
from ownership.drift.code.calls.base import CallSite
from ownership.drift.code.calls.packages import Packages
from ownership.drift.code.frames import (
    Arguments,
)
from ownership.drift.code.possibilities import (
    ABSENT,
    NOTHING,
    NULL,
    UNDEFINED,
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
from ownership.drift.code.values import one, union

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


class Decorators(Packages):
    """Applies decorators."""

    def decorate(self, decorator: CodeValue, value: CodeValue, node: syntax.Decorate) -> CodeValue:
        """What a decorator makes of a function or class."""
        results: list[CodeValue] = []
        for possibility in decorator:
            results.append(self._decorated_by(possibility, value, node))
        return union(results)

    def _decorated_by(self, decorator: Possibility, value: CodeValue, node: syntax.Decorate) -> CodeValue:
        if isinstance(decorator, Func | Bound | Class | Partial):
            return self.call_one(decorator, CallSite(node, Arguments([value]), node.line))
        if isinstance(decorator, Method) and isinstance(decorator.owner, Marked):
            return one(replace(decorator.owner, setter=value) if decorator.name == "setter" else decorator.owner)
        if decorator in (ABSENT, NULL, UNDEFINED):
            return NOTHING
        if isinstance(decorator, External):
            name = decorator.path[-1]
            if name in ("property", "cached_property"):
                return one(Marked("property", value))
            if name in ("staticmethod", "classmethod"):
                return one(Marked(name, value))
            # `@app.get("/users")`: the application calls the function. `@tracer.traced` only wraps it.
            if decorator.is_result and ROUTES & set(decorator.path[-2:]):
                self.register(decorator, self.interpreter.functions_in([value]))
            # `@batch_processor(record_handler=handle)`: the decorated function runs the other one as well.
            held = self.interpreter.read(decorator.held)
            if decorator.is_result and any(isinstance(item, Func | Bound) for item in held):
                return value | one(decorator)
        return value
