"""Objects, lists, functions and classes that are written in an expression."""

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.operators import Operators
from ownership.drift.code.frames import Arguments, Frame
from ownership.drift.code.possibilities import (
    NOTHING,
    UNKNOWN_VALUE,
    Bound,
    Class,
    CodeValue,
    Func,
    Obj,
)
from ownership.drift.code.values import one, text, union


class ObjectLiterals(Operators):
    """Evaluates literals of objects, functions and classes."""

    def _object(self, node: syntax.ObjectLiteral) -> CodeValue:
        obj = self.interpreter.object_at(node, self.frame, node.line)
        for key, expression in node.entries:
            value = self.evaluate(expression)
            if key is None:
                language.copy_fields(self.calls, obj, value)
            elif isinstance(key, syntax.Literal) and isinstance(key.value, str):
                self.interpreter.write_field(obj, key.value, value)
            else:
                language.write_index(self.calls, one(obj), self.evaluate(key), value, node.line)
        return one(obj)

    def _list(self, node: syntax.ListLiteral) -> CodeValue:
        obj = self.interpreter.object_at(node, self.frame, node.line, is_list=True)
        position = 0
        is_ordered = True
        for item in node.items:
            if isinstance(item, syntax.Spread):
                is_ordered = False
                self.interpreter.add(obj.rest, self.interpreter.items(self.evaluate(item.value)))
            elif is_ordered:
                self.interpreter.write_field(obj, str(position), self.evaluate(item))
                position += 1
            else:
                self.interpreter.add(obj.rest, self.evaluate(item))
        return one(obj)

    def _spread(self, node: syntax.Spread) -> CodeValue:
        return self.evaluate(node.value)

    def _function(self, node: syntax.FunctionExpression) -> CodeValue:
        return one(Func(node.function, self.frame))

    def _class(self, node: syntax.ClassExpression) -> CodeValue:
        cls = self.interpreter.make_class(node.definition, self.frame)
        for position, base in enumerate(node.definition.bases):
            self.interpreter.add_base(cls, position, self.evaluate(base))
        for decorator in node.definition.decorators:
            self.interpreter.add(cls.decorations, self.evaluate(decorator))
        for member in node.definition.members:
            if not member.is_static:
                continue
            function = Func(member.function, self.frame)
            value = one(function)
            if member.kind != "method":
                site = CallSite(member.function, Arguments([]), node.line)
                value = self.calls.call_one(function, site, one(cls))
            self.interpreter.write_field(cls.statics, member.name, value)
        if node.definition.body is not None:
            self._class_body(cls, node.definition.body)
            self._tell_bases(cls, node.line)
        return one(cls)

    def _tell_bases(self, cls: Class, line: int) -> None:
        """Call ``__init_subclass__`` of the bases."""
        for base in self.interpreter.order_of(cls)[1:]:
            if not isinstance(base, Class):
                continue
            for method in self.interpreter.read_field(base.statics, "__init_subclass__"):
                if isinstance(method, Func):
                    site = CallSite((cls, "__init_subclass__"), Arguments([]), line)
                    self.calls.call_one(Bound(method, one(cls)), site)

    def _class_body(self, cls: Class, body: syntax.Function) -> None:
        """Interpret Python's class body; its variables become members."""

        def make() -> Frame:
            frame = Frame(body, self.frame, creator=self.frame)
            frame.cls = cls
            return frame

        frame = self.interpreter.frame_of((body, self.frame), make)
        self.frame.calls.setdefault(frame, body.line)

    def _comprehension(self, node: syntax.Comprehension) -> CodeValue:
        obj = self.interpreter.object_at(node, self.frame, node.line, is_list=node.key is None)
        target, iterable = node.loops[0]
        for items in self._turns(self._loop_items(syntax.Loop(node.line, None, iterable, None, []))):
            self.assign(target, items)
            self._collect(node, obj)
        return one(obj)

    def _collect(self, node: syntax.Comprehension, obj: Obj) -> None:
        """Add what a comprehension collects for one item of its first loop."""
        for target, iterable in node.loops[1:]:
            self.assign(target, self._loop_items(syntax.Loop(node.line, None, iterable, None, [])))
        for condition in node.conditions:
            self.evaluate(condition)
        element = self.evaluate(node.element)
        if node.key is None:
            self.interpreter.add(obj.rest, element)
        else:
            language.write_index(self.calls, one(obj), self.evaluate(node.key), element, node.line)

    def _loop_items(self, node: syntax.Loop) -> CodeValue:
        if node.iterable is None:
            return NOTHING
        value = self.evaluate(node.iterable)
        # Python's dicts give their keys, as `for … in` does in JavaScript.
        is_python = self.frame.function.module.language == "python"
        items: list[CodeValue] = []
        for possibility in value:
            if isinstance(possibility, Obj) and possibility.cls is not None and not node.over_keys:
                items.append(self._iterated(possibility, node.line))
            elif isinstance(possibility, Obj) and (node.over_keys or (is_python and not possibility.is_list)):
                for name in self.interpreter.field_names(possibility):
                    items.append(text(name) if isinstance(name, str) else one(name))
                if possibility.is_open or self.interpreter.read(possibility.rest):
                    items.append(UNKNOWN_VALUE)
            else:
                items.append(self.interpreter.items(one(possibility)))
        return union(items)

    def _iterated(self, obj: Obj, line: int) -> CodeValue:
        """What going through an instance gives, by its class's own method."""
        site = CallSite((obj, "__iter__"), Arguments([]), line)
        results: list[CodeValue] = []
        for name in ("__iter__", "__aiter__"):
            method = self.interpreter.member_of(obj, name, line)
            bound = frozenset(item for item in method if isinstance(item, Bound))
            results.append(self.interpreter.items(self.calls.call(bound, site)))
        return union(results) or UNKNOWN_VALUE
