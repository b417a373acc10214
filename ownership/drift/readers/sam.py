"""SAM's resources as the CloudFormation resources that SAM makes of them, as far as they concern tables.

::

    Pay:
      Type: AWS::Serverless::Function
      Properties: {Tags: {service: shop}, Policies: [{DynamoDBReadPolicy: {TableName: !Ref Orders}}]}

becomes the function ``Pay`` with the role ``PayRole``, whose policy permits to read ``Orders`` and whose tag says whose
it is. ``expanded`` gives a template that the reader of CloudFormation reads like any other.
Source: AWS SAM Developer Guide, "AWS SAM resource and property reference" and "Generated CloudFormation resources".
"""

from collections.abc import Callable, Iterator, Mapping
from copy import copy

from ownership.drift.readers.loops import LOOP
from ownership.drift.readers.made_nodes import arn_of, ref, table_arn
from ownership.drift.readers.node_reader import NodeReader
from ownership.drift.readers.sam_policies import (
    connector_statements,
    has_connectors,
    is_known,
    statements_of,
)
from ownership.drift.readers.template_nodes import (
    INCLUDE,
    branches_of_if,
    calls_in,
    function_name,
    is_no_value,
    referenced,
)
from ownership.drift.types import Location
from ownership.drift.values import (
    Map,
    Seq,
    Text,
    Value,
    as_mapping,
    as_text,
    location_of,
    placeholder,
)

TRANSFORM = "AWS::Serverless-2016-10-31"
FUNCTION = "AWS::Serverless::Function"
STATE_MACHINE = "AWS::Serverless::StateMachine"
SIMPLE_TABLE = "AWS::Serverless::SimpleTable"
GRAPH_API = "AWS::Serverless::GraphQLApi"
CONNECTOR = "AWS::Serverless::Connector"
# What SAM makes of a resource, and what its kind is called in Globals.
MADE_OF = {FUNCTION: "AWS::Lambda::Function", STATE_MACHINE: "AWS::StepFunctions::StateMachine"}
GLOBALS = {FUNCTION: "Function", STATE_MACHINE: "StateMachine"}
TABLES = (SIMPLE_TABLE, "AWS::DynamoDB::Table")
# APIs, whose integrations may act by roles, and what SAM makes of them.
APIS = {
    "AWS::Serverless::Api": "AWS::ApiGateway::RestApi",
    "AWS::Serverless::HttpApi": "AWS::ApiGatewayV2::Api",
    "AWS::Serverless::WebSocketApi": "AWS::ApiGatewayV2::Api",
}
# Properties that are kept, and what they are called in what SAM makes.
PROPERTIES_OF_APIS = {
    "DefinitionBody": "Body",
    "DefinitionUri": "BodyS3Location",
    INCLUDE: INCLUDE,
}
PROPERTIES_OF_FUNCTIONS = {
    "FunctionName": "FunctionName",
    "Name": "Name",
    "CodeUri": "CodeUri",
    "Handler": "Handler",
    INCLUDE: INCLUDE,
}
PROPERTIES_OF_ROLES = {"PermissionsBoundary": "PermissionsBoundary"}
PROPERTIES_OF_TABLES = {"TableName": "TableName"}
KEY_TYPES = {"String": "S", "Number": "N", "Binary": "B"}


def is_sam(body: Map) -> bool:
    """Whether a template is one of SAM."""
    return TRANSFORM in _listed(body.get("Transform"))


def expanded(body: Map) -> Map:
    """The template as SAM makes it."""
    resources = as_mapping(body.get("Resources"))
    expansion = _Expansion(as_mapping(body.get("Globals")), resources, Map(resources.location))
    template = copy(body)
    others = [item for item in _listed(body.get("Transform")) if item != TRANSFORM]
    template["Transform"] = Seq(body.location, others)
    template.pop("Globals", None)
    template["Resources"] = expansion.resources()
    return template


def with_globals(properties: Map, shared: Map) -> Map:
    """Properties, with what Globals say: mappings are merged, and the resource's own values win."""
    merged = copy(shared)
    merged.location = properties.location
    for key, value in properties.items():
        common = shared.get(key)
        if isinstance(common, Map) and isinstance(value, Map) and function_name(value) is None:
            both = copy(common)
            both.update(value)
            merged[key] = both
        else:
            merged[key] = value
    return merged


