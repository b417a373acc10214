"""Python as ``syntax``, by its own ``ast``.

Source: Python documentation, "ast: Abstract syntax trees".
"""

import ast
import warnings
from collections.abc import Callable, Iterable

from ownership.drift.code import syntax
from ownership.drift.code.scopes import Scope
from ownership.drift.code.syntax import Expression, Statement, Target

MAX_NESTING = 100
TOO_DEEP = f"is nested deeper than {MAX_NESTING} levels, and is not read below that"

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# Statements that contain others, whose assignments belong to the same function.
NESTED_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def parse(text: str, file: str) -> syntax.Module:
    """The module in a file. What can't be parsed is in ``module.unread``."""
    module = syntax.Module(file, "python")
    module.body = syntax.Function("", 1, [], [], module)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes, for example, are none of our business
            tree = ast.parse(text)
    except SyntaxError as error:
        module.unread.append(syntax.Unread(error.lineno or 1, "has a syntax error"))
        return module
    except (RecursionError, MemoryError, ValueError):
        module.unread.append(syntax.Unread(1, "can't be parsed: it is nested too deeply, or not text"))
        return module
    _Builder(module).build(tree)
    return module


class _Builder:
    """Builds the module of one file."""

    def __init__(self, module: syntax.Module) -> None:
        self.module = module
        self.scope = Scope(module.body, None)
        self.nesting = 0

    def build(self, tree: ast.Module) -> None:
        self._declare_all(tree.body)
        self.module.body.body = self.statements(tree.body)

    # Names

    def _declare_all(self, nodes: Iterable[ast.AST]) -> None:
        """Declare the names that these statements assign in the current function."""
        waiting = list(nodes)
        found: list[ast.AST] = []
        while waiting:
            node = waiting.pop()
            found.append(node)
            # What is `global` is none of the function's own names, whichever comes first.
            if isinstance(node, ast.Global | ast.Nonlocal):
                self.scope.outer_names.update(node.names)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for block in NESTED_BLOCKS:
                waiting += getattr(node, block, [])
        for node in found:
            self._declare_in(node)

    def _declare_in(self, node: ast.AST) -> None:
        """Declare the names that one statement assigns itself."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.scope.declare(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._declare_target(target)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For | ast.AsyncFor):
            self._declare_target(node.target)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    self._declare_target(item.optional_vars)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                self.scope.declare(alias.asname or alias.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.scope.declare(alias.asname or alias.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self.scope.declare(node.name)

    def _declare_target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            if target.id not in self.scope.outer_names:
                self.scope.declare(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self._declare_target(item)
        elif isinstance(target, ast.Starred):
            self._declare_target(target.value)

    # Statements

    def statements(self, nodes: Iterable[ast.stmt]) -> list[Statement]:
        statements: list[Statement] = []
        for node in nodes:
            statements += self.statement(node)
        return statements

    def statement(self, node: ast.stmt) -> list[Statement]:
        method = STATEMENTS.get(type(node))
        if method is None:
            return []
        if self.nesting >= MAX_NESTING:
            return [syntax.Evaluate(node.lineno, self._too_deep(node))]
        self.nesting += 1
        try:
            return method(self, node)
        finally:
            self.nesting -= 1

    def _too_deep(self, node: ast.stmt | ast.expr) -> syntax.Unread:
        unread = syntax.Unread(node.lineno, TOO_DEEP)
        self.module.unread.append(unread)
        return unread

    def _expression_statement(self, node: ast.Expr) -> list[Statement]:
        return [syntax.Evaluate(node.lineno, self.expression(node.value))]

    def _assign(self, node: ast.Assign) -> list[Statement]:
        value = self.expression(node.value)
        statements: list[Statement] = []
        for target in node.targets:
            statements.append(syntax.Declare(node.lineno, self.target(target), value))
        return statements

    def _annotated(self, node: ast.AnnAssign) -> list[Statement]:
        if node.value is None:
            return []
        value = self.expression(node.value)
        type_name = _type_name(node.annotation)
        if type_name is not None:
            value = syntax.Typed(node.lineno, value, type_name)
        return [syntax.Declare(node.lineno, self.target(node.target), value)]

    def _augmented(self, node: ast.AugAssign) -> list[Statement]:
        line = node.lineno
        old, more = self.expression(node.target), self.expression(node.value)
        value: Expression = syntax.Other(line, [old, more])
        if isinstance(node.op, ast.Add):
            value = syntax.Concat(line, [old, more])
        return [syntax.Declare(line, self.target(node.target), value)]

    def _return(self, node: ast.Return) -> list[Statement]:
        value = self.expression(node.value) if node.value is not None else None
        return [syntax.Return(node.lineno, value)]

    def _raise(self, node: ast.Raise) -> list[Statement]:
        value = self.expression(node.exc) if node.exc is not None else None
        return [syntax.Stop(node.lineno, value, leaves_function=True)]

    def _break(self, node: ast.Break | ast.Continue) -> list[Statement]:
        return [syntax.Stop(node.lineno, None, leaves_function=False)]

    def _if(self, node: ast.If) -> list[Statement]:
        condition = ast.unparse(node.test) if isinstance(node.test, ast.Compare | ast.Name | ast.Attribute) else ""
        # What runs only as a script, or exists only for type checkers, is not part of a function.
        if condition in (
            "__name__ == '__main__'",
            "'__main__' == __name__",
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        ):
            return self.statements(node.orelse)
        branches = [(self.expression(node.test), self.statements(node.body))]
        # `elif` is an `if` alone in the `else`; a long row of them is not nested.
        otherwise = node.orelse
        while len(otherwise) == 1 and isinstance(otherwise[0], ast.If):
            branches.append(
                (
                    self.expression(otherwise[0].test),
                    self.statements(otherwise[0].body),
                )
            )
            otherwise = otherwise[0].orelse
        return [syntax.If(node.lineno, branches, self.statements(otherwise))]

    def _match(self, node: ast.Match) -> list[Statement]:
        cases: list[tuple[list[Expression], list[Statement]]] = []
        for case in node.cases:
            tests = self._case_tests(case.pattern)
            cases.append((tests, self.statements(case.body)))
        return [syntax.Switch(node.lineno, self.expression(node.subject), cases)]

    def _case_tests(self, pattern: ast.pattern) -> list[Expression]:
        """The constants of a case; none for any other pattern, which may always match."""
        if isinstance(pattern, ast.MatchValue):
            return [self.expression(pattern.value)]
        if isinstance(pattern, ast.MatchOr):
            tests: list[Expression] = []
            for choice in pattern.patterns:
                inner = self._case_tests(choice)
                if not inner:
                    return []
                tests += inner
            return tests
        return []

    def _for(self, node: ast.For | ast.AsyncFor) -> list[Statement]:
        target, iterable = self.target(node.target), self.expression(node.iter)
        loop = syntax.Loop(node.lineno, target, iterable, None, self.statements(node.body))
        return [loop, *self.statements(node.orelse)]

    def _while(self, node: ast.While) -> list[Statement]:
        test = self.expression(node.test)
        loop = syntax.Loop(node.lineno, None, None, test, self.statements(node.body))
        return [loop, *self.statements(node.orelse)]

    def _with(self, node: ast.With | ast.AsyncWith) -> list[Statement]:
        statements: list[Statement] = []
        leaving: list[Statement] = []
        for item in node.items:
            line = item.context_expr.lineno
            manager = syntax.Name(
                line,
                self.scope.declare(f"*with {line}:{item.context_expr.col_offset}"),
            )
            statements.append(syntax.Declare(line, manager, self.expression(item.context_expr)))
            entered = syntax.Call(line, syntax.Member(line, manager, "__enter__"), [])
            left = syntax.Call(line, syntax.Member(line, manager, "__exit__"), [])
            leaving.append(syntax.Evaluate(line, left))
            if item.optional_vars is None:
                statements.append(syntax.Evaluate(line, entered))
            else:
                statements.append(syntax.Declare(line, self.target(item.optional_vars), entered))
        body = self.statements(node.body)
        return [*statements, syntax.Try(node.lineno, body, [], leaving)]

    def _try(self, node: ast.Try) -> list[Statement]:
        body = self.statements([*node.body, *node.orelse])
        handlers: list[tuple[str | None, list[Statement]]] = []
        for handler in node.handlers:
            name = self.scope.variable(handler.name) if handler.name else None
            handlers.append((name, self.statements(handler.body)))
        return [syntax.Try(node.lineno, body, handlers, self.statements(node.finalbody))]

    def _delete(self, node: ast.Delete) -> list[Statement]:
        """``del owner[key]`` is a call of a method."""
        statements: list[Statement] = []
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                line = target.lineno
                method = syntax.Member(line, self.expression(target.value), "__delitem__")
                call = syntax.Call(line, method, [self.expression(target.slice)])
                statements.append(syntax.Evaluate(line, call))
        return statements

    def _assert(self, node: ast.Assert) -> list[Statement]:
        return [syntax.Evaluate(node.lineno, self.expression(node.test))]

    def _import(self, node: ast.Import) -> list[Statement]:
        statements: list[Statement] = []
        for alias in node.names:
            line = node.lineno
            if alias.asname:
                local = self.scope.variable(alias.asname, assigned=True)
                statements.append(syntax.Import(line, alias.name, [("*", local)]))
                continue
            # `import a.b` loads `a.b` and gives the name `a`.
            first = alias.name.partition(".")[0]
            local = self.scope.variable(first, assigned=True)
            statements.append(syntax.Import(line, first, [("*", local)]))
            if first != alias.name:
                statements.append(syntax.Import(line, alias.name, []))
        return statements

    def _import_from(self, node: ast.ImportFrom) -> list[Statement]:
        module = node.module or ""
        names: list[tuple[str, str]] = []
        for alias in node.names:
            if alias.name == "*":
                return [syntax.ImportAll(node.lineno, module, node.level)]
            local = self.scope.variable(alias.asname or alias.name, assigned=True)
            names.append((alias.name, local))
        return [syntax.Import(node.lineno, module, names, node.level)]

    def _function_statement(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Statement]:
        value: Expression = self._function(node, self._qualified(node.name))
        value = self._decorated(node.decorator_list, value)
        target = syntax.Name(node.lineno, self.scope.variable(node.name, assigned=True))
        return [syntax.Declare(node.lineno, target, value)]

    def _qualified(self, name: str) -> str:
        if self.scope.function.is_class_body:
            return f"{self.scope.function.name}.{name}"
        return name

    def _decorated(self, decorators: list[ast.expr], value: Expression) -> Expression:
        for decorator in reversed(decorators):
            value = syntax.Decorate(decorator.lineno, self.expression(decorator), value)
        return value

    def _class(self, node: ast.ClassDef) -> list[Statement]:
        bases = [self.expression(base) for base in node.bases]
        definition = syntax.ClassDefinition(node.name, node.lineno, bases, [])
        self.module.classes.append(definition)
        body = syntax.Function(node.name, node.lineno, [], [], self.module, is_class_body=True)
        self.scope = Scope(body, self.scope)
        self._declare_all(node.body)
        body.body = self.statements(node.body)
        self._leave()
        definition.body = body
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                definition.fields.append(statement.target.id)
        value: Expression = syntax.ClassExpression(node.lineno, definition)
        value = self._decorated(node.decorator_list, value)
        target = syntax.Name(node.lineno, self.scope.variable(node.name, assigned=True))
        return [syntax.Declare(node.lineno, target, value)]

    def _leave(self) -> None:
        self.scope = self.scope.around()

    # Functions

    def _function(self, node: AnyFunction, name: str) -> syntax.FunctionExpression:
        function = syntax.Function(name, node.lineno, [], [], self.module)
        self.module.functions.append(function)
        # Defaults are evaluated where the function is defined.
        defaults = self._defaults(node.args)
        self.scope = Scope(function, self.scope)
        function.parameters = self._parameters(node.args, defaults)
        if isinstance(node, ast.Lambda):
            function.body = [syntax.Return(node.lineno, self.expression(node.body))]
        else:
            self._declare_all(node.body)
            function.body = self.statements(node.body)
            function.is_generator = _yields(node.body)
        self._leave()
        return syntax.FunctionExpression(node.lineno, function)

    def _defaults(self, arguments: ast.arguments) -> dict[str, Expression]:
        """Parameter → default."""
        defaults: dict[str, Expression] = {}
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = positional[len(positional) - len(arguments.defaults) :]
        for parameter, default in zip(with_default, arguments.defaults, strict=True):
            defaults[parameter.arg] = self.expression(default)
        for parameter, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if value is not None:
                defaults[parameter.arg] = self.expression(value)
        return defaults

    def _parameters(self, arguments: ast.arguments, defaults: dict[str, Expression]) -> list[syntax.Parameter]:
        parameters: list[syntax.Parameter] = []
        for argument in (*arguments.posonlyargs, *arguments.args):
            parameters.append(self._parameter(argument, defaults.get(argument.arg)))
        if arguments.vararg:
            parameters.append(self._parameter(arguments.vararg, None, "rest"))
        for argument in arguments.kwonlyargs:
            parameter = self._parameter(argument, defaults.get(argument.arg))
            parameter.keyword_only = True
            parameters.append(parameter)
        if arguments.kwarg:
            parameters.append(self._parameter(arguments.kwarg, None, "keywords"))
        return parameters

    def _parameter(
        self,
        argument: ast.arg,
        default: Expression | None,
        kind: str = "normal",
    ) -> syntax.Parameter:
        target = syntax.Name(argument.lineno, self.scope.declare(argument.arg))
        type_name = _type_name(argument.annotation)
        return syntax.Parameter(target, default, kind, type_name)  # type: ignore[arg-type]

    # Expressions

    def expression(self, node: ast.expr) -> Expression:
        if self.nesting >= MAX_NESTING:
            return self._too_deep(node)
        method = EXPRESSIONS.get(type(node))
        self.nesting += 1
        try:
            if method is not None:
                return method(self, node)
            return self._other(node)
        finally:
            self.nesting -= 1

    def _other(self, node: ast.expr) -> Expression:
        children = [self.expression(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return syntax.Other(node.lineno, children)

    def _constant(self, node: ast.Constant) -> Expression:
        value = node.value
        if value is None or isinstance(value, bool | str):
            return syntax.Literal(node.lineno, value)
        if isinstance(value, int | float) and abs(value) < 1e15:
            return syntax.Literal(node.lineno, str(value))
        return syntax.Other(node.lineno, [])

    def _name(self, node: ast.Name) -> Expression:
        return syntax.Name(node.lineno, self.scope.variable(node.id))

    def _attribute(self, node: ast.Attribute) -> Expression:
        return syntax.Member(node.lineno, self.expression(node.value), node.attr)

    def _subscript(self, node: ast.Subscript) -> Expression:
        owner = self.expression(node.value)
        if isinstance(node.slice, ast.Slice):
            # A part of a list may have any of its items.
            return syntax.Call(node.lineno, syntax.Member(node.lineno, owner, "slice"), [])
        key = self.expression(node.slice)
        if isinstance(key, syntax.Literal) and isinstance(key.value, str):
            # A dict's key is not an attribute, but both are the same field here.
            return syntax.Member(node.lineno, owner, key.value, is_item=True)
        return syntax.Index(node.lineno, owner, key)

    def _call(self, node: ast.Call) -> Expression:
        callee = self.expression(node.func)
        arguments = [self.expression(argument) for argument in node.args]
        keywords: list[tuple[str | None, Expression]] = []
        for keyword in node.keywords:
            keywords.append((keyword.arg, self.expression(keyword.value)))
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return syntax.Super(node.lineno)
        return syntax.Call(node.lineno, callee, arguments, keywords)

    def _joined(self, node: ast.JoinedStr) -> Expression:
        parts = [self.expression(part) for part in node.values]
        if not parts:
            return syntax.Literal(node.lineno, "")
        return syntax.Concat(node.lineno, parts)

    def _formatted(self, node: ast.FormattedValue) -> Expression:
        return self.expression(node.value)

    def _binary(self, node: ast.BinOp) -> Expression:
        line = node.lineno
        if isinstance(node.op, ast.Add):
            operands: list[ast.expr] = []
            current: ast.expr = node
            while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add):
                operands.append(current.right)
                current = current.left
            operands.append(current)
            return syntax.Concat(
                line,
                [self.expression(operand) for operand in reversed(operands)],
            )
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(node.op, ast.Mod):
            return syntax.Call(line, syntax.Member(line, left, "__mod__"), [right])
        if isinstance(node.op, ast.BitOr):
            return syntax.ObjectLiteral(line, [(None, left), (None, right)])
        return syntax.Other(line, [left, right])

    def _boolean(self, node: ast.BoolOp) -> Expression:
        kind = syntax.Fallback if isinstance(node.op, ast.Or) else syntax.Both
        result = self.expression(node.values[0])
        for value in node.values[1:MAX_NESTING]:
            result = kind(node.lineno, result, self.expression(value))
        return result

    def _compare(self, node: ast.Compare) -> Expression:
        left, right = (
            self.expression(node.left),
            self.expression(node.comparators[0]),
        )
        operator = node.ops[0]
        if len(node.ops) == 1 and isinstance(operator, ast.Eq | ast.Is | ast.NotEq | ast.IsNot):
            negated = isinstance(operator, ast.NotEq | ast.IsNot)
            return syntax.Equal(node.lineno, left, right, negated)
        return syntax.Other(node.lineno, [left, right])

    def _unary(self, node: ast.UnaryOp) -> Expression:
        operand = self.expression(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(operand, syntax.Literal):
            return syntax.Literal(node.lineno, f"-{operand.value}")
        if isinstance(node.op, ast.Not):
            return syntax.Not(node.lineno, operand)
        return syntax.Other(node.lineno, [operand])

    def _choice(self, node: ast.IfExp) -> Expression:
        test, yes, no = (
            self.expression(node.test),
            self.expression(node.body),
            self.expression(node.orelse),
        )
        return syntax.Choice(node.lineno, test, yes, no)

    def _lambda(self, node: ast.Lambda) -> Expression:
        return self._function(node, "(lambda)")

    def _dict(self, node: ast.Dict) -> Expression:
        entries: list[tuple[Expression | None, Expression]] = []
        for key, value in zip(node.keys, node.values, strict=True):
            built = self.expression(key) if key is not None else None
            entries.append((built, self.expression(value)))
        return syntax.ObjectLiteral(node.lineno, entries)

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> Expression:
        return syntax.ListLiteral(node.lineno, [self.expression(item) for item in node.elts])

    def _starred(self, node: ast.Starred) -> Expression:
        return syntax.Spread(node.lineno, self.expression(node.value))

    def _await(self, node: ast.Await) -> Expression:
        return self.expression(node.value)

    def _assignment(self, node: ast.NamedExpr) -> Expression:
        self._declare_target(node.target)
        return syntax.Assign(node.lineno, self.target(node.target), self.expression(node.value))

    def _yield(self, node: ast.Yield) -> Expression:
        value: Expression = syntax.Literal(node.lineno, None)
        if node.value is not None:
            value = self.expression(node.value)
        return syntax.Yield(node.lineno, value)

    def _yield_from(self, node: ast.YieldFrom) -> Expression:
        return syntax.Yield(node.lineno, self.expression(node.value), whole=True)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Expression:
        # Its variables are its own: a block like JavaScript's.
        self.scope.blocks.append({})
        loops: list[tuple[Target, Expression]] = []
        conditions: list[Expression] = []
        for generator in node.generators:
            iterable = self.expression(generator.iter)
            self._declare_target(generator.target)
            loops.append((self.target(generator.target), iterable))
            conditions += [self.expression(condition) for condition in generator.ifs]
        if isinstance(node, ast.DictComp):
            key, element = (
                self.expression(node.key),
                self.expression(node.value),
            )
        else:
            key, element = None, self.expression(node.elt)
        self.scope.blocks.pop()
        return syntax.Comprehension(node.lineno, loops, conditions, element, key)

    # Targets

    def target(self, node: ast.expr) -> Target:
        """What is assigned to."""
        if isinstance(node, ast.Name):
            return syntax.Name(node.lineno, self.scope.variable(node.id, assigned=True))
        if isinstance(node, ast.Tuple | ast.List):
            pattern = syntax.ListPattern(node.lineno, [])
            for item in node.elts:
                if isinstance(item, ast.Starred):
                    pattern.rest = self.target(item.value)
                else:
                    pattern.items.append((self.target(item), None))
            return pattern
        target = self.expression(node)
        if isinstance(target, syntax.Member | syntax.Index):
            return target
        return syntax.ListPattern(node.lineno, [])


def _type_name(annotation: ast.expr | None) -> str | None:
    """The class that an annotation names: ``Repo``, ``repos.Repo``, ``"Repo"`` and ``Repo | None`` name ``Repo``."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        annotation = annotation.left
    if isinstance(annotation, ast.Subscript) and _is_wrapper(annotation.value):
        annotation = annotation.slice
        if isinstance(annotation, ast.Tuple):
            annotation = annotation.elts[0]
    if isinstance(annotation, ast.Attribute):
        return annotation.attr
    if isinstance(annotation, ast.Name):
        return annotation.id
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value.rsplit(".", 1)[-1]
    return None


