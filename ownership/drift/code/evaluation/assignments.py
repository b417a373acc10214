"""Assignments: to variables, properties and patterns."""

from collections.abc import Callable
from typing import Any

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.base import EvaluationBase
from ownership.drift.code.evaluation.fallbacks import unset_variables, with_fallbacks
from ownership.drift.code.frames import Arguments
from ownership.drift.code.possibilities import (
    ABSENT,
    UNDEFINED,
    UNKNOWN,
    Class,
    CodeValue,
    External,
    Func,
    Namespace,
    Obj,
    Possibility,
    TextPieces,
)
from ownership.drift.code.syntax import Expression, Target
from ownership.drift.code.values import one, text, union


class Assignments(EvaluationBase):
    """Assigns values."""

    def assign(self, target: Target, value: CodeValue) -> None:
        """Assign a value to a variable, property or pattern."""
        TARGETS[type(target)](self, target, value)

    def _assign_name(self, target: syntax.Name, value: CodeValue) -> None:
        self._set_variable(target.name, value)

    def _assign_subscript(self, target: syntax.Subscript, value: CodeValue) -> None:
        owner = self.evaluate(target.owner)
        key = self.evaluate(target.key)
        language.write_index(self.calls, owner, key, value, target.line)

    # Members

    def _assign_member(self, target: syntax.Member, value: CodeValue) -> None:
        owner = self.evaluate(target.owner)
        if target.is_item:
            language.write_index(self.calls, owner, text(target.name), value, target.line)
            return
        for possibility in owner:
            self._assign_member_of(possibility, target.name, value)

    def _assign_member_of(self, owner: Possibility, name: str, value: CodeValue) -> None:
        setters = self.interpreter.setters_of(owner, name)
        if setters:
            site = CallSite((owner, name, "setter"), Arguments([value]), self.frame.function.line)
            self.calls.call(setters, site)
            return
        write = MEMBER_WRITERS.get(type(owner))
        if write is not None:
            write(self, owner, name, value)

    def _write_field(self, owner: Obj, name: str, value: CodeValue) -> None:
        self.interpreter.write_field(owner, name, value)

    def _write_static(self, owner: Class, name: str, value: CodeValue) -> None:
        self.interpreter.write_field(owner.statics, name, value)

    def _write_function_field(self, owner: Func, name: str, value: CodeValue) -> None:
        # `Repo.prototype.get = function () {…}` is a method of all instances.
        if name == "prototype":
            self.interpreter.inherit_from(owner, value)
            return
        fields = self.interpreter.function_fields(owner)
        self.interpreter.write_field(fields, name, value)

    def _write_module_variable(self, owner: Namespace, name: str, value: CodeValue) -> None:
        frame = self.interpreter.module_frame(owner.module)
        self.interpreter.add(frame.cell(name), value)

    def _register_with(self, owner: External, name: str, value: CodeValue) -> None:
        """What a package made gets functions: ``emitter.onmessage = handle``."""
        if owner.is_result:
            self.calls.register(owner, self.interpreter.functions_in([value]))

    # Patterns

    def _assign_object_pattern(self, pattern: syntax.ObjectPattern, value: CodeValue) -> None:
        taken: set[str] = set()
        for key, target, default in pattern.entries:
            name = self.evaluate(key)
            field = language.index(self.calls, value, name, key.line)
            if isinstance(key, syntax.Literal):
                taken.add(str(key.value))
            if default is not None:
                field = self._or_default(field, default)
            self.assign(target, field)
        if pattern.rest is not None:
            self.assign(pattern.rest, self._fields_besides(taken, pattern, value))

    def _fields_besides(
        self, taken: set[str], pattern: syntax.ObjectPattern, value: CodeValue
    ) -> CodeValue:
        """An object with the fields that a pattern does not name: its ``...rest``."""
        rest = self.interpreter.object_at(pattern, self.frame, pattern.line)
        for possibility in value:
            if not isinstance(possibility, Obj):
                self.interpreter.open(rest)
                continue
            for name, field in self.interpreter.fields(possibility):
                if name not in taken:
                    self.interpreter.write_field(rest, name, field)
            if possibility.is_open:
                self.interpreter.open(rest)
        return one(rest)

    def _or_default(self, value: CodeValue, default: Expression) -> CodeValue:
        """What a pattern takes out of a value: its default where there may be none."""
        variables = unset_variables(value)
        is_given = value and not value & {ABSENT, UNDEFINED, UNKNOWN}
        if is_given and not variables:
            return value
        fallback = self.evaluate(default)
        results = value - {ABSENT, UNDEFINED} - variables
        for variable in variables:
            results |= with_fallbacks(variable, fallback)
        if is_given:
            return results
        return results | fallback

    def _assign_list_pattern(self, pattern: syntax.ListPattern, value: CodeValue) -> None:
        for position, (target, default) in enumerate(pattern.items):
            if target is None:
                continue
            item = union([self._item_at(possibility, position) for possibility in value])
            if default is not None:
                item = self._or_default(item, default)
            self.assign(target, item)
        if pattern.rest is not None:
            rest = self.interpreter.object_at(pattern, self.frame, pattern.line, is_list=True)
            self.interpreter.add(rest.rest, self.interpreter.items(value))
            self.assign(pattern.rest, one(rest))

    def _item_at(self, owner: Possibility, position: int) -> CodeValue:
        if isinstance(owner, Obj):
            return self.interpreter.read_field(owner, str(position)) or one(ABSENT)
        if isinstance(owner, TextPieces):
            return one(owner.piece(str(position)))
        return self.interpreter.items(one(owner))


TARGETS: dict[type[Target], Callable[[Assignments, Any, CodeValue], None]] = {
    syntax.ListPattern: Assignments._assign_list_pattern,
    syntax.Member: Assignments._assign_member,
    syntax.Name: Assignments._assign_name,
    syntax.ObjectPattern: Assignments._assign_object_pattern,
    syntax.Subscript: Assignments._assign_subscript,
}
# What an assignment to a member of something does; anything else has no members that can be followed.
MEMBER_WRITERS: dict[type, Callable[[Assignments, Any, str, CodeValue], None]] = {
    Class: Assignments._write_static,
    External: Assignments._register_with,
    Func: Assignments._write_function_field,
    Namespace: Assignments._write_module_variable,
    Obj: Assignments._write_field,
}
