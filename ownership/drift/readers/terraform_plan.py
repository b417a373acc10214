"""The resources that a plan or a state of Terraform has: as they are, or as they will be once the plan is applied.

::

    planned_values            what is there after the plan is applied, without what is not known yet
    resource_changes          what of it is known only then (after_unknown), and what the plan forgets
    prior_state               the data sources that were read already
    configuration             which other resources a value that is not known yet comes from
    values                    all resources, of a state

What is sensitive is neither kept nor shown. A resource's location is the file with the resource's address:
``plan.json#module.billing.aws_iam_role.run``.
Source: Terraform and OpenTofu documentation, "JSON Output Format".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ownership.drift.readers.terraform_files import JSON, Object
from ownership.drift.types import Location, printable
from ownership.drift.values import PLACEHOLDER, Map, Seq, Text, Value, placeholder

UNKNOWN = "is known only after apply"
SENSITIVE = "is sensitive, and therefore not read"

PRINCIPALS = ("aws_iam_role", "aws_iam_user", "aws_iam_group")
# What runs in a role, and the attribute with the role's ARN.
ROLE_USERS = {
    "aws_lambda_function": "role",
    "aws_sfn_state_machine": "role_arn",
    "aws_appsync_datasource": "service_role_arn",
    "aws_ecs_task_definition": "task_role_arn",
}

SURROGATE = re.compile("[\ud800-\udfff]")
KEY = r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]'
STEP = re.compile(rf"module\.(?P<name>[\w-]+)(?:{KEY})?")  # of a module's address
OF_RESOURCE = re.compile(
    rf"(?P<data>data\.)?(?P<type>[a-zA-Z]\w*)\.(?P<name>[\w-]+)(?P<key>{KEY})?(?:\.(?P<attribute>\w+))?.*", re.DOTALL
)
OF_MODULE = re.compile(rf"module\.(?P<name>[\w-]+)(?P<key>{KEY})?(?:\.(?P<output>[\w-]+))?.*", re.DOTALL)
OF_VARIABLE = re.compile(r"var\.(?P<name>[\w-]+).*", re.DOTALL)
SEPARATOR = re.compile(r"[.\[]")  # of the steps in a reference
# References whose value is known in every plan.
KNOWN = re.compile(r"(?:each\.key|count|path|terraform|tofu)\b.*", re.DOTALL)
MAX_NESTING = 50  # of references, from module to module
MAX_REFERENCES = 2000  # that one value comes from


def as_object(node: JSON) -> Object:
    """The value as an object; an empty one for anything else."""
    return node if isinstance(node, dict) else {}


def as_list(node: JSON) -> list[JSON]:
    """The value as a list; an empty one for anything else."""
    return node if isinstance(node, list) else []


def as_text(node: JSON) -> str:
    """The value as text; empty for anything else."""
    return node if isinstance(node, str) else ""


def is_unknown(value: Value) -> bool:
    """Whether a value is known only after apply."""
    return isinstance(value, Text) and value.reason is not None and value.reason.text.endswith(UNKNOWN)


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource, or a data source. ``module`` is its module's address, ``key`` that of ``count`` or ``for_each``.

    ``unknown`` and ``sensitive`` have the form of the values, with true for what is so.
    """

    address: str
    module: str
    type: str
    name: str
    is_data: bool
    key: str
    location: Location
    raw_values: Object
    unknown: JSON = None
    sensitive: tuple[JSON, ...] = ()

    @cached_property
    def values(self) -> Map:
        """The values. What is not known, or is sensitive, is a placeholder with the reason."""
        value = self._value("", self.raw_values, self.unknown, self.sensitive)
        return value if isinstance(value, Map) else Map(self.location)

    @property
    def text(self) -> Text:
        """The address."""
        return Text(printable(self.address), self.location)

    @property
    def reference_name(self) -> str:
        """How references name it within its module, without a key."""
        prefix = "data." if self.is_data else ""
        return f"{prefix}{self.type}.{self.name}"

    def _value(self, name: str, node: JSON, unknown: JSON, sensitive: Sequence[JSON]) -> Value:
        if any(mark is True for mark in sensitive):
            return placeholder(self.location, f"{name or 'it'} {SENSITIVE}")
        if unknown is True:
            return placeholder(self.location, f"{name or 'it'} {UNKNOWN}")
        if isinstance(node, list):
            return Seq(self.location, self._members(name, node, unknown, sensitive))
        if isinstance(node, dict) or (isinstance(unknown, dict) and node is None):
            return self._mapping(as_object(node), as_object(unknown), sensitive)
        if node is None:
            return None
        return self._scalar(node)

    def _mapping(self, node: Object, unknown: Object, sensitive: Sequence[JSON]) -> Map:
        result = Map(self.location)
        for key in dict.fromkeys([*node, *unknown]):
            marks = [as_object(mark).get(key) for mark in sensitive]
            result[self._scalar(key)] = self._value(key, node.get(key), unknown.get(key), marks)
        return result

    def _members(self, name: str, node: list[JSON], unknown: JSON, sensitive: Sequence[JSON]) -> Iterator[Value]:
        unknown_members = as_list(unknown)
        for position, member in enumerate(node):
            marks = []
            for mark in sensitive:
                # Of a set, the marks need not stand in the members' order.
                has_any = isinstance(mark, list) and _has_true(mark)
                marks.append(True if has_any and not isinstance(member, dict) else _at(mark, position))
            yield self._value(name, member, _at(unknown_members, position), marks)

    def _scalar(self, node: str | bool) -> Text:
        if isinstance(node, bool):
            return Text(str(node).lower(), self.location)
        return Text(SURROGATE.sub("\ufffd", node).replace(PLACEHOLDER, "\ufffd"), self.location)


