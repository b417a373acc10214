"""What parameters are: arguments, defaults, and instances of what their types name."""

from typing import TypeGuard

from ownership.drift.code import syntax
from ownership.drift.code.calls import MAX_CLASSES, CallSite
from ownership.drift.code.dynamodb import CLIENTS
from ownership.drift.code.evaluation.assignments import Assignments
from ownership.drift.code.frames import Arguments
from ownership.drift.code.possibilities import (
    ABSENT,
    NO_VALUES,
    NOTHING,
    UNDEFINED,
    UNKNOWN,
    UNKNOWN_VALUE,
    Class,
    Client,
    CodeValue,
    External,
    Possibility,
)
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import one, only, union

MAX_CREATORS = 30  # calls within each other in which instances are still made by type


class ParameterBinding(Assignments):
    """Binds parameters."""

    def _bind_parameters(self) -> None:
        """Assign the arguments to the parameters."""
        arguments = self.frame.arguments
        position = 0
        names: set[str] = set()
        for parameter in self.frame.function.parameters:
            if parameter.kind == "rest":
                value = self._rest(arguments, position)
            elif parameter.kind == "keywords":
                value = self._keywords(arguments, names)
            else:
                value = _given(parameter, arguments, position)
                value = self._with_default(parameter, value)
                if not parameter.keyword_only:
                    position += 1
                names.add(syntax.name_of(parameter.target))
            self.assign(parameter.target, value)

    def _with_default(self, parameter: syntax.Parameter, value: CodeValue) -> CodeValue:
        """A parameter's value; what its type says where nothing else is known."""
        value = self._or_default_of(parameter, value)
        if _is_known(value):
            return value
        if _is_dependency(parameter.default):
            value = self.evaluate(parameter.default)
            if _is_known(value):
                return value
        if parameter.type_name is None:
            return value
        return self._of_type(parameter.type_name) or value

    def _or_default_of(self, parameter: syntax.Parameter, value: CodeValue) -> CodeValue:
        """The value, with the default where there may be none."""
        default = parameter.default
        if default is None:
            return value or one(UNDEFINED)
        if not value or value & NO_VALUES:
            return (value - {UNDEFINED, ABSENT}) | self.evaluate(default)
        # Whoever calls from outside leaves out what only tests give.
        if value == UNKNOWN_VALUE and isinstance(
            default, syntax.CallExpression | syntax.ObjectLiteral
        ):
            return value | self.evaluate(default)
        return value

    def _of_type(self, name: str) -> CodeValue:
        """An instance of the class that a type names: containers hand it in."""
        if name in CLIENTS:
            return one(Client())
        # Classes may need each other.
        if len(list(self.frame.creators())) > MAX_CREATORS:
            return NOTHING
        classes = list(only(self._read_variable(name), Class)) or self.interpreter.classes_of_type(
            name
        )
        site = CallSite((self.frame.function, name), Arguments([]), self.frame.function.line)
        if not classes:
            return self._of_shape(name, site)
        # An interface with several classes may be any of them.
        instances: list[CodeValue] = []
        for cls in classes[:MAX_CLASSES]:
            instances.append(self.calls.instance(cls, site))
        return union(instances)

    def _of_shape(self, name: str, site: CallSite) -> CodeValue:
        """An object of a type that says which classes its properties are of."""
        shape = self.frame.function.module.shapes.get(name)
        if not shape:
            return NOTHING
        obj = self.interpreter.object_at((site.node, "shape"), self.frame, site.line)
        self.interpreter.open(obj)
        for property_name, type_name in shape.items():
            value = self._of_type(type_name)
            if value:
                self.interpreter.write_field(obj, property_name, value)
        return one(obj)

    def _injected(self, node: syntax.Injected) -> CodeValue:
        return self._of_type(node.type_name) or UNKNOWN_VALUE

    def _typed(self, node: syntax.Typed) -> CodeValue:
        """A value; an instance of what its type names where nothing else is known of it."""
        value = self.evaluate(node.value)
        if all(item is UNKNOWN or _is_result(item) for item in value):
            return value | self._of_type(node.type_name)
        return value

    def _rest(self, arguments: Arguments, position: int) -> CodeValue:
        line = self.frame.function.line
        rest = self.interpreter.object_at("rest", self.frame, line, is_list=True)
        for number, value in enumerate(arguments.positional[position:]):
            self.interpreter.write_field(rest, str(number), value)
        self.interpreter.add(rest.rest, arguments.rest)
        return one(rest)

    def _keywords(self, arguments: Arguments, taken: set[str]) -> CodeValue:
        keywords = self.interpreter.object_at("keywords", self.frame, self.frame.function.line)
        for name, value in arguments.keywords.items():
            if name not in taken:
                self.interpreter.write_field(keywords, name, value)
        if arguments.more:
            self.interpreter.open(keywords)
        return one(keywords)


def _given(parameter: syntax.Parameter, arguments: Arguments, position: int) -> CodeValue:
    """What a call gives for a parameter; nothing if it gives nothing."""
    value = arguments.keywords.get(syntax.name_of(parameter.target), NOTHING)
    if not parameter.keyword_only:
        value = value | arguments.at(position)
    return value or arguments.more


def _is_known(value: CodeValue) -> bool:
    return bool(value - {UNKNOWN, UNDEFINED, ABSENT})


def _is_dependency(node: Expression | None) -> TypeGuard[syntax.CallExpression]:
    """Whether a default is FastAPI's ``Depends(function)``: its result is handed in."""
    return isinstance(node, syntax.CallExpression) and syntax.name_of(node.callee) == "Depends"


def _is_result(possibility: Possibility) -> bool:
    """Whether this is what a package's function gave."""
    return isinstance(possibility, External) and possibility.is_result
