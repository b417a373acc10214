"""CloudFormation's intrinsic functions: which texts a call may give.

::

    !Sub "${Users.Arn}/index/*"                            arn:aws:dynamodb:*:*:table/biztechUsers/index/*
    !Join ["-", [users, !Ref Stage]]                       users-dev, if that is the default of Stage
    !If [IsProd, !GetAtt Users.Arn, !Ref AWS::NoValue]     the ARN: a branch is never excluded

What only a deployment knows is a placeholder with the reason. A new function is one more function here and a
line in ``FUNCTIONS``.
Source: AWS CloudFormation User Guide, "Intrinsic function reference" and "Pseudo parameters reference".
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ownership.drift.types import Location, ReadError
from ownership.drift.values import (
    PLACEHOLDER,
    UNKNOWN_LOCATION,
    Map,
    Reason,
    Seq,
    Text,
    Value,
    as_index,
    concat,
    from_variable,
    names_environment,
    placeholder,
)

if TYPE_CHECKING:
    from ownership.drift.readers.template import Template

MAX_TEXTS = 1000  # that one value may have, over all branches of its Fn::If

# `${AWS::Region}` in a plain text, and what a plugin takes for Fn::Sub: `#{AWS::Region}`, `#{Users.Arn}`.
REFERENCE = re.compile(r"\$\{(AWS::\w+)\}|#\{([\w:.]+)\}")
# A value that CloudFormation fetches when it deploys: `{{resolve:ssm:/shop/users:1}}`.
DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:([^{}]*)\}\}")
SUBSTITUTION = re.compile(r"\$\{([^!][^}]*)\}")  # not `${!Literal}`, which is left to IAM's own variables
PSEUDO_PARAMETERS: dict[str, list[str]] = {
    "AWS::NoValue": [],
    "AWS::Partition": ["aws"],
}

MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
ROLE = "AWS::IAM::Role"
STACK_TYPES = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
PARAMETER_STORE = "AWS::SSM::Parameter::Value"  # a parameter of this type is the name of one in Parameter Store
TABLE_TYPES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
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


@dataclass(frozen=True)
class Call:
    """A call of an intrinsic function: ``Fn::Join: ["-", [a, b]]``."""

    name: str
    argument: Value
    location: Location
    nesting: int

    @property
    def arguments(self) -> list[Value]:
        """The members of the argument, if it is a list."""
        return self.argument if isinstance(self.argument, Seq) else []


# The texts that a call may give; None if its arguments have another form than the function expects.
IntrinsicFunction = Callable[["Template", Call], list[Text] | None]


def function_name(node: Map) -> str | None:
    """The name of the intrinsic function that a mapping is a call of."""
    if len(node) != 1:
        return None
    name = next(iter(node))
    if name == "Ref" or is_function_name(name):
        return str(name)
    return None


def is_function_name(key: str) -> bool:
    """Whether a key is a function's name, and not that of a resource or property: ``Fn::ForEach::Tables``."""
    return key.startswith("Fn::")


def branches_of_if(node: Value) -> Seq | None:
    """The values of ``Fn::If`` for both outcomes of its condition; None for any other node."""
    if not isinstance(node, Map) or function_name(node) != "Fn::If":
        return None
    arguments = node["Fn::If"]
    if not isinstance(arguments, Seq):
        return None
    return Seq(arguments.location, arguments[1:])


def has_branches(node: Value) -> bool:
    """Whether there is an ``Fn::If`` in a node, or anywhere in its members."""
    if isinstance(node, Seq):
        return any(has_branches(item) for item in node)
    if not isinstance(node, Map):
        return False
    if branches_of_if(node) is not None:
        return True
    return any(has_branches(value) for value in node.values())


def referenced(node: Value) -> str | None:
    """The logical name in ``!Ref Name``, ``!GetAtt Name.Arn`` or ``!Sub "${Name.Arn}"``; None for anything else."""
    if not isinstance(node, Map):
        return None
    argument = node.get("Ref") or node.get("Fn::GetAtt") or node.get("Fn::Sub")
    if isinstance(argument, Seq):
        argument = argument[0] if argument else None
    if not isinstance(argument, Text):
        return None
    match = re.fullmatch(r"(?:\$\{)?(\w+)(?:\.\w+)?\}?", argument)
    return match[1] if match else None


