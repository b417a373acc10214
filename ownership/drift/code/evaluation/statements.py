"""Statements: blocks, branches, loops, imports."""

from collections.abc import Callable
from typing import Any

from ownership.drift.code import syntax
from ownership.drift.code.evaluation.expressions import ExpressionEvaluation
from ownership.drift.code.evaluation.local_values import UNREACHED, LocalValues, merged
from ownership.drift.code.frames import Frame, ImportSource
from ownership.drift.code.possibilities import (
    NOTHING,
    NULL,
    UNDEFINED,
    UNKNOWN_VALUE,
    CodeValue,
    Namespace,
)
from ownership.drift.code.syntax import Statement
from ownership.drift.code.values import equal, one, only, truth


class Evaluation(ExpressionEvaluation):
    """One interpretation of a frame's body."""

    def run(self) -> None:
        """Interpret the whole body."""
        function = self.frame.function
        self._bind_parameters()
        self.block(function.body)
        if self.frame.scope is None:
            self._report_unread(function.module)
        elif self.variables is not UNREACHED and not function.is_class_body:
            returned = NULL if self.frame.is_python else UNDEFINED
            self.interpreter.add(self.frame.result, one(returned))

    def _report_unread(self, module: syntax.Module) -> None:
        for unread in module.unread:
            self.calls.doubt(unread.line, f"the file {unread.reason}")

    def block(self, statements: list[Statement]) -> None:
        """Interpret statements, as far as they are reached."""
        for statement in statements:
            if self.variables is UNREACHED:
                return
            INTERPRET[type(statement)](self, statement)

    def _evaluate_statement(self, node: syntax.ExpressionStatement) -> None:
        self.evaluate(node.value)

    def _declare(self, node: syntax.Declare) -> None:
        self.assign(node.target, self.evaluate(node.value))

    def _return(self, node: syntax.Return) -> None:
        value = one(UNDEFINED)
        if node.value is not None:
            value = self.evaluate(node.value)
        self.interpreter.add(self.frame.result, value)
        self.variables = UNREACHED

    def _throw(self, node: syntax.Throw) -> None:
        if node.value is not None:
            self.evaluate(node.value)
        self.variables = UNREACHED

    def _break(self, node: syntax.Break) -> None:
        if self.loop_exits:
            self.loop_exits[-1].append(self.variables)
        self.variables = UNREACHED

    def _if(self, node: syntax.If) -> None:
        self.variables = merged(self._ends_of_branches(node))

    def _ends_of_branches(self, node: syntax.If) -> list[LocalValues]:
        """What variables may be at the end of each branch that may be taken."""
        ends: list[LocalValues] = []
        for test, branch in node.branches:
            result = truth(self.evaluate(test))
            if result is False:
                continue
            before = self.variables
            self.variables = dict(before)
            self.block(branch)
            ends.append(self.variables)
            if result is True:
                return ends
            self.variables = before
        self.block(node.otherwise)
        ends.append(self.variables)
        return ends

    def _switch(self, node: syntax.Switch) -> None:
        subject = self.evaluate(node.subject)
        before = self.variables
        ends: list[LocalValues] = []
        has_default = False
        is_decided = False
        # `break` leaves the switch, like a loop.
        self.loop_exits.append([])
        for tests, statements in node.cases:
            has_default = has_default or not tests
            self.variables = dict(before)
            outcomes = {equal(subject, self.evaluate(test)) for test in tests}
            if is_decided or outcomes == {False}:
                continue
            is_decided = True in outcomes
            self.block(statements)
            ends.append(self.variables)
        ends += self.loop_exits.pop()
        if not has_default:
            ends.append(before)
        self.variables = merged(ends)

    def _loop(self, node: syntax.Loop) -> None:
        items: CodeValue = NOTHING
        if node.iterable is not None:
            items = self._iterated(node.iterable, node.over_keys)
        before = self.variables
        ends: list[LocalValues] = [before]
        turns = self._turns(items)
        around = self.turns
        self.turns *= len(turns)
        if len(turns) == 1:
            turns = turns * 2  # so that the body sees what it assigned itself
        for items in turns:
            self.loop_exits.append([])
            self.variables = dict(merged(ends))
            if node.test is not None:
                self.evaluate(node.test)
            if node.target is not None:
                self.assign(node.target, items)
            self.block(node.body)
            ends.append(self.variables)
            ends += self.loop_exits.pop()
        self.turns = around
        self.variables = merged(ends)

    def _try(self, node: syntax.Try) -> None:
        before = dict(self.variables)
        self.block(node.body)
        ends = [self.variables]
        start = merged([before, self.variables])
        for name, statements in node.handlers:
            self.variables = dict(start)
            if name is not None:
                self._set_variable(name, UNKNOWN_VALUE)
            self.block(statements)
            ends.append(self.variables)
        end = merged(ends)
        self.variables = dict(start) if end is UNREACHED else end
        self.block(node.final)
        # Where the end is not reached, the last block is run all the same, and nothing behind it.
        if end is UNREACHED:
            self.variables = UNREACHED

    def _import(self, node: syntax.Import) -> None:
        source = self._source_of(node)
        if not node.names:
            self.interpreter.import_value(source, "*")
        for name, local in node.names:
            self._set_variable(local, self.interpreter.import_value(source, name))

    def _import_all(self, node: syntax.ImportAll) -> None:
        value = self.interpreter.import_value(self._source_of(node), "*")
        for possibility in only(value, Namespace):
            self._copy_variables(possibility.module)

    def _source_of(self, node: syntax.Import | syntax.ImportAll) -> ImportSource:
        return ImportSource(self.frame.file, node.module, node.level, node.line)

    def _copy_variables(self, module: syntax.Module) -> None:
        """Take over all variables of a module, and what it has taken over itself."""
        source = self.interpreter.module_frame(module)
        for name in sorted(module.body.variables):
            self._copy_variable(source, name, name)
        for name in list(source.variables):
            if name.startswith("*"):
                self._copy_variable(source, name, name[1:])

    def _copy_variable(self, source: Frame, name: str, local: str) -> None:
        if local.startswith("__"):
            return
        value = self.interpreter.read(source.cell(name))
        self.interpreter.add(self.frame.cell(f"*{local}"), value)


INTERPRET: dict[type, Callable[[Evaluation, Any], None]] = {
    syntax.Break: Evaluation._break,
    syntax.Declare: Evaluation._declare,
    syntax.ExpressionStatement: Evaluation._evaluate_statement,
    syntax.If: Evaluation._if,
    syntax.Import: Evaluation._import,
    syntax.ImportAll: Evaluation._import_all,
    syntax.Loop: Evaluation._loop,
    syntax.Return: Evaluation._return,
    syntax.Switch: Evaluation._switch,
    syntax.Throw: Evaluation._throw,
    syntax.Try: Evaluation._try,
}
