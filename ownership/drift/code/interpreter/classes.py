"""Classes: which there are, and their bases in order."""

from ownership.drift.code import syntax
from ownership.drift.code.frames import Frame
from ownership.drift.code.interpreter.modules import ModuleFrames
from ownership.drift.code.possibilities import (
    Cell,
    Class,
    CodeValue,
    External,
    Func,
    Possibility,
)
from ownership.drift.code.values import of_kind, one, only

MAX_BASES = 20
ENUMERATIONS = {"Enum", "StrEnum"}


class ClassLookup(ModuleFrames):
    """Makes classes, and finds their bases."""

    def make_class(self, definition: syntax.ClassDefinition, scope: Frame) -> Class:
        """The class of a definition in a frame."""
        key = (definition, scope)
        cls = self.classes.get(key)
        if cls is not None:
            return cls
        cls = Class(definition, scope)
        self.classes[key] = cls
        for member in definition.members:
            self.method_classes[member.function] = definition
            if not member.is_static:
                cls.members[member.name] = member
        return cls

    def class_of_method(self, function: Func) -> Class | None:
        """The class that a method belongs to."""
        scope = function.scope
        if scope is None:
            return None
        if scope.function.is_class_body:
            return scope.cls
        definition = self.method_classes.get(function.function)
        if definition is None:
            return None
        return self.classes.get((definition, scope))

    def classes_of_type(self, name: str) -> list[Class]:
        """The classes of the project that a type annotation may mean."""
        classes: list[Class] = []
        for definition in self.classes_named(name):
            classes += self.classes_of(definition)
        return classes

    def classes_of(self, definition: syntax.ClassDefinition) -> list[Class]:
        """The classes that a definition makes, one for each frame in which it was interpreted."""
        classes: list[Class] = []
        for (known, _), cls in self.classes.items():
            if known is definition:
                classes.append(cls)
        return classes

    def add_base(self, cls: Class, position: int, value: CodeValue) -> None:
        """Add what a base of a class may be."""
        if position == len(cls.bases):
            cls.bases.append(Cell())
        self.add(cls.bases[position], value)
        for base in only(value, Class):
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
        if depth >= MAX_BASES:
            return
        for base in self.bases_of(cls):
            if isinstance(base, Class):
                self._append_bases(base, order, depth + 1)
            else:
                order.append(base)

    def own_classes(self, cls: Class) -> list[Class]:
        """A class and those of its bases that are the project's own, in order."""
        return of_kind(self.order_of(cls), Class)

    def is_subclass(self, cls: Class, other: Class) -> bool:
        """Whether a class is another one, or has it among its bases."""
        return other in self.order_of(cls)

    def is_enumeration(self, cls: Class) -> bool:
        """Whether a class is an enumeration of Python."""
        if not cls.definition.is_python:
            return False
        names = {base.path[-1] for base in of_kind(self.order_of(cls), External)}
        return bool(names & ENUMERATIONS)

    def names_in_class(self, cls: Class) -> list[str]:
        """The names of all members of a class and its bases that are not special."""
        names: dict[str, None] = {}
        for base in self.own_classes(cls):
            names |= dict.fromkeys(base.members)
            names |= dict.fromkeys(self.literal_names(base.statics))
        names.pop("constructor", None)
        return [name for name in names if not name.startswith("__")]