def is_no_value(node: Value) -> bool:
    """Whether a node is ``!Ref AWS::NoValue``, which removes what it is the value of."""
    return isinstance(node, Map) and node.get("Ref") == "AWS::NoValue"


def too_many_texts(location: Location) -> ReadError:
    return ReadError(location, f"may have more than {MAX_TEXTS:,} texts")


def apply(template: "Template", call: Call) -> list[Text]:
    """All texts that a call may give. Raises ReadError."""
    function = FUNCTIONS.get(call.name, _unknown_function)
    texts = function(template, call)
    if texts is None:
        subject = call.name
        if isinstance(call.argument, Text):
            subject = f"{call.name} {call.argument}"
        return [_known_when_deployed(subject, call.location)]
    return texts


def with_references(template: "Template", text: Text) -> list[Text]:
    """The text with its pseudo parameters and references replaced: ``arn:${AWS::Partition}:…``."""
    texts = _substituted(text, REFERENCE, lambda name: reference(template, name, text.location))
    return _with_dynamic_references(template, texts)


def _with_dynamic_references(template: "Template", texts: list[Text]) -> list[Text]:
    """The texts with what is fetched when they are deployed replaced by a given value or a placeholder."""
    replaced: list[Text] = []
    for text in texts:
        replaced += _substituted(text, DYNAMIC_REFERENCE, lambda name: [_fetched(template, name)])
    return replaced


def _fetched(template: "Template", address: str) -> Text:
    """The value of a dynamic reference, ``ssm:/shop/users:1``, with or without a version."""
    source, _, name = address.partition(":")
    name = name.partition(":")[0]
    for key in (f"{source}:{name}", f"ssm:{name}"):
        if key in template.given:
            return from_variable(template.given[key], UNKNOWN_LOCATION)
    reason = f"{source}:{name} is known only when deployed (--var {source}:{name}=…)"
    return placeholder(UNKNOWN_LOCATION, reason, names_environment(name))


def reference(template: "Template", name: str, location: Location, nesting: int = 0) -> list[Text]:
    """What ``Ref`` gives for ``Name``, and ``Fn::GetAtt`` for ``Name.Attribute``."""
    if name in PSEUDO_PARAMETERS:
        return [from_variable(value, location) for value in PSEUDO_PARAMETERS[name]]
    if name in template.surroundings.pseudo:
        return [concat([template.surroundings.pseudo[name]], location)]
    if name.startswith("AWS::") and f"param:{name}" in template.given:
        return [from_variable(template.given[f"param:{name}"], location)]
    if name in template.parameters:
        return _parameter(template, name, location, nesting)
    logical_name, _, attribute = name.partition(".")
    if attribute.startswith("Outputs."):
        nested = template.nested_stack(logical_name)
        if nested is not None:
            texts = nested.output(attribute.removeprefix("Outputs."), nesting + 1)
            return [concat([text], location) for text in texts]
    table_names = template.table_names(logical_name, location, nesting)
    # Region and account are wildcards: a table of the template is in the stack's own.
    if table_names and attribute in TABLE_ATTRIBUTES:
        before, after = TABLE_ATTRIBUTES[attribute]
        return [concat([before, table_name, after], location) for table_name in table_names]
    arn = _arn_of_other_resource(template, name)
    if arn:
        return [Text(arn, location)]
    loops = [key for key in template.resources if is_function_name(key)]
    is_missing = logical_name not in template.resources and not name.startswith("AWS::")
    if is_missing and loops:
        return [placeholder(location, f"{_why_not_expanded(loops[0])}, and may make {logical_name}")]
    if is_missing and PLACEHOLDER not in name:
        return [placeholder(location, f"there is no resource or parameter {logical_name} in the template")]
    return [_known_when_deployed(name, location)]


def _why_not_expanded(loop: str) -> str:
    reason = loop.reason if isinstance(loop, Text) else None
    why = f"{reason.text}; so " if reason else ""
    return f"{why}{loop} is not expanded"


def _known_when_deployed(subject: str, location: Location) -> Text:
    subject = subject.rstrip().replace(PLACEHOLDER, "…")
    return placeholder(location, f"{subject} is known only when deployed")


