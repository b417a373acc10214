"""Finds what runs in roles, or acts by them, besides functions and what else the readers know.

::

    Job: {Type: AWS::Glue::Job, Properties: {Role: !ImportValue glue-role, …}}

may read any table, if the role is not in the files. A property names a role if it is called so, in a resource of any
type, and so also of one that AWS adds tomorrow; except where it is known that what the role is for touches no items.
Source: AWS CloudFormation Template Reference, the properties of roles and instance profiles.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ownership.drift.readers.roles import ROLE_PROPERTIES
from ownership.drift.readers.template import Template
from ownership.drift.readers.template_nodes import (
    INCLUDE,
    TABLE_TYPES,
    function_name,
    referenced,
)
from ownership.drift.types import Location
from ownership.drift.values import (
    Map,
    Seq,
    Text,
    Value,
    as_mapping,
    children,
    location_of,
    placeholder,
)

# A user of roles that a reader makes of another form's resource: it has the property Role.
ANY_USER = "Any::RoleUser"
NAMES_ROLE = re.compile(
    r"(?:roles?|rolearns?|rolename|instanceprofile(?:arn|name)?|credentials|credentialsarn)$"
)
# What a service of AWS does by these roles itself: to fetch images, to write logs, to run a cluster's nodes.
PURPOSES_WITHOUT_ITEMS = re.compile(
    r"(?:access|autoscaling|cloudwatch|cluster|cognito|delivery|execution|fargate|logs?|logging|monitoring|notification"
    r"|podexecution|replication|scaling|service-?linked)"
)
# By the execution role of these types, of CloudFormation and of Terraform, code runs; by that of others, such as tasks
# of ECS, an agent starts it.
RUN_BY_EXECUTION_ROLE = (
    "AWS::SageMaker",
    "AWS::Synthetics",
    "AWS::KinesisAnalytics",
    "AWS::KafkaConnect",
    "AWS::EMR",
    "aws_sagemaker_",
    "aws_synthetics_",
    "aws_kinesisanalytics",
    "aws_mskconnect_",
    "aws_emr",
)
# Services whose roles read and write no items: they deploy, copy, store, log, scale and watch.
_SERVICES_WITHOUT_ITEMS = """
ApplicationAutoScaling AutoScalingPlans Backup Chatbot CloudFormation CloudTrail CloudWatch CodeDeploy CodePipeline
Config DAX DLM DocDB EFS Elasticsearch FIS FSx GuardDuty IAM Inspector InspectorV2 Kinesis KinesisFirehose
KinesisVideo KMS LakeFormation Logs Macie MediaLive MSK Neptune NetworkFirewall OpenSearchService Organizations
RAM RDS Route53 S3 SES SNS SQS ServiceCatalog StorageGateway Transfer WAFv2 XRay
"""
SERVICES_WITHOUT_ITEMS = frozenset(_SERVICES_WITHOUT_ITEMS.split())
TYPES_WITHOUT_ITEMS = frozenset(
    {"AWS::ApiGateway::Account", "AWS::EKS::Cluster", "AWS::EC2::FlowLog"}
)
OWN_USERS = "arn:aws:iam::*:user/*"  # API Gateway then acts as whoever calls it
# Keys of what is named, in lower case; the last two are those of an identity pool.
KEYS_OF_ROLES = ("arn", "name", "authenticated", "unauthenticated")
# The option of Elastic Beanstalk that names what its instances run in.
PROFILE_OPTION = "IamInstanceProfile"
# What has a role itself, by the key of what runs it: a container's task, a template of instances.
RUNS_WITH_ROLE = re.compile(
    r"taskdefinition(?:arn)?|launchtemplate(?:id|name)|launchconfiguration(?:name)?"
)
OF_ITSELF = ("AWS::EC2::LaunchTemplate", "AWS::AutoScaling::LaunchConfiguration")
RUN_ELSEWHERE = "what it runs is defined elsewhere, with the role of that"
MAX_DEPTH = 12
INSTANCE_PROFILE = "AWS::IAM::InstanceProfile"
DEFINITION_ELSEWHERE = "the API's definition is in another file, and may name roles"
INCLUDED = "what Fn::Transform makes is not known, and may name roles"


class UserOfRoleElsewhere(NamedTuple):
    """A resource with a role that the template does not have: by the texts that name it.

    So is one with a part that is not in the template, and may name roles.
    """

    name: str
    properties: Map
    roles: list[Text]


def users_of_roles_elsewhere(
    template: Template, made_elsewhere: tuple[str, ...] = ()
) -> Iterator[UserOfRoleElsewhere]:
    """The resources that name a role or an instance profile of no resource in the template.

    ``made_elsewhere`` is how the logical names of roles end that a framework adds to the template.
    """
    for name, node in template.resources.items():
        resource = as_mapping(template.expand(node))
        resource_type = template.text(resource.get("Type")) or ""
        if resource_type in ROLE_PROPERTIES or _uses_no_items(resource_type):
            continue
        if resource_type == ANY_USER:
            template.count_as_read(name)
        properties = as_mapping(template.expand(resource.get("Properties")))
        settings = list(_mappings_below(template, properties, 0))
        roles = list(_roles_elsewhere(template, resource_type, settings, made_elsewhere))
        if resource_type not in TABLE_TYPES:  # their policies are read
            roles += _parts_elsewhere(template, properties)
        if resource_type not in OF_ITSELF:
            roles += _runs_elsewhere(template, settings)
        if roles:
            yield UserOfRoleElsewhere(name, properties, roles)


def _roles_elsewhere(
    template: Template,
    resource_type: str,
    settings: Iterable[Map],
    made_elsewhere: tuple[str, ...],
) -> Iterator[Text]:
    """The texts by which a resource names roles that are not in the template."""
    for value in _roles_named_in(template, resource_type, settings):
        name = referenced(value) or ""
        if name not in template.resources and not name.endswith(made_elsewhere):
            yield from _texts(template, value)


def names_role(key: str, resource_type: str = "") -> bool:
    """Whether a property names a role by which items may be touched."""
    key = key.lower().replace("_", "").replace("-", "")
    match = NAMES_ROLE.search(key)
    if match is None:
        return False
    purpose = key[: match.start()]
    if purpose == "execution" and resource_type.startswith(RUN_BY_EXECUTION_ROLE):
        return True
    return PURPOSES_WITHOUT_ITEMS.fullmatch(purpose) is None


def runs_with_role(key: str) -> bool:
    """Whether a property names a task or a template of instances, which has a role."""
    return RUNS_WITH_ROLE.fullmatch(key.lower().replace("_", "")) is not None


def _uses_no_items(resource_type: str) -> bool:
    """Whether resources of this type are known to use no items, or are none of AWS's."""
    prefix, _, rest = resource_type.partition("::")
    if prefix not in ("AWS", "Any") or resource_type in TYPES_WITHOUT_ITEMS:
        return True
    if resource_type == INSTANCE_PROFILE:
        return False
    return rest.partition("::")[0] in SERVICES_WITHOUT_ITEMS


