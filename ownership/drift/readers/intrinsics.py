"""CloudFormation templates: what their values can be, once the intrinsic functions are applied.

Source: AWS CloudFormation User Guide, "Intrinsic function reference" and "Pseudo parameters reference".
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import reduce
from itertools import product
from typing import Any

from ownership.drift.readers.yaml_values import HOLE, NAMED_SO, Map, Seq, Text, concat, from_variable, hole
from ownership.drift.types import Location, ReadError

MAX_TEXTS = 1000  # that one value may have, over all branches of its Fn::If
MAX_STEPS = 200_000  # of one template: what a bomb of aliases would exceed
MAX_NESTING = 60
PSEUDO = re.compile(r"\$\{(AWS::\w+)\}|#\{(AWS::\w+)\}")  # the second is a plugin's
SUBSTITUTED = re.compile(r"\$\{([^!][^}]*)\}")  # ${!Literal} is left to IAM, which has variables of its own
TABLES = {"AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"}
OF_AWS = re.compile(r"AWS::(\w+)::")
REF_IS_ARN = {"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"}
NOWHERE = Location("?")


class Template:
    """The sections of a template, of several parts if need be.

    ``expand`` resolves what may stand in for a value, as Serverless variables do; ``given`` are parameters by
    ``param:Name``. ``exports`` are those of the templates read so far, by name: this one's are added, and where it
    imports another it ``misses`` it.
    """

    def __init__(
        self,
        parts: Sequence[Map],
        expand: Callable[[Any], Any] = lambda node: node,
        given: Mapping[str, str] | None = None,
        exports: dict[str, list[Text]] | None = None,
    ):
        self.expand, self.given = expand, given or {}
        self.exports, self.misses = {} if exports is None else exports, False
        self.unread: dict[
            tuple[Location, str], Text
        ] = {}  # what stands where mappings belong: a file not included, say
        self._steps = 0
        self.resources, self.parameters, self.mappings, self.extensions = (
            reduce(self._merged, (self.mapping(part.get(section)) for part in parts), Map())
            for section in ("Resources", "Parameters", "Mappings", "extensions")
        )
        for part in parts:
            outputs = self.expand(part.get("Outputs"))
            for output in map(self.expand, outputs.values() if isinstance(outputs, Map) else ()):
                export = self.expand(output.get("Export")) if isinstance(output, Map) else None
                name = self.text(export.get("Name")) if isinstance(export, Map) else None
                if name and not name.unclear:
                    self.exports[str(name)] = self.texts(output.get("Value"))

    def texts(self, node: Any, nesting: int = 0) -> list[Text]:
        """All texts that a value may have: lists flattened, both branches of Fn::If. Raises ReadError."""
        node = self._step(node, nesting)
        if isinstance(node, Text):
            return self._substitute(node, PSEUDO, lambda name: self._reference(name, node.place))
        if isinstance(node, Seq):
            found: list[Text] = []
            for item in node:
                found += self.texts(item, nesting + 1)
                if len(found) > MAX_TEXTS:
                    raise ReadError(node.place, f"has more than {MAX_TEXTS:,} texts")
            return found
        if isinstance(node, Map):
            if name := function(node):
                return list(self._apply(name, node[name], node.place, nesting + 1))
            return [hole(node.place, "a mapping where a text belongs")]
        return []

    def text(self, node: Any) -> Text | None:
        """The first text of a value; None for none."""
        return next(iter(self.texts(node)), None)

    def items(self, node: Any, nesting: int = 0) -> Iterator[Any]:
        """The members of a list: variables resolved, inner lists flattened, both branches of each Fn::If."""
        node = self._step(node, nesting)
        if isinstance(node, Map) and function(node) == "Fn::If" and isinstance(node["Fn::If"], Seq):
            node = node["Fn::If"][1:]
        if isinstance(node, list):
            for item in node:
                yield from self.items(item, nesting + 1)
        elif node is not None and not (isinstance(node, Map) and node.get("Ref") == "AWS::NoValue"):
            yield node

    def mapping(self, node: Any) -> Map:
        """The value as a mapping; an empty one for anything else, of which texts and lists are kept in ``unread``."""
        node = self.expand(node)
        if isinstance(node, Map):
            return node
        if isinstance(node, Text | Seq):
            text = node if isinstance(node, Text) else Text("a list", node.place)
            self.unread[text.place, str(text)] = text
        empty = Map()
        empty.place = getattr(node, "place", NOWHERE)
        return empty

    def unread_resources(self) -> list[Text]:
        """What stands for resources and can't be told: any of them might be a role or a policy."""
        for node in self.resources.values():
            self.mapping(node)
        return list(self.unread.values())

    def mappings_in(self, node: Any) -> list[Map]:
        """The members of a list that are mappings."""
        return [item for item in self.items(node) if isinstance(item, Map)]

    def of_type(self, *types: str) -> Iterator[tuple[str, Map]]:
        """The resources of these types: logical name and properties."""
        for name, node in self.resources.items():
            resource = self.mapping(node)
            if resource.get("Type") in types:
                yield name, self.mapping(resource.get("Properties"))

    def properties(self, name: str) -> Map:
        """The properties of a resource; none where there is no such."""
        return self.mapping(self.mapping(self.resources.get(name)).get("Properties"))

    def table_names(self, name: str, place: Location, nesting: int = 0) -> list[Text]:
        """The physical names that a table of the template may have; none for what is no table."""
        resource = self.mapping(self.resources.get(name))
        if resource.get("Type") not in TABLES:
            return []
        stated = self.mapping(resource.get("Properties")).get("TableName")
        if stated is None:
            return [hole(place, f"table {name} has no TableName: its name is made when it is deployed")]
        return [concat([text], place) for text in self.texts(stated, nesting)]

    def _merged(self, first: Any, second: Any, nesting: int = 0) -> Any:
        """One laid over the other, as the Serverless Framework merges parts: also within mappings and lists."""
        first, second = self._step(first, nesting), self._step(second, nesting)
        if isinstance(first, Map) and isinstance(second, Map):
            merged = copy(first)
            merged.place = getattr(first, "place", getattr(second, "place", NOWHERE))
            for key, value in second.items():
                merged[key] = self._merged(first[key], value, nesting + 1) if key in first else value
            return merged
        if isinstance(first, Seq) and isinstance(second, Seq):
            merged_list = copy(first)
            merged_list[:] = [
                *(self._merged(one, other, nesting + 1) for one, other in zip(first, second, strict=False)),
                *first[len(second) :],
                *second[len(first) :],
            ]
            return merged_list
        return first if second is None else second

    def _step(self, node: Any, nesting: int) -> Any:
        self._steps += 1
        if self._steps > MAX_STEPS or nesting > MAX_NESTING:
            raise ReadError(getattr(node, "place", NOWHERE), "takes too many steps to resolve: a bomb of aliases?")
        return self.expand(node)

    @staticmethod
    def _substitute(text: Text, pattern: re.Pattern[str], value: Callable[[str], list[Text]]) -> list[Text]:
        """The text with each name's value; as many as the values' combinations."""
        matches = [(match, next(filter(None, match.groups()))) for match in pattern.finditer(text)]
        if not matches:
            return [text]
        values = {name: value(name) or [Text("", text.place)] for _, name in matches}
        found = []
        for row in _combined(values.values(), text.place):
            chosen, pieces, at = dict(zip(values, row, strict=True)), [], 0
            for match, name in matches:
                pieces += [text.part(at, match.start()), chosen[name]]
                at = match.end()
            found.append(concat([*pieces, text.part(at, len(text))], text.place))
        return found

    def _apply(self, name: str, argument: Any, place: Location, nesting: int) -> Iterable[Text]:
        """What an intrinsic function gives."""
        argument = self.expand(argument)
        arguments: list[Any] = argument if isinstance(argument, Seq) else []
        if name == "Ref" and isinstance(argument, Text):
            return self._reference(argument, place, nesting)
        if name == "Fn::GetAtt":
            return self._reference(".".join(self.texts(argument, nesting)), place, nesting)
        if name == "Fn::Sub":
            return self._sub(argument, arguments, place, nesting)
        if name == "Fn::If" and len(arguments) == 3:
            # Marked as from a variable: at the end of a name a branch may be the environment's suffix.
            return [from_variable(text, place) for branch in arguments[1:] for text in self.texts(branch, nesting)]
        if name == "Fn::Join" and len(arguments) == 2:
            return self._join(arguments[0], self.expand(arguments[1]), place, nesting)
        if name == "Fn::FindInMap" and len(arguments) >= 3:
            return self._find_in_map(arguments, place, nesting)
        if name == "Fn::Split" and len(arguments) == 2 and (separator := self.text(arguments[0])):
            return [part for text in self.texts(arguments[1], nesting) for part in text.cut(separator)]
        if name == "Fn::Select" and len(arguments) == 2:
            index, texts = self.text(arguments[0]), self.texts(arguments[1], nesting)
            if index and index.isdecimal() and int(index) < len(texts):
                return [texts[int(index)]]
        said: str = argument if isinstance(argument, Text) else ""
        if name == "Fn::ImportValue":
            said = next(iter(self.texts(argument, nesting)), "")
            if said in self.exports:
                return [concat([text], place) for text in self.exports[said]]
            self.misses = True
        return [hole(place, f"{name} {said}".rstrip().replace(HOLE, "…") + " is known only when deployed")]

    def _reference(self, name: str, place: Location, nesting: int = 0) -> list[Text]:
        """What ``Ref`` gives for ``Name``, and ``Fn::GetAtt`` for ``Name.Attribute``."""
        if name == "AWS::NoValue":
            return []
        if name == "AWS::Partition":
            return [from_variable("aws", place)]
        if name in self.parameters:
            default = self.mapping(self.parameters[name]).get("Default")
            value = self.given.get(f"param:{name}", self.text(default))
            if value is None:
                named = bool(NAMED_SO.search(name))
                return [hole(place, f"parameter {name} has no default (--var param:{name}=…)", named)]
            return [from_variable(value, place, varies=True)]
        resource, _, attribute = name.partition(".")
        if tables := self.table_names(resource, place, nesting):
            before, after = {
                "": ("", ""),
                "Arn": ("arn:aws:dynamodb:*:*:table/", ""),
                "StreamArn": ("arn:aws:dynamodb:*:*:table/", "/stream/*"),
            }.get(attribute, (None, ""))
            if before is not None:
                return [concat([before, table, after], place) for table in tables]
        kind = self.text(self.mapping(self.resources.get(resource)).get("Type")) or ""
        other = kind not in TABLES and (attribute == "Arn" or (name in self.resources and kind in REF_IS_ARN))
        if other and (made := OF_AWS.match(kind)):  # an ARN, and none of a table's
            return [Text(f"arn:aws:{made[1].lower()}:*:*:*", place)]
        return [hole(place, f"{name} is known only when deployed")]

    def _sub(self, argument: Any, arguments: list[Any], place: Location, nesting: int) -> list[Text]:
        own = Map()
        if len(arguments) == 2:
            argument, own = self.expand(arguments[0]), self.mapping(arguments[1])
        if not isinstance(argument, Text):
            return [hole(place, "Fn::Sub without a text")]

        def value(name: str) -> list[Text]:
            if name in own:
                return [from_variable(text, place) for text in self.texts(own[name], nesting)]
            return self._reference(name.strip(), place, nesting)

        return self._substitute(argument, SUBSTITUTED, value)

    def _join(self, separator: Any, members: Any, place: Location, nesting: int) -> Iterator[Text]:
        between = self.text(separator) or ""
        if isinstance(members, Seq):
            choices = [texts for member in members if (texts := self.texts(member, nesting))]
            rows: Iterable[Sequence[Text]] = _combined(choices, place)
        else:
            rows = [self.texts(members, nesting)]
        for row in rows:
            yield concat([piece for text in row for piece in (between, text)][1:], place)

    def _find_in_map(self, arguments: list[Any], place: Location, nesting: int) -> list[Text]:
        keys = [self.text(argument) for argument in arguments[:3]]
        found: Any = self.mappings
        for key in keys:
            found = self.expand(found.get(key)) if isinstance(found, dict) else None
        varies = any(v.varies for key in keys if key for v in key.variables)
        if found is None:
            varies = varies and not any(key.unclear for key in keys if key)
            return [hole(place, "Fn::FindInMap has keys that are known only when deployed", varies)]
        return [from_variable(concat([text], place), place, varies) for text in self.texts(found, nesting)]


def _combined(choices: Iterable[Sequence[Any]], place: Location) -> Iterator[Sequence[Any]]:
    """One of each, in every combination. Raises ReadError for too many."""
    for number, row in enumerate(product(*choices)):
        if number == MAX_TEXTS:
            raise ReadError(place, f"has more than {MAX_TEXTS:,} texts")
        yield row


def function(node: Map) -> str | None:
    """The name of the intrinsic function that a mapping is a call of."""
    name = next(iter(node), "")
    return str(name) if len(node) == 1 and (name == "Ref" or name.startswith("Fn::")) else None
