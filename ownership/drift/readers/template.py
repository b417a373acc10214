"""The sections of a CloudFormation template, and the values in them.

A template has more than one form of the same value: variables of the Serverless Framework, intrinsic functions,
both branches of ``Fn::If``. For the property in this template::

    Resources:
      Users: {Type: AWS::DynamoDB::Table, Properties: {TableName: !If [IsProd, usersPROD, users]}}

``template.texts(…)`` gives every text that it may have: ``usersPROD`` and ``users``.
Source: AWS CloudFormation User Guide, "Template anatomy"; Serverless Framework documentation, "Resources", for
templates in several parts.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ownership.drift.readers import intrinsics
from ownership.drift.readers.loops import TRANSFORM as LANGUAGE_EXTENSIONS
from ownership.drift.readers.loops import LoopExpander
from ownership.drift.readers.node_reader import NodeReader, as_it_is
from ownership.drift.readers.resource_types import WhatWasRead
from ownership.drift.readers.sections import Expand
from ownership.drift.readers.template_nodes import (
    MANAGED_POLICY,
    STACK_TYPES,
    TABLE_TYPES,
    branches_of_if,
    function_name,
    is_function_name,
    is_no_value,
    name_by_place,
)
from ownership.drift.readers.template_parts import merged_section
from ownership.drift.readers.template_references import reference
from ownership.drift.types import Location
from ownership.drift.values import (
    UNKNOWN_LOCATION,
    Map,
    Reason,
    Seq,
    Text,
    Value,
    Variable,
    as_mapping,
    location_of,
    placeholder,
)

# Finds the template of a nested stack, by the stack that has it, its logical name there and its properties.
NestedLoader = Callable[["Template", str, Map], "Template | None"]
# What CDK puts behind the names of constructs to make a logical id: `OrdersTable315BB997`.
CDK_PATH = "aws:cdk:path"
CDK_HASH = re.compile(r"(?<=.)[0-9A-F]{8}$")


class Exports(dict[str, list[Text]]):
    """What the templates of a run export, by name, and the managed policies that they make.

    ``policies`` has each policy's template and properties, by the name that its ARN ends with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.policies: dict[str, tuple[Template, Map]] = {}


