"""One resource of a plan or a state of Terraform, with its values. What is unknown, or sensitive, is a placeholder.

::

    {"values": {"name": "orders"}, "after_unknown": {"arn": true}, "sensitive_values": {}}

Source: Terraform and OpenTofu documentation, "JSON Output Format".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ownership.drift.readers.terraform_files import JSON, Object
from ownership.drift.types import Location, printable
from ownership.drift.values import PLACEHOLDER, Map, Seq, Text, Value, as_mapping, placeholder

UNKNOWN = "is known only after apply"
SENSITIVE = "is sensitive, and therefore not read"

PRINCIPALS = ("aws_iam_role", "aws_iam_user", "aws_iam_group")
SURROGATE = re.compile("[\ud800-\udfff]")


def as_object(node: JSON) -> Object:
    """The value as an object; an empty one for anything else."""
    return node if isinstance(node, dict) else {}


def object_at(node: JSON, *keys: str) -> Object:
    """The object under these keys, one inside the other; an empty one where there is none."""
    for key in keys:
        node = as_object(node).get(key)
    return as_object(node)


def as_list(node: JSON) -> list[JSON]:
    """The value as a list; an empty one for anything else."""
    return node if isinstance(node, list) else []


def as_text(node: JSON) -> str:
    """The value as text; empty for anything else."""
    return node if isinstance(node, str) else ""


def reference_name(is_data: bool, resource_type: str, name: str) -> str:
    """How references name a resource, or a data source, within its module: ``data.aws_iam_role.run``."""
    if is_data:
        return f"data.{resource_type}.{name}"
    return f"{resource_type}.{name}"


def is_unknown(value: Value) -> bool:
    """Whether a value is known only after apply."""
    reason = value.reason if isinstance(value, Text) else None
    return reason is not None and reason.text.endswith(UNKNOWN)


@dataclass(frozen=True, eq=False)
class TerraformResource:
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
        values = self._value("", self.raw_values, self.unknown, self.sensitive)
        return as_mapping(values)

    @property
    def is_principal(self) -> bool:
        """Whether it is a role, user or group that the configuration makes."""
        return self.type in PRINCIPALS and not self.is_data

    @property
    def text(self) -> Text:
        """The address."""
        return Text(printable(self.address), self.location)

    @property
    def reference_name(self) -> str:
        """How references name it within its module, without a key."""
        return reference_name(self.is_data, self.type, self.name)

    def _value(self, name: str, node: JSON, unknown: JSON, sensitive: Sequence[JSON]) -> Value:
        name = name or "it"
        if True in sensitive:
            return placeholder(self.location, f"{name} {SENSITIVE}")
        if unknown is True:
            return placeholder(self.location, f"{name} {UNKNOWN}")
        match node:
            case list():
                return Seq(self.location, self._members(name, node, unknown, sensitive))
            case str() | bool():
                return self._scalar(node)
            case None if not isinstance(unknown, dict):
                return None
        return self._mapping(as_object(node), as_object(unknown), sensitive)

    def _mapping(self, node: Object, unknown: Object, sensitive: Sequence[JSON]) -> Map:
        result = Map(self.location)
        for key in dict.fromkeys([*node, *unknown]):
            marks = [as_object(mark).get(key) for mark in sensitive]
            result[self._scalar(key)] = self._value(key, node.get(key), unknown.get(key), marks)
        return result

    def _members(
        self, name: str, node: list[JSON], unknown: JSON, sensitive: Sequence[JSON]
    ) -> Iterator[Value]:
        unknown_members = as_list(unknown)
        for position, member in enumerate(node):
            marks = [_mark_of(member, position, mark) for mark in sensitive]
            yield self._value(name, member, member_at(unknown_members, position), marks)

    def _scalar(self, node: str | bool) -> Text:
        if isinstance(node, bool):
            return Text(str(node).lower(), self.location)
        return Text(SURROGATE.sub("\ufffd", node).replace(PLACEHOLDER, "\ufffd"), self.location)


def member_at(members: JSON, position: int) -> JSON:
    """The member of a list at a position; None if there is none."""
    members = as_list(members)
    return members[position] if position < len(members) else None


def _mark_of(member: JSON, position: int, marks: JSON) -> JSON:
    """The mark of a list's member. Of a set, the marks need not stand in the members' order."""
    if not isinstance(member, dict) and _has_true(as_list(marks)):
        return True
    return member_at(marks, position)


def _has_true(mark: JSON) -> bool:
    match mark:
        case dict():
            return any(map(_has_true, mark.values()))
        case list():
            return any(map(_has_true, mark))
    return mark is True