def _roles_named_in(
    template: Template, resource_type: str, settings: Iterable[Map]
) -> Iterator[Value]:
    """The values of all settings that name roles."""
    for node in settings:
        if template.expand(node.get("OptionName")) == PROFILE_OPTION:
            yield from _values(template, template.expand(node.get("Value")))
        for key, value in node.items():
            if names_role(key, resource_type):
                yield from _values(template, template.expand(value))


def _parts_elsewhere(template: Template, properties: Map) -> Iterator[Text]:
    """What replaces the parts of a resource that are not in the template, each with the reason."""
    if properties.get("BodyS3Location") is not None:
        yield placeholder(properties.location, DEFINITION_ELSEWHERE)
    for value in properties.values():
        for location in _includes(template, value, 0):
            yield placeholder(location, INCLUDED)


def _runs_elsewhere(template: Template, settings: Iterable[Map]) -> Iterator[Text]:
    """What replaces tasks and templates of instances that no resource of the template is, each with the reason."""
    for node in settings:
        for key, value in node.items():
            if not runs_with_role(key):
                continue
            for item in template.items(value):
                if referenced(item) not in template.resources:
                    yield placeholder(location_of(item), RUN_ELSEWHERE)


def _mappings_below(template: Template, node: Map, depth: int) -> Iterator[Map]:
    """A mapping, and those within it, also in lists, without calls of functions."""
    yield node
    if depth == MAX_DEPTH:
        return
    for child in node.values():
        value = template.expand(child)
        if isinstance(value, Map | Seq):
            for inner in template.mappings_in(value):
                if function_name(inner) is None:
                    yield from _mappings_below(template, inner, depth + 1)


def _includes(template: Template, node: Value, depth: int) -> Iterator[Location]:
    """Where ``Fn::Transform`` makes a part of a value."""
    if depth > MAX_DEPTH:
        return
    node = template.expand(node)
    if isinstance(node, Map) and INCLUDE in node:
        yield node.location
    for child in children(node):
        yield from _includes(template, child, depth + 1)


def _values(template: Template, node: Value) -> Iterator[Value]:
    """What names roles under a key: texts and references, also in ``{Arn: …}`` or ``{authenticated: …}``."""
    for item in template.items(node):
        if not isinstance(item, Map) or function_name(item) is not None:
            yield item
            continue
        for key, value in item.items():
            if key.lower() in KEYS_OF_ROLES:
                yield template.expand(value)


def _texts(template: Template, value: Value) -> Iterator[Text]:
    """The texts of what names a role, except for roles that are linked to a service of AWS."""
    for text in template.texts(value):
        is_linked = ":role/aws-service-role/" in text or text.startswith("AWSServiceRole")
        if text and text != OWN_USERS and not is_linked:
            yield text
