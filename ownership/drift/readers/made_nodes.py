"""Nodes that readers make for what a framework makes: calls of CloudFormation's functions, and statements."""

from collections.abc import Iterable

from ownership.drift.types import Location
from ownership.drift.values import Map, Seq, Text, Value

TABLE_ARN = "arn:aws:dynamodb:*:*:table/"  # before a table's name


def ref(name: str, location: Location) -> Map:
    """``!Ref name``."""
    return Map(location, [("Ref", Text(name, location))])


def arn_of(name: str, location: Location) -> Map:
    """``!GetAtt name.Arn``."""
    return Map(location, [("Fn::GetAtt", Text(f"{name}.Arn", location))])


def table_arn(name: Value, location: Location) -> Map:
    """The ARN of the table with that name, which may be a call itself."""
    return _sub(f"{TABLE_ARN}${{name}}", "name", name, location)


def below(arn: Value, ending: str, location: Location) -> Map:
    """What is below a table's ARN, such as its indexes: ``/index/*``."""
    return _sub(f"${{arn}}{ending}", "arn", arn, location)


def allow(actions: Iterable[str], resources: Iterable[Value], location: Location) -> Map:
    """A statement that permits actions, such as ``dynamodb:GetItem``."""
    statement = Map(location)
    statement["Effect"] = Text("Allow", location)
    statement["Action"] = Seq(location, [Text(action, location) for action in actions])
    statement["Resource"] = Seq(location, resources)
    return statement


def _sub(text: str, name: str, value: Value, location: Location) -> Map:
    """``!Sub [text, {name: value}]``."""
    values = Map(location, [(name, value)])
    return Map(location, [("Fn::Sub", Seq(location, [Text(text, location), values]))])
