"""Expressions: variables, members, calls, imports."""

from collections.abc import Callable
from typing import Any

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.base import name_of
from ownership.drift.code.evaluation.objects import ObjectLiterals
from ownership.drift.code.frames import Arguments, Frame
from ownership.drift.code.possibilities import (
    ABSENT,
    NOTHING,
    UNDEFINED,
    UNKNOWN_VALUE,
    Class,
    Client,
    CodeValue,
    Obj,
    Str,
)
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import one, text, union


class ExpressionEvaluation(ObjectLiterals):
    """Evaluates expressions."""

    def evaluate(self, node: Expression) -> CodeValue:
        """What an expression may be."""
        self.interpreter.step()
        if self.interpreter.exhausted:
            return UNKNOWN_VALUE
        self.interpreter.nesting += 1
        try:
            return EVALUATE[type(node)](self, node)
        finally:
            self.interpreter.nesting -= 1

    def _name(self, node: syntax.Name) -> CodeValue:
        return self._lookup(node.name)

    def _this(self, node: syntax.This) -> CodeValue:
        frame: Frame | None = self.frame
        while frame is not None and not frame.function.own_this:
            frame = frame.scope
        return frame.this if frame is not None else NOTHING

    def _super(self, node: syntax.Super) -> CodeValue:
        """The instance, seen as one of the base class: only its methods are reached through this."""
        return self._this_or_self()

    def _this_or_self(self) -> CodeValue:
        if self.frame.function.module.language == "python":
            frame: Frame | None = self.frame
            while frame is not None and frame.cls is None:
                frame = frame.scope
            return frame.arguments.at(0) if frame is not None else NOTHING
        frame = self.frame
        while frame is not None and not frame.function.own_this:
            frame = frame.scope
        return frame.this if frame is not None else NOTHING

    def _current_class(self) -> Class | None:
        frame: Frame | None = self.frame
        while frame is not None and frame.cls is None:
            frame = frame.scope
        return frame.cls if frame is not None and isinstance(frame.cls, Class) else None

    def _member(self, node: syntax.Member) -> CodeValue:
        if isinstance(node.owner, syntax.Super):
            return self._super_member(node.name, node.line)
        owner = self.evaluate(node.owner)
        if node.is_item:
            return language.index(self.calls, owner, text(node.name), node.line)
        return self.interpreter.member(owner, node.name, node.line)

    def _super_member(self, name: str, line: int) -> CodeValue:
        """``super().name``: what the base class has, with the same instance."""
        cls = self._current_class()
        if cls is None:
            return UNKNOWN_VALUE
        results: list[CodeValue] = []
        for possibility in self._this_or_self():
            if isinstance(possibility, Obj):
                results.append(self.interpreter.base_member(possibility, cls, name, line))
            elif isinstance(possibility, Class):
                for base in self.interpreter.order_of(cls)[1:]:
                    found = self.interpreter.member_of(base, name, line)
                    if found != one(ABSENT):
                        results.append(found)
                        break
        return union(results)

    def _index(self, node: syntax.Subscript) -> CodeValue:
        owner, key = self.evaluate(node.owner), self.evaluate(node.key)
        return language.index(self.calls, owner, key, node.line, syntax.affixes(node.key))

    def _call(self, node: syntax.CallExpression) -> CodeValue:
        if isinstance(node.callee, syntax.Super):
            return self._super_call(node)
        callee = node.callee
        if isinstance(callee, syntax.Member) and not callee.is_item and not isinstance(callee.owner, syntax.Super):
            owner = self.evaluate(callee.owner)
            site = CallSite(
                node,
                self._arguments(node),
                node.line,
                node.is_new,
                receiver=name_of(callee.owner),
                type_argument=node.type_argument,
            )
            return self.calls.call_member(owner, callee.name, site)
        if isinstance(callee, syntax.Subscript):
            return self._call_index(node, callee)
        if isinstance(callee, syntax.Member) and callee.name == "__new__":
            classes = self._arguments(node).at(0)
            return union(self.calls.new_instance(item) for item in classes if isinstance(item, Class))
        value = self.evaluate(callee)
        site = CallSite(node, self._arguments(node), node.line, node.is_new)
        return self.calls.call(value, site)

    def _call_index(self, node: syntax.CallExpression, callee: syntax.Subscript) -> CodeValue:
        """``client[operation](parameters)``."""
        owner, key = self.evaluate(callee.owner), self.evaluate(callee.key)
        site = CallSite(node, self._arguments(node), node.line, node.is_new)
        results: list[CodeValue] = []
        # The keys of Python's dicts are not its methods.
        is_python = self.frame.function.module.language == "python"
        for possibility in key:
            if isinstance(possibility, Str) and possibility.literal is not None and not is_python:
                results.append(self.calls.call_member(owner, possibility.literal, site))
            else:
                is_known = isinstance(possibility, Str) and possibility.literal is not None
                if not is_known and any(isinstance(item, Client) for item in owner):
                    self.calls.doubt(
                        node.line,
                        "calls a method of DynamoDB's client that can't be told from the code",
                    )
                results.append(
                    self.calls.call(
                        language.index(
                            self.calls,
                            owner,
                            one(possibility),
                            node.line,
                            syntax.affixes(callee.key),
                        ),
                        site,
                    )
                )
        return union(results)

    def _super_call(self, node: syntax.CallExpression) -> CodeValue:
        cls = self._current_class()
        if cls is not None:
            site = CallSite(node, self._arguments(node), node.line)
            for possibility in self._this_or_self():
                if isinstance(possibility, Obj):
                    self.calls.construct_bases(cls, possibility, site)
        return one(UNDEFINED)

    def _arguments(self, node: syntax.CallExpression) -> Arguments:
        arguments = Arguments([])
        for argument in node.arguments:
            if isinstance(argument, syntax.Spread):
                language.spread_into(self.calls, arguments, self.evaluate(argument.value))
            elif arguments.rest:
                arguments.rest = arguments.rest | self.evaluate(argument)
            else:
                arguments.positional.append(self.evaluate(argument))
        for name, expression in node.keywords:
            value = self.evaluate(expression)
            if name is not None:
                arguments.keywords[name] = value
            else:
                self._add_keywords(arguments, value)
        return arguments

    def _add_keywords(self, arguments: Arguments, value: CodeValue) -> None:
        """Add ``**mapping`` to the arguments."""
        for possibility in value:
            if not isinstance(possibility, Obj):
                arguments.more = arguments.more | UNKNOWN_VALUE
                continue
            for name in self.interpreter.field_names(possibility):
                if isinstance(name, str):
                    field = self.interpreter.read(possibility.fields[name])
                    arguments.keywords[name] = arguments.keywords.get(name, NOTHING) | field
            if possibility.is_open or self.interpreter.read(possibility.rest):
                arguments.more = arguments.more | UNKNOWN_VALUE

    def _assign(self, node: syntax.Assign) -> CodeValue:
        value = self.evaluate(node.value)
        if node.keeps and isinstance(node.target, syntax.Name):
            value = value | self._lookup(node.target.name)
        self.assign(node.target, value)
        return value

    def _yield(self, node: syntax.Yield) -> CodeValue:
        value = self.evaluate(node.value)
        if node.whole:
            value = self.interpreter.items(value)
        self.interpreter.add(self.frame.yielded, value)
        return UNKNOWN_VALUE

    def _decorate(self, node: syntax.Decorate) -> CodeValue:
        return self.calls.decorate(self.evaluate(node.decorator), self.evaluate(node.value), node)

    def _require(self, node: syntax.Require) -> CodeValue:
        return self.interpreter.import_value(self.frame.file, node.module, 0, "*", node.line)

    def _entry(self, node: syntax.ModuleExport) -> CodeValue:
        """The handler: ``name``, or ``object.name``, of a module."""
        self.interpreter.import_module(node.module, node.line)
        first, *rest = node.name.split(".")
        value = self.interpreter.exported(node.module, first, node.line)
        for name in rest:
            value = self.interpreter.member(value, name, node.line)
        return value

    def _given(self, node: syntax.Given) -> CodeValue:
        return node.value

    def _other(self, node: syntax.Other) -> CodeValue:
        for child in node.children:
            self.evaluate(child)
        return UNKNOWN_VALUE

    def _unread(self, node: syntax.Unread) -> CodeValue:
        self.calls.doubt(node.line, f"the file {node.reason}")
        return UNKNOWN_VALUE


