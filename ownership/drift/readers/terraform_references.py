"""Which resources a value of a plan comes from that is known only after apply, by the plan's configuration.

::

    resources = [aws_dynamodb_table.orders.arn]     "references": ["aws_dynamodb_table.orders.arn", …]
    resources = [each.value.arn]                    what "for_each_expression" refers to
    resources = [var.table_arn]                     what the module's call passes
    resources = [module.tables.orders_arn]          what the module's output comes from

The configuration has no index that is no constant: of ``aws_dynamodb_table.all[each.key].arn`` it lists
``aws_dynamodb_table.all`` and ``each.key``, and of ``module.all[each.key].arn`` no output. It does not have locals.
Source: Terraform and OpenTofu documentation, "JSON Output Format", expression representation.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ownership.drift.readers.terraform_files import JSON, Object
from ownership.drift.readers.terraform_plan import KEY, STEP, TerraformPlan
from ownership.drift.readers.terraform_resource import (
    TerraformResource,
    as_list,
    as_object,
    as_text,
    member_at,
)

OF_RESOURCE = re.compile(
    rf"(?P<data>data\.)?(?P<type>[a-zA-Z]\w*)\.(?P<name>[\w-]+)(?P<key>{KEY})?(?:\.(?P<attribute>\w+))?.*",
    re.DOTALL,
)
OF_MODULE = re.compile(
    rf"module\.(?P<name>[\w-]+)(?P<key>{KEY})?(?:\.(?P<output>[\w-]+))?.*", re.DOTALL
)
OF_VARIABLE = re.compile(r"var\.(?P<name>[\w-]+).*", re.DOTALL)
OF_LOOP = re.compile(r"each\.value\b.*", re.DOTALL)
LOOKS_LIKE_RESOURCE = ("each.", "local.", "self.")
MAY_BE_INDEX = (*LOOKS_LIKE_RESOURCE, "count.", "var.")
SEPARATOR = re.compile(r"[.\[]")  # of the steps in a reference
# References whose value is known in every plan.
KNOWN = re.compile(r"(?:each\.key|count|path|terraform|tofu)\b.*", re.DOTALL)
INDEXES = frozenset({"each.key", "count.index"})
MAX_NESTING = 50  # of references, from module to module
MAX_REFERENCES = 2000  # that one value comes from
NOT_SHOWN = "what the configuration does not show"


@dataclass
class References:
    """What a value that is not known yet comes from: resources, each with the attribute of it, and other things."""

    resources: list[tuple[TerraformResource, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    count: int = 0  # of references that were followed

    @property
    def reached(self) -> set[TerraformResource]:
        """The resources, each once."""
        return {resource for resource, _ in self.resources}

    def of_type(self, resource_type: str) -> list[TerraformResource]:
        """The resources of a type."""
        return [resource for resource, _ in self.resources if resource.type == resource_type]


@dataclass(frozen=True)
class _Block:
    """Where references are made: in a module, and in which instance of a block that ``for_each`` or ``count`` repeats.

    ``node`` is the block in the configuration.
    """

    module: str
    key: str = ""
    node: Object = field(default_factory=dict)


class ReferenceFinder:
    """Follows references through the modules of a plan."""

    def __init__(self, plan: TerraformPlan) -> None:
        self.plan = plan
        self._by_name: dict[tuple[str, str], list[TerraformResource]] = {}
        self._modules: dict[str, None] = {}
        for resource in plan.resources.values():
            name = (resource.module, resource.reference_name)
            self._by_name.setdefault(name, []).append(resource)
            self._modules[resource.module] = None

    def expression(self, resource: TerraformResource, *path: str | int) -> JSON:
        """What the configuration says of an attribute; None if it does not say, or is not there."""
        return _descend(self.plan.configuration_of(resource).get("expressions"), path)

    def references(self, resource: TerraformResource, *path: str | int) -> References:
        """What an attribute comes from."""
        found = References()
        expression = self.expression(resource, *path)
        if expression is None:
            found.others.append(NOT_SHOWN)
            return found
        block = _Block(resource.module, resource.key, self.plan.configuration_of(resource))
        self._follow(_references_in(expression), block, found, 0)
        return found

    def _follow(
        self, references: Sequence[str], block: _Block, found: References, nesting: int
    ) -> None:
        """Find the resources behind the references in a block."""
        longest = _longest(references)
        key = self._index(longest, block)
        for reference in longest:
            if KNOWN.fullmatch(reference):
                continue
            found.count += 1
            if nesting > MAX_NESTING or found.count > MAX_REFERENCES:
                found.others.append(reference)
            else:
                self._follow_one(reference, block, key, found, nesting + 1)

    def _follow_one(
        self, reference: str, block: _Block, key: str, found: References, nesting: int
    ) -> None:
        variable = OF_VARIABLE.fullmatch(reference)
        output = OF_MODULE.fullmatch(reference)
        resource = OF_RESOURCE.fullmatch(reference)
        if variable:
            self._follow_variable(variable["name"], block.module, found, nesting)
        elif output:
            self._follow_output(output, block.module, key, found, nesting)
        elif OF_LOOP.fullmatch(reference):
            self._follow_loop(reference, block, found, nesting)
        elif resource and not reference.startswith(LOOKS_LIKE_RESOURCE):
            self._find(resource, block.module, key, found)
        else:
            found.others.append(reference)

    def _index(self, references: Sequence[str], block: _Block) -> str:
        """The key by which the references choose among instances; empty where that is not certain."""
        indexes = {name for name in references if name.startswith(MAY_BE_INDEX)}
        if not block.key or len(indexes) != 1:
            return ""
        index = indexes.pop()
        if index in INDEXES:
            return block.key
        if index == "each.value":
            return self._value_of_loop(block)
        return ""

    def _value_of_loop(self, block: _Block) -> str:
        """``each.value`` in a block over a set of texts, or over a map of them; empty where that is not known."""
        looped = as_object(block.node.get("for_each_expression"))
        references = _longest(_references_in(looped))
        values: JSON = looped.get("constant_value", [])
        if references:
            variable = OF_VARIABLE.fullmatch(references[0])
            if len(references) > 1 or variable is None or block.module:
                return ""
            variables = as_object(self.plan.document.get("variables"))
            values = as_object(variables.get(variable["name"])).get("value")
        # Of a set, and so of toset() of a list, each value is its own key.
        if isinstance(values, list):
            return block.key
        return as_text(as_object(values).get(block.key))

    def _follow_loop(self, reference: str, block: _Block, found: References, nesting: int) -> None:
        """Follow ``each.value`` to what the block runs over. A value that is a constant or known needs no following."""
        looped = _references_in(block.node.get("for_each_expression"))
        around = _Block(block.module, block.key)
        inner = References(count=found.count)
        if looped:
            # Each instance is the one of what it runs over that has its key.
            self._follow([*looped, "each.key"], around, inner, nesting)
        found.count = inner.count
        found.others += inner.others
        if len(inner.reached) > 1:
            found.others.append(reference)
            return
        attribute = ""
        if reference.count(".") > 1:
            attribute = reference.rpartition(".")[2]
        for resource, own_attribute in inner.resources:
            found.resources.append((resource, own_attribute or attribute))

    def _follow_variable(self, name: str, module: str, found: References, nesting: int) -> None:
        """What the module around passes. A variable of the root module has a value that is known."""
        if not module:
            return
        last = list(STEP.finditer(module))[-1]
        name_and_key = last.groupdict("")
        outer = module[: last.start()].rstrip(".")
        call = self.plan.module_call(outer, name_and_key["name"])
        expression = as_object(call.get("expressions")).get(name)
        if expression is not None:
            block = _Block(outer, _unquoted(name_and_key["key"]), call)
            self._follow(_references_in(expression), block, found, nesting)

    def _follow_output(
        self, match: re.Match[str], module: str, key: str, found: References, nesting: int
    ) -> None:
        address = f"{module}.module.{match['name']}".lstrip(".")
        outputs = as_object(self.plan.configuration_of_module(address).get("outputs"))
        instances = self._instances_of_module(address, match["key"], key)
        blocks = [_Block(instance, key) for instance in instances]
        if match["output"] in outputs:
            self._follow_outputs([outputs[match["output"]]], blocks, found, nesting)
            return
        # It is not shown which output. If all come from one resource, that does not matter.
        inner = References(count=found.count)
        self._follow_outputs(outputs.values(), blocks, inner, nesting)
        found.count = inner.count
        if inner.others or len(inner.reached) != 1:
            found.others.append(f"module.{match['name']}")
        else:
            found.resources.append((inner.reached.pop(), ""))

    def _follow_outputs(
        self, outputs: Iterable[JSON], blocks: list[_Block], found: References, nesting: int
    ) -> None:
        for block in blocks:
            for output in outputs:
                references = _references_in(as_object(output).get("expression"))
                self._follow(references, block, found, nesting)

    def _instances_of_module(self, address: str, stated_key: str | None, key: str) -> list[str]:
        """The addresses of a module's instances: the one with the key, or all."""
        if stated_key is not None:
            return [f"{address}{stated_key}"]
        instances: dict[str, str] = {}  # address → key
        instance = re.compile(rf"{re.escape(address)}(?P<key>{KEY})?(?=[.\[]|\Z)")
        for module in self._modules:
            match = instance.match(module)
            if match is not None:
                instances[match[0]] = _unquoted(match.groupdict("")["key"])
        with_key = [name for name, own_key in instances.items() if key and own_key == key]
        return with_key or list(instances) or [address]

    def _find(self, match: re.Match[str], module: str, key: str, found: References) -> None:
        """Find the instances of a resource that a reference means: all, or the one with its key."""
        parts = match.groupdict("")
        name = f"{parts['data']}{parts['type']}.{parts['name']}"
        instances = self._by_name.get((module, name), [])
        if parts["key"]:
            instances = _with_key(instances, _unquoted(parts["key"]))
        elif key and len(instances) > 1:
            instances = _with_key(instances, key) or instances
        if not instances:
            found.others.append(match[0])
        for instance in instances:
            found.resources.append((instance, parts["attribute"]))


