"""Instances of classes: what constructors do."""

from dataclasses import replace

from ownership.drift.code.calls.base import MAX_BASES, CallsBase, CallSite
from ownership.drift.code.frames import (
    Arguments,
)
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
)
from ownership.drift.code.values import one


class Instances(CallsBase):
    """Makes instances."""

    def _new_object(self, site: CallSite) -> Obj:
        frame = self.interpreter.stack[-1]
        return self.interpreter.object_at(site.node, frame, site.line)

    def instance(self, cls: Class, site: CallSite) -> CodeValue:
        """An instance of a class, constructed with the call's arguments."""
        if cls.definition.body is not None and self.interpreter.is_enumeration(cls):
            return self._members(cls, site.arguments.at(0))
        made = self._made_by_new(cls, site)
        if made is None:
            frame = self.interpreter.stack[-1]
            obj = self.interpreter.object_at((site.node, cls), frame, site.line)
            obj.cls = cls
            made = one(obj)
        for instance in made:
            if isinstance(instance, Obj) and instance.cls is cls:
                self.construct(cls, instance, site)
        return made

    def _made_by_new(self, cls: Class, site: CallSite) -> CodeValue | None:
        """What a class's own ``__new__`` makes; None if it has none."""
        for base in self.interpreter.order_of(cls):
            if not isinstance(base, Class):
                continue
            value = self.interpreter.read_field(base.statics, "__new__")
            if value:
                arguments = replace(site.arguments, positional=[one(cls), *site.arguments.positional])
                return self.call(value, site.with_arguments(arguments))
        return None

    def new_instance(self, cls: Class) -> CodeValue:
        """The instance that ``super().__new__(cls)`` makes: one for each class."""
        obj = self.interpreter.object_at(("__new__", cls), cls.scope, cls.definition.line)
        obj.cls = cls
        return one(obj)

    def _members(self, cls: Class, value: CodeValue) -> CodeValue:
        """The members of an enumeration that have these values."""
        members: set[Possibility] = set()
        for possibility in value:
            members.add(replace(possibility, cls=cls) if isinstance(possibility, Str) else possibility)
        return frozenset(members)

    def construct(self, cls: Class, obj: Obj, site: CallSite, depth: int = 0) -> None:
        """Run what makes an object an instance of the class: fields and constructor."""
        if depth > MAX_BASES:
            return
        if cls.definition.body is not None:
            self._construct_python(cls, obj, site)
            return
        self._initialize_fields(cls, obj, site)
        constructor = cls.members.get("constructor")
        if constructor is not None:
            function = Func(constructor.function, cls.scope)
            self.interpreter.call_function(function, one(obj), site.arguments, site.line)
            return
        self.construct_bases(cls, obj, site, depth + 1)

    def construct_bases(self, cls: Class, obj: Obj, site: CallSite, depth: int = 0) -> None:
        """What ``super(…)`` does in a constructor."""
        for base in self.interpreter.bases_of(cls):
            if isinstance(base, Class):
                self.construct(base, obj, site, depth)
            elif isinstance(base, Func):
                self.interpreter.call_function(base, one(obj), site.arguments, site.line)
            else:
                self.interpreter.open(obj)

    def _initialize_fields(self, cls: Class, obj: Obj, site: CallSite) -> None:
        for member in cls.definition.members:
            if member.kind == "field" and not member.is_static:
                function = Func(member.function, cls.scope)
                value = self.interpreter.call_function(function, one(obj), Arguments([]), site.line)
                self.interpreter.write_field(obj, member.name, value)

    def _construct_python(self, cls: Class, obj: Obj, site: CallSite) -> None:
        constructor = self.interpreter.member_of(obj, "__init__", site.line)
        bound = frozenset(item for item in constructor if isinstance(item, Bound))
        if bound:
            self.call(bound, site)
            return
        for base in self.interpreter.bases_of(cls):
            if not isinstance(base, Class):
                self._open_instance(cls, obj, base)
        fields = self._fields(cls, 0)
        for name, value in zip(fields, site.arguments.positional, strict=False):
            self.interpreter.write_field(obj, name, value)
        for name, value in site.arguments.keywords.items():
            self.interpreter.write_field(obj, name, value)
        prepared = self.interpreter.member_of(obj, "__post_init__", site.line)
        self.call(
            frozenset(item for item in prepared if isinstance(item, Bound)),
            CallSite((site.node, "__post_init__"), Arguments([]), site.line),
        )

    def _fields(self, cls: Class, depth: int) -> list[str]:
        """The fields of a data class, those of its bases first."""
        fields: list[str] = []
        for base in self.interpreter.bases_of(cls):
            if isinstance(base, Class) and depth < MAX_BASES:
                fields += self._fields(base, depth + 1)
        fields += [name for name in cls.definition.fields if name not in fields]
        return fields

    def _open_instance(self, cls: Class, obj: Obj, base: Possibility) -> None:
        """What a class of a package adds is not known; pydantic's settings come from the environment."""
        if not isinstance(base, External) or base.path[-1] != "BaseSettings":
            if base not in (self.interpreter.external("object"),):
                self.interpreter.open(obj)
            return
        for name in cls.definition.fields:
            default = self.interpreter.read_field(cls.statics, name)
            fallback = None
            if len(default) == 1:
                (only,) = default
                fallback = only.parts if isinstance(only, Str) else None
            variable = EnvironmentVariable(name.upper(), fallback)
            self.interpreter.write_field(obj, name, one(Str((variable,))))
