"""Interprets the body of one frame: its statements in order, with what each variable may be at that point.

Both branches of a condition are interpreted and then joined; what follows a ``return`` isn't reached. The body of
a loop is interpreted twice, so that it sees what it assigned itself. Variables that other functions assign, too,
are read from their cells, where all that they may ever be comes together.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

from ownership.drift.code import language, syntax
from ownership.drift.code.calls import MAX_CLASSES, Calls, CallSite
from ownership.drift.code.frames import Arguments, Doubt, Frame
from ownership.drift.code.syntax import Expression, Statement, Target
from ownership.drift.code.values import (
    ABSENT,
    FALSE,
    NO_VALUES,
    NOTHING,
    NULL,
    TRUE,
    UNDEFINED,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    Class,
    Client,
    EnvironmentVariable,
    External,
    Func,
    Namespace,
    Obj,
    Pieces,
    Possibility,
    Str,
    TextPart,
    Value,
    bounded,
    equal,
    one,
    possible_truth,
    text,
    truth,
    union,
)

if TYPE_CHECKING:
    from ownership.drift.code.interpreter import Interpreter

Variables = dict[str, Value]
MAX_TURNS = 50  # of loops within each other

# Types of a parameter that can be nothing but a client of DynamoDB.
CLIENT_TYPES = {
    "DocumentClient",
    "DynamoDB",
    "DynamoDBClient",
    "DynamoDBDocument",
    "DynamoDBDocumentClient",
}
CONSTANTS: dict[syntax.Constant, Possibility] = {
    True: TRUE,
    False: FALSE,
    None: NULL,
    syntax.UNDEFINED: UNDEFINED,
}


class Evaluation:
    """One interpretation of a frame's body. ``variables`` is None where nothing is reached any more."""

    def __init__(self, interpreter: "Interpreter", frame: Frame) -> None:
        self.interpreter = interpreter
        self.frame = frame
        self.calls = Calls(interpreter)
        self.variables: Variables | None = {}
        # For each loop around the current statement, the variables wherever it is left or goes on early.
        self.loop_exits: list[list[Variables]] = []
        self.turns = 1  # of all loops around the current statement

    def run(self) -> None:
        """Interpret the whole body."""
        function = self.frame.function
        self._bind_parameters()
        self.block(function.body)
        if self.variables is not None and not function.is_class_body and self.frame.scope is not None:
            returned = UNDEFINED if function.module.language == "javascript" else NULL
            self.interpreter.add(self.frame.result, one(returned))
        for unread in function.module.unread if self.frame.scope is None else ():
            self.frame.doubts[
                Doubt(
                    self.frame.location(unread.line),
                    f"the file {unread.reason}",
                )
            ] = None

    # Parameters

    def _bind_parameters(self) -> None:
        arguments = self.frame.arguments
        position = 0
        names: set[str] = set()
        for parameter in self.frame.function.parameters:
            if parameter.kind == "rest":
                value = self._rest(arguments, position)
            elif parameter.kind == "keywords":
                value = self._keywords(arguments, names)
            else:
                value = NOTHING
                if not parameter.keyword_only:
                    value = arguments.at(position)
                    position += 1
                if isinstance(parameter.target, syntax.Name):
                    name = parameter.target.name
                    names.add(name)
                    value = value | arguments.keywords.get(name, NOTHING)
                value = self._with_default(parameter, value or arguments.more)
            self.assign(parameter.target, value)

    def _with_default(self, parameter: syntax.Parameter, value: Value) -> Value:
        """A parameter's value; what its type says where nothing else is known."""
        if not value or value & NO_VALUES:
            if parameter.default is not None:
                value = (value - {UNDEFINED, ABSENT}) | self.evaluate(parameter.default)
            elif not value:
                value = one(UNDEFINED)
        elif value == UNKNOWN_VALUE and isinstance(parameter.default, syntax.Call | syntax.ObjectLiteral):
            # Whoever calls from outside leaves out what only tests give.
            value = value | self.evaluate(parameter.default)
        is_known = bool(value - {UNKNOWN, UNDEFINED, ABSENT})
        if not is_known and _is_dependency(parameter.default):
            value = self.evaluate(parameter.default)
            is_known = bool(value - {UNKNOWN, UNDEFINED, ABSENT})
        if not is_known and parameter.type_name:
            return self._of_type(parameter.type_name) or value
        return value

    def _of_type(self, name: str) -> Value:
        """An instance of the class that a type names: containers hand it in."""
        if name in CLIENT_TYPES:
            return one(Client())
        depth = 0
        frame: Frame | None = self.frame
        while frame is not None:
            depth += 1
            frame = frame.creator
        if depth > 30:
            return NOTHING
        classes = [item for item in self._lookup(name) if isinstance(item, Class)]
        if not classes:
            classes = self.interpreter.classes_of_type(name)
        site = CallSite((self.frame.function, name), Arguments([]), self.frame.function.line)
        if not classes:
            return self._of_shape(name, site)
        # An interface with several classes may be any of them.
        instances: list[Value] = []
        for cls in classes[:MAX_CLASSES]:
            instances.append(self.calls.instance(cls, site))
        return union(instances)

    def _of_shape(self, name: str, site: CallSite) -> Value:
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

    def _injected(self, node: syntax.Injected) -> Value:
        return self._of_type(node.type_name) or UNKNOWN_VALUE

    def _rest(self, arguments: Arguments, position: int) -> Value:
        line = self.frame.function.line
        rest = self.interpreter.object_at("rest", self.frame, line, is_list=True)
        for number, value in enumerate(arguments.positional[position:]):
            self.interpreter.write_field(rest, str(number), value)
        self.interpreter.add(rest.rest, arguments.rest)
        return one(rest)

    def _keywords(self, arguments: Arguments, taken: set[str]) -> Value:
        keywords = self.interpreter.object_at("keywords", self.frame, self.frame.function.line)
        for name, value in arguments.keywords.items():
            if name not in taken:
                self.interpreter.write_field(keywords, name, value)
        if arguments.more:
            self.interpreter.open(keywords)
        return one(keywords)

    # Statements

    def block(self, statements: list[Statement]) -> None:
        """Interpret statements, as far as they are reached."""
        for statement in statements:
            if self.variables is None:
                return
            STATEMENTS[type(statement)](self, statement)

    def _evaluate_statement(self, node: syntax.Evaluate) -> None:
        self.evaluate(node.value)

    def _declare(self, node: syntax.Declare) -> None:
        self.assign(node.target, self.evaluate(node.value))

    def _return(self, node: syntax.Return) -> None:
        value = self.evaluate(node.value) if node.value is not None else one(UNDEFINED)
        self.interpreter.add(self.frame.result, value)
        self.variables = None

    def _stop(self, node: syntax.Stop) -> None:
        if node.value is not None:
            self.evaluate(node.value)
        if not node.leaves_function and self.loop_exits and self.variables is not None:
            self.loop_exits[-1].append(self.variables)
        self.variables = None

    def _if(self, node: syntax.If) -> None:
        ends: list[Variables | None] = []
        for test, branch in node.branches:
            result = truth(self.evaluate(test))
            if result is False:
                continue
            before = self.variables
            self.variables = dict(before or {})
            self.block(branch)
            ends.append(self.variables)
            if result is True:
                break
            self.variables = before
        else:
            self.block(node.otherwise)
            ends.append(self.variables)
        self.variables = _merged(ends)

    def _switch(self, node: syntax.Switch) -> None:
        subject = self.evaluate(node.subject)
        before = self.variables or {}
        ends: list[Variables | None] = []
        has_default = False
        is_decided = False
        # `break` leaves the switch, like a loop.
        self.loop_exits.append([])
        for tests, statements in node.cases:
            has_default = has_default or not tests
            results = [equal(subject, self.evaluate(test)) for test in tests]
            if is_decided or (results and all(result is False for result in results)):
                continue
            is_decided = True in results
            self.variables = dict(before)
            self.block(statements)
            ends.append(self.variables)
        ends += self.loop_exits.pop()
        if not has_default:
            ends.append(before)
        self.variables = _merged(ends)

    def _loop(self, node: syntax.Loop) -> None:
        items = self._loop_items(node)
        before = self.variables
        ends: list[Variables | None] = [before]
        turns = self._turns(items)
        self.turns *= len(turns)
        # A single turn is taken twice, so that the body sees what it assigned itself.
        for items in turns if len(turns) > 1 else turns * 2:
            self.loop_exits.append([])
            self.variables = dict(_merged(ends) or {})
            if node.test is not None:
                self.evaluate(node.test)
            if node.target is not None:
                self.assign(node.target, items)
            self.block(node.body)
            ends.append(self.variables)
            ends += self.loop_exits.pop()
        self.turns //= len(turns)
        self.variables = _merged(ends)

    def _turns(self, items: Value) -> list[Value]:
        """What a loop goes through in each turn, unless that makes too many turns of loops within each other."""
        turns = language.one_by_one(items)
        return turns if len(turns) * self.turns <= MAX_TURNS else [items]

    def _loop_items(self, node: syntax.Loop) -> Value:
        if node.iterable is None:
            return NOTHING
        value = self.evaluate(node.iterable)
        # Python's dicts give their keys, as `for … in` does in JavaScript.
        is_python = self.frame.function.module.language == "python"
        items: list[Value] = []
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

    def _iterated(self, obj: Obj, line: int) -> Value:
        """What going through an instance gives, by its class's own method."""
        site = CallSite((obj, "__iter__"), Arguments([]), line)
        results: list[Value] = []
        for name in ("__iter__", "__aiter__"):
            method = self.interpreter.member_of(obj, name, line)
            bound = frozenset(item for item in method if isinstance(item, Bound))
            results.append(self.interpreter.items(self.calls.call(bound, site)))
        return union(results) or UNKNOWN_VALUE

    def _try(self, node: syntax.Try) -> None:
        before = dict(self.variables or {})
        self.block(node.body)
        ends = [self.variables]
        start = _merged([before, self.variables]) or {}
        for name, statements in node.handlers:
            self.variables = dict(start)
            if name is not None:
                self._set(name, UNKNOWN_VALUE)
            self.block(statements)
            ends.append(self.variables)
        self.variables = _merged(ends)
        if node.final:
            is_reached = self.variables is not None
            if not is_reached:
                self.variables = dict(start)
            self.block(node.final)
            if not is_reached:
                self.variables = None

    def _import(self, node: syntax.Import) -> None:
        interpreter = self.interpreter
        file = self.frame.file
        if not node.names:
            interpreter.import_value(file, node.module, node.level, "*", node.line)
        for name, local in node.names:
            value = interpreter.import_value(file, node.module, node.level, name, node.line)
            self._set(local, value)

    def _import_all(self, node: syntax.ImportAll) -> None:
        value = self.interpreter.import_value(self.frame.file, node.module, node.level, "*", node.line)
        for possibility in value:
            if not isinstance(possibility, Namespace):
                continue
            source = self.interpreter.module_frame(possibility.module)
            for name in possibility.module.body.variables:
                self._copy_variable(source, name, name)
            for name in list(source.variables):
                if name.startswith("*"):
                    self._copy_variable(source, name, name[1:])

    def _copy_variable(self, source: Frame, name: str, local: str) -> None:
        if local.startswith("__"):
            return
        value = self.interpreter.read(source.cell(name))
        self.interpreter.add(self.frame.cell(f"*{local}"), value)

    # Variables

    def _set(self, name: str, value: Value) -> None:
        """Assign to a variable of this function, or of one around it."""
        function = self.frame.function
        if name not in function.variables:
            owner = self._owner(name)
            if owner is not None:
                self.interpreter.add(owner.cell(name), value)
            return
        if self.variables is not None:
            self.variables[name] = value
        is_seen = name in function.captured or function.is_class_body or self.frame.scope is None
        if is_seen or name in function.shared:
            self.interpreter.add(self.frame.cell(name), value)
        if function.is_class_body and isinstance(self.frame.cls, Class):
            self.interpreter.write_field(self.frame.cls.statics, name, value)

    def _owner(self, name: str) -> Frame | None:
        """The frame around this one whose variable it is."""
        frame = self.frame.scope
        while frame is not None:
            if not frame.function.is_class_body and name in frame.function.variables:
                return frame
            frame = frame.scope
        return None

    def _lookup(self, name: str) -> Value:
        function = self.frame.function
        if name in function.variables and name not in function.shared:
            if self.variables is not None and name in self.variables:
                return self.variables[name]
            if self.frame.scope is None or function.is_class_body:
                return self.interpreter.read(self.frame.cell(name))
            return NOTHING
        owner = self.frame if name in function.variables else self._owner(name)
        if owner is not None:
            return self.interpreter.read(owner.cell(name))
        return self._global(name)

    def _global(self, name: str) -> Value:
        """A name that no function declares."""
        root: Frame = self.frame
        while root.scope is not None:
            root = root.scope
        if f"*{name}" in root.variables:  # from `from module import *`
            return self.interpreter.read(root.cell(f"*{name}"))
        if name in ("module", "exports"):
            obj = self.interpreter.objects.get((name, root))
            if obj is not None:
                return one(obj)
        return one(self.interpreter.external(name))

    def assign(self, target: Target, value: Value) -> None:
        """Assign a value to a variable, property or pattern."""
        if isinstance(target, syntax.Name):
            self._set(target.name, value)
        elif isinstance(target, syntax.Member) and target.is_item:
            language.write_index(self.calls, self.evaluate(target.owner), text(target.name), value, target.line)
        elif isinstance(target, syntax.Member):
            self._assign_member(self.evaluate(target.owner), target.name, value)
        elif isinstance(target, syntax.Index):
            owner, key = self.evaluate(target.owner), self.evaluate(target.key)
            language.write_index(self.calls, owner, key, value, target.line)
        elif isinstance(target, syntax.ObjectPattern):
            self._assign_object_pattern(target, value)
        else:
            self._assign_list_pattern(target, value)

    def _assign_member(self, owner: Value, name: str, value: Value) -> None:
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

    def _assign_object_pattern(self, pattern: syntax.ObjectPattern, value: Value) -> None:
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

    def _or_default(self, value: Value, default: Expression) -> Value:
        """What a pattern takes out of a value: its default where there may be none."""
        variables = [item for item in value if isinstance(item, Str) and _is_variable(item)]
        is_given = value and not value & {ABSENT, UNDEFINED, UNKNOWN}
        if is_given and not variables:
            return value
        fallback = self.evaluate(default)
        results: set[Possibility] = set(value - {ABSENT, UNDEFINED})
        if not is_given:
            results |= fallback
        for variable in variables:
            results.discard(variable)
            results |= _with_fallbacks(variable, fallback)
        return frozenset(results)

    def _assign_list_pattern(self, pattern: syntax.ListPattern, value: Value) -> None:
        for position, (target, default) in enumerate(pattern.items):
            if target is None:
                continue
            items: list[Value] = []
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

    # Expressions

    def evaluate(self, node: Expression) -> Value:
        """What an expression may be."""
        self.interpreter.step()
        if self.interpreter.exhausted:
            return UNKNOWN_VALUE
        self.interpreter.nesting += 1
        try:
            return EXPRESSIONS[type(node)](self, node)
        finally:
            self.interpreter.nesting -= 1

    def _literal(self, node: syntax.Literal) -> Value:
        if isinstance(node.value, str):
            return text(node.value)
        return one(CONSTANTS[node.value])

    def _concat(self, node: syntax.Concat) -> Value:
        pieces = [self.evaluate(part) for part in node.parts]
        if any(isinstance(item, Obj) and item.is_list for piece in pieces for item in piece):
            items = union(self.interpreter.items(piece) for piece in pieces)
            result = self.interpreter.object_at(node, self.frame, node.line, is_list=True)
            self.interpreter.add(result.rest, items)
            return one(result)
        return language.concatenation(pieces)

    def _name(self, node: syntax.Name) -> Value:
        return self._lookup(node.name)

    def _this(self, node: syntax.This) -> Value:
        frame: Frame | None = self.frame
        while frame is not None and not frame.function.own_this:
            frame = frame.scope
        return frame.this if frame is not None else NOTHING

    def _super(self, node: syntax.Super) -> Value:
        """The instance, seen as one of the base class: only its methods are reached through this."""
        return self._this_or_self()

    def _this_or_self(self) -> Value:
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

    def _member(self, node: syntax.Member) -> Value:
        if isinstance(node.owner, syntax.Super):
            return self._super_member(node.name, node.line)
        owner = self.evaluate(node.owner)
        if node.is_item:
            return language.index(self.calls, owner, text(node.name), node.line)
        return self.interpreter.member(owner, node.name, node.line)

    def _super_member(self, name: str, line: int) -> Value:
        """``super().name``: what the base class has, with the same instance."""
        cls = self._current_class()
        if cls is None:
            return UNKNOWN_VALUE
        results: list[Value] = []
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

    def _index(self, node: syntax.Index) -> Value:
        owner, key = self.evaluate(node.owner), self.evaluate(node.key)
        return language.index(self.calls, owner, key, node.line, syntax.affixes(node.key))

    def _call(self, node: syntax.Call) -> Value:
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
                receiver=_name_of(callee.owner),
                type_argument=node.type_argument,
            )
            return self.calls.call_member(owner, callee.name, site)
        if isinstance(callee, syntax.Index):
            return self._call_index(node, callee)
        if isinstance(callee, syntax.Member) and callee.name == "__new__":
            classes = self._arguments(node).at(0)
            return union(self.calls.new_instance(item) for item in classes if isinstance(item, Class))
        value = self.evaluate(callee)
        site = CallSite(node, self._arguments(node), node.line, node.is_new)
        return self.calls.call(value, site)

    def _call_index(self, node: syntax.Call, callee: syntax.Index) -> Value:
        """``client[operation](parameters)``."""
        owner, key = self.evaluate(callee.owner), self.evaluate(callee.key)
        site = CallSite(node, self._arguments(node), node.line, node.is_new)
        results: list[Value] = []
        for possibility in key:
            if isinstance(possibility, Str) and possibility.literal is not None:
                results.append(self.calls.call_member(owner, possibility.literal, site))
            else:
                if any(isinstance(item, Client) for item in owner):
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

    def _super_call(self, node: syntax.Call) -> Value:
        cls = self._current_class()
        if cls is not None:
            site = CallSite(node, self._arguments(node), node.line)
            for possibility in self._this_or_self():
                if isinstance(possibility, Obj):
                    self.calls.construct_bases(cls, possibility, site)
        return one(UNDEFINED)

    def _arguments(self, node: syntax.Call) -> Arguments:
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

    def _add_keywords(self, arguments: Arguments, value: Value) -> None:
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

    def _object(self, node: syntax.ObjectLiteral) -> Value:
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

    def _list(self, node: syntax.ListLiteral) -> Value:
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

    def _spread(self, node: syntax.Spread) -> Value:
        return self.evaluate(node.value)

    def _function(self, node: syntax.FunctionExpression) -> Value:
        return one(Func(node.function, self.frame))

    def _class(self, node: syntax.ClassExpression) -> Value:
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

    def _choice(self, node: syntax.Choice) -> Value:
        result = truth(self.evaluate(node.test))
        if result is True:
            return self.evaluate(node.yes)
        if result is False:
            return self.evaluate(node.no)
        yes, no = self.evaluate(node.yes), self.evaluate(node.no)
        if yes and all(isinstance(item, Str) for item in yes | no):
            decided = self._by_environment(node.test)
            if decided is not None:
                return yes if decided else no
        return bounded(yes | no)

    def _by_environment(self, test: Expression) -> bool | None:
        """Whether ``process.env.STAGE === "prod"`` holds in all functions; None if it may or may not.

        This chooses between names alone. What is done in one environment only is done all the same.
        """
        if not isinstance(test, syntax.Equal):
            return None
        left, right = self.evaluate(test.left), self.evaluate(test.right)
        if len(left) != 1 or len(right) != 1:
            return None
        (first,), (second,) = left, right
        if not isinstance(first, Str) or not isinstance(second, Str):
            return None
        texts, others = self.interpreter.known_texts(first), self.interpreter.known_texts(second)
        if texts is None or others is None:
            return None
        if texts == others and len(texts) == 1:
            return not test.negated
        return test.negated if not texts & others else None

    def _fallback(self, node: syntax.Fallback) -> Value:
        """``left || right``: the right side stands in for what the left side may lack."""
        left = self.evaluate(node.left)
        if left and truth(left) is True:
            return left
        right = self.evaluate(node.right)
        results: set[Possibility] = set()
        needs_right = False
        for possibility in left:
            if isinstance(possibility, Str) and _is_variable(possibility):
                results |= _with_fallbacks(possibility, right)
                continue
            outcome = possible_truth(possibility)
            needs_right = needs_right or outcome is not True
            # JavaScript's `??` keeps an empty text.
            if possibility not in NO_VALUES and possibility != FALSE:
                results.add(possibility)
        if needs_right or not left:
            results |= right
        return frozenset(results)

    def _both(self, node: syntax.Both) -> Value:
        left = self.evaluate(node.left)
        if truth(left) is False:
            return left
        right = self.evaluate(node.right)
        falsy = left & {FALSE, NULL, UNDEFINED, ABSENT}
        return right | falsy

    def _equal(self, node: syntax.Equal) -> Value:
        result = equal(self.evaluate(node.left), self.evaluate(node.right))
        if result is None:
            return UNKNOWN_VALUE
        return one(TRUE if result is not node.negated else FALSE)

    def _not(self, node: syntax.Not) -> Value:
        result = truth(self.evaluate(node.operand))
        if result is None:
            return UNKNOWN_VALUE
        return one(FALSE if result else TRUE)

    def _assign(self, node: syntax.Assign) -> Value:
        value = self.evaluate(node.value)
        if node.keeps and isinstance(node.target, syntax.Name):
            value = value | self._lookup(node.target.name)
        self.assign(node.target, value)
        return value

    def _comprehension(self, node: syntax.Comprehension) -> Value:
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

    def _yield(self, node: syntax.Yield) -> Value:
        value = self.evaluate(node.value)
        if node.whole:
            value = self.interpreter.items(value)
        self.interpreter.add(self.frame.yielded, value)
        return UNKNOWN_VALUE

    def _decorate(self, node: syntax.Decorate) -> Value:
        return self.calls.decorate(self.evaluate(node.decorator), self.evaluate(node.value), node)

    def _require(self, node: syntax.Require) -> Value:
        return self.interpreter.import_value(self.frame.file, node.module, 0, "*", node.line)

    def _entry(self, node: syntax.Entry) -> Value:
        """The handler: ``name``, or ``object.name``, of a module."""
        self.interpreter.import_module(node.module, node.line)
        first, *rest = node.name.split(".")
        value = self.interpreter.exported(node.module, first, node.line)
        for name in rest:
            value = self.interpreter.member(value, name, node.line)
        return value

    def _typed(self, node: syntax.Typed) -> Value:
        """A value; an instance of what its type names where nothing else is known of it."""
        value = self.evaluate(node.value)
        if all(item is UNKNOWN or _is_result(item) for item in value):
            return value | self._of_type(node.type_name)
        return value

    def _given(self, node: syntax.Given) -> Value:
        return node.value

    def _other(self, node: syntax.Other) -> Value:
        for child in node.children:
            self.evaluate(child)
        return UNKNOWN_VALUE

    def _unread(self, node: syntax.Unread) -> Value:
        self.calls.doubt(node.line, f"the file {node.reason}")
        return UNKNOWN_VALUE


