"""Expressions: constants, attributes, calls, operators, comprehensions, and what is assigned to."""

import ast
from collections.abc import Callable

from ownership.drift.code import syntax
from ownership.drift.code.python.builder import PythonBuilder
from ownership.drift.code.syntax import Expression, Target

# Comparisons of which something is known → whether they are negated.
EQUALITY: dict[type[ast.cmpop], bool] = {
    ast.Eq: False,
    ast.Is: False,
    ast.IsNot: True,
    ast.NotEq: True,
}


class PythonExpressions(PythonBuilder):
    """Builds expressions."""

    def expression(self, node: ast.expr) -> Expression:
        if self.nesting >= syntax.MAX_NESTING:
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
        children = [
            self.expression(child)
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.expr)
        ]
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
            bounds = self._bounds(node.slice)
            return syntax.CallExpression(
                node.lineno, syntax.Member(node.lineno, owner, "slice"), bounds
            )
        key = self.expression(node.slice)
        name = syntax.literal_text(key)
        if name is not None:
            # A dict's key is not an attribute, but both are the same field here.
            return syntax.Member(node.lineno, owner, name, is_item=True)
        return syntax.Subscript(node.lineno, owner, key)

    def _bounds(self, node: ast.Slice) -> list[Expression]:
        """``[start:end]`` as the arguments of JavaScript's ``slice``, which means the same."""
        if node.step is not None:
            return [syntax.Other(node.lineno, [])]
        start = node.lower or ast.Constant(0, lineno=node.lineno)
        bounds = [start] if node.upper is None else [start, node.upper]
        return [self.expression(bound) for bound in bounds]

    def _call(self, node: ast.Call) -> Expression:
        callee = self.expression(node.func)
        arguments = [self.expression(argument) for argument in node.args]
        keywords: list[tuple[str | None, Expression]] = []
        for keyword in node.keywords:
            keywords.append((keyword.arg, self.expression(keyword.value)))
        if isinstance(node.func, ast.Name) and node.func.id == "super":
            return syntax.Super(node.lineno)
        return syntax.CallExpression(node.lineno, callee, arguments, keywords)

    def _joined(self, node: ast.JoinedStr) -> Expression:
        parts = [self.expression(part) for part in node.values]
        if not parts:
            return syntax.Literal(node.lineno, "")
        return syntax.Concat(node.lineno, parts)

    def _binary(self, node: ast.BinOp) -> Expression:
        line = node.lineno
        if isinstance(node.op, ast.Add):
            return self._sum(node)
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(node.op, ast.Mod):
            return syntax.CallExpression(line, syntax.Member(line, left, "__mod__"), [right])
        if isinstance(node.op, ast.BitOr):
            return syntax.ObjectLiteral(line, [(None, left), (None, right)])
        return syntax.Other(line, [left, right])

    def _sum(self, node: ast.BinOp) -> Expression:
        """``a + b + c`` as one step, however long it is."""
        operands: list[ast.expr] = []
        current: ast.expr = node
        while isinstance(current, ast.BinOp) and isinstance(current.op, ast.Add):
            operands.append(current.right)
            current = current.left
        operands.append(current)
        operands.reverse()
        return syntax.Concat(node.lineno, [self.expression(operand) for operand in operands])

    def _boolean(self, node: ast.BoolOp) -> Expression:
        kind = syntax.Or if isinstance(node.op, ast.Or) else syntax.And
        result = self.expression(node.values[0])
        for value in node.values[1 : syntax.MAX_NESTING]:
            result = kind(node.lineno, result, self.expression(value))
        return result

    def _compare(self, node: ast.Compare) -> Expression:
        left = self.expression(node.left)
        right = self.expression(node.comparators[0])
        negated = EQUALITY.get(type(node.ops[0]))
        if negated is None or len(node.ops) > 1:
            return syntax.Other(node.lineno, [left, right])
        return syntax.Equal(node.lineno, left, right, negated)

    def _unary(self, node: ast.UnaryOp) -> Expression:
        operand = self.expression(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(operand, syntax.Literal):
            return syntax.Literal(node.lineno, f"-{operand.value}")
        if isinstance(node.op, ast.Not):
            return syntax.Not(node.lineno, operand)
        return syntax.Other(node.lineno, [operand])

    def _choice(self, node: ast.IfExp) -> Expression:
        test = self.expression(node.test)
        yes = self.expression(node.body)
        no = self.expression(node.orelse)
        return syntax.Conditional(node.lineno, test, yes, no)

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

    def _inner(self, node: ast.Await | ast.FormattedValue) -> Expression:
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

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> Expression:
        # Its variables are its own: a block like JavaScript's.
        loops: list[tuple[Target, Expression]] = []
        conditions: list[Expression] = []
        with self.scope.block():
            for generator in node.generators:
                iterable = self.expression(generator.iter)
                self._declare_target(generator.target)
                loops.append((self.target(generator.target), iterable))
                conditions += [self.expression(condition) for condition in generator.ifs]
            if isinstance(node, ast.DictComp):
                key: Expression | None = self.expression(node.key)
                element = self.expression(node.value)
            else:
                key = None
                element = self.expression(node.elt)
        return syntax.Comprehension(node.lineno, loops, conditions, element, key)

    def target(self, node: ast.expr) -> Target:
        """What is assigned to."""
        if isinstance(node, ast.Name):
            return syntax.Name(node.lineno, self.scope.variable(node.id, assigned=True))
        if isinstance(node, ast.Tuple | ast.List):
            return self._list_pattern(node)
        target = self.expression(node)
        if isinstance(target, syntax.Member | syntax.Subscript):
            return target
        return syntax.ListPattern(node.lineno, [])

    def _list_pattern(self, node: ast.Tuple | ast.List) -> Target:
        pattern = syntax.ListPattern(node.lineno, [])
        for item in node.elts:
            if isinstance(item, ast.Starred):
                pattern.rest = self.target(item.value)
            else:
                pattern.items.append((self.target(item), None))
        return pattern


EXPRESSIONS: dict[type[ast.AST], Callable[..., Expression]] = {
    ast.Attribute: PythonExpressions._attribute,
    ast.Await: PythonExpressions._inner,
    ast.BinOp: PythonExpressions._binary,
    ast.BoolOp: PythonExpressions._boolean,
    ast.Call: PythonExpressions._call,
    ast.Compare: PythonExpressions._compare,
    ast.Constant: PythonExpressions._constant,
    ast.Dict: PythonExpressions._dict,
    ast.DictComp: PythonExpressions._comprehension,
    ast.FormattedValue: PythonExpressions._inner,
    ast.GeneratorExp: PythonExpressions._comprehension,
    ast.IfExp: PythonExpressions._choice,
    ast.JoinedStr: PythonExpressions._joined,
    ast.Lambda: PythonExpressions._lambda,
    ast.List: PythonExpressions._list,
    ast.ListComp: PythonExpressions._comprehension,
    ast.Name: PythonExpressions._name,
    ast.NamedExpr: PythonExpressions._assignment,
    ast.Set: PythonExpressions._list,
    ast.SetComp: PythonExpressions._comprehension,
    ast.Starred: PythonExpressions._starred,
    ast.Subscript: PythonExpressions._subscript,
    ast.Tuple: PythonExpressions._list,
    ast.UnaryOp: PythonExpressions._unary,
    ast.Yield: PythonExpressions._yield,
    ast.YieldFrom: PythonExpressions._yield_from,
}
