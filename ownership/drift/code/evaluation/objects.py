"""Objects, lists and functions that are written in an expression."""

from ownership.drift.code import language, syntax
from ownership.drift.code.evaluation.operators import Operators
from ownership.drift.code.possibilities import CodeValue, Func, Obj
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import one


class ObjectLiterals(Operators):
    """Evaluates literals of objects, lists and functions."""

    def _object(self, node: syntax.ObjectLiteral) -> CodeValue:
        obj = self.interpreter.object_at(node, self.frame, node.line)
        for position, (key, expression) in enumerate(node.entries):
            value = self.evaluate(expression)
            if key is None:
                # What is written behind it replaces fields of the same name.
                replaced = [name for name, _ in node.entries[position + 1 :]]
                besides = set(map(syntax.literal_text, replaced))
                language.copy_fields(self.calls, obj, value, besides)
            else:
                self._write_entry(obj, key, value, node.line)
        return one(obj)

    def _write_entry(self, obj: Obj, key: Expression, value: CodeValue, line: int) -> None:
        name = syntax.literal_text(key)
        if name is not None:
            self.interpreter.write_field(obj, name, value)
        else:
            language.write_index(self.calls, one(obj), self.evaluate(key), value, line)

    def _list(self, node: syntax.ListLiteral) -> CodeValue:
        obj = self.interpreter.object_at(node, self.frame, node.line, is_list=True)
        position = 0
        is_ordered = True
        for item in node.items:
            value = self.evaluate(item)
            if isinstance(item, syntax.Spread):
                is_ordered = False
                value = self.interpreter.items(value)
            if is_ordered:
                self.interpreter.write_field(obj, str(position), value)
                position += 1
            else:
                self.interpreter.add(obj.rest, value)
        return one(obj)

    def _spread(self, node: syntax.Spread) -> CodeValue:
        return self.evaluate(node.value)

    def _function(self, node: syntax.FunctionExpression) -> CodeValue:
        return one(Func(node.function, self.frame))
