"""Plans and states as ``terraform show -json`` prints them, made by hand after the documented format."""

import json
import re
from pathlib import Path
from typing import Any

from ownership.drift.naming import Names
from ownership.drift.readers.terraform import read_plans
from ownership.drift.types import Infrastructure
from tests.support.drift_projects import names

ADDRESS = re.compile(
    r"(?P<module>(?:module\.[\w-]+(?:\[[^\]]+\])?\.)*)(?P<data>data\.)?(?P<type>\w+)\.(?P<name>[\w-]+)(?:\[(?P<key>.+)\])?"
)
ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/"
ROLE_ARN = "arn:aws:iam::111122223333:role/"

Node = dict[str, Any]


def resource(
    address: str, unknown: Node | None = None, sensitive: Node | None = None, **values: Any
) -> Node:
    """A resource, with what ``change`` in a plan says of it: ``unknown`` is its ``after_unknown``."""
    match = ADDRESS.fullmatch(address)
    node = {
        "address": address,
        "mode": "data" if match["data"] else "managed",
        "type": match["type"],
        "name": match["name"],
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "values": values,
        "sensitive_values": sensitive or {},
        "after_unknown": unknown or {},
        "module": match["module"].rstrip("."),
    }
    if match["key"]:
        node["index"] = json.loads(match["key"])
    return node


def table(address: str, name: str | None, **values: Any) -> Node:
    """A table that is created: its ARN and id are not known yet."""
    stated = {"hash_key": "id", "attribute": [{"name": "id", "type": "S"}]}
    if name is not None:
        stated["name"] = name
    unknown = {"arn": True, "id": True} | ({"name": True} if name is None else {})
    return resource(address, unknown, **stated | values)


def role(address: str, service: str | None, **values: Any) -> Node:
    """A role that is created: what the provider computes is not known yet."""
    match = ADDRESS.fullmatch(address)
    unknown = {
        "arn": True,
        "id": True,
        "unique_id": True,
        "inline_policy": True,
        "managed_policy_arns": True,
    }
    for attribute in values:
        unknown.pop(attribute, None)
    stated = {"name": f"{match['name']}-role", "tags": {"service": service} if service else None}
    return resource(address, unknown, **stated | values)


def policy(*statements: Node) -> str:
    """A policy document as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resources: str | list[str], **more: Any) -> Node:
    """A statement that allows something."""
    return {"Effect": "Allow", "Action": action, "Resource": resources, **more}


def configured(address: str, **references: Any) -> Node:
    """What the configuration says of a resource: attribute → the references in its expression."""
    match = ADDRESS.fullmatch(address)
    return {
        "address": address,
        "mode": "data" if match["data"] else "managed",
        "type": match["type"],
        "name": match["name"],
        "expressions": {attribute: expression(value) for attribute, value in references.items()},
    }


def expression(value: Any) -> Any:
    """``["a.b.arn"]`` as Terraform lists it, with what it begins with; blocks are given as they are."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return value
    references = []
    for name in value:
        references.append(name)
        if name.count(".") > 1:
            references.append(name.rpartition(".")[0])
    return {"references": references}


def plan(*resources: Node, configuration: Node | None = None, **more: Any) -> Node:
    """A plan that creates the resources."""
    changes = []
    for node in resources:
        action = "read" if node["mode"] == "data" else "create"
        change = {
            key: node[key] for key in ("address", "mode", "type", "name", "index") if key in node
        }
        change["module_address"] = node["module"]
        change["change"] = {
            "actions": [action],
            "before": None,
            "after": node["values"],
            "after_unknown": node["after_unknown"],
            "after_sensitive": node["sensitive_values"],
        }
        changes.append(change)
    return {
        "format_version": "1.2",
        "terraform_version": "1.13.4",
        "planned_values": {"root_module": _modules(resources)},
        "resource_changes": changes,
        "configuration": {"root_module": configuration or {}},
        **more,
    }


def state(*resources: Node) -> Node:
    """A state that has the resources."""
    return {"format_version": "1.0", "values": {"root_module": _modules(resources)}}


def _modules(resources: tuple[Node, ...]) -> Node:
    """The resources in their modules, as deep as these are."""
    root: Node = {"resources": []}
    modules = {"": root}
    for node in resources:
        own = {key: value for key, value in node.items() if key not in ("after_unknown", "module")}
        _module(node["module"], modules)["resources"].append(own)
    return root


def _module(address: str, modules: dict[str, Node]) -> Node:
    if address not in modules:
        modules[address] = {"address": address, "resources": []}
        outer = _module(address.rpartition("module.")[0].rstrip("."), modules)
        outer.setdefault("child_modules", []).append(modules[address])
    return modules[address]


def read(
    folder: Path,
    document: Node,
    known: Names | None = None,
    services: dict[str, str] | None = None,
    root: Path | None = None,
) -> Infrastructure:
    """What the reader finds in a document."""
    path = folder / "plan.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    known = known or names(services=("shop", "billing"), tables=("orders", "carts"))
    return read_plans([path], known, services or {}, root)


def reasons(found: Infrastructure) -> list[tuple[str, str]]:
    """Where something is unresolved, by address, and why."""
    return [
        (unresolved.location.file.partition("#")[2], unresolved.reason)
        for unresolved in found.unresolved
    ]
