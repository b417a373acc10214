"""Which function a name belongs to, while a front end turns a file into modules and functions.

JavaScript's blocks have variables of their own. They become variables of the function: a name that another block
has already is numbered, ``params`` and ``params#2``, so that two blocks never share a value.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ownership.drift.code.syntax import Function

BlockVariables = dict[str, str]  # name in the block → variable of the function


class Scope:
    """One function while it is built: its blocks, innermost last, and the function around it."""

    def __init__(self, function: Function, outer: "Scope | None") -> None:
        self.function = function
        self.outer = outer
        self.blocks: list[BlockVariables] = [{}]
        self.outer_names: set[str] = set()  # Python's `global` and `nonlocal`

    def around(self) -> "Scope":
        """The scope of the function around this one; of the outermost, itself."""
        return self.outer or self

    @contextmanager
    def block(self) -> Iterator[BlockVariables]:
        """A block within the innermost one, for as long as it is built."""
        self.blocks.append({})
        try:
            yield self.blocks[-1]
        finally:
            self.blocks.pop()

    def declare(self, name: str, in_function: bool = False) -> str:
        """Declare a name in the innermost block, or in the function; returns the variable's name."""
        block = self.blocks[0 if in_function else -1]
        if name in block:
            return block[name]
        variable = name
        number = 1
        while variable in self.function.variables:
            number += 1
            variable = f"{name}#{number}"
        block[name] = variable
        self.function.variables.add(variable)
        return variable

    def variable(self, name: str, assigned: bool = False) -> str:
        """The variable that a name means here; the name itself where no function declares it."""
        scope: Scope | None = self
        while scope is not None:
            variable = scope._own_variable(name, seen_from=self)
            if variable is None:
                scope = scope.outer
                continue
            if scope is not self:
                scope.function.captured.add(variable)
                if assigned:
                    scope.function.shared.add(variable)
            return variable
        return name

    def _own_variable(self, name: str, seen_from: "Scope") -> str | None:
        """The variable of this function that a name means, for a function inside it; None if it has none."""
        if name in self.outer_names:
            return None
        if self.function.is_class_body and seen_from is not self:
            return None
        for block in reversed(self.blocks):
            if name in block:
                return block[name]
        return None
