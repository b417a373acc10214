"""Follows calls: interprets functions with the values that are passed to them, until nothing changes.

``Interpreter`` has what all frames share: modules, objects, classes, and the queue of frames that must be
interpreted again. ``evaluation.Evaluation`` interprets the body of one frame.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ownership.drift.code import dynamodb, language, syntax
from ownership.drift.code.evaluation import Evaluation
from ownership.drift.code.frames import (
    Arguments,
    Frame,
    FrameKey,
    unknown_arguments,
)
from ownership.drift.code.values import (
    ABSENT,
    ENVIRONMENT,
    NOTHING,
    UNDEFINED,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Cell,
    Class,
    Client,
    Command,
    EnvironmentVariable,
    External,
    Func,
    Marked,
    Method,
    Model,
    Namespace,
    Obj,
    Paginator,
    Partial,
    Pieces,
    Possibility,
    Str,
    TableHandle,
    Value,
    bounded,
    one,
    text,
    union,
    with_members,
)
from ownership.drift.types import Location

MAX_ROUNDS = 40  # that one frame is interpreted
# What may be interpreted within each other before a call is put into the queue instead: Python's stack has an end.
MAX_FRAMES_INSIDE = 20
MAX_BASES = 20
MAX_KNOWN_TEXTS = 20  # of one text with environment variables
MAX_NESTING = 100  # expressions
MAX_RECURSION = 3  # frames of one function within each other, before they become one
MAX_HELD_DEPTH = 4  # how deep functions are looked for in objects that are handed to a package
STEPS_PER_FILE = 10_000
MIN_STEPS = 1_000_000
FRAMES_PER_FILE = 10  # of one function; a wrapper has one for each call of it
MIN_FRAMES = 200

ENVIRONMENTS = {("process", "env"), ("node:process", "env"), ("os", "environ")}
ENUMERATIONS = {"Enum", "StrEnum"}
FUNCTION_METHODS = {"bind", "call", "apply"}
OWN_METHODS = {
    "__enter__",
    "__exit__",
    "__init__",
}  # that every object of Python has

FindModule = Callable[[str, str, int], syntax.Module | External | None]
FindLike = Callable[[str, str], list[syntax.Module | External | None]]
ClassesNamed = Callable[[str], list[syntax.ClassDefinition]]


class Interpreter:
    """Everything that frames share.

    ``find_module`` gives the module that an import means in a file: its name and the dots before it;
    ``find_like`` gives the modules that it may mean where only the beginning of the name is known.
    ``classes_named`` gives the classes that have a name or implement an interface of that name.
    ``environment`` has the texts that a variable is in any function, where all of them are known.
    """

    def __init__(
        self,
        find_module: FindModule,
        find_like: FindLike,
        classes_named: ClassesNamed,
        environment: Mapping[str, frozenset[str]],
        files: int,
    ) -> None:
        self.environment = environment
        self.find_module = find_module
        self.find_like = find_like
        self.classes_named = classes_named
        self.frames: dict[FrameKey, Frame] = {}
        self.frame_counts: dict[syntax.Function, int] = {}
        self.modules: dict[syntax.Module, Frame] = {}
        self.classes: dict[tuple[syntax.ClassDefinition, Frame], Class] = {}
        self.objects: dict[tuple[object, Frame], Obj] = {}
        self.results: dict[tuple[object, Frame], External] = {}
        self.commands: dict[tuple[object, Frame], Command] = {}
        self.externals: dict[str, External] = {}
        self.method_classes: dict[syntax.Function, syntax.ClassDefinition] = {}
        self.queue: deque[Frame] = deque()
        self.queued: set[Frame] = set()
        self.stack: list[Frame] = []
        self.nesting = 0
        self.steps = 0
        self.max_steps = MIN_STEPS + files * STEPS_PER_FILE
        self.max_frames = MIN_FRAMES + files * FRAMES_PER_FILE
        self.exhausted = False

    # Cells and the queue

    def read(self, cell: Cell) -> Value:
        """A cell's value; whoever is being interpreted depends on it from now on."""
        if self.stack:
            cell.add_reader(self.stack[-1])
        return cell.value

    def add(self, cell: Cell, value: Value) -> None:
        """Add possibilities to a cell."""
        if value <= cell.value:
            return
        cell.value = bounded(cell.value | value)
        for frame in tuple(cell.readers):
            self.enqueue(frame)

    def enqueue(self, frame: Frame) -> None:
        """Have a frame interpreted again, later."""
        if frame not in self.queued and frame.rounds < MAX_ROUNDS:
            self.queued.add(frame)
            self.queue.append(frame)

    def run(self) -> None:
        """Interpret until nothing changes, or the steps are used up."""
        while self.queue and not self.exhausted:
            frame = self.queue.popleft()
            self.queued.discard(frame)
            self.interpret(frame)

    def step(self) -> None:
        """Count a step."""
        self.steps += 1
        if self.steps > self.max_steps:
            self.exhausted = True

    # Frames

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

    def module_frame(self, module: syntax.Module) -> Frame:
        """The frame of a module's own statements."""
        if module not in self.modules:
            frame = Frame(module.body, None, at_import=True)
            self.modules[module] = frame
            if module.language == "javascript":
                self._add_commonjs(frame)
            self.interpret_now_or_later(frame)
        return self.modules[module]

    def _add_commonjs(self, frame: Frame) -> None:
        """``module`` and ``exports``, which are the same object at first."""
        location = frame.location(1)
        exports, module = Obj(location), Obj(location)
        self.objects["exports", frame] = exports
        self.objects["module", frame] = module
        self.write_field(module, "exports", one(exports))

    def import_module(self, module: syntax.Module, line: int) -> Frame:
        """The frame of a module that the current frame imports, and so runs."""
        frame = self.module_frame(module)
        if self.stack and self.stack[-1] is not frame:
            self.stack[-1].calls.setdefault(frame, line)
        return frame

    def call_function(self, function: Func, this: Value, arguments: Arguments, line: int) -> Value:
        """The result of a call from the current frame."""
        caller = self.stack[-1]
        code = function.function
        location = caller.location(line)
        if code.module.language == "python" and this:
            arguments = replace(arguments, positional=[this, *arguments.positional])
            this = NOTHING
        arguments = self._relevant(code, _marked(arguments, location))
        if not code.own_this:
            this = NOTHING
        frame = self._frame(function, this, arguments, caller)
        caller.calls.setdefault(frame, line)
        return _unmarked(self._result(frame), location)

    def _relevant(self, code: syntax.Function, arguments: Arguments) -> Arguments:
        """The arguments without those that no parameter takes."""
        kinds = [parameter.kind for parameter in code.parameters]
        if "rest" in kinds:
            return arguments
        return replace(arguments, positional=arguments.positional[: len(code.parameters)])

    def _frame(self, function: Func, this: Value, arguments: Arguments, caller: Frame) -> Frame:
        code = function.function
        key: FrameKey = (
            code,
            function.scope,
            this,
            caller.at_import,
            *arguments.key(),
        )
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
        count = 0
        innermost: Frame | None = None
        frame: Frame | None = caller
        while frame is not None:
            if frame.function is code:
                count += 1
                innermost = innermost or frame
            frame = frame.creator
        return innermost if count >= MAX_RECURSION else None

    def _merged(self, frame: Frame, this: Value, arguments: Arguments) -> Frame:
        """The frame, interpreted with these arguments as well: recursion ends in it."""
        own = frame.arguments
        length = max(len(own.positional), len(arguments.positional))
        positional = [bounded(own.at(i) | arguments.at(i)) for i in range(length)]
        keywords = dict(own.keywords)
        for name, value in arguments.keywords.items():
            keywords[name] = bounded(keywords.get(name, NOTHING) | value)
        merged = Arguments(
            positional,
            keywords,
            own.rest | arguments.rest,
            own.more | arguments.more,
        )
        merged_this = bounded(frame.this | this)
        if merged != own or merged_this != frame.this:
            frame.arguments = merged
            frame.this = merged_this
            self.enqueue(frame)
        return frame

    def _result(self, frame: Frame) -> Value:
        result = self.read(frame.result)
        if frame.function.is_generator:
            generator = self.object_at("generator", frame, frame.function.line, is_list=True)
            self.add(generator.rest, self.read(frame.yielded))
            return one(generator)
        return result

    # Objects

    def object_at(self, site: object, frame: Frame, line: int, is_list: bool = False) -> Obj:
        """The object that is made at a place in a frame."""
        key = (site, frame)
        if key not in self.objects:
            self.objects[key] = Obj(frame.location(line), is_list)
        return self.objects[key]

    def result_of(self, site: object, callee: External) -> External:
        """What a call of something external gives, at a place in the current frame."""
        key = (site, self.stack[-1])
        if key not in self.results:
            path = (*callee.path, "()")[-6:]
            self.results[key] = External(path, is_result=True, unread=callee.unread)
        return self.results[key]

    def external(self, name: str) -> External:
        """A package, or a global name of the language."""
        if name not in self.externals:
            self.externals[name] = External((name,))
        return self.externals[name]

    def write_field(self, obj: Obj, key: str | Str, value: Value) -> None:
        """Add what a field may be."""
        if isinstance(key, Str):
            literal = key.literal
            if key.named_at is not None:
                obj.named_at.setdefault(
                    literal if literal is not None else replace(key, named_at=None),
                    key.named_at,
                )
            key = literal if literal is not None else replace(key, named_at=None)
        self.add(self._field_cell(obj, key), value)
        name = Str((key,)) if isinstance(key, str) else key
        self.add(obj.keys, one(name))

    def _field_cell(self, obj: Obj, key: str | Str) -> Cell:
        if key not in obj.fields:
            obj.fields[key] = Cell()
        return obj.fields[key]

    def open(self, obj: Obj) -> None:
        """Say that an object may have fields that are not known."""
        if not obj.is_open:
            obj.is_open = True
            self.add(obj.keys, UNKNOWN_VALUE)

    def read_field(self, obj: Obj, key: str | Str) -> Value:
        """What a field of the object itself may be; nothing if it is not set."""
        if isinstance(key, Str):
            literal = key.literal
            key = literal if literal is not None else replace(key, named_at=None)
        value = self.read(self._field_cell(obj, key)) | self.read(obj.rest)
        if not value:
            self.read(obj.keys)
            if obj.is_open:
                return UNKNOWN_VALUE
        return value

    def field_names(self, obj: Obj) -> list[str | Str]:
        """The names of all fields that are set."""
        self.read(obj.keys)
        return [key for key, cell in obj.fields.items() if cell.value]

    def items(self, value: Value) -> Value:
        """What going through a value gives: the items of lists; nothing is known of the items of anything else."""
        items: list[Value] = []
        for possibility in value:
            if isinstance(possibility, Obj):
                own = [self.read(possibility.fields[name]) for name in self.field_names(possibility)]
                own.append(self.read(possibility.rest))
                if possibility.passed_at is not None:
                    own = [_marked_value(value, possibility.passed_at) for value in own]
                items += own
                if possibility.is_open:
                    items.append(UNKNOWN_VALUE)
            elif isinstance(possibility, External):
                items.append(UNKNOWN_VALUE | one(possibility))
            elif isinstance(possibility, Class):
                items.append(self._members_of_enumeration(possibility))
            else:
                items.append(UNKNOWN_VALUE)
        return union(items)

    def _members_of_enumeration(self, cls: Class) -> Value:
        """What going through one of Python's enumerations gives."""
        members: set[Possibility] = set()
        for name in self.field_names(cls.statics):
            value = self.read(cls.statics.fields[name])
            members |= {replace(item, cls=cls) for item in value if isinstance(item, Str)}
        return frozenset(members) or UNKNOWN_VALUE

    # Modules as values

    def import_value(self, file: str, module: str, level: int, name: str, line: int) -> Value:
        """What ``name`` of a module is; ``*`` is the module itself, as ``require`` or ``import`` give it."""
        target = self.find_module(file, module, level)
        if isinstance(target, syntax.Module):
            self.import_module(target, line)
            if name == "*":
                return self.module_value(target)
            value = self.exported(target, name, line)
            if value and value != one(ABSENT):
                return value
            if target.language == "python":
                # `from package import module`
                inner = f"{module}.{name}" if module else name
                submodule = self.find_module(file, inner, level)
                if isinstance(submodule, syntax.Module):
                    self.import_module(submodule, line)
                    return one(Namespace(submodule))
            return value
        if target is None and name != "*" and level:
            # `from . import module` in a folder without __init__.py
            submodule = self.find_module(file, f"{module}.{name}" if module else name, level)
            if isinstance(submodule, syntax.Module):
                self.import_module(submodule, line)
                return one(Namespace(submodule))
        external = target if isinstance(target, External) else self.external(module)
        if name in ("*", "default"):
            return one(external)
        return self._external_member(external, name)

    def module_value(self, module: syntax.Module) -> Value:
        """A module as ``require`` gives it: its exports object, or all that it exports by name."""
        if module.language == "python" or module.exports or module.export_all:
            return one(Namespace(module))
        return self._commonjs_exports(module)

    def _commonjs_exports(self, module: syntax.Module) -> Value:
        frame = self.module_frame(module)
        value = self.read_field(self.objects["module", frame], "exports")
        first = self.objects["exports", frame]
        # The object that `module.exports` was at first doesn't count once it is replaced.
        if len(value) > 1 and not self.field_names(first):
            value = value - {first}
        return value

    def exported(
        self,
        module: syntax.Module,
        name: str,
        line: int,
        seen: frozenset[str] = frozenset(),
    ) -> Value:
        """What a module exports under a name; nothing if that isn't known yet, ABSENT if there is no such name."""
        frame = self.module_frame(module)
        if module.language == "python":
            return self._python_attribute(frame, name)
        if name in module.exports:
            return self.read(frame.cell(module.exports[name]))
        if syntax.WHOLE_EXPORT in module.exports:
            whole = self.read(frame.cell(module.exports[syntax.WHOLE_EXPORT]))
            return whole if name == "default" else self.member(whole, name, line)
        if module.exports or module.export_all:
            for source in module.export_all:
                target = self.find_module(module.file, source, 0)
                if isinstance(target, syntax.Module) and target.file not in seen:
                    self.import_module(target, line)
                    value = self.exported(target, name, line, seen | {module.file})
                    if value != one(ABSENT):
                        return value
                elif isinstance(target, External):
                    return one(target.child(name))
            if not self._has_commonjs(frame):
                return one(ABSENT)
        value = self._commonjs_exports(module)
        if name == "default":
            own = self.member(value, name, line)
            return own if own - {ABSENT, UNDEFINED} else value
        return self.member(value, name, line)

    def _has_commonjs(self, frame: Frame) -> bool:
        return bool(self.field_names(self.objects["exports", frame]))

    def _python_attribute(self, frame: Frame, name: str) -> Value:
        if name in frame.function.variables:
            return self.read(frame.cell(name))
        cell = frame.variables.get(f"*{name}")  # from `from module import *`
        if cell is not None:
            return self.read(cell)
        return one(ABSENT)

    # Members

    def member(self, value: Value, name: str, line: int) -> Value:
        """``value.name``, for all that the value may be."""
        return union([self.member_of(possibility, name, line) for possibility in with_members(value)])

    def member_of(self, owner: Possibility, name: str, line: int) -> Value:
        """``owner.name``."""
        if isinstance(owner, Obj):
            return self._object_member(owner, name, line)
        if owner is ENVIRONMENT:
            if name in ("get", "copy", "items", "keys"):
                return one(Method(owner, name))
            return one(Str((EnvironmentVariable(name),)))
        if isinstance(owner, Pieces):
            if name in ("pop", "at", "get", "shift"):
                return one(Method(owner, name))
            return one(owner.piece(name))
        if isinstance(owner, Namespace):
            return self._namespace_member(owner.module, name, line)
        if isinstance(owner, External):
            return self._external_member(owner, name)
        if isinstance(owner, Class):
            return self._class_member(owner, name, line)
        if isinstance(owner, Func | Bound):
            return self._function_member(owner, name)
        if isinstance(owner, Marked) and owner.kind == "property":
            return one(Method(owner, name))
        if isinstance(owner, Method) and name in FUNCTION_METHODS:
            return one(Method(owner, name))
        if isinstance(owner, Partial):
            return self.member(owner.function, name, line)
        if isinstance(owner, TableHandle) and name in ("name", "table_name"):
            return UNKNOWN_VALUE if owner.name is None else one(owner.name)
        if isinstance(owner, Client | TableHandle) and name in (
            "meta",
            "client",
        ):
            return one(Client())
        if isinstance(owner, Str) and name == "value":
            return one(replace(owner, cls=None))  # a member of one of Python's enumerations
        if isinstance(owner, Str) and owner.cls is not None:
            inherited = self._enumeration_member(owner, owner.cls, name, line)
            if inherited is not None:
                return inherited
        if isinstance(owner, Str | Client | TableHandle | Paginator | Command):
            return one(Method(owner, name))
        if owner is UNKNOWN:
            return UNKNOWN_VALUE
        return one(ABSENT)

    def _object_member(self, obj: Obj, name: str, line: int) -> Value:
        if name in ("__class__", "constructor") and obj.cls is not None:
            return one(obj.cls)
        own = self.read(self._field_cell(obj, name))
        if own:
            return own | self.read(obj.rest)
        if obj.cls is not None:
            found = self._instance_member(obj, obj.cls, name, line)
            if found is not None:
                return found
        prototype, depth = obj.prototype, 0
        while prototype is not None and depth < MAX_BASES:
            inherited = self.read_field(prototype, name)
            if inherited:
                return inherited
            prototype, depth = prototype.prototype, depth + 1
        if name in language.OBJECT_METHODS or name in OWN_METHODS:
            return one(Method(obj, name))
        if obj.cls is not None and not name.startswith("__"):
            found = self._instance_member(obj, obj.cls, "__getattr__", line)
            if found is not None:
                return self._call_bound(found, text(name), line)
        return self.read_field(obj, name) or one(ABSENT)

    def _call_bound(self, methods: Value, argument: Value, line: int) -> Value:
        """What methods of an instance give for one argument."""
        results: list[Value] = []
        for method in methods:
            if isinstance(method, Bound):
                results.append(self.call_function(method.function, method.this, Arguments([argument]), line))
        return union(results)

    def _instance_member(self, obj: Obj, cls: Class, name: str, line: int) -> Value | None:
        """A member of an instance that its class or a base has; None if none has it."""
        return self._inherited_member(obj, self.order_of(cls), name, line)

    def _own_member(self, obj: Obj, cls: Class, name: str, line: int) -> Value | None:
        """A member of an instance that one class has itself; None if it does not have it."""
        member = cls.members.get(name)
        if member is not None:
            function = Func(member.function, cls.scope)
            if member.kind == "getter":
                return self.call_function(function, one(obj), Arguments([]), line)
            if member.kind == "method":
                return one(Bound(function, one(obj)))
        value = self.read_field(cls.statics, name)
        if value:
            return union(self._bound(possibility, obj, line) for possibility in value)
        return None

    def _inherited_member(self, obj: Obj, classes: list[Possibility], name: str, line: int) -> Value | None:
        """A member of an instance that one of these classes has, the first one first; None if none has it."""
        for cls in classes:
            if isinstance(cls, Class):
                found = self._own_member(obj, cls, name, line)
                if found is not None:
                    return found
        for base in classes:
            if isinstance(base, External) and dynamodb.is_client(base):
                return one(Method(Client(), name))
            if isinstance(base, External) and dynamodb.is_model(base) and obj.cls is not None:
                return self._model_method(obj.cls, name)
            if isinstance(base, External) and name not in OWN_METHODS:
                return one(base.child(name))
        return UNKNOWN_VALUE if obj.is_open else None

    def members_like(self, owner: Possibility, affixes: tuple[str, str], line: int) -> Value:
        """The members of an object, class or module whose names begin and end so: one of them is meant."""
        start, end = affixes
        results: list[Value] = []
        for name in self._member_names(owner):
            if name.startswith(start) and name.endswith(end):
                results.append(self.member_of(owner, name, line) - {ABSENT})
        return union(results)

    def _member_names(self, owner: Possibility) -> set[str]:
        """The names of an object's fields and methods, of a class's own ones, or of what a module exports."""
        if isinstance(owner, Namespace):
            if owner.module.language == "python":
                return {name for name in owner.module.body.variables if not name.startswith("*")}
            return set(owner.module.exports)
        if isinstance(owner, Class):
            return {name for name in self.field_names(owner.statics) if isinstance(name, str)}
        names: set[str] = set()
        if isinstance(owner, Obj):
            names.update(name for name in self.field_names(owner) if isinstance(name, str))
            if owner.cls is not None:
                names |= self._names_in_class(owner.cls)
        return names

    def _names_in_class(self, cls: Class) -> set[str]:
        """The names of all members of a class and its bases that are not special."""
        names: set[str] = set()
        for base in self.order_of(cls):
            if isinstance(base, Class):
                names.update(base.members)
                names.update(name for name in self.field_names(base.statics) if isinstance(name, str))
        return {name for name in names if not name.startswith("__") and name != "constructor"}

    def setters_of(self, owner: Possibility, name: str) -> Value:
        """The methods that an assignment to a property calls; nothing if it is a field like others."""
        if not isinstance(owner, Obj) or owner.cls is None:
            return NOTHING
        setters: set[Possibility] = set()
        for cls in self.order_of(owner.cls):
            if not isinstance(cls, Class):
                continue
            member = cls.members.get(f"set {name}")
            if member is not None:
                setters.add(Bound(Func(member.function, cls.scope), one(owner)))
            for marked in cls.statics.fields[name].value if name in cls.statics.fields else ():
                if isinstance(marked, Marked):
                    setters.update(Bound(item, one(owner)) for item in marked.setter if isinstance(item, Func))
        return frozenset(setters)

    def base_member(self, obj: Obj, cls: Class, name: str, line: int) -> Value:
        """What follows a class, seen from an instance, has under a name: ``super().name``."""
        order = self.order_of(obj.cls) if obj.cls is not None else []
        if cls not in order:
            order = self.order_of(cls)
        found = self._inherited_member(obj, order[order.index(cls) + 1 :], name, line)
        return NOTHING if found is None else found

    def _model_method(self, cls: Class, name: str) -> Value:
        """A method of a class of PynamoDB, for each table that its ``Meta`` names."""
        names: set[Possibility] = set()
        for base in self.order_of(cls):
            if isinstance(base, Class) and not names:
                names.update(self.member(self.read_field(base.statics, "Meta"), "table_name", 0) - {ABSENT})
        methods: set[Possibility] = set()
        for table in names or {UNKNOWN}:
            methods.add(Method(Model(cls, table if isinstance(table, Str) else None), name))
        return frozenset(methods)

    # The order of bases

    def add_base(self, cls: Class, position: int, value: Value) -> None:
        """Add what a base of a class may be."""
        if position == len(cls.bases):
            cls.bases.append(Cell())
        self.add(cls.bases[position], value)
        for base in value:
            if isinstance(base, Class):
                self.add(base.subclasses, one(cls))

    def bases_of(self, cls: Class) -> list[Possibility]:
        """The bases of a class in order."""
        bases: list[Possibility] = []
        for cell in cls.bases:
            bases += self.read(cell)
        return bases

    def order_of(self, cls: Class) -> list[Possibility]:
        """A class and all its bases, in the order in which they are searched."""
        order: list[Possibility] = []
        self._append_bases(cls, order, 0)
        # A base that several classes have comes after all of them.
        last = {base: position for position, base in enumerate(order)}
        return sorted(last, key=last.__getitem__)

    def _append_bases(self, cls: Class, order: list[Possibility], depth: int) -> None:
        order.append(cls)
        for base in self.bases_of(cls) if depth < MAX_BASES else []:
            if isinstance(base, Class):
                self._append_bases(base, order, depth + 1)
            else:
                order.append(base)

    def is_subclass(self, cls: Class, other: Class) -> bool:
        """Whether a class is another one, or has it among its bases."""
        return other in self.order_of(cls)

    def is_enumeration(self, cls: Class) -> bool:
        """Whether a class of Python is an enumeration."""
        return any(isinstance(base, External) and base.path[-1] in ENUMERATIONS for base in self.order_of(cls))

    def _enumeration_member(self, member: Str, cls: Class, name: str, line: int) -> Value | None:
        """A property or method of an enumeration, seen from one of its members; None if it has none."""
        for base in self.order_of(cls):
            value = self.read_field(base.statics, name) if isinstance(base, Class) else NOTHING
            if value:
                return union(self._bound(possibility, member, line) for possibility in value)
        return None

    def _bound(self, possibility: Possibility, obj: Obj | Str, line: int) -> Value:
        """What Python's class has under a name, seen from an instance."""
        if isinstance(possibility, Func):
            return one(Bound(possibility, one(obj)))
        if isinstance(possibility, Marked):
            if possibility.kind == "property":
                results = []
                for function in possibility.function:
                    if isinstance(function, Func):
                        results.append(self.call_function(function, one(obj), Arguments([]), line))
                return union(results)
            if possibility.kind == "classmethod" and obj.cls is not None:
                return self._class_bound(possibility, obj.cls)
            return possibility.function
        return one(possibility)

    def _class_bound(self, marked: Marked, cls: Class) -> Value:
        bound: set[Possibility] = set()
        for function in marked.function:
            bound.add(Bound(function, one(cls)) if isinstance(function, Func) else function)
        return frozenset(bound)

    def _class_member(self, cls: Class, name: str, line: int) -> Value:
        """A member of a class itself, or of a base."""
        if name == "__name__":
            return text(cls.definition.name)
        if name == "__subclasses__":
            return one(Method(cls, name))
        for base in self.order_of(cls):
            if isinstance(base, Class):
                value = self.read_field(base.statics, name)
                if value:
                    return self._seen_from_class(value, base, cls)
            elif isinstance(base, External) and dynamodb.is_model(base):
                return self._model_method(cls, name)
            elif isinstance(base, External):
                return one(base.child(name))
        return one(cls) if name == "prototype" else one(ABSENT)

    def _seen_from_class(self, value: Value, owner: Class, receiver: Class) -> Value:
        """What ``owner`` has itself, seen from the class that is asked for it."""
        is_python = owner.definition.body is not None
        is_enumeration = is_python and self.is_enumeration(owner)
        results: list[Value] = []
        for possibility in value:
            if is_enumeration and isinstance(possibility, Str):
                results.append(one(replace(possibility, cls=receiver)))
            elif isinstance(possibility, Marked) and possibility.kind == "classmethod":
                results.append(self._class_bound(possibility, receiver))
            elif isinstance(possibility, Marked):
                results.append(possibility.function)
            elif isinstance(possibility, Func) and not is_python:
                results.append(one(Bound(possibility, one(receiver))))
            else:
                results.append(one(possibility))
        return union(results)

    def _function_member(self, owner: Func | Bound, name: str) -> Value:
        if name in FUNCTION_METHODS:
            return one(Method(owner, name))
        function = owner.function if isinstance(owner, Bound) else owner
        if name == "prototype":
            return one(self.prototype_of(function))
        return self.read_field(self.function_fields(function), name) or one(ABSENT)

    def prototype_of(self, function: Func) -> Obj:
        """The object whose fields all instances of an old-style class have."""
        fields = self.function_fields(function)
        if fields.prototype is None:
            fields.prototype = Obj(fields.location)
        return fields.prototype

    def inherit_from(self, function: Func, prototype: Value) -> None:
        """``Users.prototype = Object.create(Base.prototype)``."""
        for possibility in prototype:
            if isinstance(possibility, Obj) and possibility is not self.prototype_of(function):
                self.prototype_of(function).prototype = possibility

    def function_fields(self, function: Func) -> Obj:
        """The properties of a function, which is an object as well."""
        key = (function, self.modules.get(function.function.module))
        if key not in self.objects:
            self.objects[key] = Obj(Location(function.function.module.file, function.function.line))  # type: ignore[index]
        return self.objects[key]  # type: ignore[index]

    def _namespace_member(self, module: syntax.Module, name: str, line: int) -> Value:
        value = self.exported(module, name, line)
        if value == one(ABSENT) and module.language == "python":
            submodule = self.find_module(module.file, name, 1)
            if isinstance(submodule, syntax.Module):
                return one(Namespace(submodule))
        return value

    def _external_member(self, owner: External, name: str) -> Value:
        child = owner.child(name)
        if child.path in ENVIRONMENTS:
            return one(ENVIRONMENT)
        # What was made from the environment, such as a validated copy, has its variables.
        if ENVIRONMENT in self.read(owner.holder.held) and owner.is_result and name.isupper():
            return one(Str((EnvironmentVariable(name),)))
        return one(child)

    # Classes

    def make_class(self, definition: syntax.ClassDefinition, scope: Frame) -> Class:
        """The class of a definition in a frame."""
        key = (definition, scope)
        if key not in self.classes:
            cls = Class(definition, scope)
            self.classes[key] = cls
            for member in definition.members:
                self.method_classes[member.function] = definition
                if not member.is_static:
                    cls.members[member.name] = member
        return self.classes[key]

    def class_of_method(self, function: Func) -> Class | None:
        """The class that a method belongs to."""
        scope = function.scope
        if scope is None:
            return None
        if scope.function.is_class_body:
            return scope.cls if isinstance(scope.cls, Class) else None
        definition = self.method_classes.get(function.function)
        if definition is None:
            return None
        return self.classes.get((definition, scope))

    def classes_of_type(self, name: str) -> list[Class]:
        """The classes of the project that a type annotation may mean."""
        classes: list[Class] = []
        for definition in self.classes_named(name):
            for (known, _), cls in list(self.classes.items()):
                if known is definition:
                    classes.append(cls)
        return classes

    # Environment variables

    def known_texts(self, value: Str) -> set[str] | None:
        """The texts that a text may be in any function; None where that is not known."""
        texts = {""}
        for part in value.parts:
            choices: set[str] | frozenset[str] | None = None
            if isinstance(part, str):
                choices = {part}
            elif isinstance(part, EnvironmentVariable):
                choices = self.environment.get(part.name)
                if choices is None and part.fallback is not None:
                    choices = self.known_texts(Str(part.fallback))
            if not choices or len(choices) * len(texts) > MAX_KNOWN_TEXTS:
                return None
            texts = {start + end for start in texts for end in choices}
        return texts

    # What is handed to packages

    def functions_in(self, values: Iterable[Value], depth: int = 0) -> Value:
        """The functions, and what holds functions, in these values and in objects in them."""
        found: set[Possibility] = set()
        for value in values:
            for possibility in value:
                if _may_be_called(possibility):
                    found.add(possibility)
                elif isinstance(possibility, External) and (possibility.is_result or possibility.unread):
                    found.add(possibility.holder)
                elif isinstance(possibility, Obj) and possibility.cls is None and depth < MAX_HELD_DEPTH:
                    inner = [self.read(possibility.fields[name]) for name in self.field_names(possibility)]
                    found |= self.functions_in([*inner, self.read(possibility.rest)], depth + 1)
        return frozenset(found)


