"""What a class has under a name, seen from an instance or from the class itself."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ownership.drift.code import dynamodb
from ownership.drift.code.frames import Arguments
from ownership.drift.code.interpreter.classes import ClassLookup
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    ABSENT,
    NOTHING,
    UNKNOWN_VALUE,
    Bound,
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
from ownership.drift.code.values import of_kind, one, only, text, union

# Methods that every object of Python has.
OWN_METHODS = {"__enter__", "__exit__", "__init__"}


class ClassMembers(ClassLookup):
    """Looks names up in classes."""

    # Seen from an instance

    def instance_member(self, obj: Obj, cls: Class, name: str, line: int) -> CodeValue | None:
        """A member of an instance that its class or a base has; None if none has it."""
        return self._inherited_member(obj, self.order_of(cls), name, line)

    def base_member(self, obj: Obj, cls: Class, name: str, line: int) -> CodeValue:
        """What follows a class, seen from an instance, has under a name: ``super().name``."""
        bases = self._bases_behind(cls, obj.cls or cls)
        return self._inherited_member(obj, bases, name, line) or NOTHING

    def base_static_member(self, receiver: Class, cls: Class, name: str) -> CodeValue:
        """What follows a class, seen from the class that a method is called on, has under a name itself."""
        return self._static_member(receiver, self._bases_behind(cls, receiver), name) or NOTHING

    def _bases_behind(self, cls: Class, receiver: Class) -> list[Possibility]:
        """What follows a class in the order of another one, which extends it."""
        order = self.order_of(receiver)
        if cls not in order:
            order = self.order_of(cls)
        return order[order.index(cls) + 1 :]

    def _inherited_member(
        self,
        obj: Obj,
        order: Sequence[Possibility],
        name: str,
        line: int,
    ) -> CodeValue | None:
        """A member of an instance that one of these classes has, the first one first; None if none has it."""
        for cls in of_kind(order, Class):
            member = self._own_member(obj, cls, name, line)
            if member is not None:
                return member
        for base in of_kind(order, External):
            member = self._member_from_package(obj, base, name)
            if member is not None:
                return member
        if obj.is_open:
            return UNKNOWN_VALUE
        return None

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
        if not value:
            return None
        return self._seen_from_instance(value, obj, line)

    def _member_from_package(self, obj: Obj, base: External, name: str) -> CodeValue | None:
        """A member of an instance that a class of a package gives it; None if it gives none of that name."""
        if dynamodb.is_client(base):
            return one(Method(Client(), name))
        if dynamodb.is_model(base) and obj.cls is not None:
            return self._model_method(obj.cls, name)
        if name in OWN_METHODS:
            return None
        return one(base.child(name))

    def _model_method(self, cls: Class, name: str) -> CodeValue:
        """A method of a class of PynamoDB, for each table that its ``Meta`` names."""
        tables: Iterable[Str | None] = only(self._tables_of_model(cls), Str) or (None,)
        return OrderedSet([Method(Model(cls, table), name) for table in tables])

    def _tables_of_model(self, cls: Class) -> CodeValue:
        for base in self.own_classes(cls):
            meta = self.read_field(base.statics, "Meta")
            tables = self.member(meta, "table_name", 0) - {ABSENT}
            if tables:
                return tables
        return NOTHING

    def setters_of(self, owner: Possibility, name: str) -> CodeValue:
        """The methods that an assignment to a property calls; nothing if it is a field like others."""
        if not isinstance(owner, Obj) or owner.cls is None:
            return NOTHING
        setters: list[Func] = []
        for cls in self.own_classes(owner.cls):
            setters += _setters_in(cls, name)
        return OrderedSet([Bound(function, one(owner)) for function in setters])

    def _seen_from_instance(self, value: CodeValue, obj: Obj | Str, line: int) -> CodeValue:
        """What Python's class has under a name, seen from an instance."""
        return union(self._bound(possibility, obj, line) for possibility in value)

    def _bound(self, possibility: Possibility, obj: Obj | Str, line: int) -> CodeValue:
        match possibility:
            case Func():
                return one(Bound(possibility, one(obj)))
            case Marked():
                return self._marked_member(possibility, obj, line)
        return one(possibility)

    def _marked_member(self, marked: Marked, obj: Obj | Str, line: int) -> CodeValue:
        """What a property, class method or static method is for an instance."""
        if marked.kind == "property":
            results: list[CodeValue] = []
            for function in only(marked.function, Func):
                results.append(self.call_function(function, one(obj), Arguments([]), line))
            return union(results)
        if marked.kind == "classmethod" and obj.cls is not None:
            return _bound_to_class(marked, obj.cls)
        return marked.function

    # Seen from the class

    def _class_member(self, cls: Class, name: str, line: int) -> CodeValue:
        """A member of a class itself, or of a base."""
        if name == "__name__":
            return text(cls.definition.name)
        if name == "__subclasses__":
            return one(Method(cls, name))
        inherited = self._static_member(cls, self.order_of(cls), name)
        if inherited is not None:
            return inherited
        if name == "name" and not cls.definition.is_python:
            return text(cls.definition.name)
        if name == "prototype":
            return one(cls)
        return one(ABSENT)

    def _static_member(
        self, receiver: Class, order: Sequence[Possibility], name: str
    ) -> CodeValue | None:
        """What the first of these classes has under a name, seen from a class; None if none has it."""
        for base in order:
            if isinstance(base, External):
                return self._static_from_package(receiver, base, name)
            if not isinstance(base, Class):
                continue
            value = self.read_field(base.statics, name)
            if value:
                return union([self._seen_from_class(item, base, receiver) for item in value])
        return None

    def _static_from_package(self, cls: Class, base: External, name: str) -> CodeValue:
        """A member that a class of a package gives a class."""
        if dynamodb.is_model(base):
            return self._model_method(cls, name)
        return one(base.child(name))

    def _seen_from_class(
        self, possibility: Possibility, owner: Class, receiver: Class
    ) -> CodeValue:
        """What ``owner`` has itself, seen from the class that is asked for it."""
        match possibility:
            case Str() if self.is_enumeration(owner):
                return one(replace(possibility, cls=receiver))
            case Marked(kind="classmethod"):
                return _bound_to_class(possibility, receiver)
            case Marked():
                return possibility.function
            case Func() if not owner.definition.is_python:
                return one(Bound(possibility, one(receiver)))
        return one(possibility)

    # Seen from a member of an enumeration

    def enumeration_member(self, member: Str, cls: Class, name: str, line: int) -> CodeValue | None:
        """A property or method of an enumeration, seen from one of its members; None if it has none."""
        for base in self.own_classes(cls):
            value = self.read_field(base.statics, name)
            if value:
                return self._seen_from_instance(value, member, line)
        return None


def _setters_in(cls: Class, name: str) -> list[Func]:
    """The functions that a class calls for an assignment: ``set name(value)``, and Python's ``@name.setter``."""
    setters: list[Func] = []
    member = cls.members.get(f"set {name}")
    if member is not None:
        setters.append(Func(member.function, cls.scope))
    static = cls.statics.fields.get(name)
    if static is None:
        return setters
    for marked in only(static.value, Marked):
        setters += only(marked.setter, Func)
    return setters


def _bound_to_class(marked: Marked, cls: Class) -> CodeValue:
    """A class method, called with the class."""
    functions = only(marked.function, Func)
    bound = OrderedSet([Bound(function, one(cls)) for function in functions])
    return (marked.function - functions) | bound
