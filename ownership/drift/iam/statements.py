"""Reads policy statements, reduced to what they say about the items of DynamoDB tables.

::

    Effect: Allow
    Action: [dynamodb:GetItem, dynamodb:DescribeTable]
    Resource: arn:aws:dynamodb:*:*:table/biztechUsersPROD

becomes an allowing PolicyStatement with the action ``dynamodb:getitem`` and the resource ``table/biztechUsers``.
Source: IAM User Guide, "IAM JSON policy elements reference": an action or resource may contain ``*`` and ``?``;
actions ignore case, resources don't.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ownership.drift.diagnostics import Diagnostics
from ownership.drift.iam.actions import ACTION_MODES, KNOWN, NO_ACTIONS, modes_of
from ownership.drift.iam.arns import ArnError, table_path
from ownership.drift.iam.patterns import matches
from ownership.drift.naming import Names
from ownership.drift.types import READ_AND_WRITE, Location, ReadOrWrite
from ownership.drift.values import PLACEHOLDER, Map, Text, Value, location_of

ASSUME_ROLE = "sts:assumerole"
ASSUMED = "what the role that may be assumed permits is not read, or is another service's"
# The actions on items of DynamoDB's cache, which are called like DynamoDB's own.
CACHE_MODES = {action.replace("dynamodb:", "dax:"): mode for action, mode in ACTION_MODES.items()}

HAS_PRINCIPAL = "a statement with a Principal belongs to a resource, not to a role"
ASSUMED_TO_VARY = "assumed to be the environment's suffix or part of its name pattern"

Elements = Mapping[str, Value]  # a statement's, by name in lower case
TextsOf = Callable[[Value], list[Text]]  # all texts that a value may have


@dataclass(frozen=True)
class ResourcePattern:
    """A pattern of base names, such as ``table/biztechUsers`` or ``table/biztech*/index/*``."""

    path: str
    location: Location


@dataclass(frozen=True)
class PolicyStatement:
    """An Allow, or a Deny without conditions.

    ``actions`` are those on items, in lower case. ``not_resource``: it applies to all resources but these.
    """

    allow: bool
    actions: frozenset[str]
    resources: tuple[ResourcePattern, ...]
    not_resource: bool
    location: Location


Role = Sequence[PolicyStatement]


@lru_cache(maxsize=4096)
def item_actions(pattern: str) -> frozenset[str]:
    """The actions on items that a pattern in lower case matches."""
    return frozenset(action for action in ACTION_MODES if matches(pattern, action))


class StatementReader:
    """Reads the statements of one service. What can't be resolved goes into the diagnostics."""

    def __init__(
        self, service: str, texts_of: TextsOf, names: Names, diagnostics: Diagnostics
    ) -> None:
        self.service = service
        self.texts_of = texts_of
        self.names = names
        self.diagnostics = diagnostics

    def read(self, node: Map) -> PolicyStatement | None:
        """One statement; None if it neither permits nor denies anything with items."""
        # IAM ignores the case of an element's name, too.
        elements = {key.lower(): value for key, value in node.items()}
        actions = self._actions(elements, node.location)
        if not actions:
            return None
        modes = modes_of(actions)
        if "principal" in elements or "notprincipal" in elements:
            self._unresolved(Text("Principal", node.location), HAS_PRINCIPAL, modes)
            return None
        effect = self._effect(elements, node.location, modes)
        if effect is None:
            return None
        resources = self._resources(elements, node.location, modes)
        if resources is None:
            return None
        condition = elements.get("condition")
        # Conditions are not evaluated. An Allow counts in full, a Deny not at all: nothing granted is missed.
        if condition and effect == "Deny":
            self._note(location_of(condition), "a Deny with a condition is ignored")
            return None
        if condition:
            self._note(location_of(condition), "granted only under a condition")
        return PolicyStatement(
            allow=effect == "Allow",
            actions=actions,
            resources=tuple(resources),
            not_resource="notresource" in elements,
            location=node.location,
        )

    def _unresolved(self, text: Text, reason: str, modes: Iterable[ReadOrWrite]) -> None:
        self.diagnostics.add_unresolved(text, reason, self.service, modes)

    def _note(self, location: Location, text: str) -> None:
        self.diagnostics.add_note(location, f"{self.service}: {text}")

    def _actions(self, elements: Elements, location: Location) -> frozenset[str]:
        """The actions on items that a statement applies to: those it names or, with NotAction, all others."""
        is_not_action = "notaction" in elements
        patterns = self.texts_of(elements.get("notaction" if is_not_action else "action"))
        if not patterns:
            self._note(location, "a statement without an Action grants nothing")
            return frozenset()
        named: set[str] = set()
        for text in patterns:
            named |= self._matching_actions(text)
        if is_not_action:
            return frozenset(ACTION_MODES) - named
        self._report_detours(elements, patterns)
        return frozenset(named)

    def _matching_actions(self, text: Text) -> frozenset[str]:
        """The actions on items that a pattern matches. One that matches none may be reported."""
        pattern = text.strip().lower()
        if PLACEHOLDER in pattern:
            self._check_unresolved_action(text, pattern)
            return frozenset()
        actions = item_actions(pattern)
        if not actions:
            self._note_unknown_action(text, pattern)
        return actions

    def _report_detours(self, elements: Elements, patterns: Sequence[Text]) -> None:
        """Report what leads to items without an action of DynamoDB: roles to assume, and caches before tables."""
        for text in patterns:
            pattern = text.strip().lower()
            if not pattern.startswith(("dax:", "sts:")):
                continue
            if set(self.texts_of(elements.get("effect"))) != {"Allow"}:
                continue
            modes = _modes_of_cache(pattern)
            if modes:
                self._unresolved(text, "which tables a cache of DAX reaches is not read", modes)
            if matches(pattern, ASSUME_ROLE):
                for role in self.texts_of(elements.get("resource")):
                    self.diagnostics.add_role_use(role, ASSUMED, self.service)

    def _check_unresolved_action(self, text: Text, pattern: str) -> None:
        """Report an unresolved action, unless it is another service's (``ses:…``)."""
        service = pattern.replace(PLACEHOLDER, "*").split(":")[0]
        if matches(service, "dynamodb"):
            self._unresolved(text, "the action can't be resolved", READ_AND_WRITE)

    def _note_unknown_action(self, text: Text, pattern: str) -> None:
        """Note an action that IAM does not have. Other services' actions are not known here."""
        if pattern in NO_ACTIONS:
            self.diagnostics.add_note(text.location, NO_ACTIONS[pattern])
        elif ":" not in pattern:
            note = f"{text} is not an action: IAM expects service:Action"
            self.diagnostics.add_note(text.location, note)
        elif pattern.startswith("dynamodb:") and not any(matches(pattern, name) for name in KNOWN):
            self.diagnostics.add_note(text.location, f"{text} is not a DynamoDB action")

    def _effect(
        self, elements: Elements, location: Location, modes: frozenset[ReadOrWrite]
    ) -> str | None:
        """``Allow`` or ``Deny``; None, with a diagnostic, for anything else."""
        effects = set(self.texts_of(elements.get("effect")))
        if effects in ({"Allow"}, {"Deny"}):
            return str(effects.pop())
        effect = Text(min(effects, default="no Effect"), location)
        self._unresolved(effect, "a statement's Effect must be Allow or Deny", modes)
        return None

    def _resources(
        self, elements: Elements, location: Location, modes: frozenset[ReadOrWrite]
    ) -> list[ResourcePattern] | None:
        """The tables and indexes that a statement names or, with NotResource, leaves out.

        None if it applies to none, or if it is not known which it leaves out.
        """
        is_not_resource = "notresource" in elements
        arns = self.texts_of(elements.get("notresource" if is_not_resource else "resource"))
        if not arns:
            missing = Text("no Resource", location)
            self._unresolved(missing, "a statement must have a Resource", modes)
        resources: list[ResourcePattern] = []
        for arn in arns:
            try:
                path = table_path(arn, self.names)
            except ArnError as error:
                # Without its variables, whose first reason need not be the cause.
                self._unresolved(Text(arn, arn.location), str(error), modes)
                if is_not_resource:
                    return None  # the unknown exception might be any table
                continue
            if path:
                resources += self._reached(arn, path)
                self._report_unnamed(arn, path, modes)
                self._note_assumed_suffix(arn)
        if not resources and not is_not_resource:
            return None
        return resources

    def _reached(self, arn: Text, path: str) -> list[ResourcePattern]:
        resources = [ResourcePattern(path, arn.location)]
        # A wildcard after the suffix (`users${opt:stage}*`) is not in the path; it matches the indexes, too.
        if arn.endswith("*") and "*" not in path:
            resources.append(ResourcePattern(f"{path}/index/*", arn.location))
        return resources

    def _report_unnamed(self, arn: Text, path: str, modes: frozenset[ReadOrWrite]) -> None:
        """Report a table that goes by its logical id and is not on the map by that: it may be any of the map's."""
        name = path.removeprefix("table/").partition("/")[0]
        for variable in arn.variables:
            value = arn[variable.start : variable.end]
            if variable.reason and value == name and name not in self.names.tables:
                self._unresolved(Text(value, arn.location), variable.reason.text, modes)

    def _note_assumed_suffix(self, arn: Text) -> None:
        """Note a variable that counts as the environment's by its name, though no file has its value.

        Not noted where the value is merely not given, like the stage's in most runs.
        """
        for variable in arn.variables:
            reason = variable.reason
            if variable.is_environment and reason and not reason.missing_input:
                note = f"{ASSUMED_TO_VARY}, though its value is unknown: {reason.text}"
                self.diagnostics.add_note_once(arn.location, f"{self.service}: {note}")


def _modes_of_cache(pattern: str) -> frozenset[ReadOrWrite]:
    """What a pattern of DAX's actions permits with items."""
    return frozenset(mode for action, mode in CACHE_MODES.items() if matches(pattern, action))
