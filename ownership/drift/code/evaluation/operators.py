"""Expressions that join or choose values: concatenations, conditions, comparisons."""

from ownership.drift.code import language, syntax
from ownership.drift.code.evaluation.fallbacks import unset_variables, with_fallbacks
from ownership.drift.code.evaluation.parameters import ParameterBinding
from ownership.drift.code.possibilities import (
    ABSENT,
    FALSE,
    NO_VALUES,
    NULL,
    TRUE,
    UNDEFINED,
    UNKNOWN_VALUE,
    CodeValue,
    Possibility,
    Str,
)
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import (
    equal,
    limited,
    one,
    only,
    possible_truth,
    text,
    truth,
    union,
)

CONSTANT_VALUES: dict[bool | None, Possibility] = {
    True: TRUE,
    False: FALSE,
    None: NULL,
}


class Operators(ParameterBinding):
    """Evaluates operators."""

    def _literal(self, node: syntax.Literal) -> CodeValue:
        if isinstance(node.value, str):
            return text(node.value)
        return one(CONSTANT_VALUES[node.value])

    def _undefined(self, node: syntax.Undefined) -> CodeValue:
        return one(UNDEFINED)

    def _concat(self, node: syntax.Concat) -> CodeValue:
        pieces = [self.evaluate(part) for part in node.parts]
        if not any(language.lists_in(piece) for piece in pieces):
            return language.concatenation(pieces)
        items = union(self.interpreter.items(piece) for piece in pieces)
        result = self.interpreter.object_at(node, self.frame, node.line, is_list=True)
        self.interpreter.add(result.rest, items)
        return one(result)

    def _conditional(self, node: syntax.Conditional) -> CodeValue:
        result = truth(self.evaluate(node.test))
        if result is True:
            return self.evaluate(node.yes)
        if result is False:
            return self.evaluate(node.no)
        yes = self.evaluate(node.yes)
        no = self.evaluate(node.no)
        either = yes | no
        are_names = bool(yes) and only(either, Str) == either
        if are_names:
            result = self._by_environment(node.test)
        if result is None:
            return limited(either)
        return yes if result else no

    def _by_environment(self, test: Expression) -> bool | None:
        """Whether ``process.env.STAGE === "prod"`` holds in all functions; None if it may or may not.

        This chooses between names alone. What is done in one environment only is done all the same.
        """
        if not isinstance(test, syntax.Equal):
            return None
        left = self._known_texts(test.left)
        right = self._known_texts(test.right)
        if left is None or right is None:
            return None
        if left == right and len(left) == 1:
            return not test.negated
        if left & right:
            return None
        return test.negated

    def _known_texts(self, node: Expression) -> set[str] | None:
        """The texts that an expression may be in any function; None where that is not known."""
        value = self.evaluate(node)
        if len(value) != 1:
            return None
        [possibility] = value
        if not isinstance(possibility, Str):
            return None
        return self.interpreter.known_texts(possibility)

    def _or(self, node: syntax.Or) -> CodeValue:
        """``left || right``: the right side stands in for what the left side may lack."""
        left = self.evaluate(node.left)
        if left and truth(left) is True:
            return left
        right = self.evaluate(node.right)
        variables = unset_variables(left)
        others = left - variables
        # JavaScript's `??` keeps an empty text.
        results = others - NO_VALUES - {FALSE}
        for variable in variables:
            results |= with_fallbacks(variable, right)
        needs_right = not left or any(possible_truth(item) is not True for item in others)
        if needs_right:
            return results | right
        return results

    def _and(self, node: syntax.And) -> CodeValue:
        left = self.evaluate(node.left)
        if truth(left) is False:
            return left
        right = self.evaluate(node.right)
        falsy = left & {FALSE, NULL, UNDEFINED, ABSENT}
        return right | falsy

    def _equal(self, node: syntax.Equal) -> CodeValue:
        result = equal(self.evaluate(node.left), self.evaluate(node.right))
        if result is None:
            return UNKNOWN_VALUE
        return one(CONSTANT_VALUES[result is not node.negated])

    def _not(self, node: syntax.Not) -> CodeValue:
        result = truth(self.evaluate(node.operand))
        if result is None:
            return UNKNOWN_VALUE
        return one(CONSTANT_VALUES[not result])
