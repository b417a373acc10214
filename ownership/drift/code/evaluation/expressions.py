"""Expressions: variables, members, calls, imports."""

from collections.abc import Callable
from typing import Any

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.instances import Instances
from ownership.drift.code.frames import Arguments, ImportSource
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN_VALUE,
    Class,
    Client,
    CodeValue,
    Obj,
)
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import literal_of, one, only, text, union

UNKNOWN_OPERATION = "calls a method of DynamoDB's client that can't be told from the code"


class ExpressionEvaluation(Instances):
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
        return self._read_variable(node.name)

    def _member(self, node: syntax.Member) -> CodeValue:
        if isinstance(node.owner, syntax.Super):
            return self._super_member(node.name, node.line)
        owner = self.evaluate(node.owner)
        if node.is_item:
            return language.index(self.calls, owner, text(node.name), node.line)
        return self.interpreter.member(owner, node.name, node.line)

    def _subscript(self, node: syntax.Subscript) -> CodeValue:
        owner = self.evaluate(node.owner)
        key = self.evaluate(node.key)
        return language.index(self.calls, owner, key, node.line, syntax.affixes(node.key))

    # Calls

    def _call(self, node: syntax.CallExpression) -> CodeValue:
        callee = node.callee
        match callee:
            case syntax.Super():
                return self._super_call(node)
            case syntax.Subscript():
                return self._call_item(node, callee)
            case syntax.Member(name="__new__"):
                return self._call_new(node)
            case syntax.Member(is_item=False, owner=owner) if not isinstance(owner, syntax.Super):
                return self._call_method(node, callee)
        value = self.evaluate(callee)
        site = CallSite(node, self._arguments(node), node.line, node.is_new)
        return self.calls.call(value, site)

    def _call_method(self, node: syntax.CallExpression, callee: syntax.Member) -> CodeValue:
        """``owner.name(…)``."""
        owner = self.evaluate(callee.owner)
        site = CallSite(
            node,
            self._arguments(node),
            node.line,
            node.is_new,
            receiver=syntax.name_of(callee.owner),
            type_argument=node.type_argument,
        )
        return self.calls.call_member(owner, callee.name, site)

    def _call_new(self, node: syntax.CallExpression) -> CodeValue:
        """``super().__new__(cls)``."""
        classes = only(self._arguments(node).at(0), Class)
        return union(self.calls.new_instance(cls) for cls in classes)

    def _call_item(self, node: syntax.CallExpression, callee: syntax.Subscript) -> CodeValue:
        """``client[operation](parameters)``."""
        owner = self.evaluate(callee.owner)
        key = self.evaluate(callee.key)
        affixes = syntax.affixes(callee.key)
        site = CallSite(node, self._arguments(node), node.line, node.is_new)
        results: list[CodeValue] = []
        for possibility in key:
            name = literal_of(possibility)
            # The keys of Python's dicts are not its methods.
            if name is not None and not self.frame.is_python:
                results.append(self.calls.call_member(owner, name, site))
                continue
            if name is None and only(owner, Client):
                self.calls.doubt(node.line, UNKNOWN_OPERATION)
            item = language.index(self.calls, owner, one(possibility), node.line, affixes)
            results.append(self.calls.call(item, site))
        return union(results)

    def _arguments(self, node: syntax.CallExpression) -> Arguments:
        arguments = Arguments([])
        for argument in node.arguments:
            value = self.evaluate(argument)
            if isinstance(argument, syntax.Spread):
                language.spread_into(self.calls, arguments, value)
            elif arguments.rest:
                arguments.rest = arguments.rest | value
            else:
                arguments.positional.append(value)
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
            for name, field in self.interpreter.fields(possibility):
                if isinstance(name, str):
                    arguments.keywords[name] = arguments.keywords.get(name, NOTHING) | field
            if self.interpreter.has_more(possibility):
                arguments.more = arguments.more | UNKNOWN_VALUE

    # Everything else

    def _assign(self, node: syntax.Assign) -> CodeValue:
        value = self.evaluate(node.value)
        if node.keeps and isinstance(node.target, syntax.Name):
            value = value | self._read_variable(node.target.name)
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
        source = ImportSource(self.frame.file, node.module, level=0, line=node.line)
        return self.interpreter.import_value(source, "*")

    def _module_export(self, node: syntax.ModuleExport) -> CodeValue:
        """The handler: ``name``, or ``object.name``, of a module."""
        self.interpreter.import_module(node.module, node.line)
        first, *rest = node.name.split(".")
        value = self.interpreter.exported(node.module, first, node.line)
        for name in rest:
            value = self.interpreter.member(value, name, node.line)
        return value

    def _evaluated(self, node: syntax.Evaluated) -> CodeValue:
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
    syntax.And: ExpressionEvaluation._and,
    syntax.CallExpression: ExpressionEvaluation._call,
    syntax.Conditional: ExpressionEvaluation._conditional,
    syntax.ClassExpression: ExpressionEvaluation._class,
    syntax.Comprehension: ExpressionEvaluation._comprehension,
    syntax.Concat: ExpressionEvaluation._concat,
    syntax.Decorate: ExpressionEvaluation._decorate,
    syntax.ModuleExport: ExpressionEvaluation._module_export,
    syntax.Equal: ExpressionEvaluation._equal,
    syntax.Or: ExpressionEvaluation._or,
    syntax.FunctionExpression: ExpressionEvaluation._function,
    syntax.Evaluated: ExpressionEvaluation._evaluated,
    syntax.Subscript: ExpressionEvaluation._subscript,
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
