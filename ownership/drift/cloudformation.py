"""CloudFormation: what intrinsic functions can give, a template's tables and roles, compiled templates.

Source: AWS CloudFormation User Guide, "Intrinsic function reference" and "Pseudo parameters reference".
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any

from ownership.drift.iam import BOTH, Log, Statement, permitted, statement
from ownership.drift.model import Access, Infrastructure, Key, KeySchema, Place, ReadError, TableShape
from ownership.drift.names import Names
from ownership.drift.source import Files, Map, Seq, Text, concat, from_variable, hole

MAX_TEXTS = 1000  # that one value may have, over all branches of its Fn::If
MAX_STEPS = 200_000  # of one template: what a bomb of aliases would exceed
MAX_NESTING = 60
PSEUDO = re.compile(r"\$\{(AWS::\w+)\}|#\{(AWS::\w+)\}")
SUBSTITUTED = re.compile(r"\$\{([^!][^}]*)\}")
TABLE_TYPES = {"AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}

# What AWS's own policies permit on items. Others are listed as unresolved, unless they are known for not
# touching DynamoDB. Source: AWS Managed Policy Reference.
AWS_POLICIES = {
    "AdministratorAccess": "*",
    "PowerUserAccess": "*",
    "AmazonDynamoDBFullAccess": "dynamodb:*",
    "AmazonDynamoDBFullAccess_v2": "dynamodb:*",
    "AmazonDynamoDBFullAccesswithDataPipeline": "dynamodb:*",
    "AmazonDynamoDBReadOnlyAccess": "dynamodb:ReadOnly",
    "ReadOnlyAccess": "dynamodb:ReadOnly",
}
READ_ONLY = (
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
)
WITHOUT_ITEMS = re.compile(
    r"AWSLambda(Basic|VPCAccess|SQSQueue|Kinesis|DynamoDB|MSK)?ExecutionRole|AWSLambda_?(Role|InvokeOnly)\w*|"
    r"AWSXRay\w*|AWSXray\w*|CloudWatch\w*|Amazon(S3|SQS|SNS|SES|SSM|EC2|RDS|Cognito|APIGateway|EventBridge|Kinesis)\w*|"
    r"SecretsManager\w*|AWSStepFunctions\w*|AWSAppSync\w*|AmazonDynamoDBStreams\w*"
)


class Template:
    """A template, of several parts if need be; ``expand`` resolves what stands in for a value (variables)."""

    def __init__(
        self,
        parts: Sequence[Map],
        names: Names,
        log: Log,
        expand: Callable[[Any], Any] = lambda node: node,
        given: Mapping[str, str] | None = None,
    ):
        self.names, self.log, self.expand, self.given = names, log, expand, given or {}
        self.sections: dict[str, dict[str, Any]] = {}
        for name in ("Resources", "Parameters", "Mappings"):
            section = self.sections[name] = {}
            for part in parts:
                content = expand(part.get(name))
                if isinstance(content, Map):
                    section |= content
        self.resources = self.sections["Resources"]
        self._steps = 0

    # What a value may be

    def texts(self, node: Any, nesting: int = 0) -> list[Text]:
        """All texts that a value may have: lists flattened, both branches of Fn::If. Raises ReadError."""
        self._steps += 1
        if self._steps > MAX_STEPS or nesting > MAX_NESTING:
            raise ReadError(
                getattr(node, "place", Place("?")), "takes too many steps to resolve (a bomb of aliases?)"
            )
        node = self.expand(node)
        if isinstance(node, Text):
            return [self._pseudo(node)]
        if isinstance(node, Seq):
            found: list[Text] = []
            for item in node:
                found += self.texts(item, nesting + 1)
                if len(found) > MAX_TEXTS:
                    raise ReadError(node.place, f"has more than {MAX_TEXTS:,} texts")
            return found
        if isinstance(node, Map):
            if len(node) == 1:
                (name, argument), *_ = node.items()
                if name == "Ref" or name.startswith("Fn::"):
                    return list(self._function(str(name), argument, node.place, nesting + 1))
            return [hole(node.place, "a mapping where a text belongs")]
        return []

    def text(self, node: Any) -> Text | None:
        """The one text of a value; None for none."""
        return next(iter(self.texts(node)), None)

    def items(self, node: Any, nesting: int = 0) -> Iterator[Any]:
        """The members of a list: variables resolved, inner lists flattened, both branches of each Fn::If."""
        self._steps += 1
        if self._steps > MAX_STEPS or nesting > MAX_NESTING:
            raise ReadError(
                getattr(node, "place", Place("?")), "takes too many steps to resolve (a bomb of aliases?)"
            )
        node = self.expand(node)
        if isinstance(node, Seq):
            for item in node:
                yield from self.items(item, nesting + 1)
        elif isinstance(node, Map) and isinstance(node.get("Fn::If"), Seq):
            for branch in node["Fn::If"][1:]:
                yield from self.items(branch, nesting + 1)
        elif node is not None and not (isinstance(node, Map) and node.get("Ref") == "AWS::NoValue"):
            yield node

    def mapping(self, node: Any) -> Map:
        """The value as a mapping; an empty one for anything else."""
        node = self.expand(node)
        if isinstance(node, Map):
            return node
        empty = Map()
        empty.place = getattr(node, "place", Place("?"))
        return empty

    def _pseudo(self, text: Text) -> Text:
        """``${AWS::Region}``, and ``#{AWS::Region}`` of a plugin, are known only when deployed."""
        return (
            self._substitute(text, PSEUDO, lambda m: self._reference(m[1] or m[2], text.place))
            if "AWS::" in text
            else text
        )

    @staticmethod
    def _substitute(
        text: Text, pattern: re.Pattern[str], value: Callable[[re.Match[str]], list[Text]]
    ) -> Text:
        pieces, at = [], 0
        for match in pattern.finditer(text):
            pieces += [text.part(at, match.start()), concat(value(match)[:1], text.place)]
            at = match.end()
        return concat([*pieces, text.part(at, len(text))], text.place)

    def _function(self, name: str, argument: Any, place: Place, nesting: int) -> Iterable[Text]:
        if name == "Fn::Sub":
            return self._sub(argument, place, nesting)
        argument = self.expand(argument)
        arguments: list[Any] = argument if isinstance(argument, Seq) else []
        if name == "Ref" and isinstance(argument, Text):
            return self._reference(argument, place, nesting)
        if name == "Fn::GetAtt":
            resource, _, attribute = ".".join(self.texts(argument, nesting)).partition(".")
            return self._attribute(resource, attribute, place, nesting)
        if name == "Fn::If" and len(arguments) == 3:
            return [text for branch in arguments[1:] for text in self.texts(branch, nesting)]
        if name == "Fn::Join" and len(arguments) == 2:
            return self._join(arguments, place, nesting)
        if name == "Fn::FindInMap" and len(arguments) >= 3:
            return self._find_in_map(arguments, place, nesting)
        if name == "Fn::Split" and len(arguments) == 2:
            separator, texts = self.text(arguments[0]), self.texts(arguments[1], nesting)
            return [part for text in texts for part in (text.cut(separator) if separator else [text])]
        if name == "Fn::Select" and len(arguments) == 2:
            index, texts = self.text(arguments[0]), self.texts(arguments[1], nesting)
            if index and index.isdigit() and int(index) < len(texts):
                return [texts[int(index)]]
        return [hole(place, f"{name} is known only when deployed")]

    def _sub(self, argument: Any, place: Place, nesting: int) -> list[Text]:
        argument = self.expand(argument)
        own: Map | None = None
        if isinstance(argument, Seq) and len(argument) == 2:
            argument, own = self.expand(argument[0]), self.mapping(argument[1])
        if not isinstance(argument, Text):
            return [hole(place, "Fn::Sub without a text")]

        def value(match: re.Match[str]) -> list[Text]:
            name = match[1].strip()
            if own is not None and name in own:
                return [from_variable(text, place) for text in self.texts(own[name], nesting)]
            resource, dot, attribute = name.partition(".")
            if dot:
                return self._attribute(resource, attribute, place, nesting)
            return self._reference(name, place, nesting)

        return [self._substitute(argument, SUBSTITUTED, value)]

    def _join(self, arguments: list[Any], place: Place, nesting: int) -> list[Text]:
        separator = self.text(arguments[0]) or Text("", place)
        members = self.expand(arguments[1])
        if isinstance(members, Seq):
            choices = [texts for member in members if (texts := self.texts(member, nesting))]
            rows: Iterable[Sequence[Text]] = islice(product(*choices), MAX_TEXTS)
        else:
            rows = [self.texts(members, nesting)]
        joined = []
        for row in rows:
            pieces = [piece for text in row for piece in (separator, text)][1:]
            joined.append(concat(pieces, place))
        return joined

    def _find_in_map(self, arguments: list[Any], place: Place, nesting: int) -> list[Text]:
        keys = [self.text(argument) for argument in arguments[:3]]
        found: Any = self.sections["Mappings"]
        for key in keys:
            found = self.expand(found.get(key)) if isinstance(found, dict) and key is not None else None
        if found is None:
            return [hole(place, "Fn::FindInMap finds nothing for keys that are known only when deployed")]
        varies = any(v.varies for key in keys if key for v in key.variables)
        return [from_variable(concat([text], place), place, varies) for text in self.texts(found, nesting)]

    def _reference(self, name: str, place: Place, nesting: int = 0) -> list[Text]:
        """What ``Ref`` gives: a parameter's value, or a table's name."""
        if name == "AWS::NoValue":
            return []
        if name == "AWS::Partition":
            return [from_variable("aws", place)]
        if name in self.sections["Parameters"]:
            value = self.given.get(f"param:{name}")
            if value is None:
                value = self.text(self.mapping(self.sections["Parameters"][name]).get("Default"))
            if value is None:
                return [hole(place, f"parameter {name} has no default (--var param:{name}=…)")]
            return [from_variable(value, place, varies=True)]
        if name in self.resources and self._is_table(name):
            return [concat([text], place) for text in self._table_names(name, place, nesting)]
        return [hole(place, f"{name} is known only when deployed")]

    def _attribute(self, name: str, attribute: str, place: Place, nesting: int) -> list[Text]:
        if name in self.resources and self._is_table(name) and attribute in ("Arn", "StreamArn"):
            tail = "" if attribute == "Arn" else "/stream/*"
            return [
                concat(["arn:aws:dynamodb:*:*:table/", text, tail], place)
                for text in self._table_names(name, place, nesting)
            ]
        return [hole(place, f"{name}.{attribute} is known only when deployed")]

    # Tables

    def _is_table(self, name: str) -> bool:
        return self.mapping(self.resources[name]).get("Type") in TABLE_TYPES

    def _table_names(self, name: str, place: Place, nesting: int = 0) -> list[Text]:
        properties = self.mapping(self.mapping(self.resources[name]).get("Properties"))
        if properties.get("TableName") is None:
            return [hole(place, f"table {name} has no TableName: its name is made when it is deployed")]
        return self.texts(properties["TableName"], nesting + 1)

    def tables(self) -> list[TableShape]:
        """The tables that the template deploys, by base name."""
        found = []
        for name in self.resources:
            if not self._is_table(name):
                continue
            place = name.place if isinstance(name, Text) else self.mapping(self.resources[name]).place
            properties = self.mapping(self.mapping(self.resources[name]).get("Properties"))
            types = {
                str(self.text(item.get("AttributeName"))): self.text(item.get("AttributeType"))
                for item in map(self.mapping, self.items(properties.get("AttributeDefinitions")))
            }
            indexes = [
                (str(self.text(item.get("IndexName"))), self._key_schema(item, types))
                for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
                for item in map(self.mapping, self.items(properties.get(kind)))
            ]
            if "ResourcePolicy" in properties:
                self.log.note(place, f"{name} has a policy of its own (ResourcePolicy), which is not read")
            for text in self._table_names(name, place):
                if base := self.names.table(text):
                    schema = self._key_schema(properties, types)
                    found.append(TableShape(base, schema, tuple(sorted(indexes, key=str)), (place,)))
                else:
                    self.log.unresolve(
                        Text(str(name), place, text.variables), "the table's name can't be resolved"
                    )
        return found

    def _key_schema(self, holder: Map, types: Mapping[str, str | None]) -> KeySchema | None:
        keys = {}
        for item in map(self.mapping, self.items(holder.get("KeySchema"))):
            name, role = self.text(item.get("AttributeName")), self.text(item.get("KeyType"))
            if name is not None and not name.reason:
                kind = types.get(str(name))
                keys[str(role)] = Key(str(name), str(kind) if kind else None)
        return KeySchema(keys["HASH"], keys.get("RANGE")) if "HASH" in keys else None

    # Roles

    def roles(self) -> Iterator[tuple[str, Map]]:
        """The roles of the template: logical name and properties."""
        for name, node in self.resources.items():
            resource = self.mapping(node)
            if resource.get("Type") == "AWS::IAM::Role":
                yield str(name), self.mapping(resource.get("Properties"))

    def role_statements(self, service: str, role: str, properties: Map) -> list[Statement]:
        """The statements of a role: its own policies, managed ones, and those attached to it."""
        found = []
        for policy in map(self.mapping, self.items(properties.get("Policies"))):
            found += self.document(service, policy.get("PolicyDocument"))
        for node, place in self._members(properties.get("ManagedPolicyArns")):
            found += self.managed(service, node, place)
        for policy in self._policies():
            if policy.get("PolicyDocument") is not None and role in self._attached_to(policy):
                found += self.document(service, policy.get("PolicyDocument"))
        return found

    def detached(self) -> list[Map]:
        """The policies of the template that name a role which is not in it."""
        own = {name for name, _ in self.roles()}
        return [policy for policy in self._policies() if self._attached_to(policy) - own]

    def _policies(self) -> list[Map]:
        types = {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}
        resources = map(self.mapping, self.resources.values())
        return [self.mapping(r.get("Properties")) for r in resources if r.get("Type") in types]

    def _attached_to(self, policy: Map) -> set[str]:
        members = [node for node, _ in self._members(policy.get("Roles"))]
        members += [node for node, _ in self._members(policy.get("RoleName"))]
        return {str(node.get("Ref")) if isinstance(node, Map) else str(self.text(node)) for node in members}

    def _members(self, node: Any) -> Iterator[tuple[Any, Place]]:
        for item in self.items(node):
            yield item, getattr(item, "place", Place("?"))

    def managed(self, service: str, node: Any, place: Place) -> list[Statement]:
        """The statements of a managed policy: of this template, or of AWS."""
        if isinstance(node, Map) and isinstance(node.get("Ref"), Text) and node["Ref"] in self.resources:
            resource = self.mapping(self.resources[node["Ref"]])
            return self.document(service, self.mapping(resource.get("Properties")).get("PolicyDocument"))
        found = []
        for text in self.texts(node):
            name = text.rpartition("/")[2]
            actions = AWS_POLICIES.get(name) if ":policy/" in text else None
            if actions is not None:
                wide = READ_ONLY if actions == "dynamodb:ReadOnly" else (actions,)
                body = Map(Effect=Text("Allow", place), Resource=Text("*", place))
                body["Action"] = Seq(Text(action, place) for action in wide)
                body.place = body["Action"].place = place
                found += self.statements(service, body)
            elif not (WITHOUT_ITEMS.fullmatch(name) and ":policy/" in text):
                reason = "what this managed policy permits is not stated here"
                self.log.unresolve(text, reason, service, BOTH)
        return found

    def document(self, service: str, node: Any) -> list[Statement]:
        """The statements of a policy document."""
        document = self.expand(node)
        if isinstance(document, Text):
            self.log.unresolve(document, "a policy document that is no mapping", service, BOTH)
        return self.statements(service, self.mapping(document).get("Statement"))

    def statements(self, service: str, node: Any) -> list[Statement]:
        """The statements of a list, or of one statement standing alone."""
        found = []
        for item in self.items(node):
            if isinstance(item, Map):
                read = statement(item, self.texts, service, self.names, self.log)
                if read:
                    found.append(read)
            elif isinstance(item, Text):
                self.log.unresolve(item, "a statement that is no mapping", service, BOTH)
        return found