def _with_key(instances: Sequence[TerraformResource], key: str) -> list[TerraformResource]:
    return [instance for instance in instances if instance.key == key]


def _unquoted(key: str) -> str:
    """The key in ``["orders"]`` or ``[0]``; empty for none."""
    return key[1:-1].strip('"')


def _descend(node: JSON, path: Sequence[str | int]) -> JSON:
    for step in path:
        if isinstance(node, dict) and "references" in node:
            return node
        if isinstance(step, int):
            node = member_at(node, step)
        else:
            node = as_object(node).get(step)
    return node


def _references_in(expression: JSON) -> list[str]:
    """The references of an expression, and those of the expressions in a block."""
    if isinstance(expression, dict):
        if "references" in expression:
            return [as_text(name) for name in as_list(expression["references"])]
        expression = list(expression.values())
    found: list[str] = []
    for inner in as_list(expression):
        found += _references_in(inner)
    return found


def _longest(references: Sequence[str]) -> list[str]:
    """The references without those that are the beginning of others: Terraform lists ``a.b.c`` and ``a.b``."""
    beginnings = set()
    for name in references:
        for separator in SEPARATOR.finditer(name):
            beginnings.add(name[: separator.start()])
    return [name for name in dict.fromkeys(references) if name not in beginnings]
