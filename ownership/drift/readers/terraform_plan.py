"""The resources that a plan or a state of Terraform has: as they are, or as they will be once the plan is applied.

::

    planned_values            what is there after the plan is applied, without what is not known yet
    resource_changes          what of it is known only then (after_unknown), and what the plan forgets
    prior_state               the data sources that were read already
    configuration             what a value that is not known yet comes from (terraform_references.py)
    values                    all resources, of a state

What is sensitive is neither kept nor shown. A resource's location is the file with the resource's address:
``plan.json#module.billing.aws_iam_role.run``.
Source: Terraform and OpenTofu documentation, "JSON Output Format".
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from ownership.drift.readers.terraform_files import JSON, Object
from ownership.drift.readers.terraform_resource import (
    PRINCIPALS,
    SURROGATE,
    UNKNOWN,
    TerraformResource,
    as_list,
    as_object,
    as_text,
    is_unknown,
    object_at,
    reference_name,
)
from ownership.drift.types import Location, printable
from ownership.drift.values import Text, placeholder

# What runs in a role, and the attribute with the role's ARN.
ROLE_USERS = {
    "aws_lambda_function": "role",
    "aws_sfn_state_machine": "role_arn",
    "aws_appsync_datasource": "service_role_arn",
    "aws_ecs_task_definition": "task_role_arn",
}

KEY = r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]'
STEP = re.compile(rf"module\.(?P<name>[\w-]+)(?P<key>{KEY})?")  # of a module's address


class TerraformPlan:
    """The resources of a plan or a state. ``file`` is its name in reports, ``tables`` what ``--tables`` says."""

    def __init__(self, document: Object, file: str, tables: Mapping[str, str]) -> None:
        self.document = document
        self.file = file
        self.tables = tables
        self.location = Location(file)
        self.resources: dict[str, TerraformResource] = {}
        self._changes = self._changes_by_address()
        planned = document.get("planned_values") or document.get("values")
        self._add_module(object_at(planned, "root_module"), "", only_data=False)
        for change in self._changes.values():
            self._add_change(change)
        prior = object_at(document, "prior_state", "values", "root_module")
        self._add_module(prior, "", only_data=True)
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

    def gaps(self) -> Iterator[tuple[Text, str]]:
        """What the plan does not have and what may permit something, each with the reason."""
        whole = Text(self.file, self.location)
        if self.document.get("errored") is True:
            yield whole, "the plan ended with an error, so resources may be missing"
        elif self.document.get("complete") is False:
            yield (
                whole,
                "the plan covers a part of the configuration only (-target, or deferred changes)",
            )
        for deferred in as_list(self.document.get("deferred_changes")):
            change = object_at(deferred, "resource_change")
            yield (
                self._text(as_text(change.get("address"))),
                "this resource is deferred, and not in the plan",
            )
        yield from self._provisioners()

    def module_sources(self, module: str) -> list[str]:
        """Where a module comes from, and those around it, outermost first: ``["./services", "../billing"]``."""
        sources = []
        configuration = object_at(self.document, "configuration", "root_module")
        for step in STEP.finditer(module):
            call = object_at(configuration, "module_calls", step["name"])
            sources.append(as_text(call.get("source")))
            configuration = object_at(call, "module")
        return sources

    def table_name(self, resource: TerraformResource) -> Text:
        """The name of a table; a placeholder where it is not known."""
        if resource.address in self.tables:
            return Text(self.tables[resource.address], resource.location)
        name = resource.values.get("name")
        if isinstance(name, Text) and not is_unknown(name):
            return name
        reason = f"the name of {resource.reference_name} {UNKNOWN} (--tables FILE says which table it is)"
        return placeholder(resource.location, reason)

    def configuration_of(self, resource: TerraformResource) -> Object:
        """What the configuration says of a resource; nothing where it is not there."""
        if resource.module not in self._configured:
            by_name = {}
            for node in as_list(self.configuration_of_module(resource.module).get("resources")):
                own = as_object(node)
                is_data = own.get("mode") == "data"
                name = reference_name(is_data, str(own.get("type")), str(own.get("name")))
                by_name[name] = own
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
        actions = as_list(object_at(self._changes.get(address), "change").get("actions"))
        return bool(actions) and all(action in ("delete", "forget") for action in actions)

    def _add_change(self, change: Object) -> None:
        """Add what is not among the planned values: data to be read, and what is forgotten but stays."""
        address = as_text(change.get("address"))
        details = object_at(change, "change")
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
        details = object_at(self._changes.get(address), "change")
        key = node.get("index")
        self.resources[address] = TerraformResource(
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
            if as_list(self.configuration_of(resource).get("provisioners")):
                yield (
                    resource.text,
                    "what its provisioner does is not read, and may permit something",
                )

    def configuration_of_module(self, module: str) -> Object:
        """The configuration of a module, by its address."""
        configuration = object_at(self.document, "configuration", "root_module")
        for step in STEP.finditer(module):
            configuration = object_at(configuration, "module_calls", step["name"], "module")
        return configuration
