"""Classes where they are defined: bases, decorators, and what they have themselves."""

from ownership.drift.code import syntax
from ownership.drift.code.calls import CallSite
from ownership.drift.code.evaluation.objects import ObjectLiterals
from ownership.drift.code.frames import Arguments, Frame
from ownership.drift.code.possibilities import Bound, Class, CodeValue, Func
from ownership.drift.code.values import of_kind, one, only


class ClassDefinitions(ObjectLiterals):
    """Evaluates definitions of classes."""

    def _class(self, node: syntax.ClassExpression) -> CodeValue:
        definition = node.definition
        cls = self.interpreter.make_class(definition, self.frame)
        for position, base in enumerate(definition.bases):
            self.interpreter.add_base(cls, position, self.evaluate(base))
        for decorator in definition.decorators:
            self.interpreter.add(cls.decorations, self.evaluate(decorator))
        for member in definition.members:
            if member.is_static:
                value = self._static_value(cls, member, node.line)
                self.interpreter.write_field(cls.statics, member.name, value)
        if definition.body is not None:
            self._class_body(cls, definition.body)
            self._tell_bases(cls, node.line)
        return one(cls)

    def _static_value(self, cls: Class, member: syntax.ClassMember, line: int) -> CodeValue:
        """What JavaScript's class has itself: a method, or what the initial value of a field gives."""
        function = Func(member.function, self.frame)
        if member.kind == "method":
            return one(function)
        site = CallSite(member.function, Arguments([]), line)
        return self.calls.call_one(function, site, one(cls))

    def _class_body(self, cls: Class, body: syntax.Function) -> None:
        """Interpret Python's class body; its variables become members."""

        def make() -> Frame:
            frame = Frame(body, self.frame, creator=self.frame)
            frame.cls = cls
            return frame

        frame = self.interpreter.frame_of((body, self.frame), make)
        self.frame.calls.setdefault(frame, body.line)

    def _tell_bases(self, cls: Class, line: int) -> None:
        """Call ``__init_subclass__`` of the bases."""
        site = CallSite((cls, "__init_subclass__"), Arguments([]), line)
        bases = self.interpreter.order_of(cls)[1:]
        for base in of_kind(bases, Class):
            methods = self.interpreter.read_field(base.statics, "__init_subclass__")
            for method in only(methods, Func):
                self.calls.call_one(Bound(method, one(cls)), site)