def _is_dependency(node: Expression | None) -> TypeGuard[syntax.Call]:
    """Whether a default is FastAPI's ``Depends(function)``: its result is handed in."""
    return isinstance(node, syntax.Call) and _name_of(node.callee) == "Depends"


def _is_result(possibility: Possibility) -> bool:
    """Whether this is what a package's function gave."""
    return isinstance(possibility, External) and possibility.is_result


def _name_of(node: Expression) -> str:
    """The last name of a variable or property."""
    if isinstance(node, syntax.Name | syntax.Member):
        return node.name
    return ""


def _is_variable(possibility: Str) -> bool:
    """Whether a text is an environment variable that may not be set."""
    if len(possibility.parts) != 1:
        return False
    part = possibility.parts[0]
    return isinstance(part, EnvironmentVariable) and part.fallback is None


def _with_fallbacks(variable: Str, fallback: Value) -> set[Possibility]:
    """The variable with each text that is used where it isn't set."""
    results: set[Possibility] = set()
    for possibility in fallback:
        if isinstance(possibility, Str):
            parts: tuple[TextPart, ...] = possibility.parts
            names = [part.name for part in variable.parts if isinstance(part, EnvironmentVariable)]
            with_fallback = tuple(EnvironmentVariable(name, parts) for name in names)
            results.add(Str(with_fallback, variable.named_at))
    return results or {variable}