class _Expansion:
    """Makes resources. ``shared`` is what Globals say, ``around`` are resources outside the loop that is expanded."""

    def __init__(self, shared: Map, resources: Map, around: Map) -> None:
        self.globals = shared
        self.resources_to_make = resources
        self.given = Map(resources.location, [*around.items(), *resources.items()])
        self.made = Map(resources.location)

    def resources(self) -> Map:
        """The resources that SAM makes, and those of CloudFormation as they are."""
        for name, node in self.resources_to_make.items():
            if name.startswith(LOOP):
                self.made[name] = self._loop(node)
            elif isinstance(node, Map):
                location = as_text(name, node.location).location
                self._add(name, node, location)
                self._add_embedded_connectors(name, node, location)
            else:
                self.made[name] = node
        return self.made

    def _add(self, name: str, node: Map, location: Location) -> None:
        MAKERS.get(_type(node), _Expansion._keep)(self, name, node, location)

    def _keep(self, name: str, node: Map, location: Location) -> None:
        """A resource of CloudFormation, as it is."""
        self.made[name] = node

    def _drop(self, name: str, node: Map, location: Location) -> None:
        """A resource that SAM gives no role that could touch a table."""

    def _add_table(self, name: str, node: Map, location: Location) -> None:
        self.made[name] = _resource(TABLES[1], _table(_properties(node)), node)

    def _loop(self, node: Value) -> Value:
        """A loop that makes what SAM makes of the resources in it."""
        if not isinstance(node, Seq) or len(node) != 3:
            return node
        identifier, collection, body = node
        if not isinstance(body, Map):
            return node
        made = _Expansion(self.globals, body, self.given).resources()
        return Seq(node.location, [identifier, collection, made])

    # Functions and state machines

    def _add_with_role(self, name: str, node: Map, location: Location) -> None:
        resource_type = _type(node)
        shared = as_mapping(self.globals.get(GLOBALS[resource_type]))
        properties = with_globals(_properties(node), shared)
        tags = _tag_list(properties.get("Tags"), location)
        made = Map(location, [("Tags", tags), *_stated(properties, PROPERTIES_OF_FUNCTIONS)])
        role_key = "Role" if resource_type == FUNCTION else "RoleArn"
        made[role_key] = properties.get("Role")
        if _may_be_absent(properties.get("Role")):
            role_name = Text(f"{name}Role", location)
            self.made[role_name] = _resource(
                "AWS::IAM::Role", self._role(properties, tags, location), node
            )
            if _is_absent(properties.get("Role")):
                made[role_key] = arn_of(role_name, location)
        resource = _resource(MADE_OF[resource_type], made, node)
        if "Metadata" in node:
            resource["Metadata"] = node["Metadata"]  # says where the code is
        self.made[name] = resource

    def _role(self, properties: Map, tags: Seq, location: Location) -> Map:
        """The role that SAM makes from ``Policies``: names of policies, policy templates and documents."""
        role = Map(location, [("Tags", tags), *_stated(properties, PROPERTIES_OF_ROLES)])
        managed, documents = Seq(location), Seq(location)
        for policy, is_certain in NodeReader().items_and_whether_certain(
            properties.get("Policies")
        ):
            if isinstance(policy, Map) and "Statement" in policy:
                document = Map(policy.location, [("PolicyDocument", policy)])
                documents.append(document if is_certain else _perhaps(document))
            elif isinstance(policy, Map) and function_name(policy) is None:
                documents += _from_templates(policy)
            else:
                managed.append(policy if is_certain else _perhaps(policy))
        role["ManagedPolicyArns"] = managed
        role["Policies"] = documents
        return role

    # APIs

    def _add_api(self, name: str, node: Map, location: Location) -> None:
        """An API with its definition, which may be in another file."""
        resource_type = _type(node)
        shared = as_mapping(self.globals.get(resource_type.rpartition("::")[2]))
        properties = with_globals(_properties(node), shared)
        tags = _tag_list(properties.get("Tags"), node.location)
        made = Map(node.location, [("Tags", tags), *_stated(properties, PROPERTIES_OF_APIS)])
        self.made[name] = _resource(APIS[resource_type], made, node)

    def _add_graph_api(self, name: str, node: Map, location: Location) -> None:
        """The roles of an API's data sources that are tables, unless they have roles of their own."""
        properties = _properties(node)
        kinds = as_mapping(properties.get("DataSources"))
        sources = as_mapping(kinds.get("DynamoDb"))
        if calls_in(properties) or calls_in(kinds) or calls_in(sources):
            self.made[name] = node  # counts as unread: what they make is not known
            return
        tags = _tag_list(properties.get("Tags"), node.location)
        for source_name, source in sources.items():
            self._add_data_source(f"{name}{source_name}", as_mapping(source), tags)

    def _add_data_source(self, name: str, source: Map, tags: Seq) -> None:
        """A data source with its own role; or the role that SAM makes for it."""
        location = source.location
        own_role = source.get("ServiceRoleArn")
        if not _is_absent(own_role):
            made = Map(location, [("ServiceRoleArn", own_role), ("Tags", tags)])
            self.made[Text(name, location)] = _resource("AWS::AppSync::DataSource", made, source)
            return
        arn = source.get("TableArn")
        if arn is None:
            arn = table_arn(source.get("TableName"), location)
        permissions = _listed(source.get("Permissions"))
        if not permissions:
            permissions = [Text("Read", location), Text("Write", location)]
        statements = _connected("AWS::AppSync::DataSource", permissions, arn, location)
        document = Map(location, [("Statement", statements)])
        policy = Map(location, [("PolicyDocument", document)])
        role = Map(location, [("Tags", tags), ("Policies", Seq(location, [policy]))])
        self.made[Text(f"{name}Role", location)] = _resource("AWS::IAM::Role", role, source)

    # Connectors

    def _add_connector(self, name: str, node: Map, location: Location) -> None:
        properties = _properties(node)
        for source in _listed(properties.get("Source")):
            self._connect(name, as_mapping(source), properties, location)

    def _add_embedded_connectors(self, name: str, node: Map, location: Location) -> None:
        for connector_name, connector in as_mapping(node.get("Connectors")).items():
            source = Map(location, [("Id", Text(name, location))])
            self._connect(
                f"{name}{connector_name}", source, _properties(as_mapping(connector)), location
            )

    def _connect(self, name: str, source: Map, properties: Map, location: Location) -> None:
        """What a connector permits its source on the tables that are among its destinations."""
        source_type = self._type_of(source)
        source_type = MADE_OF.get(source_type, source_type)
        permissions = _listed(properties.get("Permissions"))
        statements = Seq(location)
        for destination in _listed(properties.get("Destination")):
            target = as_mapping(destination)
            target_type = self._type_of(target)
            if target_type and target_type not in TABLES:
                continue
            if not has_connectors(source_type):
                self.made[Text(name, location)] = _resource(CONNECTOR, properties, properties)
            elif target_type:
                statements += _connected(source_type, permissions, _arn(target, location), location)
            else:
                statements.append(_unknown_end(target, location))
        if not statements:
            return
        role = source.get("RoleName") or self._role_of(source.get("Id"), location)
        policy = Map(location)
        policy["Roles"] = Seq(location, [role])
        policy["PolicyDocument"] = Map(location, [("Statement", statements)])
        self.made[Text(f"{name}Policy{len(self.made)}", location)] = _resource(
            "AWS::IAM::ManagedPolicy", policy, policy
        )

    def _type_of(self, end: Map) -> str:
        """The type of a connector's source or destination, given itself or as that of a resource."""
        own_type = end.get("Type")
        if isinstance(own_type, Text):
            return str(own_type)
        return _type(self.given.get(str(end.get("Id"))))

    def _role_of(self, name: Value, location: Location) -> Value:
        """A reference to the role of a resource: the one that SAM makes for it, or its own."""
        node = as_mapping(self.given.get(str(name)))
        properties = _properties(node)
        for key in ("Role", "RoleArn", "ServiceRoleArn"):
            if not _is_absent(properties.get(key)):
                logical_name = referenced(properties[key])
                return properties[key] if logical_name is None else ref(logical_name, location)
        return ref(f"{name}Role", location)


