"""The tables and roles of CloudFormation templates; reader of compiled ones."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ownership.drift.iam.policies import BOTH, Log, Role, Statement, permitted, statement
from ownership.drift.naming import Names, stranger
from ownership.drift.readers.intrinsics import TABLES, Template
from ownership.drift.readers.yaml_values import HOLE, Files, Map, Seq, Text, real
from ownership.drift.types import GrantedAccess, Infrastructure, KeyAttribute, Keys, Location, ReadError, TableShape

# What AWS's own policies permit on items. Others are listed as unresolved, unless they are known for not
# touching DynamoDB. Source: AWS Managed Policy Reference.
READ_ONLY = "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:PartiQLSelect dynamodb:Query dynamodb:Scan"
AWS_POLICIES = {
    "AdministratorAccess": "*",
    "PowerUserAccess": "*",
    "AmazonDynamoDBFullAccess": "dynamodb:*",
    "AmazonDynamoDBFullAccess_v2": "dynamodb:*",
    "AmazonDynamoDBFullAccesswithDataPipeline": "dynamodb:*",
    "AmazonDynamoDBReadOnlyAccess": READ_ONLY,
    "AmazonEC2RoleforDataPipelineRole": "dynamodb:*",
    "ReadOnlyAccess": READ_ONLY,
}
WITHOUT_ITEMS = re.compile(
    r"AWSLambda(Basic|VPCAccess|SQSQueue|Kinesis|DynamoDB|MSK)?ExecutionRole|AWSLambda_?(Role|InvokeOnly)\w*|"
    r"AWSX[Rr]ay\w*|Amazon(S3|SQS|SNS|SES|SSM|EC2|RDS|Cognito|APIGateway|EventBridge|Kinesis|DynamoDBStreams)\w*|"
    r"CloudWatch\w*|SecretsManager\w*|AWSStepFunctions\w*|AWSAppSync\w*"
)
POLICIES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")


def tables(template: Template, names: Names, log: Log) -> list[TableShape]:
    """The tables that a template deploys, by base name."""
    found = []
    for name, properties in template.of_type(*TABLES):
        place = name.place if isinstance(name, Text) else properties.place
        types = {
            template.text(item.get("AttributeName")): template.text(item.get("AttributeType"))
            for item in template.mappings_in(properties.get("AttributeDefinitions"))
        }
        indexes = []
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            for item in template.mappings_in(properties.get(kind)):
                stated = template.text(item.get("IndexName")) or Text(HOLE, item.place)
                if index := names.table(stated) if stated.variables else str(stated):
                    indexes.append((index.replace(HOLE, "…"), _key_schema(template, item, types)))
                else:
                    log.unresolve(stated, "the index's name can't be resolved")
        if "ResourcePolicy" in properties:
            log.note(place, f"{name} has a policy of its own (ResourcePolicy), which is not read")
        for text in template.table_names(name, place):
            if base := names.table(text):
                schema = _key_schema(template, properties, types)
                found.append(TableShape(base, schema, tuple(sorted(indexes, key=str)), (place,)))
            else:
                log.unresolve(Text(name, place, text.variables), "the table's name can't be resolved")
    return found


def _key_schema(template: Template, holder: Map, types: Mapping[Text | None, Text | None]) -> Keys | None:
    keys = {}
    for item in template.mappings_in(holder.get("KeySchema")):
        name = template.text(item.get("AttributeName"))
        if name is not None and not name.reason:
            kind = types.get(name)
            keys[template.text(item.get("KeyType"))] = KeyAttribute(str(name), str(kind) if kind else None)
    return Keys(keys["HASH"], keys.get("RANGE")) if "HASH" in keys else None  # type: ignore[index,call-overload]


class Policies:
    """Reads what the policies of a template permit a service."""

    def __init__(self, service: str, template: Template, names: Names, log: Log):
        self.service, self.template, self.names, self.log = service, template, names, log

    def statements(self, node: Any) -> list[Statement]:
        """The statements of a list, or of one that stands alone."""
        found = []
        for item in self.template.items(node):
            if isinstance(item, Map):
                found.append(statement(item, self.template.texts, self.service, self.names, self.log))
            else:
                self.log.unresolve(item, "a statement that is no mapping", self.service, BOTH)
        return [each for each in found if each]

    def document(self, node: Any) -> list[Statement]:
        """The statements of a policy document."""
        document = self.template.expand(node)
        if isinstance(document, Text):
            self.log.unresolve(document, "a policy document that is no mapping", self.service, BOTH)
        return self.statements(self.template.mapping(document).get("Statement"))

    def managed(self, node: Any) -> list[Statement]:
        """The statements of a list of managed policies: of this template, of AWS, or made elsewhere."""
        found = []
        own = dict(self.template.of_type("AWS::IAM::ManagedPolicy"))
        for item in self.template.items(node):
            if isinstance(item, Map) and item.get("Ref") in own:
                found += self.document(own[item["Ref"]].get("PolicyDocument"))
                continue
            for text in self.template.texts(item):
                name = text.rpartition(":policy/")[2].rpartition("/")[2]
                if actions := AWS_POLICIES.get(name):
                    allow = Map(Effect=Text("Allow", text.place), Resource=Text("*", text.place))
                    allow["Action"] = Seq(Text(action, text.place) for action in actions.split())
                    allow.place = allow["Action"].place = text.place
                    found += self.statements(allow)
                elif not WITHOUT_ITEMS.fullmatch(name):
                    reason = "what this managed policy permits is not stated here"
                    self.log.unresolve(text, reason, self.service, BOTH)
        return found

    def within(self, boundary: Any) -> None:
        """Point out a permissions boundary, which grants nothing and may keep off what is granted."""
        if boundary is not None:
            place = getattr(boundary, "place", self.template.mapping(None).place)
            self.log.note(place, f"{self.service}: granted only within a permissions boundary, which is not read")

    def role(self, name: str, properties: Map) -> list[Statement]:
        """The statements of a role: its own policies, managed ones, and those attached to it."""
        resource = self.template.mapping(self.template.resources.get(name))
        if isinstance(stated := self.template.expand(resource.get("Properties")), Text):
            self.log.unresolve(stated, "a role that can't be resolved", self.service, BOTH)
        self.within(properties.get("PermissionsBoundary"))
        found = self.managed(properties.get("ManagedPolicyArns"))
        for policy in self.template.items(properties.get("Policies")):
            if isinstance(policy, Map):
                found += self.document(policy.get("PolicyDocument"))
            else:
                self.log.unresolve(policy, "a policy that can't be resolved", self.service, BOTH)
        for policy, roles in attached(self.template):
            if name in roles:
                found += self.document(policy.get("PolicyDocument"))
        return found


def list_unread(template: Template, service: str | None, log: Log) -> None:
    """List what stands where a mapping belongs as unresolved: an include without its file, most often."""
    places = {text.place for text in template.unread.values()}
    places -= {one.location for one in log.unresolved if one.service == service} if places else set()
    for text in template.unread.values():
        if text.place in places:
            log.unresolve(text, "is no mapping", service)


def roles(template: Template) -> dict[str, Map]:
    """The roles of a template: logical name → properties."""
    return dict(template.of_type("AWS::IAM::Role"))


def attached(template: Template) -> list[tuple[Map, set[str]]]:
    """The policies of a template that stand apart from a role, with the roles that they are attached to."""
    found = []
    for _, policy in template.of_type(*POLICIES):
        members = [*template.items(policy.get("Roles")), *template.items(policy.get("RoleName"))]
        found.append((policy, {str(m.get("Ref")) if isinstance(m, Map) else str(m) for m in members}))
    return found


def read_templates(
    paths: Sequence[Path], names: Names, given: Mapping[str, str], services: Mapping[str, str]
) -> Infrastructure:
    """Read compiled templates. ``services`` maps a role, by logical or physical name, to its service.

    Without such an entry it is the service of its tag ``service``, else the one that its name speaks of.
    """
    log = Log()
    found: dict[str, list[Role]] = defaultdict(list)
    deployed: list[TableShape] = []
    exports: dict[str, list[Text]] = {}
    paths = [real(path) for path in paths]
    files = Files(Path(os.path.commonpath([path.parent for path in paths])))

    def read(path: Path, last: bool) -> bool:
        own = Log()
        try:
            body = files.load(path)
            if not isinstance(body, Map) or not isinstance(body.get("Resources"), Map):
                raise ReadError(Location(files.shown(path), 1), "has no Resources: is it a template?")
            template = Template([body], given=given, exports=exports)
            roles_here = _roles(template, names, services, own)
            tables_here = tables(template, names, own)
        except ReadError as error:
            log.fail(error)
            return True
        if template.misses and not last:
            return False
        list_unread(template, None, own)
        for service, role in roles_here:
            found[service].append(role)
        deployed.extend(tables_here)
        log.add(own)
        return True

    read_all(paths, read)
    return evaluate("cloudformation", found, deployed, names, log)


def read_all(paths: Iterable[Path], read: Callable[[Path, bool], bool]) -> None:
    """Read each; once more, as the ``last`` time, what imports something that was not known by then."""
    for path in [path for path in paths if not read(path, False)]:
        read(path, True)


def _roles(template: Template, names: Names, services: Mapping[str, str], log: Log) -> list[tuple[str, Role]]:
    """The roles of a template, each with its service; of which service one is that isn't known, is logged."""
    found: list[tuple[str, Role]] = []
    own = roles(template)
    for name, properties in own.items():
        if service := _service_of(template, name, properties, names, services):
            found.append((service, Policies(service, template, names, log).role(name, properties)))
        else:
            reason = "whose role this is isn't known: tag it `service`, or give --roles"
            log.unresolve(Text(name, properties.place), reason)
    for policy, holders in attached(template):
        if holders - own.keys():
            log.unresolve(Text("policy", policy.place), "is attached to a role outside of the template")
    return found


