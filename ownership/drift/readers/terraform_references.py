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
from collections import defaultdict
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
    object_at,
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

    @property
    def reached(self) -> set[TerraformResource]:
        """The resources, each once."""
        return {resource for resource, _ in self.resources}

    def of_type(self, resource_type: str) -> list[TerraformResource]:
        """The resources of a type."""
        return [resource for resource, _ in self.resources if resource.type == resource_type]

    def add(self, more: "References") -> None:
        """Add what another part of the value comes from."""
        self.resources += more.resources
        self.others += more.others


@dataclass(frozen=True)
class _Block:
    """Where references are made: in a module, and in which instance of a block that ``for_each`` or ``count`` repeats.

    ``node`` is the block in the configuration.
    """

    module: str
    key: str = ""
    node: Object = field(default_factory=dict)


class ReferenceFinder:
    """Finds what values of a plan's resources come from."""

    def __init__(self, plan: TerraformPlan) -> None:
        self.plan = plan
        self.modules: dict[str, None] = {}
        # By module, and by the name that references have for them there: one for each key.
        self.instances: dict[tuple[str, str], list[TerraformResource]] = defaultdict(list)
        for resource in plan.resources.values():
            self.instances[resource.module, resource.reference_name].append(resource)
            self.modules[resource.module] = None

    def expression(self, resource: TerraformResource, *path: str | int) -> JSON:
        """What the configuration says of an attribute; None if it does not say, or is not there."""
        return _descend(self.plan.configuration_of(resource).get("expressions"), path)

    def references(self, resource: TerraformResource, *path: str | int) -> References:
        """What an attribute comes from."""
        expression = self.expression(resource, *path)
        if expression is None:
            return References(others=[NOT_SHOWN])
        block = _Block(resource.module, resource.key, self.plan.configuration_of(resource))
        return _Search(self).follow(_references_in(expression), block)


class _Search:
    """Follows the references of one value, through the modules of a plan, to resources.

    ``nesting`` is how many references led to the one that is followed, and ``key`` the key by which it chooses among
    the instances of what it refers to; empty where that is not certain.
    """

    def __init__(self, finder: ReferenceFinder) -> None:
        self.finder = finder
        self.plan = finder.plan
        self.count = 0  # of references that were followed

    def follow(self, references: Sequence[str], block: _Block, nesting: int = 0) -> References:
        """What is behind the references in a block."""
        longest = _longest(references)
        key = self._index(longest, block)
        found = References()
        for reference in longest:
            if KNOWN.fullmatch(reference):
                continue
            self.count += 1
            if nesting > MAX_NESTING or self.count > MAX_REFERENCES:
                found.others.append(reference)
            else:
                found.add(self._behind(reference, block, key, nesting + 1))
        return found

    def _behind(self, reference: str, block: _Block, key: str, nesting: int) -> References:
        variable = OF_VARIABLE.fullmatch(reference)
        if variable:
            return self._behind_variable(variable["name"], block.module, nesting)
        output = OF_MODULE.fullmatch(reference)
        if output:
            return self._behind_output(output, block.module, key, nesting)
        if OF_LOOP.fullmatch(reference):
            return self._behind_loop(reference, block, nesting)
        resource = OF_RESOURCE.fullmatch(reference)
        if resource and not reference.startswith(LOOKS_LIKE_RESOURCE):
            return self._resources(resource, block.module, key)
        return References(others=[reference])

    # The key of an instance

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
            values = object_at(self.plan.document, "variables", variable["name"]).get("value")
        # Of a set, and so of toset() of a list, each value is its own key.
        if isinstance(values, list):
            return block.key
        return as_text(as_object(values).get(block.key))

    # What is behind a reference

    def _behind_loop(self, reference: str, block: _Block, nesting: int) -> References:
        """What the block of ``each.value`` runs over. A value that is a constant or known needs no following."""
        looped = _references_in(block.node.get("for_each_expression"))
        if not looped:
            return References()
        # Each instance is the one of what it runs over that has its key.
        around = _Block(block.module, block.key)
        inner = self.follow([*looped, "each.key"], around, nesting)
        if len(inner.reached) > 1:
            return References(others=[*inner.others, reference])
        attribute = ""
        if reference.count(".") > 1:
            attribute = reference.rpartition(".")[2]
        resources = [(resource, own or attribute) for resource, own in inner.resources]
        return References(resources, inner.others)

    def _behind_variable(self, name: str, module: str, nesting: int) -> References:
        """What the module around passes. A variable of the root module has a value that is known."""
        if not module:
            return References()
        last = list(STEP.finditer(module))[-1]
        name_and_key = last.groupdict("")
        outer = module[: last.start()].rstrip(".")
        around = self.plan.configuration_of_module(outer)
        call = object_at(around, "module_calls", name_and_key["name"])
        expression = object_at(call, "expressions").get(name)
        if expression is None:
            return References()
        block = _Block(outer, _unquoted(name_and_key["key"]), call)
        return self.follow(_references_in(expression), block, nesting)

    def _behind_output(
        self, match: re.Match[str], module: str, key: str, nesting: int
    ) -> References:
        address = f"{module}.module.{match['name']}".lstrip(".")
        outputs = object_at(self.plan.configuration_of_module(address), "outputs")
        instances = self._instances_of_module(address, match["key"], key)
        blocks = [_Block(instance, key) for instance in instances]
        if match["output"] in outputs:
            return self._behind_outputs([outputs[match["output"]]], blocks, nesting)
        # It is not shown which output. If all come from one resource, that does not matter.
        found = self._behind_outputs(outputs.values(), blocks, nesting)
        if found.others or len(found.reached) != 1:
            return References(others=[f"module.{match['name']}"])
        return References([(found.reached.pop(), "")])

    def _behind_outputs(
        self, outputs: Iterable[JSON], blocks: Sequence[_Block], nesting: int
    ) -> References:
        found = References()
        for block in blocks:
            for output in outputs:
                references = _references_in(as_object(output).get("expression"))
                found.add(self.follow(references, block, nesting))
        return found

    def _instances_of_module(self, address: str, stated_key: str | None, key: str) -> list[str]:
        """The addresses of a module's instances: the one with the key, or all."""
        if stated_key is not None:
            return [f"{address}{stated_key}"]
        by_key: dict[str, str] = {}
        instance = re.compile(rf"{re.escape(address)}(?P<key>{KEY})?(?=[.\[]|\Z)")
        for module in self.finder.modules:
            match = instance.match(module)
            if match is not None:
                by_key[_unquoted(match.groupdict("")["key"])] = match[0]
        if key and key in by_key:
            return [by_key[key]]
        return list(by_key.values()) or [address]

    def _resources(self, match: re.Match[str], module: str, key: str) -> References:
        """The instances of a resource that a reference means: all, or the one with its key."""
        parts = match.groupdict("")
        name = f"{parts['data']}{parts['type']}.{parts['name']}"
        instances = self.finder.instances.get((module, name), [])
        if parts["key"]:
            instances = _with_key(instances, _unquoted(parts["key"]))
        elif key and len(instances) > 1:
            instances = _with_key(instances, key) or instances
        if not instances:
            return References(others=[match[0]])
        return References([(instance, parts["attribute"]) for instance in instances])


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
