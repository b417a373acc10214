"""Instances of classes: what constructors do."""

from collections.abc import Sequence
from dataclasses import replace

from ownership.drift.code.calls.base import MAX_BASES, CallsBase, CallSite
from ownership.drift.code.frames import Arguments
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    Bound,
    Class,
    CodeValue,
    EnvironmentVariable,
    External,
    Func,
    Obj,
    Possibility,
    Str,
    TextPart,
)
from ownership.drift.code.values import of_kind, one, only


class InstanceCalls(CallsBase):
    """Makes instances."""

    def instance(self, cls: Class, site: CallSite) -> CodeValue:
        """An instance of a class, constructed with the call's arguments."""
        if self.interpreter.is_enumeration(cls):
            return _members(cls, site.arguments.at(0))
        made = self._made_by_new(cls, site)
        if made is None:
            obj = self.object_of(site, cls)
            obj.cls = cls
            made = one(obj)
        for instance in only(made, Obj):
            if instance.cls is cls:
                self.construct(cls, instance, site)
        return made

    def _made_by_new(self, cls: Class, site: CallSite) -> CodeValue | None:
        """What a class's own ``__new__`` makes; None if it has none."""
        for base in self.interpreter.own_classes(cls):
            value = self.interpreter.read_field(base.statics, "__new__")
            if value:
                positional = [one(cls), *site.arguments.positional]
                arguments = replace(site.arguments, positional=positional)
                return self.call(value, site.with_arguments(arguments))
        return None

    def new_instance(self, cls: Class) -> CodeValue:
        """The instance that ``super().__new__(cls)`` makes: one for each class."""
        obj = self.interpreter.object_at(("__new__", cls), cls.scope, cls.definition.line)
        obj.cls = cls
        return one(obj)

    def construct(self, cls: Class, obj: Obj, site: CallSite, depth: int = 0) -> None:
        """Run what makes an object an instance of the class: fields and constructor."""
        if depth > MAX_BASES:
            return
        if cls.definition.is_python:
            self._construct_python(cls, obj, site)
            return
        self._initialize_fields(cls, obj, site)
        constructor = cls.members.get("constructor")
        if constructor is not None:
            function = Func(constructor.function, cls.scope)
            self.interpreter.call_function(function, one(obj), site.arguments, site.line)
            return
        self.construct_bases(cls, obj, site, depth + 1)

    # JavaScript

    def construct_bases(self, cls: Class, obj: Obj, site: CallSite, depth: int = 0) -> None:
        """What ``super(…)`` does in a constructor."""
        for base in self.interpreter.bases_of(cls):
            if isinstance(base, Class):
                self.construct(base, obj, site, depth)
            elif isinstance(base, Func):
                obj.prototype = self.interpreter.prototype_of(base)
                self.interpreter.call_function(base, one(obj), site.arguments, site.line)
            else:
                self.interpreter.open(obj)

    def _initialize_fields(self, cls: Class, obj: Obj, site: CallSite) -> None:
        for member in cls.definition.members:
            if member.is_static or member.kind != "field":
                continue
            function = Func(member.function, cls.scope)
            value = self.interpreter.call_function(function, one(obj), Arguments([]), site.line)
            self.interpreter.write_field(obj, member.name, value)

    # Python

    def _construct_python(self, cls: Class, obj: Obj, site: CallSite) -> None:
        constructors = only(self.interpreter.member_of(obj, "__init__", site.line), Bound)
        if constructors:
            self.call(constructors, site)
            return
        for base in self.interpreter.bases_of(cls):
            if not isinstance(base, Class):
                self._add_fields_of_package(cls, obj, base)
        self.write_arguments(obj, self._fields(cls, 0), site)
        prepared = only(self.interpreter.member_of(obj, "__post_init__", site.line), Bound)
        self.call(prepared, CallSite((site.node, "__post_init__"), Arguments([]), site.line))

    def write_arguments(self, obj: Obj, fields: Sequence[str], site: CallSite) -> None:
        """Set fields to the arguments of a call: in order, and by name."""
        for name, value in zip(fields, site.arguments.positional, strict=False):
            self.interpreter.write_field(obj, name, value)
        for name, value in site.arguments.keywords.items():
            self.interpreter.write_field(obj, name, value)

    def _fields(self, cls: Class, depth: int) -> list[str]:
        """The fields of a data class, those of its bases first."""
        fields: list[str] = []
        if depth < MAX_BASES:
            for base in of_kind(self.interpreter.bases_of(cls), Class):
                fields += self._fields(base, depth + 1)
        fields += [name for name in cls.definition.fields if name not in fields]
        return fields

    def _add_fields_of_package(self, cls: Class, obj: Obj, base: Possibility) -> None:
        """What a class of a package adds is not known; pydantic's settings come from the environment."""
        if base == self.interpreter.external("object"):
            return
        if not isinstance(base, External) or base.path[-1] != "BaseSettings":
            self.interpreter.open(obj)
            return
        for name in cls.definition.fields:
            default = self.interpreter.read_field(cls.statics, name)
            variable = EnvironmentVariable(name.upper(), _only_text(default))
            self.interpreter.write_field(obj, name, one(Str((variable,))))


def _members(cls: Class, value: CodeValue) -> CodeValue:
    """The members of an enumeration that have these values."""
    members: list[Possibility] = []
    for possibility in value:
        if isinstance(possibility, Str):
            possibility = replace(possibility, cls=cls)
        members.append(possibility)
    return OrderedSet(members)


def _only_text(value: CodeValue) -> tuple[TextPart, ...] | None:
    """The parts of the text that a value is; None if it may be anything else as well."""
    texts = only(value, Str)
    if len(value) != 1 or not texts:
        return None
    [text] = texts
    return text.parts
