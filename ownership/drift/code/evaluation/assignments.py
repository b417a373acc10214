"""Assignments: to variables, properties and patterns."""

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.base import EvaluationBase
from ownership.drift.code.frames import Arguments
from ownership.drift.code.possibilities import (
    ABSENT,
    Class,
    CodeValue,
    External,
    Func,
    Namespace,
    Obj,
    Pieces,
)
from ownership.drift.code.syntax import Target
from ownership.drift.code.values import one, text, union


class Assignments(EvaluationBase):
    """Assigns values."""

    def assign(self, target: Target, value: CodeValue) -> None:
        """Assign a value to a variable, property or pattern."""
        if isinstance(target, syntax.Name):
            self._set(target.name, value)
        elif isinstance(target, syntax.Member) and target.is_item:
            language.write_index(self.calls, self.evaluate(target.owner), text(target.name), value, target.line)
        elif isinstance(target, syntax.Member):
            self._assign_member(self.evaluate(target.owner), target.name, value)
        elif isinstance(target, syntax.Subscript):
            owner, key = self.evaluate(target.owner), self.evaluate(target.key)
            language.write_index(self.calls, owner, key, value, target.line)
        elif isinstance(target, syntax.ObjectPattern):
            self._assign_object_pattern(target, value)
        else:
            self._assign_list_pattern(target, value)

    def _assign_member(self, owner: CodeValue, name: str, value: CodeValue) -> None:
        for possibility in owner:
            setters = self.interpreter.setters_of(possibility, name)
            if setters:
                site = CallSite((possibility, name, "setter"), Arguments([value]), self.frame.function.line)
                self.calls.call(setters, site)
            elif isinstance(possibility, Obj):
                self.interpreter.write_field(possibility, name, value)
            elif isinstance(possibility, Class):
                self.interpreter.write_field(possibility.statics, name, value)
                # `Repo.prototype.get = function () {…}` is a method of all instances.
            elif isinstance(possibility, Func) and name == "prototype":
                self.interpreter.inherit_from(possibility, value)
            elif isinstance(possibility, Func):
                self.interpreter.write_field(self.interpreter.function_fields(possibility), name, value)
            elif isinstance(possibility, Namespace):
                frame = self.interpreter.module_frame(possibility.module)
                self.interpreter.add(frame.cell(name), value)
            elif isinstance(possibility, External) and possibility.is_result:
                self.calls.register(possibility, self.interpreter.functions_in([value]))

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
            rest = self.interpreter.object_at(pattern, self.frame, pattern.line)
            for possibility in value:
                if isinstance(possibility, Obj):
                    for field_name in self.interpreter.field_names(possibility):
                        if field_name not in taken:
                            field = self.interpreter.read(possibility.fields[field_name])
                            self.interpreter.write_field(rest, field_name, field)
                    if possibility.is_open:
                        self.interpreter.open(rest)
                else:
                    self.interpreter.open(rest)
            self.assign(pattern.rest, one(rest))

    def _assign_list_pattern(self, pattern: syntax.ListPattern, value: CodeValue) -> None:
        for position, (target, default) in enumerate(pattern.items):
            if target is None:
                continue
            items: list[CodeValue] = []
            for possibility in value:
                if isinstance(possibility, Obj):
                    items.append(self.interpreter.read_field(possibility, str(position)) or one(ABSENT))
                elif isinstance(possibility, Pieces):
                    items.append(one(possibility.piece(str(position))))
                else:
                    items.append(self.interpreter.items(one(possibility)))
            item = union(items)
            if default is not None:
                item = self._or_default(item, default)
            self.assign(target, item)
        if pattern.rest is not None:
            rest = self.interpreter.object_at(pattern, self.frame, pattern.line, is_list=True)
            self.interpreter.add(rest.rest, self.interpreter.items(value))
            self.assign(pattern.rest, one(rest))