def _is_wrapper(annotation: ast.expr) -> bool:
    """Whether an annotation is ``Optional`` or ``Annotated``, so that the class is inside its brackets."""
    return isinstance(annotation, ast.Name) and annotation.id in (
        "Optional",
        "Annotated",
    )


def _yields(body: Iterable[ast.AST]) -> bool:
    """Whether a function yields; functions inside it don't count."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(
            node,
            ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef,
        ):
            waiting += ast.iter_child_nodes(node)
    return False


STATEMENTS: dict[type[ast.AST], Callable[..., list[Statement]]] = {
    ast.AnnAssign: _Builder._annotated,
    ast.Assert: _Builder._assert,
    ast.Assign: _Builder._assign,
    ast.AsyncFor: _Builder._for,
    ast.AsyncFunctionDef: _Builder._function_statement,
    ast.AsyncWith: _Builder._with,
    ast.AugAssign: _Builder._augmented,
    ast.Break: _Builder._break,
    ast.ClassDef: _Builder._class,
    ast.Continue: _Builder._break,
    ast.Delete: _Builder._delete,
    ast.Expr: _Builder._expression_statement,
    ast.For: _Builder._for,
    ast.FunctionDef: _Builder._function_statement,
    ast.If: _Builder._if,
    ast.Import: _Builder._import,
    ast.ImportFrom: _Builder._import_from,
    ast.Match: _Builder._match,
    ast.Raise: _Builder._raise,
    ast.Return: _Builder._return,
    ast.Try: _Builder._try,
    ast.TryStar: _Builder._try,
    ast.While: _Builder._while,
    ast.With: _Builder._with,
}
EXPRESSIONS: dict[type[ast.AST], Callable[..., Expression]] = {
    ast.Attribute: _Builder._attribute,
    ast.Await: _Builder._await,
    ast.BinOp: _Builder._binary,
    ast.BoolOp: _Builder._boolean,
    ast.Call: _Builder._call,
    ast.Compare: _Builder._compare,
    ast.Constant: _Builder._constant,
    ast.Dict: _Builder._dict,
    ast.DictComp: _Builder._comprehension,
    ast.FormattedValue: _Builder._formatted,
    ast.GeneratorExp: _Builder._comprehension,
    ast.IfExp: _Builder._choice,
    ast.JoinedStr: _Builder._joined,
    ast.Lambda: _Builder._lambda,
    ast.List: _Builder._list,
    ast.ListComp: _Builder._comprehension,
    ast.Name: _Builder._name,
    ast.NamedExpr: _Builder._assignment,
    ast.Set: _Builder._list,
    ast.SetComp: _Builder._comprehension,
    ast.Starred: _Builder._starred,
    ast.Subscript: _Builder._subscript,
    ast.Tuple: _Builder._list,
    ast.UnaryOp: _Builder._unary,
    ast.Yield: _Builder._yield,
    ast.YieldFrom: _Builder._yield_from,
}
