"""What ``Ref`` and ``Fn::GetAtt`` give: values of parameters, names and ARNs of resources, outputs of nested stacks.

::

    !Ref Stage                     dev, if that is the default of the parameter
    !GetAtt Orders.Arn             arn:aws:dynamodb:*:*:table/orders
    !GetAtt Tables.Outputs.Arn     what the nested stack puts out
    !GetAtt Queue.Arn              arn:aws:sqs:*:*:*, for it is no table's

What only a deployment knows is a placeholder with the reason.
Source: AWS CloudFormation User Guide, "Ref", "Fn::GetAtt" and "Pseudo parameters reference".
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ownership.drift.environment_words import names_environment
from ownership.drift.readers.template_nodes import (
    MANAGED_POLICY,
    ROLE,
    TABLE_TYPES,
    is_function_name,
    name_by_place,
)
from ownership.drift.types import Location
from ownership.drift.values import (
    PLACEHOLDER,
    Map,
    Text,
    as_text,
    concat,
    from_variable,
    placeholder,
    readable,
)

if TYPE_CHECKING:
    from ownership.drift.readers.template import Template

PSEUDO_PARAMETERS: dict[str, list[str]] = {
    "AWS::NoValue": [],
    "AWS::Partition": ["aws"],
}
PARAMETER_STORE = (
    "AWS::SSM::Parameter::Value"  # a parameter of this type is the name of one in Parameter Store
)
# Attribute of a table (none for Ref) → the text before and after the table's name.
TABLE_ATTRIBUTES = {
    "": ("", ""),
    "Arn": ("arn:aws:dynamodb:*:*:table/", ""),
    "StreamArn": ("arn:aws:dynamodb:*:*:table/", "/stream/*"),
}
AWS_TYPE = re.compile(r"AWS::(\w+)::")
REF_IS_ARN = {
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}


def reference(template: "Template", name: str, location: Location, nesting: int = 0) -> list[Text]:
    """What ``Ref`` gives for ``Name``, and ``Fn::GetAtt`` for ``Name.Attribute``."""
    if name.startswith("AWS::"):
        return _pseudo_parameter(template, name, location)
    if name in template.parameters:
        return _parameter(template, name, location, nesting)
    logical_name, _, attribute = name.partition(".")
    if attribute.startswith("Outputs."):
        nested = template.nested_stack(logical_name)
        if nested is not None:
            return _output(nested, logical_name, attribute, location, nesting)
    table_names = template.table_names(logical_name, location, nesting)
    # Region and account are wildcards: a table of the template is in the stack's own.
    if table_names and attribute in TABLE_ATTRIBUTES:
        before, after = TABLE_ATTRIBUTES[attribute]
        return [concat([before, table_name, after], location) for table_name in table_names]
    arn = _arn_of_other_resource(template, name, nesting)
    if arn:
        return [Text(arn, location)]
    if logical_name not in template.resources:
        return [_missing(template, name, logical_name, location)]
    return [known_when_deployed(name, location)]


def _pseudo_parameter(template: "Template", name: str, location: Location) -> list[Text]:
    if name in PSEUDO_PARAMETERS:
        return [from_variable(value, location) for value in PSEUDO_PARAMETERS[name]]
    if name in template.surroundings.pseudo:
        return [template.surroundings.pseudo[name].at(location)]
    given = template.given.get(f"param:{name}")
    if given is not None:
        return [from_variable(given, location)]
    return [known_when_deployed(name, location)]


def _output(
    nested: "Template", stack_name: str, attribute: str, location: Location, nesting: int
) -> list[Text]:
    """What a nested stack puts out, by ``Outputs.Name``."""
    name = attribute.removeprefix("Outputs.")
    texts = nested.output(name, nesting + 1)
    if not texts:
        return [placeholder(location, f"the nested stack {stack_name} has no output {name}")]
    return [text.at(location) for text in texts]


def _missing(template: "Template", name: str, logical_name: str, location: Location) -> Text:
    """What replaces a reference to what the template does not have: a loop that is not expanded may make it."""
    loops = [key for key in template.resources if is_function_name(key)]
    if loops:
        return placeholder(location, f"{_why_not_expanded(loops[0])}, and may make {logical_name}")
    if PLACEHOLDER in name:
        return known_when_deployed(name, location)
    return placeholder(
        location, f"there is no resource or parameter {logical_name} in the template"
    )


def _why_not_expanded(loop: str) -> str:
    reason = loop.reason if isinstance(loop, Text) else None
    why = f"{reason.text}; so " if reason else ""
    return f"{why}{loop} is not expanded"


def known_when_deployed(subject: str, location: Location) -> Text:
    """What replaces a value that only a deployment knows."""
    return placeholder(location, f"{readable(subject.rstrip())} is known only when deployed")


def _parameter(template: "Template", name: str, location: Location, nesting: int) -> list[Text]:
    """The values of a parameter: what the stack around it passes, else the one given, else its default."""
    parameter = template.mapping(template.parameters[name])
    parameter_type = template.text(parameter.get("Type")) or ""
    texts = []
    for value in _parameter_values(template, name, parameter, parameter_type, nesting):
        marked = _marked_parameter(name, value.at(location), location)
        if "List" in parameter_type:
            texts += [member.stripped() for member in marked.split_at(",")]
        else:
            texts.append(marked)
    if not texts:
        reason = f"parameter {name} has no default (--var param:{name}=…)"
        return [placeholder(location, reason, names_environment(name))]
    return texts


def _parameter_values(
    template: "Template", name: str, parameter: Map, parameter_type: str, nesting: int
) -> Iterable[Text]:
    """The texts that a parameter has, before it is marked or split."""
    parent = template.surroundings.parent
    passed = template.surroundings.passed
    given = template.given.get(f"param:{name}")
    if parent is not None and name in passed:
        values = parent.texts(passed[name], nesting + 1)
    elif given is not None:
        # It replaces what Parameter Store has, too. The reader of code gives texts that know their variables.
        yield as_text(given, parameter.location)
        return
    else:
        values = template.texts(parameter.get("Default"), nesting + 1)
    for value in values:
        if parameter_type.startswith(PARAMETER_STORE):
            yield _stored(template, name, value, parameter.location)
        else:
            yield value


def _marked_parameter(name: str, value: Text, location: Location) -> Text:
    # What is unresolved in the value is unresolved in the parameter, whatever that is called.
    if value.has_unknown_part:
        return from_variable(value, location)
    return from_variable(value, location, names_environment(name), may_vary=True)


def _stored(template: "Template", name: str, path: Text, location: Location) -> Text:
    """The value in Parameter Store that a parameter names."""
    if f"ssm:{path}" in template.given:
        return Text(template.given[f"ssm:{path}"], location)
    reason = f"parameter {name} is stored under ssm:{path} (--var ssm:{path}=… or param:{name}=…)"
    return placeholder(location, readable(reason), names_environment(name))


def _arn_of_other_resource(template: "Template", name: str, nesting: int) -> str | None:
    """An ARN of the right service for a resource that is no table, so that it is known to be no table's."""
    logical_name, _, attribute = name.partition(".")
    resource = template.resource(logical_name)
    resource_type = template.text(resource.get("Type")) or ""
    if resource_type in TABLE_TYPES:
        return None
    if resource_type == MANAGED_POLICY and attribute in ("", "PolicyArn"):
        return _managed_policy_arn(template, logical_name, resource, nesting)
    if resource_type == ROLE and attribute in ("", "Arn"):
        return f"arn:aws:iam:*:*:role/{template.role_name(logical_name, nesting + 1)}"
    is_arn = attribute == "Arn" or (not attribute and resource_type in REF_IS_ARN)
    match = AWS_TYPE.match(resource_type)
    if not is_arn or match is None:
        return None
    # Whatever the rest of the ARN is, its service shows that it is not a table's.
    return f"arn:aws:{match[1].lower()}:*:*:*"


def _managed_policy_arn(
    template: "Template", logical_name: str, resource: Map, nesting: int
) -> str:
    """The ARN of a managed policy of the template, by its name; one without a name goes by file and logical name."""
    properties = template.mapping(resource.get("Properties"))
    name = template.text(properties.get("ManagedPolicyName"), nesting + 1)
    if name is None or PLACEHOLDER in name:
        name = Text(name_by_place(resource.location, logical_name), resource.location)
    return f"arn:aws:iam::*:policy/{name}"
