"""Calls of packages, which are not read: they may call what they are given, at once or later."""

from dataclasses import replace

from ownership.drift.code.calls.base import CALLABLE, MAX_BASES, CallSite
from ownership.drift.code.calls.instances import InstanceCalls
from ownership.drift.code.frames import (
    Arguments,
    unknown_arguments,
)
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN_VALUE,
    Bound,
    Class,
    Client,
    CodeValue,
    External,
    Func,
    TableHandle,
)
from ownership.drift.code.values import one, only, union

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


class PackageCalls(InstanceCalls):
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
        is_method = callee.path[-1] != "()"
        if is_method:
            result.made_from = holder
        if not self._runs_functions:
            if is_method:
                self.register(callee, functions)
            return NOTHING
        if not is_method:
            return self.call_held(holder, site)
        unknown = site.with_arguments(unknown_arguments())
        if callee.path[-1] in RUNNERS:
            return self.call_held(holder, unknown)
        own = self.interpreter.read(holder.held)
        return self.call(only(own, *CALLABLE), unknown)

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
        positional = site.arguments.positional
        for position, value in enumerate(positional):
            if only(value, *CALLABLE):
                arguments = replace(site.arguments, positional=positional[position + 1 :])
                self.call(value, site.with_arguments(arguments))
                return

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
        self._run_decorated_methods(cls, site)
        for decoration in only(self.interpreter.read(cls.decorations), External):
            for named in only(self.interpreter.read(decoration.holder.held), Class):
                self._run_class(named, site, seen)

    def _run_decorated_methods(self, cls: Class, site: CallSite) -> None:
        decorated = [member for member in cls.definition.members if member.is_decorated]
        if not decorated:
            return
        unknown = site.with_arguments(unknown_arguments())
        making = CallSite((site.node, cls.definition), Arguments([]), site.line)
        for instance in self.instance(cls, making):
            for member in decorated:
                function = Func(member.function, cls.scope)
                self.call_one(Bound(function, one(instance)), unknown)

    def call_held(self, holder: External, site: CallSite) -> CodeValue:
        """Call all functions that something of a package was given, and those of what it was given."""
        results: list[CodeValue] = []
        waiting = [holder]
        seen = {holder}
        while waiting:
            items = self._held_by(waiting.pop())
            results.append(self.call(only(items, *CALLABLE), site))
            for cls in only(items, Class):
                self._run_class(cls, site, set())
            others = only(items, External) - seen
            seen.update(others)
            waiting += others
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
        while earlier is not None and len(items) < MAX_BASES:
            items.append(self.interpreter.read(earlier.held))
            earlier = earlier.made_from
        return union(items)

    def _instances(self, site: CallSite) -> CodeValue:
        """Instances of the classes that are handed to a package: containers make them."""
        instances: list[CodeValue] = []
        unknown = CallSite(site.node, Arguments([]), site.line)
        for value in site.arguments.positional:
            for cls in only(value, Class):
                instances.append(self.instance(cls, unknown))
        return union(instances)

    def instances_of_type(self, name: str, site: CallSite) -> CodeValue:
        """An instance of each class that a type may mean."""
        unknown = CallSite((site.node, name), Arguments([]), site.line)
        classes = self.interpreter.classes_of_type(name)[:MAX_CLASSES]
        return union([self.instance(cls, unknown) for cls in classes])

    def _call_unknown(self, site: CallSite) -> CodeValue:
        self.send_commands(site)
        functions = self.interpreter.functions_in(site.arguments.all())
        if self._runs_functions:
            self.run_functions(functions, site)
        # It may be a wrapper that gives the function back.
        return UNKNOWN_VALUE | only(functions, Func, Bound)

    def _add_doubts(self, callee: External, site: CallSite) -> None:
        package, name = callee.path[0], callee.path[-1]
        if callee.unread:
            self.doubt(site.line, callee.unread)
        elif package.partition(".")[0] in MODEL_LIBRARIES:
            self.doubt(site.line, f"uses {package}, whose calls of DynamoDB are not followed")
        elif self._takes_client(callee, site):
            self.doubt(
                site.line, f"hands a client of DynamoDB to {name} of {package}, which is not read"
            )

    def _takes_client(self, callee: External, site: CallSite) -> bool:
        """Whether an object of a package gets a client, which it will use by itself. Containers only keep it."""
        name = callee.path[-1]
        is_class = name[:1].isupper() and not callee.is_result
        if not is_class or name.endswith(CONTAINERS):
            return False
        handed = self.interpreter.functions_in(site.arguments.all())
        return bool(only(handed, Client, TableHandle))
