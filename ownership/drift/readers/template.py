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
from copy import copy
from dataclasses import dataclass, field

from ownership.drift.readers import intrinsics, resource_types
from ownership.drift.readers.loops import TRANSFORM as LANGUAGE_EXTENSIONS
from ownership.drift.readers.loops import LoopExpander
from ownership.drift.readers.sections import Expand
from ownership.drift.readers.template_nodes import (
    IDENTITY_TYPES,
    INCLUDE,
    MANAGED_POLICY,
    STACK_TYPES,
    TABLE_TYPES,
    branches_of_if,
    function_name,
    is_function_name,
    is_no_value,
    name_by_place,
)
from ownership.drift.readers.template_references import reference
from ownership.drift.types import Location, ReadError
from ownership.drift.values import (
    UNKNOWN_LOCATION,
    Map,
    Reason,
    Seq,
    Text,
    Value,
    Variable,
    as_mapping,
    as_text,
    known_text,
    location_of,
    placeholder,
)

MAX_STEPS = 200_000  # in one template; aliases that double would exceed it
MAX_NESTING = 60

# Finds the template of a nested stack, by the stack that has it, its logical name there and its properties.
NestedLoader = Callable[["Template", str, Map], "Template | None"]
# What CDK puts behind the names of constructs to make a logical id: `OrdersTable315BB997`.
CDK_PATH = "aws:cdk:path"
CDK_HASH = re.compile(r"(?<=.)[0-9A-F]{8}$")


def as_it_is(node: Value) -> Value:
    """The value of a node in a template without variables."""
    return node


class NodeReader:
    """Reads nodes of any file: variables resolved, and no more than a certain number of steps in all.

    ``expand`` resolves what may replace a value, such as a variable of the Serverless Framework.
    """

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
        if isinstance(node, Text):
            self._add_not_mapping(node)
        elif isinstance(node, Seq):
            self._add_not_mapping(Text("a list", node.location))
        return Map(location_of(node))

    def _add_not_mapping(self, text: Text) -> None:
        self.not_mappings[text.location, str(text)] = text

    def mappings_in(self, node: Value) -> list[Map]:
        """The members of a list that are mappings."""
        return [item for item in self.items(node) if isinstance(item, Map)]


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
        self._parts = parts
        self._read_sections: set[str] = set()
        self._read_types: set[str] = set()
        self._read_resources: set[str] = set()
        self.resources = self._section(parts, "Resources")
        self.parameters = self._section(parts, "Parameters")
        self.mappings = self._section(parts, "Mappings")
        self.extensions = self._section(parts, "extensions")
        self.outputs = self._section(parts, "Outputs")
        if LANGUAGE_EXTENSIONS in self._transforms():
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
        self._read_types.update(types)
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

    def unread(self) -> Iterator[tuple[Text, str]]:
        """What no reader has read and what may permit something, each with the reason.

        To be called when all readers are done: ``of_type`` and ``_section`` take down what was read.
        """
        known_sections = self._read_sections | resource_types.SECTIONS | {"Transform"}
        for part in self._parts:
            for key, value in part.items():
                if key not in known_sections and value is not None:
                    reason = "this section is not read, and may permit something"
                    yield as_text(key, part.location), reason
        for transform in self._transforms():
            if transform not in resource_types.TRANSFORMS:
                yield transform, "what this transform makes of the template is not known"
        for name, node in self.resources.items():
            why = self._why_unread(name, node)
            if why:
                yield as_text(name, location_of(node)), why

    def _why_unread(self, name: str, node: Value) -> str:
        """Why a resource may permit something that no reader has read; empty if it was read, or permits nothing."""
        if is_function_name(name):
            return f"{name} is not expanded, and may make resources that permit something"
        resource_type = self._resource_type(node)
        if self._is_included(resource_type, as_mapping(self.expand(node))):
            return f"what {INCLUDE} makes of the resource is not known"
        is_read = resource_type in self._read_types or name in self._read_resources
        if resource_type is None or is_read or resource_types.permits_nothing(resource_type):
            return ""
        return f"resources of type {resource_type} are not read, and may permit something"

    def _is_included(self, resource_type: str | None, resource: Map) -> bool:
        """Whether a macro makes a part of a resource, and no reader reports that."""
        if INCLUDE in resource:
            return True
        properties = as_mapping(self.expand(resource.get("Properties")))
        return INCLUDE in properties and resource_type not in IDENTITY_TYPES

    def count_as_read(self, name: str) -> None:
        """Take down that a resource was read which the template itself does not give a type."""
        self._read_resources.add(name)

    def _transforms(self) -> list[Text]:
        """The names of the macros that change the template."""
        transforms = []
        for part in self._parts:
            for item in self.items(part.get("Transform")):
                name = item if isinstance(item, Text) else Text("Transform", item.location)
                transforms.append(name)
        return transforms

    def _resource_type(self, node: Value) -> str | None:
        """The type of a resource, ``unknown`` where it can't be told.

        None for a value that is no resource, which ``not_mappings`` lists, and for changes to a resource that a
        framework makes, which have no type and here nothing that permits.
        """
        resource = self.expand(node)
        if not isinstance(resource, Map):
            return None
        resource_type = self.expand(resource.get("Type"))
        known_type = known_text(resource_type)
        if known_type is not None:
            return str(known_type)
        properties = self.expand(resource.get("Properties"))
        is_change = resource_type is None and isinstance(properties, Map)
        if is_change and resource_types.PERMITTING_PROPERTIES.isdisjoint(self.mapping(properties)):
            return None
        return "unknown"

    def _texts_in_list(self, node: Seq, nesting: int) -> list[Text]:
        texts: list[Text] = []
        for item in node:
            texts += self.texts(item, nesting + 1)
            if len(texts) > intrinsics.MAX_TEXTS:
                raise intrinsics.too_many_texts(node.location)
        return texts

    def _section(self, parts: Sequence[Map], name: str) -> Map:
        """A section of all parts, later ones laid over earlier ones."""
        self._read_sections.add(name)
        section: Value = Map(UNKNOWN_LOCATION)
        for part in parts:
            section = self._merged(section, self.mapping(part.get(name)))
        return self.mapping(section)

    def _merged(self, first: Value, second: Value, nesting: int = 0) -> Value:
        """``second`` laid over ``first``, as the Serverless Framework merges parts: also within mappings and lists."""
        first = self.step(first, nesting)
        second = self.step(second, nesting)
        if isinstance(first, Map) and isinstance(second, Map):
            return self._merged_mappings(first, second, nesting)
        if isinstance(first, Seq) and isinstance(second, Seq):
            return self._merged_lists(first, second, nesting)
        return first if second is None else second

    def _merged_mappings(self, first: Map, second: Map, nesting: int) -> Map:
        merged = copy(first)  # aliases may share it
        for key, value in second.items():
            if key in first:
                merged[key] = self._merged(first[key], value, nesting + 1)
            else:
                merged[key] = value
        return merged

    def _merged_lists(self, first: Seq, second: Seq, nesting: int) -> Seq:
        """Members in the same position merged; the longer list gives the rest."""
        merged = copy(first)
        for position, value in enumerate(second):
            if position < len(first):
                merged[position] = self._merged(first[position], value, nesting + 1)
            else:
                merged.append(value)
        return merged

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