EVALUATE: dict[type, Callable[[ExpressionEvaluation, Any], CodeValue]] = {
    syntax.Assign: ExpressionEvaluation._assign,
    syntax.Both: ExpressionEvaluation._both,
    syntax.CallExpression: ExpressionEvaluation._call,
    syntax.Conditional: ExpressionEvaluation._choice,
    syntax.ClassExpression: ExpressionEvaluation._class,
    syntax.Comprehension: ExpressionEvaluation._comprehension,
    syntax.Concat: ExpressionEvaluation._concat,
    syntax.Decorate: ExpressionEvaluation._decorate,
    syntax.ModuleExport: ExpressionEvaluation._entry,
    syntax.Equal: ExpressionEvaluation._equal,
    syntax.Fallback: ExpressionEvaluation._fallback,
    syntax.FunctionExpression: ExpressionEvaluation._function,
    syntax.Given: ExpressionEvaluation._given,
    syntax.Subscript: ExpressionEvaluation._index,
    syntax.Injected: ExpressionEvaluation._injected,
    syntax.ListLiteral: ExpressionEvaluation._list,
    syntax.Literal: ExpressionEvaluation._literal,
    syntax.Member: ExpressionEvaluation._member,
    syntax.Name: ExpressionEvaluation._name,
    syntax.Not: ExpressionEvaluation._not,
    syntax.ObjectLiteral: ExpressionEvaluation._object,
    syntax.Other: ExpressionEvaluation._other,
    syntax.Require: ExpressionEvaluation._require,
    syntax.Spread: ExpressionEvaluation._spread,
    syntax.Super: ExpressionEvaluation._super,
    syntax.This: ExpressionEvaluation._this,
    syntax.Undefined: ExpressionEvaluation._undefined,
    syntax.Typed: ExpressionEvaluation._typed,
    syntax.Unread: ExpressionEvaluation._unread,
    syntax.Yield: ExpressionEvaluation._yield,
}
