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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ownership.drift.environment_words import names_environment
from ownership.drift.readers.template_references import known_when_deployed, reference
from ownership.drift.types import Location, ReadError
from ownership.drift.values import (
    UNKNOWN_LOCATION,
    Map,
    Reason,
    Seq,
    Text,
    Value,
    as_index,
    concat,
    from_variable,
    placeholder,
    readable,
    value_at,
)

if TYPE_CHECKING:
    from ownership.drift.readers.template import Template

MAX_TEXTS = 1000  # that one value may have, over all branches of its Fn::If

# `${AWS::Region}` in a plain text, and what a plugin takes for Fn::Sub: `#{AWS::Region}`, `#{Users.Arn}`.
REFERENCE = re.compile(r"\$\{(AWS::\w+)\}|#\{([\w:.]+)\}")
# A value that CloudFormation fetches when it deploys: `{{resolve:ssm:/shop/users:1}}`.
DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:([^{}]*)\}\}")
# Not `${!Literal}`, which is left to IAM's own variables. No name has a `$`, so the search is linear.
SUBSTITUTION = re.compile(r"\$\{([^!$}][^$}]*)\}")


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


def too_many_texts(location: Location) -> ReadError:
    """The error for a value that may have more texts than are followed."""
    return ReadError(location, f"may have more than {MAX_TEXTS:,} texts")


def apply(template: "Template", call: Call) -> list[Text]:
    """All texts that a call may give. Raises ReadError."""
    function = FUNCTIONS.get(call.name, _unknown_function)
    texts = None
    if len(call.arguments) == NUMBER_OF_ARGUMENTS.get(call.name, len(call.arguments)):
        texts = function(template, call)
    if texts is None:
        subject = call.name
        if isinstance(call.argument, Text):
            subject = f"{call.name} {call.argument}"
        return [known_when_deployed(subject, call.location)]
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


def _substituted(
    text: Text, names: re.Pattern[str], values_of: Callable[[str], list[Text]]
) -> list[Text]:
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
        texts.append(_with_values(text, matches, chosen))
    return texts


def _with_values(text: Text, matches: Sequence[re.Match[str]], values: Mapping[str, Text]) -> Text:
    """The text with a value in place of each match."""
    pieces = []
    position = 0
    for match in matches:
        pieces.append(text.part(position, match.start()))
        pieces.append(values[_matched_name(match)])
        position = match.end()
    pieces.append(text.part(position, len(text)))
    return concat(pieces, text.location)


def _matched_name(match: re.Match[str]) -> str:
    """The name that one of the pattern's groups holds."""
    return str(match[match.lastindex or 0])


def _combinations(
    choices: Iterable[Sequence[Text]], location: Location
) -> Iterator[Sequence[Text]]:
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


def _if(template: "Template", call: Call) -> list[Text]:
    """Both branches, marked as from a variable: at the end of a name they may be the environment's suffix."""
    texts = []
    for branch in call.arguments[1:]:
        for text in template.texts(branch, call.nesting):
            texts.append(from_variable(text, call.location))
    return texts


def _join(template: "Template", call: Call) -> list[Text]:
    separator = template.text(call.arguments[0], call.nesting) or ""
    members = template.expand(call.arguments[1])
    rows: Iterable[Sequence[Text]]
    if isinstance(members, Seq):
        choices = [template.texts(member, call.nesting) for member in members]
        rows = _combinations(filter(None, choices), call.location)
    else:
        rows = [template.texts(members, call.nesting)]
    return _with_dynamic_references(
        template, [_joined(separator, row, call.location) for row in rows]
    )


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
    keys = [
        template.text(argument, call.nesting) or Text("", call.location)
        for argument in call.arguments[:3]
    ]
    varies = any(key.varies for key in keys)
    value = _value_in_map(template, keys)
    if value is None:
        unresolved = [key for key in keys if key.reason]
        if unresolved:
            is_environment = varies and not any(key.has_unknown_part for key in keys)
            return [placeholder(call.location, _reason_of(unresolved), is_environment)]
        options = template.mapping(value_at(call.argument, 3))
        value = options.get("DefaultValue")
    if value is None:
        name, *path = keys
        return [placeholder(call.location, f"the mapping {name} has no {'.'.join(path)}", varies)]
    texts = []
    for text in template.texts(value, call.nesting):
        texts.append(from_variable(text.at(call.location), call.location, may_vary=varies))
    return texts


def _value_in_map(template: "Template", keys: Sequence[Text]) -> Value:
    """What the template's mappings have under the keys; None for nothing."""
    value: Value = template.mappings
    for key in keys:
        if not isinstance(value, Map):
            return None
        value = template.expand(value.get(key))
    return value


def _reason_of(texts: Sequence[Text]) -> Reason:
    """Why one of the texts is unresolved, the first that is not the environment."""
    first = min(texts, key=lambda text: not text.has_unknown_part)
    return first.reason or Reason("can't be resolved")


def _split(template: "Template", call: Call) -> list[Text] | None:
    separator = template.text(call.arguments[0], call.nesting)
    if not separator:
        return None
    parts = []
    for text in template.texts(call.arguments[1], call.nesting):
        parts += text.split_at(separator)
    return parts


def _select(template: "Template", call: Call) -> list[Text] | None:
    index = as_index(template.text(call.arguments[0], call.nesting) or "")
    texts = template.texts(call.arguments[1], call.nesting)
    if index is not None and index < len(texts):
        return [texts[index]]
    unresolved = [text for text in texts if text.reason]
    if unresolved:
        return [placeholder(call.location, _reason_of(unresolved))]
    return None


def _import_value(template: "Template", call: Call) -> list[Text]:
    """What another template of the same run exports under the name."""
    name = template.text(call.argument, call.nesting) or Text("", call.location)
    exported = template.exports.get(name, [])
    # A template that is read later may export it, or what is exported; the collector reads this one again then.
    if not exported or any(text.reason for text in exported):
        template.misses_export = True
    if exported:
        return [text.at(call.location) for text in exported]
    if name.has_unknown_part:
        return [placeholder(call.location, _reason_of([name]))]
    return [placeholder(call.location, f"nothing that was read exports {readable(name)}")]


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
# Of those that take a certain number.
NUMBER_OF_ARGUMENTS = {"Fn::If": 3, "Fn::Join": 2, "Fn::Split": 2, "Fn::Select": 2}