def read_templates(
    paths: Sequence[Path], names: Names, given: Mapping[str, str], services: Mapping[str, str]
) -> Infrastructure:
    """Read compiled templates. ``services`` maps a role, by logical or physical name, to its service.

    Without such an entry it is the service of its tag ``service``, else the one that its name speaks of.
    """
    log = Log()
    roles: dict[str, list[Sequence[Statement]]] = defaultdict(list)
    tables: list[TableShape] = []
    for path in paths:
        files = Files(path.parent)
        try:
            body = files.load(path.resolve())
            if not isinstance(body, Map) or not isinstance(body.get("Resources"), Map):
                raise ReadError(
                    Place(files.shown(path.resolve()), 1), "is no CloudFormation template: no Resources"
                )
            template = Template([body], names, log, given=given)
            for role, properties in template.roles():
                service = _service_of(template, role, properties, services)
                if service is None:
                    place = Text(role, properties.place)
                    log.unresolve(place, "whose role this is: give a tag `service`, or --roles", None, ())
                    continue
                roles[service].append(template.role_statements(service, role, properties))
            for policy in template.detached():
                log.unresolve(Text("policy", policy.place), "is attached to a role outside of the template")
            tables += template.tables()
        except ReadError as error:
            log.fail(error)
    return finish("cloudformation", roles, tables, names, log)


