"""Expressions that join or choose values: concatenations, conditions, comparisons."""

from ownership.drift.code import language, syntax
from ownership.drift.code.evaluation.base import is_variable, with_fallbacks
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
    Obj,
    Possibility,
    Str,
)
from ownership.drift.code.syntax import Expression
from ownership.drift.code.values import equal, limited, one, possible_truth, text, truth, union

CONSTANTS: dict[bool | None, Possibility] = {
    True: TRUE,
    False: FALSE,
    None: NULL,
}


class Operators(ParameterBinding):
    """Evaluates operators."""

    def _literal(self, node: syntax.Literal) -> CodeValue:
        if isinstance(node.value, str):
            return text(node.value)
        return one(CONSTANTS[node.value])

    def _undefined(self, node: syntax.Undefined) -> CodeValue:
        return one(UNDEFINED)

    def _concat(self, node: syntax.Concat) -> CodeValue:
        pieces = [self.evaluate(part) for part in node.parts]
        if any(isinstance(item, Obj) and item.is_list for piece in pieces for item in piece):
            items = union(self.interpreter.items(piece) for piece in pieces)
            result = self.interpreter.object_at(node, self.frame, node.line, is_list=True)
            self.interpreter.add(result.rest, items)
            return one(result)
        return language.concatenation(pieces)

    def _choice(self, node: syntax.Conditional) -> CodeValue:
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
        return limited(yes | no)

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

    def _fallback(self, node: syntax.Fallback) -> CodeValue:
        """``left || right``: the right side stands in for what the left side may lack."""
        left = self.evaluate(node.left)
        if left and truth(left) is True:
            return left
        right = self.evaluate(node.right)
        results: set[Possibility] = set()
        needs_right = False
        for possibility in left:
            if isinstance(possibility, Str) and is_variable(possibility):
                results |= with_fallbacks(possibility, right)
                continue
            outcome = possible_truth(possibility)
            needs_right = needs_right or outcome is not True
            # JavaScript's `??` keeps an empty text.
            if possibility not in NO_VALUES and possibility != FALSE:
                results.add(possibility)
        if needs_right or not left:
            results |= right
        return frozenset(results)

    def _both(self, node: syntax.Both) -> CodeValue:
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
        return one(TRUE if result is not node.negated else FALSE)

    def _not(self, node: syntax.Not) -> CodeValue:
        result = truth(self.evaluate(node.operand))
        if result is None:
            return UNKNOWN_VALUE
        return one(FALSE if result else TRUE)