def _connected(source_type: str, permissions: list[Value], arn: Value, location: Location) -> Seq:
    """The statements of a connector to one table. A permission that is not known is kept, unresolved."""
    statements = Seq(location)
    for permission in permissions:
        if isinstance(permission, Text) and permission in ("Read", "Write"):
            statements += connector_statements(source_type, permission, arn, location)
        else:
            reason = "the permission is neither Read nor Write"
            statements.append(placeholder(location, reason))
    return statements


def _arn(target: Map, location: Location) -> Value:
    """The ARN of a connector's destination, as it is given or by its logical name."""
    arn = target.get("Arn")
    name = target.get("Id")
    if arn is None and isinstance(name, Text):
        return arn_of(name, location)
    return arn


def _unknown_end(target: Map, location: Location) -> Text:
    """What replaces the statements of a connector whose destination is not known."""
    name = target.get("Id")
    if isinstance(name, Text):
        return placeholder(location, f"there is no resource {name} in the template")
    return placeholder(location, "the connector's destination can't be resolved")


def _perhaps(node: Value) -> Map:
    """The node under a condition: what it permits counts, and what it denies does not."""
    location = location_of(node)
    return Map(
        location,
        [("Fn::If", Seq(location, [Text("", location), node, ref("AWS::NoValue", location)]))],
    )