def _merged(ends: list[Variables | None]) -> Variables | None:
    """What variables may be where several ways come together."""
    reached = [variables for variables in ends if variables is not None]
    if not reached:
        return None
    merged = dict(reached[0])
    for variables in reached[1:]:
        for name, value in variables.items():
            known = merged.get(name)
            if known is None:
                merged[name] = value
            elif known != value:
                merged[name] = bounded(known | value)
    return merged


STATEMENTS: dict[type, Callable[[Evaluation, Any], None]] = {
    syntax.Declare: Evaluation._declare,
    syntax.Evaluate: Evaluation._evaluate_statement,
    syntax.If: Evaluation._if,
    syntax.Import: Evaluation._import,
    syntax.ImportAll: Evaluation._import_all,
    syntax.Loop: Evaluation._loop,
    syntax.Return: Evaluation._return,
    syntax.Stop: Evaluation._stop,
    syntax.Switch: Evaluation._switch,
    syntax.Try: Evaluation._try,
}
EXPRESSIONS: dict[type, Callable[[Evaluation, Any], Value]] = {
    syntax.Assign: Evaluation._assign,
    syntax.Both: Evaluation._both,
    syntax.Call: Evaluation._call,
    syntax.Choice: Evaluation._choice,
    syntax.ClassExpression: Evaluation._class,
    syntax.Comprehension: Evaluation._comprehension,
    syntax.Concat: Evaluation._concat,
    syntax.Decorate: Evaluation._decorate,
    syntax.Entry: Evaluation._entry,
    syntax.Equal: Evaluation._equal,
    syntax.Fallback: Evaluation._fallback,
    syntax.FunctionExpression: Evaluation._function,
    syntax.Given: Evaluation._given,
    syntax.Index: Evaluation._index,
    syntax.Injected: Evaluation._injected,
    syntax.ListLiteral: Evaluation._list,
    syntax.Literal: Evaluation._literal,
    syntax.Member: Evaluation._member,
    syntax.Name: Evaluation._name,
    syntax.Not: Evaluation._not,
    syntax.ObjectLiteral: Evaluation._object,
    syntax.Other: Evaluation._other,
    syntax.Require: Evaluation._require,
    syntax.Spread: Evaluation._spread,
    syntax.Super: Evaluation._super,
    syntax.This: Evaluation._this,
    syntax.Typed: Evaluation._typed,
    syntax.Unread: Evaluation._unread,
    syntax.Yield: Evaluation._yield,
}
