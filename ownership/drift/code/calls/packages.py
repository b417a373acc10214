"""Calls of packages, which are not read: they may call what they are given, at once or later."""

from dataclasses import replace

from ownership.drift.code.calls.base import CALLABLE, MAX_BASES, CallSite
from ownership.drift.code.calls.instances import Instances
from ownership.drift.code.frames import (
    Arguments,
    unknown_arguments,
)
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN,
    Bound,
    Class,
    Client,
    CodeValue,
    External,
    Func,
    TableHandle,
)
from ownership.drift.code.values import one, union

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
# Packages that write logs: they show a function that they are handed, and never call it.
LOGGERS = {"logging", "loguru", "structlog", "bunyan", "loglevel", "pino", "winston"}
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


class Packages(Instances):
    """Calls what is not read."""

    def _call_result(
        self,
        callee: External,
        functions: CodeValue,
        result: External,
        site: CallSite,
    ) -> CodeValue:
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

    def register(self, receiver: External, functions: CodeValue) -> None:
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

    def run_functions(self, functions: CodeValue, site: CallSite) -> None:
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

    def call_held(self, holder: External, site: CallSite) -> CodeValue:
        """Call all functions that something of a package was given, and those of what it was given."""
        results: list[CodeValue] = []
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

    def _held_by(self, holder: External) -> CodeValue:
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

    def _instances(self, site: CallSite) -> CodeValue:
        """Instances of the classes that are handed to a package: containers make them."""
        instances: list[CodeValue] = []
        for value in site.arguments.positional:
            for possibility in value:
                if isinstance(possibility, Class):
                    unknown = CallSite(site.node, Arguments([]), site.line)
                    instances.append(self.instance(possibility, unknown))
        return union(instances)

    def instances_of_type(self, name: str, site: CallSite) -> CodeValue:
        """An instance of each class that a type may mean."""
        found: list[CodeValue] = []
        for cls in self.interpreter.classes_of_type(name)[:MAX_CLASSES]:
            unknown = CallSite((site.node, name), Arguments([]), site.line)
            found.append(self.instance(cls, unknown))
        return union(found)

    def _call_unknown(self, site: CallSite) -> CodeValue:
        self.send_commands(site)
        functions = self.interpreter.functions_in(site.arguments.all())
        if self._runs_functions:
            self.run_functions(functions, site)
        # It may be a wrapper that gives the function back.
        wrapped = [item for item in functions if isinstance(item, Func | Bound)]
        return frozenset((UNKNOWN, *wrapped))

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
