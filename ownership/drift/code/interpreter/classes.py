"""Classes: their bases in order, and what their instances have of them."""

from dataclasses import replace

from ownership.drift.code import dynamodb, syntax
from ownership.drift.code.frames import (
    Arguments,
    Frame,
)
from ownership.drift.code.interpreter.modules import ModuleFrames
from ownership.drift.code.possibilities import (
    ABSENT,
    NOTHING,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Cell,
    Class,
    Client,
    CodeValue,
    External,
    Func,
    Marked,
    Method,
    Model,
    Obj,
    Possibility,
    Str,
)
from ownership.drift.code.values import one, text, union

MAX_BASES = 20
ENUMERATIONS = {"Enum", "StrEnum"}
OWN_METHODS = {
    "__enter__",
    "__exit__",
    "__init__",
}  # that every object of Python has


class ClassLookup(ModuleFrames):
    """Looks names up in classes."""

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

    def add_base(self, cls: Class, position: int, value: CodeValue) -> None:
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

    def _instance_member(self, obj: Obj, cls: Class, name: str, line: int) -> CodeValue | None:
        """A member of an instance that its class or a base has; None if none has it."""
        return self._inherited_member(obj, self.order_of(cls), name, line)

    def _own_member(self, obj: Obj, cls: Class, name: str, line: int) -> CodeValue | None:
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

    def _inherited_member(self, obj: Obj, classes: list[Possibility], name: str, line: int) -> CodeValue | None:
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

    def _model_method(self, cls: Class, name: str) -> CodeValue:
        """A method of a class of PynamoDB, for each table that its ``Meta`` names."""
        names: set[Possibility] = set()
        for base in self.order_of(cls):
            if isinstance(base, Class) and not names:
                names.update(self.member(self.read_field(base.statics, "Meta"), "table_name", 0) - {ABSENT})
        methods: set[Possibility] = set()
        for table in names or {UNKNOWN}:
            methods.add(Method(Model(cls, table if isinstance(table, Str) else None), name))
        return frozenset(methods)

    def base_member(self, obj: Obj, cls: Class, name: str, line: int) -> CodeValue:
        """What follows a class, seen from an instance, has under a name: ``super().name``."""
        order = self.order_of(obj.cls) if obj.cls is not None else []
        if cls not in order:
            order = self.order_of(cls)
        found = self._inherited_member(obj, order[order.index(cls) + 1 :], name, line)
        return NOTHING if found is None else found

    def setters_of(self, owner: Possibility, name: str) -> CodeValue:
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

    def _bound(self, possibility: Possibility, obj: Obj | Str, line: int) -> CodeValue:
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

    def _class_bound(self, marked: Marked, cls: Class) -> CodeValue:
        bound: set[Possibility] = set()
        for function in marked.function:
            bound.add(Bound(function, one(cls)) if isinstance(function, Func) else function)
        return frozenset(bound)

    def _class_member(self, cls: Class, name: str, line: int) -> CodeValue:
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
        if name == "name" and cls.definition.body is None:
            return text(cls.definition.name)
        return one(cls) if name == "prototype" else one(ABSENT)

    def _seen_from_class(self, value: CodeValue, owner: Class, receiver: Class) -> CodeValue:
        """What ``owner`` has itself, seen from the class that is asked for it."""
        is_python = owner.definition.body is not None
        is_enumeration = is_python and self.is_enumeration(owner)
        results: list[CodeValue] = []
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

    def _enumeration_member(self, member: Str, cls: Class, name: str, line: int) -> CodeValue | None:
        """A property or method of an enumeration, seen from one of its members; None if it has none."""
        for base in self.order_of(cls):
            value = self.read_field(base.statics, name) if isinstance(base, Class) else NOTHING
            if value:
                return union(self._bound(possibility, member, line) for possibility in value)
        return None

    def _names_in_class(self, cls: Class) -> set[str]:
        """The names of all members of a class and its bases that are not special."""
        names: set[str] = set()
        for base in self.order_of(cls):
            if isinstance(base, Class):
                names.update(base.members)
                names.update(name for name in self.field_names(base.statics) if isinstance(name, str))
        return {name for name in names if not name.startswith("__") and name != "constructor"}
