"""What a node of a template is: a call of one of CloudFormation's functions, a reference, nothing; and names of types.

::

    {"Ref": "Orders"}                      a call of Ref, by which Orders is referenced
    {"Fn::If": [IsProd, a, b]}             two branches
    {"Ref": "AWS::NoValue"}                nothing

Source: AWS CloudFormation User Guide, "Intrinsic function reference".
"""

import re

from ownership.drift.types import Location
from ownership.drift.values import Map, Seq, Text, Value, as_mapping, children

MANAGED_POLICY = "AWS::IAM::ManagedPolicy"
ROLE = "AWS::IAM::Role"
IDENTITY_TYPES = (ROLE, "AWS::IAM::User", "AWS::IAM::Group")
STACK_TYPES = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
INCLUDE = "Fn::Transform"  # a macro that changes a part of a template
TABLE_TYPES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
REFERENCED = re.compile(r"(?:\$\{)?(\w+)(?:\.\w+)?\}?")


def function_name(node: Map) -> str | None:
    """The name of the intrinsic function that a mapping is a call of."""
    calls = calls_in(node)
    if calls and len(node) == 1:
        return str(calls[0])
    return None


def is_function_name(key: str) -> bool:
    """Whether a key is a function's name, and not that of a resource or property: ``Fn::ForEach::Tables``."""
    return key.startswith("Fn::")


def calls_in(node: Map) -> list[str]:
    """The keys of a mapping that are calls of functions: what they make of it is not in the file."""
    return [key for key in node if key == "Ref" or is_function_name(key)]


def branches_of_if(node: Value) -> Seq | None:
    """The values of ``Fn::If`` for both outcomes of its condition; None for any other node."""
    call = as_mapping(node)
    arguments = call.get("Fn::If")
    # With other keys beside it, which no valid template has, it is no call.
    if isinstance(arguments, Seq) and len(call) == 1:
        return Seq(arguments.location, arguments[1:])
    return None


def has_branches(node: Value) -> bool:
    """Whether there is an ``Fn::If`` in a node, or anywhere in its members."""
    return branches_of_if(node) is not None or any(map(has_branches, children(node)))


def referenced(node: Value) -> str | None:
    """The logical name in ``!Ref Name``, ``!GetAtt Name.Arn`` or ``!Sub "${Name.Arn}"``; None for anything else."""
    call = as_mapping(node)
    match call.get("Ref") or call.get("Fn::GetAtt") or call.get("Fn::Sub"):
        case (Text() as argument) | [Text() as argument, *_]:
            name = REFERENCED.fullmatch(argument)
            return name[1] if name else None
    return None


def name_by_place(location: Location, name: str) -> str:
    """What a role or policy without a name of its own goes by in a run: its file and its logical name."""
    return f"{location.file.replace('/', ':')}:{name}"


def is_no_value(node: Value) -> bool:
    """Whether a node is ``!Ref AWS::NoValue``, which removes what it is the value of."""
    call = as_mapping(node)
    return len(call) == 1 and call.get("Ref") == "AWS::NoValue"
