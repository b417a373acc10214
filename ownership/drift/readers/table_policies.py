"""Reads the policies of tables: what a table itself permits, and to whom.

::

    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        ResourcePolicy:
          PolicyDocument:
            Statement: [{Effect: Allow, Principal: {AWS: !GetAtt PayRole.Arn}, Action: dynamodb:GetItem, Resource: "*"}]

is a grant of the service whose role ``PayRole`` is. In a table's policy, ``*`` is the table and its indexes. A Deny
takes away what that role is permitted, by its own policies too; one for ``*``, what anybody is.
Source: Amazon DynamoDB Developer Guide, "Using resource-based policies for DynamoDB"; IAM User Guide, "AWS JSON policy
elements: Principal".
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.statements import PolicyStatement, StatementReader
from ownership.drift.naming import Names
from ownership.drift.readers.collector import ServiceRole
from ownership.drift.readers.made_nodes import arn_of
from ownership.drift.readers.template import Template
from ownership.drift.readers.template_nodes import TABLE_TYPES, calls_in, has_branches, referenced
from ownership.drift.types import READ_AND_WRITE, Location
from ownership.drift.values import PLACEHOLDER, Map, Seq, Text, Value, location_of

# A role, a user, or a session of a role. Others, such as an account, stand for many.
IDENTITY = re.compile(r"arn:[^:]*:(?:iam|sts)::[^:]*:(?:role|user|assumed-role)/(?P<path>.+)")
ANYONE = "a table's policy permits this to anyone whom an account lets in"
UNKNOWN_ROLE = "a table's policy permits this to a role whose service is not known (--roles FILE says whose it is)"
NOT_TAKEN_OFF = "a Deny in a table's policy is not taken off what roles permit: for whom it applies is not certain"

# A table's policy that is a resource of its own. Only Terraform has it.
TABLE_POLICY = "aws_dynamodb_resource_policy"

# The service that a role belongs to, by its name; None if it is not known.
ServiceOfRole = Callable[[str], str | None]


@dataclass(frozen=True)
class TablePermissions:
    """What the tables of a template permit and deny.

    - ``permitted``: each statement with the service of its principal, and its role where the template has it.
    - ``denied``: each Deny by the logical name of its role. ``denied_to_all``: those for everyone.
    """

    permitted: list[ServiceRole]
    denied: dict[str, list[PolicyStatement]]
    denied_to_all: list[PolicyStatement]

    def deny(self, roles: Sequence[ServiceRole]) -> None:
        """Add what is denied to the statements of the roles, and of what is permitted to them."""
        for role in (*roles, *self.permitted):
            role.statements.extend(self.denied.get(role.name or "", []))


def table_policies(
    template: Template,
    names: Names,
    diagnostics: Diagnostics,
    roles: Mapping[str, str],
    service_of: ServiceOfRole,
) -> TablePermissions:
    """What the tables of a template permit and deny. ``roles`` are those of the template, each with its service."""
    reader = _TablePolicyReader(template, names, diagnostics, roles, service_of)
    for logical_name, properties in template.of_type(*TABLE_TYPES):
        documents = [properties.get("ResourcePolicy")]
        for replica in template.mappings_in(properties.get("Replicas")):
            documents.append(replica.get("ResourcePolicy"))
        is_certain = not template.condition_of(logical_name)
        for node in documents:
            if node is not None:
                reader.read(logical_name, node, is_certain)
    for name, properties in template.of_type(TABLE_POLICY):
        reader.read(name, properties, True)
    return reader.permissions


@dataclass(frozen=True)
class _Principal:
    """Whom a statement is about: a service, and the role of the template where it is one. Everyone has neither."""

    service: str | None = None
    role: str | None = None


EVERYONE = _Principal()


class _TablePolicyReader:
    def __init__(
        self,
        template: Template,
        names: Names,
        diagnostics: Diagnostics,
        roles: Mapping[str, str],
        service_of: ServiceOfRole,
    ) -> None:
        self.template = template
        self.names = names
        self.diagnostics = diagnostics
        self.roles = roles
        self.service_of = service_of
        self.permissions = TablePermissions([], {}, [])

    def read(self, table: str, node: Value, is_certain: bool) -> None:
        """Read one table's policy. Of one that is not certain to be there, a Deny takes nothing away."""
        document = self.template.expand(self.template.mapping(node).get("PolicyDocument"))
        if not isinstance(document, Map) or calls_in(document):
            text = document if isinstance(document, Text) else Text(table, location_of(node))
            self._unresolved(text, "the table's policy can't be resolved")
            return
        statements = self.template.items_and_whether_certain(document.get("Statement"), is_certain)
        for statement, is_there in statements:
            if isinstance(statement, Text):
                self._unresolved(statement, "the statement is not a mapping")
            elif calls_in(statement):
                self._unresolved(Text(table, statement.location), "the statement can't be resolved")
            else:
                self._read_statement(table, statement, is_there and not has_branches(statement))

    def _unresolved(self, text: Text, reason: str) -> None:
        """Report something that might permit anyone anything."""
        self.diagnostics.add_unresolved(text, reason, None, READ_AND_WRITE)

    def _read_statement(self, table: str, node: Map, is_certain: bool) -> None:
        statement = self._without_principal(table, node)
        for principal in self._principals(node, statement):
            reader = StatementReader(
                principal.service or "", self.template.texts, self.names, self.diagnostics
            )
            read = reader.read(statement)
            if read is None:
                continue
            if read.allow:
                self.permissions.permitted.append(
                    ServiceRole(principal.service or "", [read], principal.role)
                )
            elif is_certain and principal is EVERYONE:
                self.permissions.denied_to_all.append(read)
            elif is_certain and principal.role:
                self.permissions.denied.setdefault(principal.role, []).append(read)
            else:
                self._note_deny(node.location)

    def _note_deny(self, location: Location) -> None:
        self.diagnostics.add_note_once(location, NOT_TAKEN_OFF)

    def _without_principal(self, table: str, node: Map) -> Map:
        """The statement as a role would have it: about this table, where it says ``*``."""
        statement = copy(node)
        for key in list(statement):
            if key.lower() in ("principal", "notprincipal"):
                del statement[key]
            elif key.lower() == "resource" and self.template.texts(statement[key]) == ["*"]:
                location = location_of(statement[key])
                arn = arn_of(table, location)
                indexes = Map(location, [("Fn::Sub", Text(f"${{{table}.Arn}}/index/*", location))])
                statement[key] = Seq(location, [arn, indexes])
        return statement

    def _principals(self, node: Map, statement: Map) -> Iterator[_Principal]:
        """The principals of a statement; those whose service is not known are reported."""
        elements = {key.lower(): value for key, value in node.items()}
        is_deny = set(self.template.texts(elements.get("effect"))) == {"Deny"}
        if "notprincipal" in elements:
            self._report_anyone(Text("NotPrincipal", node.location), statement)
        for item in self._named_principals(elements.get("principal")):
            logical_name = referenced(item)
            if logical_name is not None and logical_name in self.roles:
                yield _Principal(self.roles[logical_name], logical_name)
                continue
            for text in self.template.texts(item):
                known = EVERYONE if is_deny and text == "*" else self._known(text)
                if known is None:
                    self._report_anyone(text, statement)
                else:
                    yield known

    def _named_principals(self, node: Value) -> Iterator[Text | Map]:
        """Whom a statement names, without services of AWS and federated users: they are no services of the map."""
        for principal in self.template.items(node):
            if isinstance(principal, Text) or calls_in(principal):
                yield principal
            else:
                yield from self.template.items(principal.get("AWS"))

    def _known(self, arn: Text) -> _Principal | None:
        """A role or user by its ARN, if the template has it or its name says whose it is."""
        match = IDENTITY.fullmatch(arn)
        if match is None:
            return None
        # A path comes before a role's name, and a session's name behind that of an assumed role.
        parts = match["path"].split("/")
        name = parts[0] if ":assumed-role/" in arn else parts[-1]
        if PLACEHOLDER in name:
            return None
        for logical_name, service in self.roles.items():
            properties = self.template.properties(logical_name)
            if name in self.template.texts(
                properties.get("RoleName") or properties.get("UserName")
            ):
                return _Principal(service, logical_name)
        named = self.service_of(name)
        return None if named is None else _Principal(named)

    def _report_anyone(self, principal: Text, statement: Map) -> None:
        """Report a principal whose service is not known: it may be any."""
        diagnostics = Diagnostics()
        read = StatementReader("", self.template.texts, self.names, diagnostics).read(statement)
        is_deny = read is not None and not read.allow
        if is_deny:
            self._note_deny(principal.location)
        elif read is not None or diagnostics.unresolved:
            reason = UNKNOWN_ROLE if IDENTITY.fullmatch(principal) else ANYONE
            self._unresolved(principal, reason)