def _parameter(template: "Template", name: str, location: Location, nesting: int) -> list[Text]:
    """The values of a parameter: what the stack around it passes, else the one given, else its default."""
    parameter = template.mapping(template.parameters[name])
    parameter_type = template.text(parameter.get("Type")) or ""
    texts = []
    for value in _parameter_values(template, name, parameter, parameter_type, nesting):
        marked = _marked_parameter(name, concat([value], location), location)
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
        yield given if isinstance(given, Text) else Text(given, parameter.location)
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
    return placeholder(location, reason.replace(PLACEHOLDER, "…"), names_environment(name))


def _arn_of_other_resource(template: "Template", name: str) -> str | None:
    """An ARN of the right service for a resource that is no table, so that it is known to be no table's."""
    logical_name, _, attribute = name.partition(".")
    resource = template.mapping(template.resources.get(logical_name))
    resource_type = template.text(resource.get("Type")) or ""
    if resource_type in TABLE_TYPES:
        return None
    if resource_type == MANAGED_POLICY and attribute in ("", "PolicyArn"):
        return _managed_policy_arn(template, logical_name, resource)
    if resource_type == ROLE and attribute in ("", "Arn"):
        return f"arn:aws:iam:*:*:role/{template.role_name(logical_name)}"
    # Whatever the rest of the ARN is, its service shows that it is not a table's.
    is_arn = attribute == "Arn" or (not attribute and resource_type in REF_IS_ARN)
    match = AWS_TYPE.match(resource_type)
    if is_arn and match:
        return f"arn:aws:{match[1].lower()}:*:*:*"
    return None


def _managed_policy_arn(template: "Template", logical_name: str, resource: Map) -> str:
    """The ARN of a managed policy of the template, by its name; one without a name goes by file and logical name."""
    properties = template.mapping(resource.get("Properties"))
    name = template.text(properties.get("ManagedPolicyName"))
    if name is None or PLACEHOLDER in name:
        name = Text(f"{resource.location.file.replace('/', ':')}:{logical_name}", resource.location)
    return f"arn:aws:iam::*:policy/{name}"


def _substituted(text: Text, names: re.Pattern[str], values_of: Callable[[str], list[Text]]) -> list[Text]:
    """The text with each name replaced by its values: as many texts as the values have combinations.

    A name has the same value throughout a text.
    """
    matches = list(names.finditer(text))
    if not matches:
        return [text]
    values: dict[str, list[Text]] = {}
    for match in matches:
        name = _matched_name(match)
        if name not in values:
            values[name] = values_of(name) or [Text("", text.location)]
    texts = []
    for combination in _combinations(values.values(), text.location):
        chosen = dict(zip(values, combination, strict=True))
        pieces = []
        position = 0
        for match in matches:
            pieces += [text.part(position, match.start()), chosen[_matched_name(match)]]
            position = match.end()
        pieces.append(text.part(position, len(text)))
        texts.append(concat(pieces, text.location))
    return texts


def _matched_name(match: re.Match[str]) -> str:
    """The name that one of the pattern's groups holds."""
    return str(match[match.lastindex or 0])


def _combinations(choices: Iterable[Sequence[Text]], location: Location) -> Iterator[Sequence[Text]]:
    """One text of each, in every combination. Raises ReadError for too many."""
    for number, combination in enumerate(product(*choices)):
        if number == MAX_TEXTS:
            raise too_many_texts(location)
        yield combination


def _unknown_function(template: "Template", call: Call) -> None:
    """A function that is not read, such as ``Fn::GetAZs``."""


def _ref(template: "Template", call: Call) -> list[Text] | None:
    if not isinstance(call.argument, Text):
        return None
    return reference(template, call.argument, call.location, call.nesting)


def _get_att(template: "Template", call: Call) -> list[Text]:
    name = ".".join(template.texts(call.argument, call.nesting))
    return reference(template, name, call.location, call.nesting)


def _sub(template: "Template", call: Call) -> list[Text]:
    """``Fn::Sub: text``, or ``Fn::Sub: [text, {Name: value}]``."""
    argument = call.argument
    own_values: Map | None = None
    if len(call.arguments) == 2:
        argument = template.expand(call.arguments[0])
        own_values = template.mapping(call.arguments[1])
    if not isinstance(argument, Text):
        return [placeholder(call.location, "Fn::Sub without a text")]

    def values_of(name: str) -> list[Text]:
        if own_values is not None and name in own_values:
            texts = template.texts(own_values[name], call.nesting)
            return [from_variable(text, call.location) for text in texts]
        return reference(template, name.strip(), call.location, call.nesting)

    return _with_dynamic_references(template, _substituted(argument, SUBSTITUTION, values_of))


