"""Members: ``owner.name``, for all that an owner may be."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ownership.drift.code import language, syntax
from ownership.drift.code.frames import Arguments
from ownership.drift.code.interpreter.class_members import OWN_METHODS, ClassMembers
from ownership.drift.code.interpreter.classes import MAX_BASES
from ownership.drift.code.interpreter.named_texts import marked_value
from ownership.drift.code.ordered_set import OrderedSet
from ownership.drift.code.possibilities import (
    ABSENT,
    ENVIRONMENT,
    NOTHING,
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
    Possibility,
    SdkCommand,
    Str,
    TableHandle,
    TextPieces,
)
from ownership.drift.code.values import one, only, text, union, with_members
from ownership.drift.types import Location

ENVIRONMENTS = {("process", "env"), ("node:process", "env"), ("os", "environ")}
FUNCTION_METHODS = {"bind", "call", "apply"}
ENVIRONMENT_METHODS = {"get", "copy", "items", "keys"}
PIECES_METHODS = {"pop", "at", "get", "shift"}


class MemberLookup(ClassMembers):
    """Looks members up."""

    def member(self, value: CodeValue, name: str, line: int) -> CodeValue:
        """``value.name``, for all that the value may be."""
        return union(
            [self.member_of(possibility, name, line) for possibility in with_members(value)]
        )

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

    def _piece(self, owner: TextPieces, name: str, line: int) -> CodeValue:
        if name in PIECES_METHODS:
            return one(Method(owner, name))
        return one(owner.piece(name))

    def _text_member(self, owner: Str, name: str, line: int) -> CodeValue:
        """A method of a text, or a member of what it is in one of Python's enumerations."""
        if name == "value":
            return one(replace(owner, cls=None))
        if owner.cls is not None:
            inherited = self.enumeration_member(owner, owner.cls, name, line)
            if inherited is not None:
                return inherited
        return one(Method(owner, name))

    def _table_member(self, owner: TableHandle, name: str, line: int) -> CodeValue:
        if name in ("name", "table_name"):
            return owner.table
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

    # Objects

    def _object_member(self, obj: Obj, name: str, line: int) -> CodeValue:
        """A member of an object: its own field, or what its class, its prototype or the language gives it."""
        if name in ("__class__", "constructor") and obj.cls is not None:
            return one(obj.cls)
        own = self.read(self._field_cell(obj, name))
        if own:
            return own | self.read(obj.rest)
        if obj.cls is not None:
            member = self.instance_member(obj, obj.cls, name, line)
            if member is not None:
                return member
        inherited = self._prototype_member(obj, name)
        if inherited:
            return inherited
        if name in language.OBJECT_METHODS or name in OWN_METHODS:
            return one(Method(obj, name))
        computed = self._computed_member(obj, name, line)
        if computed is not None:
            return computed
        return self.read_field(obj, name) or one(ABSENT)

    def _prototype_member(self, obj: Obj, name: str) -> CodeValue:
        """A field of the objects that an object inherits from; nothing if none has it."""
        inherited: CodeValue = NOTHING
        prototype, depth = obj.prototype, 0
        while prototype is not None and not inherited and depth < MAX_BASES:
            inherited = self.read_field(prototype, name)
            prototype, depth = prototype.prototype, depth + 1
        return inherited

    def _computed_member(self, obj: Obj, name: str, line: int) -> CodeValue | None:
        """What a class's ``__getattr__`` gives for a name; None if it has none."""
        if obj.cls is None or name.startswith("__"):
            return None
        methods = self.instance_member(obj, obj.cls, "__getattr__", line)
        if methods is None:
            return None
        arguments = Arguments([text(name)])
        results: list[CodeValue] = []
        for method in only(methods, Bound):
            results.append(self.call_function(method.function, method.this, arguments, line))
        return union(results)

    # Members that are named by a part of their name

    def members_like(self, owner: Possibility, affixes: tuple[str, str], line: int) -> CodeValue:
        """The members of an object, class or module whose names begin and end so: one of them is meant."""
        start, end = affixes
        results: list[CodeValue] = []
        for name in self._member_names(owner):
            if name.startswith(start) and name.endswith(end):
                results.append(self.member_of(owner, name, line) - {ABSENT})
        return union(results)

    def _member_names(self, owner: Possibility) -> Iterable[str]:
        """The names of an object's fields and methods, of a class's own ones, or of what a module exports."""
        match owner:
            case Namespace():
                return _names_in_module(owner.module)
            case Class():
                return self.literal_names(owner.statics)
            case Obj():
                return self._names_in_object(owner)
        return ()

    def _names_in_object(self, obj: Obj) -> Iterable[str]:
        names = self.literal_names(obj)
        if obj.cls is not None:
            names += self.names_in_class(obj.cls)
        return dict.fromkeys(names)

    # Functions, which are objects as well

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
        own = self.prototype_of(function)
        for possibility in only(prototype, Obj):
            if possibility is not own:
                own.prototype = possibility

    def function_fields(self, function: Func) -> Obj:
        """The properties of a function."""
        if function not in self.functions:
            code = function.function
            self.functions[function] = Obj(Location(code.module.file, code.line))
        return self.functions[function]

    # Packages

    def _external_member(self, owner: External, name: str, line: int) -> CodeValue:
        child = owner.child(name)
        if child.path in ENVIRONMENTS:
            return one(ENVIRONMENT)
        # What was made from the environment, such as a validated copy, has its variables.
        if ENVIRONMENT in self.read(owner.holder.held) and owner.is_result and name.isupper():
            return one(Str((EnvironmentVariable(name),)))
        return one(child)

    # Items

    def items(self, value: CodeValue) -> CodeValue:
        """What going through a value gives: the items of lists; nothing is known of the items of anything else."""
        items: list[CodeValue] = []
        for possibility in value:
            items_of = ITEMS_BY_TYPE.get(type(possibility), MemberLookup._unknown_items)
            items.append(items_of(self, possibility))
        return union(items)

    def _unknown_items(self, owner: Possibility) -> CodeValue:
        return UNKNOWN_VALUE

    def _items_of_external(self, owner: External) -> CodeValue:
        return UNKNOWN_VALUE | one(owner)

    def _items_of_object(self, obj: Obj) -> CodeValue:
        items = [value for _, value in self.fields(obj)]
        items.append(self.read(obj.rest))
        if obj.passed_at is not None:
            items = [marked_value(value, obj.passed_at) for value in items]
        if obj.is_open:
            items.append(UNKNOWN_VALUE)
        return union(items)

    def _members_of_enumeration(self, cls: Class) -> CodeValue:
        """What going through one of Python's enumerations gives."""
        members: list[Possibility] = []
        for _, value in self.fields(cls.statics):
            members += [replace(member, cls=cls) for member in only(value, Str)]
        return OrderedSet(members) or UNKNOWN_VALUE


def _names_in_module(module: syntax.Module) -> Iterable[str]:
    if not module.is_python:
        return module.exports
    return [name for name in sorted(module.body.variables) if not name.startswith("*")]


MEMBERS_BY_TYPE: dict[type, Callable[[MemberLookup, Any, str, int], CodeValue]] = {
    Bound: MemberLookup._function_member,
    Class: MemberLookup._class_member,
    Client: MemberLookup._client_member,
    Constant: MemberLookup._constant_member,
    External: MemberLookup._external_member,
    Func: MemberLookup._function_member,
    Marked: MemberLookup._method,
    Method: MemberLookup._method_member,
    Namespace: MemberLookup._namespace_member,
    Obj: MemberLookup._object_member,
    Paginator: MemberLookup._method,
    Partial: MemberLookup._partial_member,
    TextPieces: MemberLookup._piece,
    SdkCommand: MemberLookup._method,
    Str: MemberLookup._text_member,
    TableHandle: MemberLookup._table_member,
}
ITEMS_BY_TYPE: dict[type, Callable[[MemberLookup, Any], CodeValue]] = {
    Class: MemberLookup._members_of_enumeration,
    External: MemberLookup._items_of_external,
    Obj: MemberLookup._items_of_object,
}