@dataclass(frozen=True)
class Surroundings:
    """What a template's values depend on besides itself.

    - ``tables``: what ``--tables`` says: logical id or name → table of the map.
    - ``pseudo``: values of pseudo parameters: ``AWS::StackName``.
    - ``parent``, ``passed``: the stack that this one is nested in, and the parameters that it passes.
    - ``is_cdk``: CDK wrote the template, and made its logical ids.
    - ``load_nested``: finds the templates of stacks nested in this one.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    pseudo: Mapping[str, Text] = field(default_factory=dict)
    parent: "Template | None" = None
    passed: Map = field(default_factory=lambda: Map(UNKNOWN_LOCATION))
    is_cdk: bool = False
    load_nested: NestedLoader | None = None


class Template(NodeReader):
    """A template, in several parts if need be.

    ``given`` has parameters by ``param:Name``. ``exports`` has what the templates read so far export, by name;
    this one's exports are added. ``misses_export``: it imports a name that isn't among them.
    """

    def __init__(
        self,
        parts: Sequence[Map],
        expand: Expand = as_it_is,
        given: Mapping[str, str] | None = None,
        exports: Exports | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        super().__init__(expand)
        self.given = given or {}
        self.surroundings = surroundings or Surroundings()
        self._nested: dict[str, Template | None] = {}
        self.exports = Exports()
        if exports is not None:
            self.exports = exports  # the caller's own, which later templates read
        self.misses_export = False
        self.parts = parts
        self.was_read = WhatWasRead()
        self.resources = self._section("Resources")
        self.parameters = self._section("Parameters")
        self.mappings = self._section("Mappings")
        self.extensions = self._section("extensions")
        self.outputs = self._section("Outputs")
        if LANGUAGE_EXTENSIONS in self.transforms():
            loops = LoopExpander(self)
            self.resources = loops.mapping(self.resources)
            self.outputs = loops.mapping(self.outputs)
        self._add_exports()
        self._add_policies()

    def texts(self, node: Value, nesting: int = 0) -> list[Text]:
        """All texts that a value may have: lists flattened, both branches of Fn::If. Raises ReadError."""
        node = self.step(node, nesting)
        match node:
            case Text():
                return intrinsics.with_references(self, node)
            case Seq():
                return self._texts_in_list(node, nesting)
            case Map():
                return self._texts_of_call(node, nesting)
        return []

    def _texts_of_call(self, node: Map, nesting: int) -> list[Text]:
        name = function_name(node)
        if name is None:
            return [placeholder(node.location, "a mapping instead of text")]
        argument = self.expand(node[name])
        call = intrinsics.Call(name, argument, node.location, nesting + 1)
        return intrinsics.apply(self, call)

    def text(self, node: Value, nesting: int = 0) -> Text | None:
        """The first text of a value; None for none."""
        texts = self.texts(node, nesting)
        if not texts:
            return None
        return texts[0]

    def of_type(self, *types: str) -> Iterator[tuple[str, Map]]:
        """The resources of these types: logical name and properties."""
        self.was_read.types.update(types)
        for name, node in self.resources.items():
            if is_function_name(name):
                continue
            resource = self.mapping(node)
            if resource.get("Type") in types:
                yield name, self.mapping(resource.get("Properties"))

    def resource(self, name: str) -> Map:
        """A resource by its logical name; an empty mapping if there is none."""
        return self.mapping(self.resources.get(name))

    def properties(self, name: str) -> Map:
        """The properties of a resource; an empty mapping if there is no such resource."""
        return self.mapping(self.resource(name).get("Properties"))

    def condition_of(self, name: str) -> str:
        """The name of the condition on which a resource is made; empty without one."""
        return str(self.resource(name).get("Condition") or "")

    def role_name(self, name: str, nesting: int = 0) -> str:
        """What a role of the template goes by in this run: its name or, without one, its file and logical name."""
        resource = self.resource(name)
        stated = self.text(self.mapping(resource.get("Properties")).get("RoleName"), nesting)
        if stated and not stated.reason:
            return str(stated)
        return name_by_place(resource.location, name)

    def table_names(self, name: str, location: Location, nesting: int = 0) -> list[Text]:
        """The physical names that a table of the template may have; none if it is no table."""
        resource = self.resource(name)
        if resource.get("Type") not in TABLE_TYPES:
            return []
        ids = self._table_ids(name, resource)
        for known_name in ids:
            if known_name in self.surroundings.tables:
                return [Text(self.surroundings.tables[known_name], location)]
        properties = self.expand(resource.get("Properties"))
        if isinstance(properties, Text):
            return [
                placeholder(location, properties.reason or f"{name} has no mapping of Properties")
            ]
        table_name = self.mapping(properties).get("TableName")
        names = [text.at(location) for text in self.texts(table_name, nesting)]
        if not names or self._may_be_absent(table_name):
            names.append(_generated_name(ids[-1], location))
        return names

    def _may_be_absent(self, node: Value) -> bool:
        """Whether a value is left out in a branch of Fn::If."""
        branches = branches_of_if(self.expand(node))
        return any(is_no_value(branch) for branch in branches or ())

    def _table_ids(self, name: str, resource: Map) -> list[str]:
        """What a table may be called in a file for ``--tables``: its logical id, and CDK's name for it."""
        path = self.text(self.mapping(resource.get("Metadata")).get(CDK_PATH))
        ids = [name]
        if path:
            ids.append(path.removesuffix("/Resource"))
        if path or self.surroundings.is_cdk:
            ids.append(CDK_HASH.sub("", name))
        return ids

    def has_nested_stacks(self) -> bool:
        """Whether a stack is nested in this one."""
        return any(self.of_type(*STACK_TYPES))

    def nested_stack(self, name: str) -> "Template | None":
        """The template of a nested stack, by the stack's logical name; None if it is not known."""
        if name not in self._nested:
            self._nested[name] = None  # a circle ends here
            load = self.surroundings.load_nested
            resource = self.resource(name)
            if load is not None and resource.get("Type") in STACK_TYPES:
                self._nested[name] = load(self, name, self.mapping(resource.get("Properties")))
        return self._nested[name]

    def output(self, name: str, nesting: int = 0) -> list[Text]:
        """The texts that an output may have; none if there is no such output."""
        output = self.mapping(self.outputs.get(name))
        return self.texts(output.get("Value"), nesting)

    def unread_resources(self) -> list[Text]:
        """Entries in place of resources that can't be read: any of them might be a role or a policy."""
        for name, node in self.resources.items():
            if not is_function_name(name):
                self.mapping(node)  # adds to `not_mappings`
        return list(self.not_mappings.values())

    def count_as_read(self, name: str) -> None:
        """Take down that a resource was read which the template itself does not give a type."""
        self.was_read.resources.add(name)

    def transforms(self) -> list[Text]:
        """The names of the macros that change the template."""
        transforms = []
        for part in self.parts:
            for item in self.items(part.get("Transform")):
                name = item if isinstance(item, Text) else Text("Transform", item.location)
                transforms.append(name)
        return transforms

    def _texts_in_list(self, node: Seq, nesting: int) -> list[Text]:
        texts: list[Text] = []
        for item in node:
            texts += self.texts(item, nesting + 1)
            if len(texts) > intrinsics.MAX_TEXTS:
                raise intrinsics.too_many_texts(node.location)
        return texts

    def _section(self, name: str) -> Map:
        """A section of all parts, which counts as read."""
        self.was_read.sections.add(name)
        return merged_section(self, self.parts, name)

    def _add_policies(self) -> None:
        """Add the managed policies, so that roles of other templates can have them, too."""
        for name, node in self.resources.items():
            if not isinstance(node, Map) or node.get("Type") != MANAGED_POLICY:
                continue
            for arn in reference(self, name, location_of(node)):
                policy_name = arn.rpartition("/")[2]
                self.exports.policies[policy_name] = (self, self.mapping(node.get("Properties")))

    def _add_exports(self) -> None:
        """Add what the outputs export: ``Outputs: {Arn: {Value: …, Export: {Name: users-arn}}}``."""
        for node in self.outputs.values():
            output = as_mapping(self.expand(node))
            export = as_mapping(self.expand(output.get("Export")))
            name = self.text(export.get("Name"))
            if name and not name.has_unknown_part:
                self.exports[str(name)] = self.texts(output.get("Value"))


def _generated_name(logical_id: str, location: Location) -> Text:
    """The name of a table whose name is generated when it is deployed: its logical id, which is known here."""
    reason = f"table {logical_id} has no TableName, so it goes by its logical id (--tables FILE says which it is)"
    return Text(
        logical_id,
        location,
        (Variable(0, len(logical_id), is_environment=False, reason=Reason(reason)),),
    )