def _if(template: "Template", call: Call) -> list[Text] | None:
    """Both branches, marked as from a variable: at the end of a name they may be the environment's suffix."""
    if len(call.arguments) != 3:
        return None
    texts = []
    for branch in call.arguments[1:]:
        for text in template.texts(branch, call.nesting):
            texts.append(from_variable(text, call.location))
    return texts


def _join(template: "Template", call: Call) -> list[Text] | None:
    if len(call.arguments) != 2:
        return None
    separator = template.text(call.arguments[0]) or ""
    members = template.expand(call.arguments[1])
    rows: Iterable[Sequence[Text]]
    if isinstance(members, Seq):
        choices = [template.texts(member, call.nesting) for member in members]
        rows = _combinations(filter(None, choices), call.location)
    else:
        rows = [template.texts(members, call.nesting)]
    return _with_dynamic_references(template, [_joined(separator, row, call.location) for row in rows])


def _joined(separator: str, texts: Sequence[Text], location: Location) -> Text:
    """Like ``str.join``, keeping the variables."""
    pieces: list[str] = []
    for text in texts:
        if pieces:
            pieces.append(separator)
        pieces.append(text)
    return concat(pieces, location)


def _find_in_map(template: "Template", call: Call) -> list[Text] | None:
    """``Fn::FindInMap: [Map, Key, Key]``, with ``{DefaultValue: …}`` at the end where the map may not have the key."""
    if len(call.arguments) < 3:
        return None
    keys = [template.text(argument) or Text("", call.location) for argument in call.arguments[:3]]
    value: Value = template.mappings
    for key in keys:
        if not isinstance(value, Map):
            value = None
            break
        value = template.expand(value.get(key))
    varies = any(key.varies for key in keys)
    if value is None:
        unresolved = [key for key in keys if key.reason]
        if unresolved:
            has_unknown_key = any(key.has_unknown_part for key in keys)
            return [placeholder(call.location, _reason_of(unresolved), varies and not has_unknown_key)]
        options = template.mapping(template.expand(call.arguments[3])) if len(call.arguments) > 3 else {}
        value = options.get("DefaultValue")
    if value is None:
        name, *path = keys
        return [placeholder(call.location, f"the mapping {name} has no {'.'.join(path)}", varies)]
    texts = template.texts(value, call.nesting)
    return [from_variable(concat([text], call.location), call.location, may_vary=varies) for text in texts]


def _reason_of(texts: Sequence[Text]) -> Reason:
    """Why one of the texts is unresolved, the first that is not the environment."""
    first = min(texts, key=lambda text: not text.has_unknown_part)
    return first.reason or Reason("can't be resolved")


def _split(template: "Template", call: Call) -> list[Text] | None:
    if len(call.arguments) != 2:
        return None
    separator = template.text(call.arguments[0])
    if not separator:
        return None
    parts = []
    for text in template.texts(call.arguments[1], call.nesting):
        parts += text.split_at(separator)
    return parts


def _select(template: "Template", call: Call) -> list[Text] | None:
    if len(call.arguments) != 2:
        return None
    index = as_index(template.text(call.arguments[0]) or "")
    texts = template.texts(call.arguments[1], call.nesting)
    if index is not None and index < len(texts):
        return [texts[index]]
    unresolved = [text for text in texts if text.reason]
    if unresolved:
        return [placeholder(call.location, _reason_of(unresolved))]
    return None


def _import_value(template: "Template", call: Call) -> list[Text]:
    """What another template of the same run exports under the name."""
    names = template.texts(call.argument, call.nesting)
    name = ""
    if names:
        name = str(names[0])
    exported = template.exports.get(name, [])
    # A template that is read later may export it, or what is exported; the collector reads this one again then.
    if not exported or any(text.reason for text in exported):
        template.misses_export = True
    if exported:
        return [concat([text], call.location) for text in exported]
    if names and names[0].has_unknown_part:
        return [placeholder(call.location, _reason_of(names))]
    shown = name.replace(PLACEHOLDER, "…")
    return [placeholder(call.location, f"nothing that was read exports {shown}")]


FUNCTIONS: dict[str, IntrinsicFunction] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::FindInMap": _find_in_map,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::ImportValue": _import_value,
}