def _service_of(
    template: Template, role: str, properties: Map, names: Names, services: Mapping[str, str]
) -> str | None:
    known = [role, *map(str, template.texts(properties.get("RoleName"))[:1])]
    for name in known:
        if name in services:
            return services[name]
    for tag in template.mappings_in(properties.get("Tags")):
        value = template.text(tag.get("Value"))
        if value and str(template.text(tag.get("Key"))).lower() == "service":
            return names.service((), value) or stranger(value)
    return names.role(known)


def evaluate(
    reader: str, found: Mapping[str, Sequence[Role]], deployed: Iterable[TableShape], names: Names, log: Log
) -> Infrastructure:
    """What was read as grants; patterns are matched with the tables of the map and those deployed."""
    shapes: dict[str, TableShape] = {}
    for table in deployed:  # one table in several templates: the places add up
        before = shapes.get(table.name, replace(table, locations=()))
        if (before.key_schema, before.indexes) != (table.key_schema, table.indexes):
            said = f"{table.name} has other keys or indexes here than in {before.locations[-1]}: these count"
            log.note(table.locations[0], said)
        shapes[table.name] = replace(table, locations=before.locations + table.locations)
    known = sorted(names.tables | shapes.keys())
    grants: dict[GrantedAccess, tuple[Location, ...]] = {}
    for service, own in found.items():
        grants |= permitted(service, own, known, names, log)
    return Infrastructure(
        reader=reader,
        grants=grants,
        tables=tuple(shapes.values()),
        services=frozenset(found),
        unresolved=tuple(log.unresolved),
        notes=tuple(log.notes),
        errors=tuple(log.errors.values()),
    )
