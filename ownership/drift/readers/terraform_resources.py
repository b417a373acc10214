"""Terraform's resources as what CloudFormation calls them, so that both are read by the same rules.

::

    resource "aws_iam_role_policy" "orders" { role = aws_iam_role.shop.name  policy = … }

is the AWS::IAM::RolePolicy of the role ``shop``. A resource whose type is not known here keeps it, and so counts as
unread unless that type is known to permit nothing (terraform_types.py).
Source: documentation of the AWS provider for Terraform, version 6; AWS CloudFormation Template Reference.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from ownership.drift.readers.role_users import (
    ANY_USER,
    KEYS_OF_ROLES,
    PROFILE_OPTION,
    RUN_ELSEWHERE,
    names_role,
    runs_with_role,
)
from ownership.drift.readers.roles import ROLE_PROPERTIES
from ownership.drift.readers.table_policies import TABLE_POLICY
from ownership.drift.readers.terraform_documents import TABLE, Documents
from ownership.drift.readers.terraform_plan import ROLE_USERS
from ownership.drift.readers.terraform_policies import ByArn, Policies
from ownership.drift.readers.terraform_references import ReferenceFinder
from ownership.drift.readers.terraform_resource import PRINCIPALS, TerraformResource, is_unknown
from ownership.drift.readers.terraform_tables import INDEX, indexes_by_table, table_properties
from ownership.drift.readers.terraform_types import (
    INSTANCE_PROFILE,
    may_act_by_role,
    permits_nothing,
)
from ownership.drift.readers.terraform_values import mapping, not_known
from ownership.drift.role_names import role_name_in_arn
from ownership.drift.values import (
    Map,
    Seq,
    Text,
    Value,
    as_mapping,
    concat,
    known_text,
    members,
    placeholder,
    value_at,
)

# What a policy is attached to: the attribute, and CloudFormation's property.
HOLDERS = {
    "role": "RoleName",
    "role_name": "RoleName",
    "roles": "Roles",
    "user": "UserName",
    "users": "Users",
    "group": "GroupName",
    "groups": "Groups",
}
NAMES_OF_PRINCIPALS = {
    "aws_iam_role": "RoleName",
    "aws_iam_user": "UserName",
    "aws_iam_group": "GroupName",
}
NAMES_OF_USERS = {
    "aws_lambda_function": "function_name",
    "aws_sfn_state_machine": "name",
    "aws_appsync_datasource": "name",
    "aws_ecs_task_definition": "family",
}
NEED_A_ROLE = ("aws_lambda_function", "aws_sfn_state_machine")
ValuePath = tuple[str | int, ...]  # to a value in an attribute
# Tasks and templates of instances, which have roles, and the attributes of a block that names one.
RUN_WITH_ROLES = ("aws_ecs_task_definition", "aws_launch_template", "aws_launch_configuration")
NAMES = ("id", "name")
APIS = ("aws_api_gateway_rest_api", "aws_apigatewayv2_api")
ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d*:role/[\w+=,.@/-]+")
CLOUDFORMATION_USERS = dict(zip(ROLE_USERS, ROLE_PROPERTIES.items(), strict=True))


class ResourceTranslator:
    """Makes a template of a plan's resources. ``policies`` are the managed ones of all files, by ARN."""

    def __init__(self, finder: ReferenceFinder, policies: ByArn) -> None:
        self.plan = finder.plan
        self.finder = finder
        self.documents = Documents(finder)
        self.policies = Policies(self.documents, policies)
        self._principals = _by_text(self._of_type(*PRINCIPALS), "name", "arn")
        # Their own roles are looked at with them.
        self._profiles = _by_text(self._of_type(INSTANCE_PROFILE), "name", "arn")
        self._indexes = indexes_by_table(finder.plan)
        self._readers: dict[str, Callable[[TerraformResource], list[Map]]] = {
            TABLE: self._table,
            INDEX: self._nothing,  # is read with its table
            "aws_dynamodb_resource_policy": self._table_policy,
            "aws_iam_policy": self._nothing,  # permits what it is attached to
            "aws_iam_role_policy": self._inline_policy,
            "aws_iam_user_policy": self._inline_policy,
            "aws_iam_group_policy": self._inline_policy,
            "aws_iam_role_policy_attachment": self._attachment,
            "aws_iam_user_policy_attachment": self._attachment,
            "aws_iam_group_policy_attachment": self._attachment,
            "aws_iam_policy_attachment": self._attachment,
            "aws_iam_role_policy_attachments_exclusive": self._attachment,
            "aws_iam_user_policy_attachments_exclusive": self._attachment,
            "aws_iam_group_policy_attachments_exclusive": self._attachment,
            "aws_iam_user_group_membership": self._membership,
            "aws_iam_group_membership": self._membership,
        }
        self._readers |= dict.fromkeys(PRINCIPALS, self._principal)
        self._readers |= dict.fromkeys(ROLE_USERS, self._role_user)

    def template(self) -> Map:
        """The template: ``{"Resources": …}``."""
        resources = Map(self.plan.location)
        for resource in self.plan.resources.values():
            # A data source makes nothing.
            if resource.is_data:
                continue
            name = self.plan.ids.get(resource.address, str(resource.text))
            for number, made in enumerate(self._made_of(resource)):
                key = name if number == 0 else f"{name} ({number + 1})"
                resources[Text(key, resource.location)] = made
        return Map(self.plan.location, [("Resources", resources)])

    def _made_of(self, resource: TerraformResource) -> list[Map]:
        if resource.type in self._readers:
            return self._readers[resource.type](resource)
        if permits_nothing(resource.type):
            return self._role_uses(resource) if may_act_by_role(resource.type) else []
        return [
            mapping(resource.location, Type=Text(resource.type or "unknown", resource.location))
        ]

    def _nothing(self, resource: TerraformResource) -> list[Map]:
        return []

    def _table(self, resource: TerraformResource) -> list[Map]:
        name = self.plan.table_name(resource)
        indexes = self._indexes.get(resource.address, [])
        properties = table_properties(resource.values, name, indexes)
        return [_resource(resource, "AWS::DynamoDB::Table", **properties)]

    def _table_policy(self, resource: TerraformResource) -> list[Map]:
        document = self.documents.document(resource, "policy")
        if isinstance(document, Map):
            statements = []
            for statement in members(document.get("Statement")):
                statements.append(self._about_table(resource, statement))
            document = mapping(resource.location, Statement=Seq(resource.location, statements))
        return [_resource(resource, TABLE_POLICY, PolicyDocument=document or resource.text)]

    def _about_table(self, resource: TerraformResource, statement: Value) -> Value:
        """A statement of a table's policy with the table's ARN in place of ``*``."""
        if not isinstance(statement, Map):
            return statement
        result = Map(statement.location)
        for key, value in statement.items():
            if key.lower() == "resource" and members(value) == ["*"]:
                value = Seq(resource.location, self._arns_of_table(resource))
            result[key] = value
        return result

    def _arns_of_table(self, resource: TerraformResource) -> list[Text]:
        arn = resource.values.get("resource_arn")
        if isinstance(arn, Text) and not is_unknown(arn):
            return [arn, concat([arn, "/index/*"], resource.location)]
        references = self.finder.references(resource, "resource_arn")
        return self.documents.arns(references, resource.location, "resource_arn")

    def _principal(self, resource: TerraformResource) -> list[Map]:
        values, location = resource.values, resource.location
        name = values.get("name")
        if name is None or is_unknown(name):
            name = values.get("name_prefix")
        documents: list[Value] = []
        # Both are computed where nobody states them.
        if self._is_stated(resource, "managed_policy_arns"):
            documents += self.policies.attached(resource, "managed_policy_arns")
        if self._is_stated(resource, "inline_policy"):
            documents += self._inline_policies(resource)
        policies = []
        for document in documents:
            policies.append(mapping(location, PolicyDocument=document))
        made = mapping(
            location,
            PermissionsBoundary=values.get("permissions_boundary"),
            Tags=_service_tag(resource),
            Policies=Seq(location, policies),
        )
        name = known_text(name)
        if name is not None:
            made[NAMES_OF_PRINCIPALS[resource.type]] = name
        kind = resource.type.removeprefix("aws_iam_").title()
        return [_resource(resource, f"AWS::IAM::{kind}", **made)]

    def _is_stated(self, resource: TerraformResource, attribute: str) -> bool:
        """Whether an attribute has a value, or the configuration gives it one that is known only later."""
        value = resource.values.get(attribute)
        return not is_unknown(value) or self.finder.expression(resource, attribute) is not None

    def _inline_policies(self, resource: TerraformResource) -> list[Value]:
        documents: list[Value] = []
        for position, block in enumerate(members(resource.values.get("inline_policy"))):
            path = ("inline_policy", position, "policy")
            if isinstance(block, Text):
                documents.append(block)  # known only after apply, or sensitive
            # The provider's `inline_policy {}` removes all others.
            elif value_at(block, "policy") is not None:
                documents.append(self.documents.document(resource, *path))
        return documents

    def _inline_policy(self, resource: TerraformResource) -> list[Map]:
        document = self.documents.document(resource, "policy")
        if document is None:
            document = _missing(resource, "policy")
        return [
            _resource(
                resource, "AWS::IAM::Policy", PolicyDocument=document, **self._holders(resource)
            )
        ]

    def _attachment(self, resource: TerraformResource) -> list[Map]:
        attribute = "policy_arns" if resource.type.endswith("_exclusive") else "policy_arn"
        holders = self._holders(resource)
        documents = self.policies.attached(resource, attribute)
        if resource.values.get(attribute) is None:
            documents = [_missing(resource, attribute)]
        made = []
        for document in documents:
            made.append(_resource(resource, "AWS::IAM::Policy", PolicyDocument=document, **holders))
        return made

    def _membership(self, resource: TerraformResource) -> list[Map]:
        """Users and groups together, whichever of them the resource lists."""
        made = []
        holders = self._holders(resource)
        groups = members(holders.get("Groups") or holders.get("GroupName"))
        users = members(holders.get("Users") or holders.get("UserName"))
        for group in groups:
            of_group = {"GroupName": group, "Users": Seq(resource.location, users)}
            made.append(_resource(resource, "AWS::IAM::UserToGroupAddition", **of_group))
        return made

    def _role_user(self, resource: TerraformResource) -> list[Map]:
        resource_type, property_name = CLOUDFORMATION_USERS[resource.type]
        attribute = ROLE_USERS[resource.type]
        made = mapping(resource.location, Tags=_service_tag(resource))
        name = known_text(resource.values.get(NAMES_OF_USERS.get(resource.type, "")))
        if name is not None:
            made["FunctionName"] = name
        role = resource.values.get(attribute)
        if role is not None:
            made[property_name] = self._held(resource, attribute, role)
        elif resource.type in NEED_A_ROLE:
            made[property_name] = _missing(resource, attribute)
        return [_resource(resource, resource_type, **made)]

    def _role_uses(self, resource: TerraformResource) -> list[Map]:
        """What a resource runs in or acts by: roles that are not in the plan are to be reported."""
        roles: list[Value] = []
        for path, value in _roles_named_in(resource.type, resource.values, ()):
            if is_unknown(value):
                roles += self._role_known_later(resource, path)
            elif value not in self._profiles:
                roles.append(self._held(resource, str(path[0]), value))
        if resource.type in APIS:
            roles += self._roles_in_definition(resource)
        if resource.type not in RUN_WITH_ROLES:
            roles += self._runs_elsewhere(resource)
        if not roles:
            return []
        return [
            _resource(
                resource, ANY_USER, Role=Seq(resource.location, roles), Tags=_service_tag(resource)
            )
        ]

    def _runs_elsewhere(self, resource: TerraformResource) -> Iterator[Text]:
        """What replaces tasks and templates of instances that are not in the plan: they have roles of their own."""
        for path, value in _runs_named_in(resource.values, ()):
            if not is_unknown(value):
                if value not in self._runs:
                    yield placeholder(resource.location, RUN_ELSEWHERE)
            elif self.finder.expression(resource, *path) is not None:
                references = self.finder.references(resource, *path)
                types = {other.type for other in references.reached if not other.is_data}
                if references.others or not types or not types.issubset(RUN_WITH_ROLES):
                    yield not_known(resource.location, str(path[-1]), references)

    @cached_property
    def _runs(self) -> set[str]:
        """What the plan's tasks and templates of instances are called."""
        resources = self._of_type(*RUN_WITH_ROLES)
        runs = set(_by_text(resources, "arn", "id", "name", "family"))
        for resource in resources:
            runs.add(f"{resource.values.get('family')}:{resource.values.get('revision')}")
        return runs

    def _roles_in_definition(self, resource: TerraformResource) -> list[Value]:
        """The roles that the integrations of an API act by, as its definition in OpenAPI names them."""
        body = resource.values.get("body")
        if is_unknown(body):
            return self._role_known_later(resource, ("body",))
        arns = ROLE_ARN.findall(known_text(body) or "")
        return [self._held(resource, "body", Text(arn, resource.location)) for arn in arns]

    def _role_known_later(self, resource: TerraformResource, path: ValuePath) -> list[Value]:
        if self.finder.expression(resource, *path) is None:
            return []  # nobody states it, and the provider computes it
        references = self.finder.references(resource, *path)
        roles: list[Value] = []
        is_known = bool(references.resources) and not references.others
        for other, _ in references.resources:
            if other.is_principal:
                roles.append(self._reference(other, resource))
            elif other.type != INSTANCE_PROFILE:
                is_known = False
        if is_known:
            return roles
        return [not_known(resource.location, str(path[-1]), references)]

    def _holders(self, resource: TerraformResource) -> dict[str, Value]:
        """What a policy is attached to, or who is in a group, by CloudFormation's properties."""
        holders: dict[str, Value] = {}
        for attribute, property_name in HOLDERS.items():
            value = resource.values.get(attribute)
            if value is not None:
                found = [self._held(resource, attribute, member) for member in members(value)]
                holders[property_name] = Seq(resource.location, found)
        if not holders:
            holders["RoleName"] = _missing(resource, "role")
        return holders

    def _held(self, resource: TerraformResource, attribute: str, value: Value) -> Value:
        """A principal of the plan as a reference to it, else by name or ARN."""
        if isinstance(value, Text) and not is_unknown(value):
            principal = self._principals.get(value) or self._principals.get(role_name_in_arn(value))
            return value if principal is None else self._reference(principal, resource)
        references = self.finder.references(resource, attribute)
        principals = [other for other, _ in references.resources if other.is_principal]
        if references.others or len(principals) != 1:
            return not_known(resource.location, attribute, references)
        return self._reference(principals[0], resource)

    def _reference(self, principal: TerraformResource, resource: TerraformResource) -> Map:
        return mapping(
            resource.location, Ref=Text(self.plan.ids[principal.address], resource.location)
        )

    def _of_type(self, *types: str) -> list[TerraformResource]:
        """The resources of these types that the configuration makes."""
        return [
            resource
            for resource in self.plan.resources.values()
            if resource.type in types and not resource.is_data
        ]


