"""Functions that nobody deploys, and calls of something unknown."""

from collections.abc import Iterable

from ownership.drift.code import syntax
from ownership.drift.code.deployment import (
    EntryPoint,
    letters_of,
)
from ownership.drift.code.frames import Frame
from ownership.drift.code.possibilities import (
    Class,
    Func,
)
from ownership.drift.code.reader.collecting import Collecting
from ownership.drift.code.reader.texts import reported
from ownership.drift.code.values import one
from ownership.drift.types import (
    Location,
)
from ownership.drift.values import (
    Text,
)


class Unreached(Collecting):
    """Reads what no handler reaches."""

    def _read_unreached(self) -> None:
        """Add what is done by functions in services' folders that no handler reaches."""
        started: list[tuple[EntryPoint, Frame]] = []
        for module in list(self._all_modules()):
            service = self._owner_of(module.file)
            if service is None:
                continue
            for function in module.functions:
                if function in self.reached:
                    continue
                frame = self._start_unreached(module, function)
                if frame is not None:
                    label = f"{module.file}#{function.name}"
                    started.append(
                        (
                            EntryPoint(
                                service,
                                label,
                                "",
                                module.file,
                                "",
                                Location(module.file),
                            ),
                            frame,
                        )
                    )
        self.interpreter.run()
        for entry, frame in started:
            self._collect(entry, frame, reachable=False)

    def _start_unreached(self, module: syntax.Module, function: syntax.Function) -> Frame | None:
        """Call a function that no handler reaches; None if it is inside another one."""
        scope = self.interpreter.module_frame(module)
        if function.name in module.body.variables:
            callee: syntax.Expression = syntax.Evaluated(function.line, one(Func(function, scope)))
            if function in self._functions_of(module):
                return self._call_of(callee)
            return None
        class_name, _, method = function.name.partition(".")
        for (definition, _), cls in list(self.interpreter.classes.items()):
            if definition.name == class_name and definition in module.classes and method:
                return self._call_of(_method_of(cls, method, function.line))
        return None

    def _functions_of(self, module: syntax.Module) -> set[syntax.Function]:
        functions: set[syntax.Function] = set()
        for statement in module.body.body:
            if isinstance(statement, syntax.Declare):
                value = statement.value
                while isinstance(value, syntax.Decorate):
                    value = value.value
                if isinstance(value, syntax.FunctionExpression):
                    functions.add(value.function)
        return functions

    def _report_unknown_calls(self) -> None:
        """Report ``this.users.find()`` of something unknown where a class ``UsersRepository`` uses tables in it."""
        classes = self._classes_by_method()
        for service, call in self.unknown_calls:
            receiver = letters_of(call.receiver)
            for name in sorted(classes.get(call.method, ())):
                if receiver in letters_of(name) or letters_of(name) in receiver:
                    text = Text(
                        f"{call.receiver}.{call.method}",
                        reported(call.location),
                    )
                    self._unresolved(
                        text,
                        f"is called on something unknown, which may be a {name}",
                        service,
                    )
                    break

    def _classes_by_method(self) -> dict[str, set[str]]:
        """Method → the classes in which it uses a table, itself or by what it calls."""
        using = _functions_using_tables(self.interpreter.frames.values())
        classes: dict[str, set[str]] = {}
        for module in self._all_modules():
            for function in module.functions:
                class_name, _, method = function.name.rpartition(".")
                if class_name and function in using:
                    classes.setdefault(method, set()).add(class_name)
        return classes


def _functions_using_tables(frames: Iterable[Frame]) -> set[syntax.Function]:
    """The functions that use tables, themselves or by what they call."""
    callers: dict[Frame, list[Frame]] = {}
    waiting: list[Frame] = []
    for frame in frames:
        for called in frame.calls:
            callers.setdefault(called, []).append(frame)
        if frame.uses or frame.doubts:
            waiting.append(frame)
    seen = set(waiting)
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if caller not in seen:
                seen.add(caller)
                waiting.append(caller)
    return {frame.function for frame in seen}


def _method_of(cls: Class, method: str, line: int) -> syntax.Expression:
    instance = syntax.CallExpression(line, syntax.Evaluated(line, one(cls)), [], is_new=True)
    return syntax.Member(line, instance, method)
