"""Reads the policies of tables: what a table itself permits, and to whom.

::

    Orders:
      Type: AWS::DynamoDB::Table
      Properties:
        ResourcePolicy:
          PolicyDocument:
            Statement: [{Effect: Allow, Principal: {AWS: !GetAtt PayRole.Arn}, Action: dynamodb:GetItem, Resource: "*"}]

is a grant of the service whose role ``PayRole`` is. In a table's policy, ``*`` is the table and its indexes.
Source: Amazon DynamoDB Developer Guide, "Using resource-based policies for DynamoDB"; IAM User Guide, "AWS JSON policy
elements: Principal".
"""

import re
from collections.abc import Callable, Iterator
from copy import copy

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.statements import READ_AND_WRITE, PolicyStatement, StatementReader
from ownership.drift.naming import Names
from ownership.drift.readers.intrinsics import TABLE_TYPES
from ownership.drift.readers.template import Template
from ownership.drift.values import PLACEHOLDER, Map, Seq, Text, Value, location_of

# A role, a user, or a session of a role. Others, such as an account, stand for many.
IDENTITY = re.compile(r"arn:[^:]*:(?:iam|sts)::[^:]*:(?:role|user|assumed-role)/(?P<path>.+)")
ANYONE = "a table's policy permits this to anyone whom an account lets in"

# A table's policy that is a resource of its own. Only Terraform has it.
TABLE_POLICY = "aws_dynamodb_resource_policy"

# The service that a principal belongs to, by the principal's node or by the name of a role; None if it is not known.
ServiceOfPrincipal = Callable[[Value, str], str | None]


def table_policies(
    template: Template,
    names: Names,
    diagnostics: Diagnostics,
    service_of: ServiceOfPrincipal,
) -> Iterator[tuple[str, PolicyStatement]]:
    """What the tables of a template permit: service and statement."""
    reader = _TablePolicyReader(template, names, diagnostics, service_of)
    for logical_name, properties in template.of_type(*TABLE_TYPES):
        documents = [properties.get("ResourcePolicy")]
        for replica in template.mappings_in(properties.get("Replicas")):
            documents.append(replica.get("ResourcePolicy"))
        for node in documents:
            if node is not None:
                yield from reader.read(logical_name, node)
    for name, properties in template.of_type(TABLE_POLICY):
        yield from reader.read(name, properties)


class _TablePolicyReader:
    def __init__(
        self,
        template: Template,
        names: Names,
        diagnostics: Diagnostics,
        service_of: ServiceOfPrincipal,
    ) -> None:
        self.template = template
        self.names = names
        self.diagnostics = diagnostics
        self.service_of = service_of

    def read(self, table: str, node: Value) -> Iterator[tuple[str, PolicyStatement]]:
        """The statements of one table's policy, each with the service of its principal."""
        document = self.template.expand(self.template.mapping(node).get("PolicyDocument"))
        if not isinstance(document, Map):
            text = document if isinstance(document, Text) else Text(table, location_of(node))
            reason = "the table's policy can't be resolved"
            self.diagnostics.add_unresolved(text, reason, None, READ_AND_WRITE)
            return
        for statement in self.template.items(document.get("Statement")):
            if isinstance(statement, Map):
                yield from self._statement(table, statement)
            else:
                reason = "the statement is not a mapping"
                self.diagnostics.add_unresolved(statement, reason, None, READ_AND_WRITE)

    def _statement(self, table: str, node: Map) -> Iterator[tuple[str, PolicyStatement]]:
        statement = self._without_principal(table, node)
        for service in self._services(node, statement):
            reader = StatementReader(service, self.template.texts, self.names, self.diagnostics)
            read = reader.read(statement)
            if read is None:
                continue
            if not read.allow:
                note = f"{service}: a Deny in a table's policy is not taken off what the roles permit"
                self.diagnostics.add_note(node.location, note)
                continue
            yield service, read

    def _without_principal(self, table: str, node: Map) -> Map:
        """The statement as a role would have it: about this table, where it says ``*``."""
        statement = copy(node)
        for key in list(statement):
            if key.lower() in ("principal", "notprincipal"):
                del statement[key]
            elif key.lower() == "resource" and self.template.texts(statement[key]) == ["*"]:
                location = location_of(statement[key])
                arn = Map(location, [("Fn::GetAtt", Text(f"{table}.Arn", location))])
                indexes = Map(location, [("Fn::Sub", Text(f"${{{table}.Arn}}/index/*", location))])
                statement[key] = Seq(location, [arn, indexes])
        return statement

    def _services(self, node: Map, statement: Map) -> Iterator[str]:
        """The services of a statement's principals; those that are not known are reported."""
        elements = {key.lower(): value for key, value in node.items()}
        if "notprincipal" in elements:
            self._report_anyone(Text("NotPrincipal", node.location), statement)
        principal = self.template.expand(elements.get("principal"))
        if isinstance(principal, Map):
            # Services of AWS and federated users are no services of the map.
            principal = principal.get("AWS")
        for item in self.template.items(principal):
            service = self.service_of(item, "")
            if service is not None:
                yield service
                continue
            for text in self.template.texts(item):
                service = self._service_in(text)
                if service is None:
                    self._report_anyone(text, statement)
                else:
                    yield service

    def _service_in(self, arn: Text) -> str | None:
        match = IDENTITY.fullmatch(arn)
        if match is None:
            return None
        # A path comes before a role's name, and a session's name behind that of an assumed role.
        parts = match["path"].split("/")
        name = parts[0] if ":assumed-role/" in arn else parts[-1]
        if PLACEHOLDER in name:
            return None
        return self.service_of(None, name)

    def _report_anyone(self, principal: Text, statement: Map) -> None:
        """Report a principal whose service is not known: it may be any."""
        diagnostics = Diagnostics()
        read = StatementReader("", self.template.texts, self.names, diagnostics).read(statement)
        is_deny = read is not None and not read.allow
        if is_deny:
            note = "a Deny in a table's policy is not taken off what the roles permit"
            self.diagnostics.add_note_once(principal.location, note)
        elif read is not None or diagnostics.unresolved:
            self.diagnostics.add_unresolved(principal, ANYONE, None, READ_AND_WRITE)
