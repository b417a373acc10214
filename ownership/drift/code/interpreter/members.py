"""Members: ``owner.name``, for all that an owner may be."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ownership.drift.code import language
from ownership.drift.code.frames import (
    Arguments,
)
from ownership.drift.code.interpreter.classes import MAX_BASES, OWN_METHODS, ClassLookup
from ownership.drift.code.interpreter.named_texts import marked_value
from ownership.drift.code.possibilities import (
    ABSENT,
    ENVIRONMENT,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Class,
    Client,
    CodeValue,
    Constant,
    EnvironmentVariable,
    External,
    Func,
    Marked,
    Method,
    Namespace,
    Obj,
    Paginator,
    Partial,
    Pieces,
    Possibility,
    SdkCommand,
    Str,
    TableHandle,
)
from ownership.drift.code.values import one, text, union, with_members
from ownership.drift.types import Location

ENVIRONMENTS = {("process", "env"), ("node:process", "env"), ("os", "environ")}
FUNCTION_METHODS = {"bind", "call", "apply"}
ENVIRONMENT_METHODS = {"get", "copy", "items", "keys"}
PIECES_METHODS = {"pop", "at", "get", "shift"}


class MemberLookup(ClassLookup):
    """Looks members up."""

    def member(self, value: CodeValue, name: str, line: int) -> CodeValue:
        """``value.name``, for all that the value may be."""
        return union([self.member_of(possibility, name, line) for possibility in with_members(value)])

    def member_of(self, owner: Possibility, name: str, line: int) -> CodeValue:
        """``owner.name``."""
        lookup = MEMBERS_BY_TYPE.get(type(owner))
        if lookup is None:
            return one(ABSENT)
        return lookup(self, owner, name, line)

    def _constant_member(self, owner: Constant, name: str, line: int) -> CodeValue:
        """A member of ``process.env``, or of what has none."""
        if owner is UNKNOWN:
            return UNKNOWN_VALUE
        if owner is not ENVIRONMENT:
            return one(ABSENT)
        if name in ENVIRONMENT_METHODS:
            return one(Method(owner, name))
        return one(Str((EnvironmentVariable(name),)))

    def _piece(self, owner: Pieces, name: str, line: int) -> CodeValue:
        if name in PIECES_METHODS:
            return one(Method(owner, name))
        return one(owner.piece(name))

    def _text_member(self, owner: Str, name: str, line: int) -> CodeValue:
        """A method of a text, or a member of what it is in one of Python's enumerations."""
        if name == "value":
            return one(replace(owner, cls=None))
        if owner.cls is not None:
            inherited = self._enumeration_member(owner, owner.cls, name, line)
            if inherited is not None:
                return inherited
        return one(Method(owner, name))

    def _table_member(self, owner: TableHandle, name: str, line: int) -> CodeValue:
        if name in ("name", "table_name"):
            return UNKNOWN_VALUE if owner.name is None else one(owner.name)
        return self._client_member(owner, name, line)

    def _client_member(self, owner: Client | TableHandle, name: str, line: int) -> CodeValue:
        if name in ("meta", "client"):
            return one(Client())
        return one(Method(owner, name))

    def _method(self, owner: Possibility, name: str, line: int) -> CodeValue:
        return one(Method(owner, name))

    def _method_member(self, owner: Method, name: str, line: int) -> CodeValue:
        return one(Method(owner, name) if name in FUNCTION_METHODS else ABSENT)

    def _partial_member(self, owner: Partial, name: str, line: int) -> CodeValue:
        return self.member(owner.function, name, line)

    def _object_member(self, obj: Obj, name: str, line: int) -> CodeValue:
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

    def _call_bound(self, methods: CodeValue, argument: CodeValue, line: int) -> CodeValue:
        """What methods of an instance give for one argument."""
        results: list[CodeValue] = []
        for method in methods:
            if isinstance(method, Bound):
                results.append(self.call_function(method.function, method.this, Arguments([argument]), line))
        return union(results)

    def members_like(self, owner: Possibility, affixes: tuple[str, str], line: int) -> CodeValue:
        """The members of an object, class or module whose names begin and end so: one of them is meant."""
        start, end = affixes
        results: list[CodeValue] = []
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

    def _function_member(self, owner: Func | Bound, name: str, line: int) -> CodeValue:
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

    def inherit_from(self, function: Func, prototype: CodeValue) -> None:
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

    def _external_member(self, owner: External, name: str, line: int) -> CodeValue:
        child = owner.child(name)
        if child.path in ENVIRONMENTS:
            return one(ENVIRONMENT)
        # What was made from the environment, such as a validated copy, has its variables.
        if ENVIRONMENT in self.read(owner.holder.held) and owner.is_result and name.isupper():
            return one(Str((EnvironmentVariable(name),)))
        return one(child)

    def items(self, value: CodeValue) -> CodeValue:
        """What going through a value gives: the items of lists; nothing is known of the items of anything else."""
        items: list[CodeValue] = []
        for possibility in value:
            if isinstance(possibility, Obj):
                own = [self.read(possibility.fields[name]) for name in self.field_names(possibility)]
                own.append(self.read(possibility.rest))
                if possibility.passed_at is not None:
                    own = [marked_value(value, possibility.passed_at) for value in own]
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

    def _members_of_enumeration(self, cls: Class) -> CodeValue:
        """What going through one of Python's enumerations gives."""
        members: set[Possibility] = set()
        for name in self.field_names(cls.statics):
            value = self.read(cls.statics.fields[name])
            members |= {replace(item, cls=cls) for item in value if isinstance(item, Str)}
        return frozenset(members) or UNKNOWN_VALUE


MEMBERS_BY_TYPE: dict[type, Callable[[MemberLookup, Any, str, int], CodeValue]] = {
    Bound: MemberLookup._function_member,
    Class: MemberLookup._class_member,
    Client: MemberLookup._client_member,
    SdkCommand: MemberLookup._method,
    Constant: MemberLookup._constant_member,
    External: MemberLookup._external_member,
    Func: MemberLookup._function_member,
    Marked: MemberLookup._method,
    Method: MemberLookup._method_member,
    Namespace: MemberLookup._namespace_member,
    Obj: MemberLookup._object_member,
    Paginator: MemberLookup._method,
    Partial: MemberLookup._partial_member,
    Pieces: MemberLookup._piece,
    Str: MemberLookup._text_member,
    TableHandle: MemberLookup._table_member,
}
