"""What calling something does: functions, classes, methods of the language and the SDKs, and what isn't read.

A package's function may call the functions that are handed to it, at once or later: ``retry(() => db.get(id))``,
``app.get("/users", list)``. So they are called with unknown arguments, and what the package's function gives holds
them: calling that, or a method of it, calls them again. Modules that only hand them over don't call them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ownership.drift.code import dynamodb, language, syntax
from ownership.drift.code.frames import Arguments, Doubt, unknown_arguments
from ownership.drift.code.values import (
    ABSENT,
    NOTHING,
    NULL,
    UNDEFINED,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Class,
    Client,
    Command,
    EnvironmentVariable,
    External,
    Func,
    Marked,
    Method,
    Obj,
    Partial,
    Possibility,
    Str,
    TableHandle,
    Value,
    one,
    union,
)

if TYPE_CHECKING:
    from ownership.drift.code.interpreter import Interpreter

MAX_BASES = 20
# Libraries that reach DynamoDB by models of their own.
MODEL_LIBRARIES = {
    "@aws/dynamodb-data-mapper",
    "@nestjs/dynamoose",
    "@typedorm/core",
    "dynamodb-onetable",
    "dynamodb-toolbox",
    "dynamodb_mapper",
    "dynamoose",
    "electrodb",
    "pynamodb",
    "pynamodb.attributes",
    "pynamodb.models",
}
# Methods that call their first argument with the others: `executor.submit(save, item, table)`.
SUBMITTERS = {"submit", "apply_async", "to_thread", "run_in_executor", "start_soon", "create_task", "run_sync"}


@dataclass(frozen=True)
class CallSite:
    """One call in the current frame: the node that it is written as, and its arguments."""

    node: object
    arguments: Arguments
    line: int
    is_new: bool = False

    def with_arguments(self, arguments: Arguments) -> "CallSite":
        return replace(self, arguments=arguments)


class Calls:
    """Calls from the current frame of an interpreter."""

    def __init__(self, interpreter: "Interpreter") -> None:
        self.interpreter = interpreter

    # Calls of values

    def call(self, value: Value, site: CallSite, this: Value = NOTHING) -> Value:
        """The result of calling a value, whatever it may be."""
        results: list[Value] = []
        for possibility in value:
            results.append(self.call_one(possibility, site, this))
        return union(results)

    def call_one(self, callee: Possibility, site: CallSite, this: Value = NOTHING) -> Value:
        """The result of calling one possibility."""
        if isinstance(callee, Func):
            if callee.function.module.language == "python":
                this = NOTHING  # a function that is a field gets no `self`
            return self._call_function(callee, this, site)
        if isinstance(callee, Bound):
            return self._call_function(callee.function, callee.this, site)
        if isinstance(callee, Class):
            return self.instance(callee, site)
        if isinstance(callee, Marked):
            return self.call(callee.function, site, this)
        if isinstance(callee, Partial):
            return self.call(callee.function, site.with_arguments(_completed(callee, site.arguments)), this)
        if isinstance(callee, Method):
            return self._call_method(callee, site)
        if isinstance(callee, External):
            return self._call_external(callee, site)
        if isinstance(callee, Obj):
            return self._call_object(callee, site)
        if callee is UNKNOWN or callee is ABSENT:
            return self._call_unknown(site)
        return UNKNOWN_VALUE

    def call_member(self, owner: Value, name: str, site: CallSite) -> Value:
        """The result of ``owner.name(…)``."""
        results: list[Value] = []
        for possibility in owner:
            results.append(self._call_member_of(possibility, name, site))
        return union(results)

    def _call_member_of(self, owner: Possibility, name: str, site: CallSite) -> Value:
        if name in language.CONTINUATIONS and not self._has_field(owner, name):
            return language.continuation(self, one(owner), name, site)
        if owner is UNKNOWN or (isinstance(owner, External) and owner.is_result):
            collected = language.collected_by(self, name, site)
            if collected is not None:
                return collected
        if owner is UNKNOWN:
            dynamodb.unknown_method(self, name, site)
            return self._call_unknown(site)
        value = self.interpreter.member_of(owner, name, site.line)
        if isinstance(owner, External) and value == one(owner.child(name)):
            dynamodb.unknown_method(self, name, site)
        return self.call(value, site, this=one(owner))

    def _has_field(self, owner: Possibility, name: str) -> bool:
        """Whether the name is a field, or that of a class's method, and not the language's own."""
        if not isinstance(owner, Obj | Class):
            return False
        value = self.interpreter.member_of(owner, name, 0)
        return not all(isinstance(possibility, Method) for possibility in value)

    def _call_function(self, function: Func, this: Value, site: CallSite) -> Value:
        if site.is_new and function.function.own_this and function.function.module.language == "javascript":
            # An old-style class: `function Repo(table) { this.table = table }`.
            obj = self._new_object(site)
            obj.prototype = self.interpreter.prototype_of(function)
            self.interpreter.call_function(function, one(obj), site.arguments, site.line)
            return one(obj)
        return self.interpreter.call_function(function, this, site.arguments, site.line)

    def _call_object(self, callee: Obj, site: CallSite) -> Value:
        if callee.cls is None:
            return self._call_unknown(site)
        method = self.interpreter.member_of(callee, "__call__", site.line)
        return self.call(frozenset(item for item in method if isinstance(item, Bound)), site)

    def _call_method(self, method: Method, site: CallSite) -> Value:
        if isinstance(method.owner, Client | TableHandle) or dynamodb.has_methods(method.owner):
            return dynamodb.call_method(self, method.owner, method.name, site)
        return language.call_method(self, method.owner, method.name, site)

    # Instances

    def _new_object(self, site: CallSite) -> Obj:
        frame = self.interpreter.stack[-1]
        return self.interpreter.object_at(site.node, frame, site.line)

    def instance(self, cls: Class, site: CallSite) -> Value:
        """An instance of a class, constructed with the call's arguments."""
        frame = self.interpreter.stack[-1]
        obj = self.interpreter.object_at((site.node, cls), frame, site.line)
        obj.cls = cls
        self.construct(cls, obj, site)
        return one(obj)

    def construct(self, cls: Class, obj: Obj, site: CallSite, depth: int = 0) -> None:
        """Run what makes an object an instance of the class: fields and constructor."""
        if depth > MAX_BASES:
            return
        if cls.definition.body is not None:
            self._construct_python(cls, obj, site)
            return
        self._initialize_fields(cls, obj, site)
        constructor = cls.members.get("constructor")
        if constructor is not None:
            function = Func(constructor.function, cls.scope)
            self.interpreter.call_function(function, one(obj), site.arguments, site.line)
            return
        self.construct_bases(cls, obj, site, depth + 1)

    def construct_bases(self, cls: Class, obj: Obj, site: CallSite, depth: int = 0) -> None:
        """What ``super(…)`` does in a constructor."""
        for base in self.interpreter.read(cls.bases):
            if isinstance(base, Class):
                self.construct(base, obj, site, depth)
            elif isinstance(base, Func):
                self.interpreter.call_function(base, one(obj), site.arguments, site.line)
            else:
                self.interpreter.open(obj)

    def _initialize_fields(self, cls: Class, obj: Obj, site: CallSite) -> None:
        for member in cls.definition.members:
            if member.kind == "field" and not member.is_static:
                function = Func(member.function, cls.scope)
                value = self.interpreter.call_function(function, one(obj), Arguments([]), site.line)
                self.interpreter.write_field(obj, member.name, value)

    def _construct_python(self, cls: Class, obj: Obj, site: CallSite) -> None:
        constructor = self.interpreter.member_of(obj, "__init__", site.line)
        bound = frozenset(item for item in constructor if isinstance(item, Bound))
        if bound:
            self.call(bound, site)
            return
        for base in self.interpreter.read(cls.bases):
            if not isinstance(base, Class):
                self._open_instance(cls, obj, base)
        fields = cls.definition.fields
        for name, value in zip(fields, site.arguments.positional, strict=False):
            self.interpreter.write_field(obj, name, value)
        for name, value in site.arguments.keywords.items():
            self.interpreter.write_field(obj, name, value)

    def _open_instance(self, cls: Class, obj: Obj, base: Possibility) -> None:
        """What a class of a package adds is not known; pydantic's settings come from the environment."""
        if not isinstance(base, External) or base.path[-1] != "BaseSettings":
            if base not in (self.interpreter.external("object"),):
                self.interpreter.open(obj)
            return
        for name in cls.definition.fields:
            default = self.interpreter.read_field(cls.statics, name)
            fallback = None
            if len(default) == 1:
                (only,) = default
                fallback = only.parts if isinstance(only, Str) else None
            variable = EnvironmentVariable(name.upper(), fallback)
            self.interpreter.write_field(obj, name, one(Str((variable,))))

    # Calls of what isn't read

    @property
    def _runs_functions(self) -> bool:
        """Whether the current frame is a function's: a module hands functions over, and doesn't run them."""
        return self.interpreter.stack[-1].scope is not None

    def _call_external(self, callee: External, site: CallSite) -> Value:
        special = dynamodb.call_external(self, callee, site)
        if special is None:
            special = language.call_global(self, callee, site)
        if special is not None:
            return special
        self._add_doubts(callee, site)
        if callee.path[-1] in SUBMITTERS and self._runs_functions:
            self._submit(site)
            return one(self.interpreter.result_of(site.node, callee))
        self.send_commands(site)
        interpreter = self.interpreter
        functions = interpreter.functions_in(site.arguments.all())
        result = interpreter.result_of(site.node, callee)
        interpreter.add(result.held, functions)
        results: list[Value] = [one(result), self._instances(site)]
        if callee.is_result:
            holder = callee.holder
            interpreter.add(holder.held, functions - {holder})
            interpreter.add(result.held, one(holder))
            if self._runs_functions:
                own_call = callee.path[-1] == "()"
                arguments = site.arguments if own_call else unknown_arguments()
                results.append(self.call_held(holder, site.with_arguments(arguments)))
        if self._runs_functions:
            self.run_functions(functions, site)
        # A client that is instrumented, or anything else that is only wrapped.
        results.append(frozenset(item for item in functions if isinstance(item, Client | TableHandle)))
        return union(results)

    def _submit(self, site: CallSite) -> None:
        """Call the first argument that is a function with the arguments behind it."""
        positional = list(site.arguments.positional)
        while positional and not any(isinstance(item, Func | Bound | Partial) for item in positional[0]):
            positional.pop(0)
        if positional:
            arguments = replace(site.arguments, positional=positional[1:])
            self.call(positional[0], site.with_arguments(arguments))

    def run_functions(self, functions: Value, site: CallSite) -> None:
        """Call functions with unknown arguments, as whoever they were handed to may do."""
        unknown = CallSite(site.node, unknown_arguments(), site.line)
        for function in functions:
            if isinstance(function, Func | Bound):
                self.call_one(function, unknown)
            elif isinstance(function, External) and function.is_result:
                self.call_held(function, unknown)

    def call_held(self, holder: External, site: CallSite) -> Value:
        """Call all functions that something of a package holds."""
        results: list[Value] = []
        waiting = [holder]
        seen = {holder}
        while waiting:
            current = waiting.pop()
            for item in self.interpreter.read(current.held):
                if isinstance(item, Func | Bound):
                    results.append(self.call_one(item, site))
                elif isinstance(item, External) and item not in seen:
                    seen.add(item)
                    waiting.append(item)
        return union(results)

    def _instances(self, site: CallSite) -> Value:
        """Instances of the classes that are handed to a package: containers make them."""
        instances: list[Value] = []
        for value in site.arguments.positional:
            for possibility in value:
                if isinstance(possibility, Class):
                    unknown = CallSite(site.node, Arguments([]), site.line)
                    instances.append(self.instance(possibility, unknown))
        return union(instances)

    def _call_unknown(self, site: CallSite) -> Value:
        self.send_commands(site)
        functions = self.interpreter.functions_in(site.arguments.all())
        if self._runs_functions:
            self.run_functions(functions, site)
        # It may be a wrapper that gives the function back.
        wrapped = [item for item in functions if isinstance(item, Func | Bound)]
        return frozenset((UNKNOWN, *wrapped))

    def send_commands(self, site: CallSite) -> None:
        """Any call that is given a command may send it."""
        for value in site.arguments.all():
            for possibility in value:
                if isinstance(possibility, Command):
                    dynamodb.send(self, possibility, site)

    def _add_doubts(self, callee: External, site: CallSite) -> None:
        if callee.unread:
            self.doubt(site.line, callee.unread)
        elif callee.path[0] in MODEL_LIBRARIES:
            self.doubt(site.line, f"uses {callee.path[0]}, whose calls of DynamoDB are not followed")

    def doubt(self, line: int, why: str) -> None:
        """Report that something in a line can't be followed."""
        frame = self.interpreter.stack[-1]
        frame.doubts[Doubt(frame.location(line), why)] = None

    # Decorators

    def decorate(self, decorator: Value, value: Value, node: syntax.Decorate) -> Value:
        """What a decorator makes of a function or class."""
        results: list[Value] = []
        for possibility in decorator:
            results.append(self._decorated_by(possibility, value, node))
        return union(results)

    def _decorated_by(self, decorator: Possibility, value: Value, node: syntax.Decorate) -> Value:
        if isinstance(decorator, Func | Bound | Class | Partial):
            return self.call_one(decorator, CallSite(node, Arguments([value]), node.line))
        if decorator in (ABSENT, NULL, UNDEFINED):
            return NOTHING  # a property's setter: the property itself is in the class already
        if isinstance(decorator, External):
            name = decorator.path[-1]
            if name in ("property", "cached_property"):
                return one(Marked("property", value))
            if name in ("staticmethod", "classmethod"):
                return one(Marked(name, value))
            if decorator.is_result:
                # `@app.get("/users")`: the application calls the function.
                functions = self.interpreter.functions_in([value])
                for holder in {decorator.holder, *self._holders(decorator)}:
                    self.interpreter.add(holder.held, functions)
        return value

    def _holders(self, decorator: External) -> Iterable[External]:
        """What a decorator's result was made from: `app` in ``@app.get("/users")``."""
        for item in self.interpreter.read(decorator.holder.held):
            if isinstance(item, External) and item.is_result:
                yield item


def _completed(partial: Partial, arguments: Arguments) -> Arguments:
    """A partial function's own arguments, followed by those of a call."""
    keywords = dict(partial.keywords) | arguments.keywords
    return replace(arguments, positional=[*partial.positional, *arguments.positional], keywords=keywords)