def _by_text(
    resources: Iterable[TerraformResource], *attributes: str
) -> dict[str, TerraformResource]:
    """The resources by the texts that these attributes are known to have."""
    by_text = {}
    for resource in resources:
        for attribute in attributes:
            text = known_text(resource.values.get(attribute))
            if text is not None:
                by_text[str(text)] = resource
    return by_text


def _roles_named_in(
    resource_type: str, node: Value, path: ValuePath
) -> Iterator[tuple[ValuePath, Text]]:
    """The texts of attributes that name roles, each with its place."""
    if isinstance(node, Seq):
        for position, member in enumerate(node):
            yield from _roles_named_in(resource_type, member, (*path, position))
    if as_mapping(node).get("name") == PROFILE_OPTION:
        # Options are a set, in which the configuration has another order than the values.
        for _, text in _texts_below(as_mapping(node).get("value"), ()):
            yield path[:1], text
    for key, value in as_mapping(node).items():
        own_path = (*path, str(key))
        if names_role(key, resource_type):
            yield from _texts_below(value, own_path)
        else:
            yield from _roles_named_in(resource_type, value, own_path)


def _runs_named_in(node: Value, path: ValuePath) -> Iterator[tuple[ValuePath, Text]]:
    """The texts of attributes that name tasks and templates of instances, each with its place."""
    if isinstance(node, Seq):
        for position, member in enumerate(node):
            yield from _runs_named_in(member, (*path, position))
    for key, value in as_mapping(node).items():
        own_path = (*path, str(key))
        is_name = runs_with_role(key) or (path[-2:-1] == ("launch_template",) and key in NAMES)
        if is_name and isinstance(value, Text):
            if value:
                yield own_path, value
        else:
            yield from _runs_named_in(value, own_path)


