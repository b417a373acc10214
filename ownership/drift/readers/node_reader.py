"""Reads the nodes of any file: variables resolved, lists flattened, no more than a certain number of steps in all."""

from collections.abc import Iterator

from ownership.drift.readers.sections import Expand
from ownership.drift.readers.template_nodes import branches_of_if, is_no_value
from ownership.drift.types import Location, ReadError
from ownership.drift.values import Map, Seq, Text, Value, in_words, location_of

MAX_STEPS = 200_000  # in one template; aliases that double would exceed it
MAX_NESTING = 60


def as_it_is(node: Value) -> Value:
    """The value of a node in a template without variables."""
    return node


class NodeReader:
    """Reads nodes. ``expand`` resolves what may replace a value, such as a variable of the Serverless Framework."""

    max_steps = MAX_STEPS

    def __init__(self, expand: Expand = as_it_is) -> None:
        self.expand = expand
        # Texts and lists where a mapping belongs: an included file that isn't there, most often.
        self.not_mappings: dict[tuple[Location, str], Text] = {}
        self._steps = 0

    def step(self, node: Value, nesting: int) -> Value:
        """The node's value, counted as a step. Raises ReadError where there are too many of them."""
        self._steps += 1
        if self._steps > self.max_steps or nesting > MAX_NESTING:
            reason = "takes too many steps to resolve: it is nested too deeply, or refers to itself"
            raise ReadError(location_of(node), reason)
        return self.expand(node)

    def items(self, node: Value) -> Iterator[Text | Map]:
        """The members of a list: inner lists flattened, both branches of each Fn::If, without nulls."""
        for item, _ in self.items_and_whether_certain(node):
            yield item

    def items_and_whether_certain(
        self,
        node: Value,
        is_certain: bool = True,
        nesting: int = 0,
    ) -> Iterator[tuple[Text | Map, bool]]:
        """The same members, each with whether it is there in any case, and not only in a branch of Fn::If."""
        node = self.step(node, nesting)
        branches = branches_of_if(node)
        if branches is not None:
            node = branches
            is_certain = False
        if isinstance(node, Seq):
            for item in node:
                yield from self.items_and_whether_certain(item, is_certain, nesting + 1)
        elif node is not None and not is_no_value(node):
            yield node, is_certain

    def mapping(self, node: Value) -> Map:
        """The value as a mapping; an empty one for anything else, which ``not_mappings`` then lists."""
        node = self.expand(node)
        if isinstance(node, Map):
            return node
        # Null is a valid value of a section that is left empty.
        if node is not None:
            text = in_words(node)
            self.not_mappings[text.location, str(text)] = text
        return Map(location_of(node))

    def mappings_in(self, node: Value) -> list[Map]:
        """The members of a list that are mappings."""
        return [item for item in self.items(node) if isinstance(item, Map)]
