"""What calling something does: functions, classes, methods of the language and the SDKs, and what isn't read.

A package's function may call the functions that are handed to it, at once or later: ``retry(() => db.get(id))``,
``app.get("/users", list)``. So they are called with unknown arguments, and what the package's function gives holds
them: calling that, or a method of it, calls them again. Modules that only hand them over don't call them.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ownership.drift.code import dynamodb, language, syntax
from ownership.drift.code.frames import (
    Arguments,
    Doubt,
    UnknownCall,
    unknown_arguments,
)
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
    Record,
    Str,
    TableHandle,
    Value,
    one,
    union,
    with_members,
)

if TYPE_CHECKING:
    from ownership.drift.code.interpreter import Interpreter

MAX_BASES = 20
CALLABLE = (Func, Bound, Partial, Method)  # what may be handed to a package to be called
MAX_CLASSES = 20  # that implement one interface
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
}
# Methods that call their first argument with the others: `executor.submit(save, item, table)`.
SUBMITTERS = {
    "submit",
    "apply_async",
    "to_thread",
    "run_in_executor",
    "start_soon",
    "create_task",
    "run_sync",
}

# Functions of packages that only wrap the function they are given.
WRAPPERS = {
    "callbackify",
    "debounce",
    "memoize",
    "memoizee",
    "once",
    "promisify",
    "throttle",
    "wrap",
}
# Classes of packages that keep what they are given.
CONTAINERS = ("Container", "Injector", "Map", "Provider", "Registry", "Set", "Promise")
# Methods by which an application runs what was registered with it.
RUNNERS = {
    "dispatch",
    "emit",
    "execute",
    "fetch",
    "handle",
    "handler",
    "inject",
    "invoke",
    "process",
    "request",
    "resolve",
    "run",
    "serve",
    "start",
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


@dataclass(frozen=True)
class CallSite:
    """One call in the current frame: the node that it is written as, and its arguments."""

    node: object
    arguments: Arguments
    line: int
    is_new: bool = False
    receiver: str = ""  # the name of what has the method that is called
    type_argument: str | None = None  # `container.get<Users>(…)`

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

    def call_at(self, place: object, value: Value, arguments: Arguments, line: int) -> Value:
        """The result of a call that is not written as one: ``owner[key]`` of an instance."""
        return self.call(value, CallSite(place, arguments, line))

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
        if isinstance(callee, Record):
            return self._record(callee, site)
        if isinstance(callee, Partial):
            return self.call(
                callee.function,
                site.with_arguments(_completed(callee, site.arguments)),
                this,
            )
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
        # What a container gives is something unknown, and the instance that its type names.
        if any(isinstance(possibility, Obj) and possibility.cls is not None for possibility in owner):
            site = replace(site, receiver="")
        results: list[Value] = []
        for possibility in with_members(owner):
            results.append(self._call_member_of(possibility, name, site))
        return union(results)

    def _call_member_of(self, owner: Possibility, name: str, site: CallSite) -> Value:
        if name in language.CONTINUATIONS and not self._has_field(owner, name):
            return language.continuation(self, one(owner), name, site)
        if owner is UNKNOWN or (isinstance(owner, External) and owner.is_result):
            collected = language.collected_by(self, name, site)
            if collected is not None:
                return collected
        if owner is UNKNOWN or owner is ABSENT:
            dynamodb.unknown_method(self, name, site)
            self._note_unknown(name, site)
            return self._call_unknown(site)
        value = self.interpreter.member_of(owner, name, site.line)
        if name in language.DICT_METHODS and self._is_dict(owner):
            value = one(Method(owner, name))  # and not what the dict has under that key
        if isinstance(owner, External) and owner.is_result:
            self._note_unknown(name, site)
        if isinstance(owner, External) and value == one(owner.child(name)):
            dynamodb.unknown_method(self, name, site)
        return self.call(value, site, this=one(owner))

    def _is_dict(self, owner: Possibility) -> bool:
        """Whether this is a dict of Python, whose keys are not its attributes."""
        is_python = self.interpreter.stack[-1].function.module.language == "python"
        return is_python and isinstance(owner, Obj) and owner.cls is None

    def _note_unknown(self, name: str, site: CallSite) -> None:
        """Note a call of a method of something unknown: it may turn out to be one of the project's."""
        if site.receiver:
            frame = self.interpreter.stack[-1]
            call = UnknownCall(site.receiver, name, frame.location(site.line))
            frame.unknown_calls[call] = None

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

    def _record(self, record: Record, site: CallSite) -> Value:
        obj = self._new_object(site)
        for name, value in zip(record.fields, site.arguments.positional, strict=False):
            self.interpreter.write_field(obj, name, value)
        for name, value in site.arguments.keywords.items():
            self.interpreter.write_field(obj, name, value)
        return one(obj)

    # Instances

    def _new_object(self, site: CallSite) -> Obj:
        frame = self.interpreter.stack[-1]
        return self.interpreter.object_at(site.node, frame, site.line)

    def instance(self, cls: Class, site: CallSite) -> Value:
        """An instance of a class, constructed with the call's arguments."""
        if cls.definition.body is not None and self.interpreter.is_enumeration(cls):
            return self._members(cls, site.arguments.at(0))
        made = self._made_by_new(cls, site)
        if made is None:
            frame = self.interpreter.stack[-1]
            obj = self.interpreter.object_at((site.node, cls), frame, site.line)
            obj.cls = cls
            made = one(obj)
        for instance in made:
            if isinstance(instance, Obj) and instance.cls is cls:
                self.construct(cls, instance, site)
        return made

    def _made_by_new(self, cls: Class, site: CallSite) -> Value | None:
        """What a class's own ``__new__`` makes; None if it has none."""
        for base in self.interpreter.order_of(cls):
            if not isinstance(base, Class):
                continue
            value = self.interpreter.read_field(base.statics, "__new__")
            if value:
                arguments = replace(site.arguments, positional=[one(cls), *site.arguments.positional])
                return self.call(value, site.with_arguments(arguments))
        return None

    def new_instance(self, cls: Class) -> Value:
        """The instance that ``super().__new__(cls)`` makes: one for each class."""
        obj = self.interpreter.object_at(("__new__", cls), cls.scope, cls.definition.line)
        obj.cls = cls
        return one(obj)

    def _members(self, cls: Class, value: Value) -> Value:
        """The members of an enumeration that have these values."""
        members: set[Possibility] = set()
        for possibility in value:
            members.add(replace(possibility, cls=cls) if isinstance(possibility, Str) else possibility)
        return frozenset(members)

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
        for base in self.interpreter.bases_of(cls):
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
        for base in self.interpreter.bases_of(cls):
            if not isinstance(base, Class):
                self._open_instance(cls, obj, base)
        fields = self._fields(cls, 0)
        for name, value in zip(fields, site.arguments.positional, strict=False):
            self.interpreter.write_field(obj, name, value)
        for name, value in site.arguments.keywords.items():
            self.interpreter.write_field(obj, name, value)
        prepared = self.interpreter.member_of(obj, "__post_init__", site.line)
        self.call(
            frozenset(item for item in prepared if isinstance(item, Bound)),
            CallSite((site.node, "__post_init__"), Arguments([]), site.line),
        )

    def _fields(self, cls: Class, depth: int) -> list[str]:
        """The fields of a data class, those of its bases first."""
        fields: list[str] = []
        for base in self.interpreter.bases_of(cls):
            if isinstance(base, Class) and depth < MAX_BASES:
                fields += self._fields(base, depth + 1)
        fields += [name for name in cls.definition.fields if name not in fields]
        return fields

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
        """Whether a handler is running: on import, functions are only handed over."""
        return not self.interpreter.stack[-1].at_import

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
        if callee.path[-1] in ("enter_context", "enter_async_context"):
            return self.call_member(site.arguments.at(0), "__enter__", site.with_arguments(Arguments([])))
        iterated = language.iterated_by_package(self, callee.path[-1], site)
        if iterated is not None:
            return iterated
        self.send_commands(site)
        functions = self.interpreter.functions_in(site.arguments.all())
        result = self.interpreter.result_of(site.node, callee)
        self.interpreter.add(result.held, functions)
        results: list[Value] = [one(result), self._instances(site)]
        if site.type_argument is not None:
            results.append(self.instances_of_type(site.type_argument, site))
        if callee.is_result:
            results.append(self._call_result(callee, functions, result, site))
        if self._runs_functions and callee.path[-1] not in WRAPPERS:
            self.run_functions(functions, site)
        # A client that is instrumented, or anything else that is only wrapped.
        results.append(frozenset(item for item in functions if isinstance(item, Client | TableHandle)))
        return union(results)

    def _call_result(
        self,
        callee: External,
        functions: Value,
        result: External,
        site: CallSite,
    ) -> Value:
        """A call of what a package made, or of a method of it."""
        holder = callee.holder
        if callee.path[-1] == "()":
            return self.call_held(holder, site) if self._runs_functions else NOTHING
        result.made_from = holder
        if not self._runs_functions:
            self.register(callee, functions)
            return NOTHING
        unknown = site.with_arguments(unknown_arguments())
        if callee.path[-1] in RUNNERS:
            return self.call_held(holder, unknown)
        own = self.interpreter.read(holder.held)
        return self.call(
            frozenset(item for item in own if isinstance(item, CALLABLE)),
            unknown,
        )

    def register(self, receiver: External, functions: Value) -> None:
        """Keep functions that a method of something was given: ``app.get("/users", list)``."""
        holder: External | None = receiver.holder
        seen: set[External] = set()
        # `router.get(…).post(…)`: the second call is on what the first one gave, and means the router.
        while holder is not None and holder not in seen:
            seen.add(holder)
            self.interpreter.add(holder.registered, functions - seen)
            holder = holder.made_from

    def _submit(self, site: CallSite) -> None:
        """Call the first argument that is a function with the arguments behind it."""
        positional = list(site.arguments.positional)
        while positional and not any(isinstance(item, CALLABLE) for item in positional[0]):
            positional.pop(0)
        if positional:
            arguments = replace(site.arguments, positional=positional[1:])
            self.call(positional[0], site.with_arguments(arguments))

    def run_functions(self, functions: Value, site: CallSite) -> None:
        """Call functions with unknown arguments, as whoever they were handed to may do."""
        unknown = CallSite(site.node, unknown_arguments(), site.line)
        for function in functions:
            if isinstance(function, Class):
                self._run_class(function, unknown, set())
            elif isinstance(function, CALLABLE):
                self.call_one(function, unknown)
            elif isinstance(function, External) and function.is_result:
                self.call_held(function, unknown)

    def _run_class(self, cls: Class, site: CallSite, seen: set[Class]) -> None:
        """Call what a framework calls of a class: its decorated methods, and those of classes that it names.

        ``@Module({controllers: [Users]}) class App {}`` names ``Users``, whose ``@Get()`` methods are called.
        """
        if cls in seen:
            return
        seen.add(cls)
        decorated = [member for member in cls.definition.members if member.is_decorated]
        if decorated:
            unknown = site.with_arguments(Arguments([]))
            for instance in self.instance(cls, replace(unknown, node=(site.node, cls.definition))):
                for member in decorated:
                    bound = Bound(Func(member.function, cls.scope), one(instance))
                    self.call_one(bound, site.with_arguments(unknown_arguments()))
        for decoration in self.interpreter.read(cls.decorations):
            if isinstance(decoration, External):
                for item in self.interpreter.read(decoration.holder.held):
                    if isinstance(item, Class):
                        self._run_class(item, site, seen)

    def call_held(self, holder: External, site: CallSite) -> Value:
        """Call all functions that something of a package was given, and those of what it was given."""
        results: list[Value] = []
        waiting = [holder]
        seen = {holder}
        while waiting:
            items = self._held_by(waiting.pop())
            functions = frozenset(item for item in items if isinstance(item, CALLABLE))
            results.append(self.call(functions, site))
            for item in items:
                if isinstance(item, Class):
                    self._run_class(item, site, set())
                if isinstance(item, External) and item not in seen:
                    seen.add(item)
                    waiting.append(item)
        return union(results)

    def _held_by(self, holder: External) -> Value:
        """What something was given, what was registered with it, and what it was made from was given."""
        items = [
            self.interpreter.read(holder.held),
            self.interpreter.read(holder.registered),
        ]
        # `middy(list).use(cors())`: the first call got the function. What is registered with the same
        # object by other calls has nothing to do with this one.
        earlier = holder.made_from
        for _ in range(MAX_BASES):
            if earlier is None:
                break
            items.append(self.interpreter.read(earlier.held))
            earlier = earlier.made_from
        return union(items)

    def _instances(self, site: CallSite) -> Value:
        """Instances of the classes that are handed to a package: containers make them."""
        instances: list[Value] = []
        for value in site.arguments.positional:
            for possibility in value:
                if isinstance(possibility, Class):
                    unknown = CallSite(site.node, Arguments([]), site.line)
                    instances.append(self.instance(possibility, unknown))
        return union(instances)

    def instances_of_type(self, name: str, site: CallSite) -> Value:
        """An instance of each class that a type may mean."""
        found: list[Value] = []
        for cls in self.interpreter.classes_of_type(name)[:MAX_CLASSES]:
            unknown = CallSite((site.node, name), Arguments([]), site.line)
            found.append(self.instance(cls, unknown))
        return union(found)

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
        elif callee.path[0].partition(".")[0] in MODEL_LIBRARIES:
            self.doubt(
                site.line,
                f"uses {callee.path[0]}, whose calls of DynamoDB are not followed",
            )
        elif self._takes_client(callee, site):
            name = callee.path[-1]
            self.doubt(site.line, f"hands a client of DynamoDB to {name} of {callee.path[0]}, which is not read")

    def _takes_client(self, callee: External, site: CallSite) -> bool:
        """Whether an object of a package gets a client, which it will use by itself. Containers only keep it."""
        name = callee.path[-1]
        if not name[:1].isupper() or name.endswith(CONTAINERS) or callee.is_result:
            return False
        handed = self.interpreter.functions_in(site.arguments.all())
        return any(isinstance(item, Client | TableHandle) for item in handed)

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


def _completed(partial: Partial, arguments: Arguments) -> Arguments:
    """A partial function's own arguments, followed by those of a call."""
    keywords = dict(partial.keywords) | arguments.keywords
    return replace(
        arguments,
        positional=[*partial.positional, *arguments.positional],
        keywords=keywords,
    )