def _texts_below(node: Value, path: ValuePath) -> Iterator[tuple[ValuePath, Text]]:
    """The texts under a key that names a role, also in ``{arn = …}`` or ``{authenticated = …}``."""
    match node:
        case Text():
            if node:
                yield path, node
        case Seq():
            for position, member in enumerate(node):
                inner = (*path, position) if isinstance(member, Map) else path
                yield from _texts_below(member, inner)
        case Map():
            for key, value in node.items():
                if key.lower() in KEYS_OF_ROLES:
                    yield from _texts_below(value, (*path, str(key)))


def _resource(resource: TerraformResource, resource_type: str, **properties: Value) -> Map:
    location = resource.location
    return mapping(
        location, Type=Text(resource_type, location), Properties=mapping(location, **properties)
    )


def _missing(resource: TerraformResource, attribute: str) -> Text:
    """What replaces a value that each such resource has, and that the file does not."""
    return placeholder(resource.location, f"{attribute} is not in the file")


def _service_tag(resource: TerraformResource) -> Map | None:
    """The tag ``service``, of the resource or of the provider."""
    for attribute in ("tags", "tags_all"):
        tags = as_mapping(resource.values.get(attribute))
        for key, value in tags.items():
            service = known_text(value)
            if key.lower() == "service" and service is not None:
                return mapping(resource.location, service=service)
    return None