def _at(members: JSON, position: int) -> JSON:
    members = as_list(members)
    return members[position] if position < len(members) else None


def _has_true(mark: JSON) -> bool:
    if isinstance(mark, dict):
        return any(_has_true(member) for member in mark.values())
    if isinstance(mark, list):
        return any(_has_true(member) for member in mark)
    return mark is True


@dataclass
class References:
    """What a value that is not known yet comes from: resources, each with the attribute of it, and other things."""

    resources: list[tuple[Resource, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    count: int = 0  # of references that were followed


class Plan:
    """The resources of a plan or a state. ``file`` is its name in reports, ``tables`` what ``--tables`` says."""

    def __init__(self, document: Object, file: str, tables: Mapping[str, str]) -> None:
        self.document = document
        self.file = file
        self.tables = tables
        self.location = Location(file)
        self.resources: dict[str, Resource] = {}
        self._changes = self._changes_by_address()
        planned = as_object(document.get("planned_values") or document.get("values"))
        self._add_module(as_object(planned.get("root_module")), "", only_data=False)
        for change in self._changes.values():
            self._add_change(change)
        prior = as_object(as_object(document.get("prior_state")).get("values"))
        self._add_module(as_object(prior.get("root_module")), "", only_data=True)
        self._by_name: dict[tuple[str, str], list[Resource]] = {}
        self._modules: dict[str, None] = {}
        for resource in self.resources.values():
            self._by_name.setdefault((resource.module, resource.reference_name), []).append(resource)
            self._modules[resource.module] = None
        self._configured: dict[str, dict[str, Object]] = {}

    @cached_property
    def ids(self) -> dict[str, str]:
        """A name for each principal and for what runs in a role, by address: ``billing_run``.

        It has no words of Terraform in it, for the words of a role's name say which service's it is.
        """
        ids: dict[str, str] = {}
        taken: set[str] = set()
        for resource in self.resources.values():
            if resource.is_data or resource.type not in (*PRINCIPALS, *ROLE_USERS):
                continue
            modules = [step["name"] for step in STEP.finditer(resource.module)]
            words = "_".join([*modules, resource.name, resource.key]).strip("_")
            name = re.sub(r"\W", "_", words)
            while name in taken:
                name += "_"
            taken.add(name)
            ids[resource.address] = name
        return ids

    @property
    def is_plan(self) -> bool:
        """Whether it is a plan, and not a state."""
        return "planned_values" in self.document or "resource_changes" in self.document

    def gaps(self) -> Iterator[tuple[Text, str]]:
        """What the plan does not have and what may permit something, each with the reason."""
        whole = Text(self.file, self.location)
        if self.document.get("errored") is True:
            yield whole, "the plan ended with an error, so resources may be missing"
        elif self.document.get("complete") is False:
            yield whole, "the plan covers a part of the configuration only (-target, or deferred changes)"
        for deferred in as_list(self.document.get("deferred_changes")):
            change = as_object(as_object(deferred).get("resource_change"))
            yield self._text(as_text(change.get("address"))), "this resource is deferred, and not in the plan"
        yield from self._provisioners()

    def module_sources(self, module: str) -> list[str]:
        """Where a module comes from, and those around it, outermost first: ``["./services", "../billing"]``."""
        sources = []
        configuration = as_object(as_object(self.document.get("configuration")).get("root_module"))
        for step in STEP.finditer(module):
            call = self._call(configuration, step["name"])
            sources.append(as_text(call.get("source")))
            configuration = as_object(call.get("module"))
        return sources

    def table_name(self, resource: Resource) -> Text:
        """The name of a table; a placeholder where it is not known."""
        if resource.address in self.tables:
            return Text(self.tables[resource.address], resource.location)
        name = resource.values.get("name")
        if isinstance(name, Text) and not is_unknown(name):
            return name
        reason = f"the name of {resource.reference_name} {UNKNOWN} (--tables FILE says which table it is)"
        return placeholder(resource.location, reason)

    def expression(self, resource: Resource, *path: str | int) -> JSON:
        """What the configuration says of an attribute; None if it does not say, or is not there."""
        return _descend(self._configuration_of(resource).get("expressions"), path)

    def references(self, resource: Resource, *path: str | int) -> References:
        """What an attribute comes from."""
        found = References()
        expression = self.expression(resource, *path)
        if expression is None:
            found.others.append("what the configuration does not show")
        else:
            self._follow(_references_in(expression), resource.module, resource.key, found, 0)
        return found

    def _configuration_of(self, resource: Resource) -> Object:
        """What the configuration says of a resource; nothing where it is not there."""
        if resource.module not in self._configured:
            by_name = {}
            for node in as_list(self._configuration(resource.module).get("resources")):
                own = as_object(node)
                prefix = "data." if own.get("mode") == "data" else ""
                by_name[f"{prefix}{own.get('type')}.{own.get('name')}"] = own
            self._configured[resource.module] = by_name
        return self._configured[resource.module].get(resource.reference_name, {})

    def _changes_by_address(self) -> dict[str, Object]:
        changes = {}
        for node in as_list(self.document.get("resource_changes")):
            change = as_object(node)
            # A deposed object is one that is about to go.
            if change.get("deposed") is None:
                changes[as_text(change.get("address"))] = change
        return changes

    def _add_module(self, module: Object, address: str, only_data: bool) -> None:
        for node in as_list(module.get("resources")):
            own = as_object(node)
            is_wanted = not only_data or own.get("mode") == "data"
            name = as_text(own.get("address"))
            if is_wanted and name not in self.resources and not self._goes(name):
                self._add(own, address, as_object(own.get("values")), own.get("sensitive_values"))
        for node in as_list(module.get("child_modules")):
            child = as_object(node)
            self._add_module(child, as_text(child.get("address")), only_data)

    def _goes(self, address: str) -> bool:
        """Whether a resource is deleted or forgotten, and none made in its place."""
        actions = as_list(as_object(self._changes.get(address, {}).get("change")).get("actions"))
        return bool(actions) and all(action in ("delete", "forget") for action in actions)

    def _add_change(self, change: Object) -> None:
        """Add what is not among the planned values: data to be read, and what is forgotten but stays."""
        address = as_text(change.get("address"))
        details = as_object(change.get("change"))
        actions = as_list(details.get("actions"))
        module = as_text(change.get("module_address"))
        if "forget" in actions:
            before = as_object(details.get("before"))
            # Another may take its address.
            forgotten = {**change, "address": f"{address} (forgotten)"}
            self._add(forgotten, module, before, details.get("before_sensitive"))
        elif "delete" not in actions and address not in self.resources:
            self._add(change, module, as_object(details.get("after")), None)

    def _add(self, node: Object, module: str, values: Object, sensitive: JSON) -> None:
        address = as_text(node.get("address"))
        details: Object = {}
        if address in self._changes:
            details = as_object(self._changes[address].get("change"))
        key = node.get("index")
        self.resources[address] = Resource(
            address=address,
            module=module,
            type=as_text(node.get("type")),
            name=as_text(node.get("name")),
            is_data=node.get("mode") == "data",
            key="" if key is None else str(key),
            location=self._location(address),
            raw_values=values,
            unknown=details.get("after_unknown"),
            sensitive=(sensitive, details.get("after_sensitive")),
        )

    def _location(self, address: str) -> Location:
        return Location(f"{self.file}#{printable(SURROGATE.sub(chr(0xFFFD), address))}")

    def _text(self, address: str) -> Text:
        return Text(printable(address), self._location(address))

    def _provisioners(self) -> Iterator[tuple[Text, str]]:
        """The resources that run commands when they are made: those may do anything."""
        for resource in self.resources.values():
            if as_list(self._configuration_of(resource).get("provisioners")):
                yield resource.text, "what its provisioner does is not read, and may permit something"

    def _configuration(self, module: str) -> Object:
        """The configuration of a module, by its address."""
        configuration = as_object(as_object(self.document.get("configuration")).get("root_module"))
        for step in STEP.finditer(module):
            configuration = as_object(self._call(configuration, step["name"]).get("module"))
        return configuration

    def _call(self, configuration: Object, name: str) -> Object:
        return as_object(as_object(configuration.get("module_calls")).get(name))

    def _follow(self, references: Sequence[str], module: str, key: str, found: References, nesting: int) -> None:
        """Find the resources behind references that a module makes; ``key`` is that of the resource that refers."""
        for reference in _longest(references):
            if KNOWN.fullmatch(reference):
                continue
            variable = OF_VARIABLE.fullmatch(reference)
            output = OF_MODULE.fullmatch(reference)
            resource = OF_RESOURCE.fullmatch(reference)
            found.count += 1
            if nesting > MAX_NESTING or found.count > MAX_REFERENCES:
                found.others.append(reference)
            elif variable:
                self._follow_variable(variable["name"], module, found, nesting + 1)
            elif output:
                self._follow_output(output, module, key, found, nesting + 1)
            elif resource and not reference.startswith(("each.", "local.", "self.")):
                self._find(resource, module, key, found)
            else:
                found.others.append(reference)

    def _follow_variable(self, name: str, module: str, found: References, nesting: int) -> None:
        """What the module around passes. A variable of the root module has a value that is known."""
        if not module:
            return
        last = list(STEP.finditer(module))[-1]
        outer = module[: last.start()].rstrip(".")
        call = self._call(self._configuration(outer), last["name"])
        expression = as_object(call.get("expressions")).get(name)
        if expression is not None:
            self._follow(_references_in(expression), outer, "", found, nesting)

    def _follow_output(self, match: re.Match[str], module: str, key: str, found: References, nesting: int) -> None:
        address = f"{module}.module.{match['name']}".lstrip(".")
        configuration = self._configuration(address)
        outputs = as_object(configuration.get("outputs"))
        if match["output"] not in outputs:
            found.others.append(f"module.{match['name']}")
            return
        expression = as_object(outputs[match["output"]]).get("expression")
        for instance in self._instances_of_module(address, match["key"]):
            self._follow(_references_in(expression), instance, key, found, nesting)

    def _instances_of_module(self, address: str, key: str | None) -> list[str]:
        """The addresses of a module's instances; all of them where the reference has no key."""
        if key is not None:
            return [f"{address}{key}"]
        instances: dict[str, None] = {}
        for module in self._modules:
            if module == address or module.startswith((f"{address}.", f"{address}[")):
                rest = module[len(address) :]
                own_key = re.match(KEY, rest)
                instances[address + (own_key[0] if own_key else "")] = None
        return list(instances) or [address]

    def _find(self, match: re.Match[str], module: str, key: str, found: References) -> None:
        name = f"{match['data'] or ''}{match['type']}.{match['name']}"
        candidates = self._by_name.get((module, name), [])
        if match["key"]:
            wanted = match["key"][1:-1].strip('"')
            candidates = [candidate for candidate in candidates if candidate.key == wanted]
        elif key and len(candidates) > 1:
            # `aws_iam_role.run[each.key]`: the one with the same key, if there is one.
            same_key = [candidate for candidate in candidates if candidate.key == key]
            candidates = same_key or candidates
        if not candidates:
            found.others.append(match[0])
        for candidate in candidates:
            found.resources.append((candidate, match["attribute"] or ""))


def _descend(node: JSON, path: Sequence[str | int]) -> JSON:
    for step in path:
        if isinstance(node, dict) and "references" in node:
            return node
        if isinstance(step, int):
            node = _at(node, step)
        else:
            node = as_object(node).get(step)
    return node


def _references_in(expression: JSON) -> list[str]:
    """The references of an expression, and those of the expressions in a block."""
    found: list[str] = []
    if isinstance(expression, dict):
        if "references" in expression:
            return [as_text(name) for name in as_list(expression["references"])]
        for inner in expression.values():
            found += _references_in(inner)
    elif isinstance(expression, list):
        for inner in expression:
            found += _references_in(inner)
    return found


def _longest(references: Sequence[str]) -> list[str]:
    """The references without those that are the beginning of others: Terraform lists ``a.b.c`` and ``a.b``."""
    beginnings = set()
    for name in references:
        for separator in SEPARATOR.finditer(name):
            beginnings.add(name[: separator.start()])
    return [name for name in dict.fromkeys(references) if name not in beginnings]