def _from_templates(policy: Map) -> Iterator[Map]:
    """What the policy templates in a mapping make: a policy each. One that SAM does not have is kept, unresolved."""
    for name, node in policy.items():
        location = as_text(name, policy.location).location
        if not is_known(name):
            reason = f"SAM has no policy template {name}"
            document: Value = placeholder(location, reason)
        else:
            table_name = as_mapping(node).get("TableName")
            statements = statements_of(name, table_name, location)
            if not statements:
                continue
            document = Map(location, [("Statement", Seq(location, statements))])
        yield Map(location, [("PolicyDocument", document)])


def _table(properties: Map) -> Map:
    """The table that SAM makes of a SimpleTable."""
    location = properties.location
    key = as_mapping(properties.get("PrimaryKey"))
    key_name = key.get("Name") or Text("id", location)
    # Not known where a function makes it.
    key_type = Text(KEY_TYPES.get(str(key.get("Type") or "String"), ""), location)
    table = Map(location, _stated(properties, PROPERTIES_OF_TABLES))
    attribute = Map(location, [("AttributeName", key_name), ("AttributeType", key_type)])
    hash_key = Map(location, [("AttributeName", key_name), ("KeyType", Text("HASH", location))])
    table["AttributeDefinitions"] = Seq(location, [attribute])
    table["KeySchema"] = Seq(location, [hash_key])
    return table


def _tag_list(tags: Value, location: Location) -> Seq:
    """Tags as CloudFormation writes them: a list of keys and values."""
    if isinstance(tags, Seq):
        return tags
    listed = Seq(location)
    for key, value in as_mapping(tags).items():
        listed.append(Map(location, [("Key", Text(key, location)), ("Value", value)]))
    return listed


def _stated(properties: Map, names: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
    """Those of the properties that there are, by the names that they have in what SAM makes."""
    for name, made_name in names.items():
        if name in properties:
            yield made_name, properties[name]


def _resource(resource_type: str, properties: Map, node: Map) -> Map:
    resource = Map(node.location)
    resource["Type"] = Text(resource_type, node.location)
    resource["Properties"] = properties
    return resource


def _type(node: Value) -> str:
    return str(as_mapping(node).get("Type") or "")


def _properties(node: Map) -> Map:
    return as_mapping(node.get("Properties"))


def _listed(node: Value) -> list[Value]:
    if node is None:
        return []
    return list(node) if isinstance(node, Seq) else [node]


def _is_absent(node: Value) -> bool:
    return node is None or is_no_value(node)


def _may_be_absent(node: Value) -> bool:
    """Whether a value is left out, or a branch of Fn::If leaves it out."""
    branches = branches_of_if(node)
    if branches is not None:
        return any(is_no_value(branch) for branch in branches)
    return _is_absent(node)


# What is made of a resource of SAM; any other is kept.
MAKERS: dict[str, Callable[[_Expansion, str, Map, Location], None]] = {
    FUNCTION: _Expansion._add_with_role,
    STATE_MACHINE: _Expansion._add_with_role,
    SIMPLE_TABLE: _Expansion._add_table,
    GRAPH_API: _Expansion._add_graph_api,
    CONNECTOR: _Expansion._add_connector,
    "AWS::Serverless::LayerVersion": _Expansion._drop,
    **dict.fromkeys(APIS, _Expansion._add_api),
}