def _service_of(template: Template, role: str, properties: Map, services: Mapping[str, str]) -> str | None:
    name = template.text(properties.get("RoleName"))
    known = [role, *([str(name)] if name else [])]
    for each in known:
        if each in services:
            return services[each]
    for tag in map(template.mapping, template.items(properties.get("Tags"))):
        if str(template.text(tag.get("Key"))).lower() == "service" and (
            value := template.text(tag.get("Value"))
        ):
            return template.names.service([str(value)], None) or str(value)
    return template.names.role(known)


def finish(
    reader: str,
    roles: Mapping[str, Sequence[Sequence[Statement]]],
    tables: Iterable[TableShape],
    names: Names,
    log: Log,
) -> Infrastructure:
    """Evaluate what was read: patterns are matched with the tables of the map and those that are deployed."""
    shapes: dict[str, TableShape] = {}
    for table in tables:  # one table in several templates: the places add up
        before = shapes.get(table.name)
        places = (before.places if before else ()) + table.places
        shapes[table.name] = TableShape(table.name, table.key_schema, table.indexes, places)
    grants: dict[Access, tuple[Place, ...]] = {}
    for service, own in roles.items():
        grants |= permitted(service, own, names.tables | shapes.keys(), names, log)
    return Infrastructure(
        reader=reader,
        grants=grants,
        tables=tuple(shapes.values()),
        services=frozenset(roles),
        unresolved=tuple(log.unresolved),
        notes=tuple(log.notes),
        errors=tuple(log.errors.values()),
    )