def _may_be_called(possibility: Possibility) -> bool:
    """Whether a package can call this, or something of this."""
    if isinstance(possibility, Class):
        return possibility.definition.is_decorated
    if isinstance(possibility, Method):
        return isinstance(possibility.owner, Client | TableHandle)
    if possibility is ENVIRONMENT:
        return True
    return isinstance(possibility, Func | Bound | Partial | Client | TableHandle)


def _marked(arguments: Arguments, location: Location) -> Arguments:
    """The arguments, with the call as what named the texts that nothing else has named before."""
    return Arguments(
        [_marked_value(value, location) for value in arguments.positional],
        {name: _marked_value(value, location) for name, value in arguments.keywords.items()},
        _marked_value(arguments.rest, location),
        _marked_value(arguments.more, location),
    )


def _marked_value(value: Value, location: Location) -> Value:
    marked: set[Possibility] = set()
    for possibility in value:
        if isinstance(possibility, Str) and possibility.named_at is None:
            possibility = replace(possibility, named_at=location)
        elif isinstance(possibility, TableHandle):
            name = possibility.name
            if name is not None and name.named_at is None:
                possibility = replace(possibility, name=replace(name, named_at=location))
        elif isinstance(possibility, Method) and isinstance(possibility.owner, TableHandle):
            (owner,) = _marked_value(one(possibility.owner), location)
            possibility = Method(owner, possibility.name)
        elif isinstance(possibility, Obj) and possibility.is_list and possibility.passed_at is None:
            possibility.passed_at = location
        marked.add(possibility)
    return frozenset(marked)


def _unmarked(value: Value, location: Location) -> Value:
    """A result, in which what this very call has named is the caller's own again."""
    unmarked: set[Possibility] = set()
    for possibility in value:
        if isinstance(possibility, Str) and possibility.named_at == location:
            possibility = replace(possibility, named_at=None)
        elif isinstance(possibility, TableHandle):
            name = possibility.name
            if name is not None and name.named_at == location:
                possibility = replace(possibility, name=replace(name, named_at=None))
        unmarked.add(possibility)
    return frozenset(unmarked)
