"""What the projects of one reading give each other: the outputs of their stacks.

With the project ``tables`` of stage ``dev``, whose stack has the output ``OrdersArn``, another project may say
``${cf:tables-dev.OrdersArn}``; and serverless-compose.yml may say ``${tables.OrdersArn}`` (serverless_compose.py).
A project that is read later may have the output, so who misses one is read again (collector.py).
"""

from dataclasses import dataclass, field
from pathlib import Path

from ownership.drift.readers.template import Template
from ownership.drift.types import ReadError
from ownership.drift.values import Text

Outputs = dict[str, list[Text]]


class NoOutputError(LookupError):
    """An output that no project of this reading has, or whose value is not known; the message says why."""


@dataclass
class Siblings:
    """The outputs of the projects read so far. ``missed``: one was asked for that isn't there yet."""

    missed: bool = False
    _by_stack: dict[str, Outputs] = field(default_factory=dict)
    _by_file: dict[Path, Outputs] = field(default_factory=dict)

    def add(self, file: Path, stack: Text | None, template: Template) -> None:
        """Add what a project's template puts out. Its stack's name is None where that is not known."""
        outputs = {}
        for name in template.outputs:
            try:
                outputs[str(name)] = template.output(name)
            except ReadError:  # which is reported where the value is used
                continue
        if stack is not None and not stack.has_unknown_part:
            self._by_stack[str(stack)] = outputs
        self._by_file[file] = outputs

    def of_stack(self, stack: str, output: str) -> Text:
        """The output of a stack. Raises NoOutputError."""
        if stack not in self._by_stack:
            self.missed = True
            raise NoOutputError(f"no project that was read has the stack {stack}")
        return self._only_value(self._by_stack[stack], f"the stack {stack}", output)

    def of_file(self, file: Path, service: str, output: str) -> Text:
        """The output of the project in a file, which serverless-compose.yml calls ``service``. Raises NoOutputError."""
        if file not in self._by_file:
            self.missed = True
            raise NoOutputError(f"the service {service} is not among the projects that were read")
        return self._only_value(self._by_file[file], f"the service {service}", output)

    def _only_value(self, outputs: Outputs, owner: str, output: str) -> Text:
        texts = outputs.get(output, [])
        if not texts:
            raise NoOutputError(f"{owner} has no output {output} in its files")
        if len(texts) > 1:
            raise NoOutputError(f"the output {output} of {owner} has several values")
        # It may be taken from another project itself, which is read later.
        if texts[0].reason:
            self.missed = True
        return texts[0]
