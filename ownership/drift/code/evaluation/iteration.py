"""What loops and comprehensions go through."""

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.class_definitions import ClassDefinitions
from ownership.drift.code.frames import Arguments
from ownership.drift.code.possibilities import UNKNOWN_VALUE, Bound, CodeValue, Obj, Possibility
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import name_value, one, only, union

MAX_TURNS = 50  # of loops within each other


class Iteration(ClassDefinitions):
    """Evaluates comprehensions, and what a loop goes through."""

    def _comprehension(self, node: syntax.Comprehension) -> CodeValue:
        obj = self.interpreter.object_at(node, self.frame, node.line, is_list=node.key is None)
        target, iterable = node.loops[0]
        for items in self._turns(self._iterated(iterable)):
            self.assign(target, items)
            self._collect(node, obj)
        return one(obj)

    def _collect(self, node: syntax.Comprehension, obj: Obj) -> None:
        """Add what a comprehension collects for one item of its first loop."""
        for target, iterable in node.loops[1:]:
            self.assign(target, self._iterated(iterable))
        for condition in node.conditions:
            self.evaluate(condition)
        element = self.evaluate(node.element)
        if node.key is None:
            self.interpreter.add(obj.rest, element)
        else:
            language.write_index(self.calls, one(obj), self.evaluate(node.key), element, node.line)

    def _turns(self, items: CodeValue) -> list[CodeValue]:
        """What a loop goes through in each turn, unless that makes too many turns of loops within each other."""
        turns = language.one_by_one(items)
        if len(turns) * self.turns > MAX_TURNS:
            return [items]
        return turns

    def _iterated(self, iterable: Expression, over_keys: bool = False) -> CodeValue:
        """What a loop gets: items, or keys."""
        value = self.evaluate(iterable)
        results: list[CodeValue] = []
        for possibility in value:
            if isinstance(possibility, Obj):
                results.append(self._iterated_object(possibility, over_keys, iterable.line))
            else:
                results.append(self.interpreter.items(one(possibility)))
        return union(results)

    def _iterated_object(self, obj: Obj, over_keys: bool, line: int) -> CodeValue:
        if obj.cls is not None and not over_keys:
            return self._iterated_instance(obj, line)
        # Python's dicts give their keys, as `for … in` does in JavaScript.
        is_dict = self.frame.is_python and not obj.is_list
        if over_keys or is_dict:
            return self._keys_of(obj)
        return self.interpreter.items(one(obj))

    def _keys_of(self, obj: Obj) -> CodeValue:
        keys = [name_value(name) for name in self.interpreter.field_names(obj)]
        if self.interpreter.has_more(obj):
            keys.append(UNKNOWN_VALUE)
        return union(keys)

    def _iterated_instance(self, obj: Possibility, line: int) -> CodeValue:
        """What going through an instance gives, by its class's own method."""
        site = CallSite((obj, "__iter__"), Arguments([]), line)
        results: list[CodeValue] = []
        for name in ("__iter__", "__aiter__"):
            methods = only(self.interpreter.member_of(obj, name, line), Bound)
            results.append(self.interpreter.items(self.calls.call(methods, site)))
        return union(results) or UNKNOWN_VALUE
