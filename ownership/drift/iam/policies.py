"""Policies as IAM reads them, reduced to what they let someone do with the items of DynamoDB tables.

Source: IAM User Guide, "IAM JSON policy elements" and "Policy evaluation logic": an action or resource may
hold ``*`` and ``?``; actions ignore case, resources don't; an ARN with fewer than six fields is filled up
with ``*``; an explicit Deny beats every Allow of the same principal.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ownership.drift.iam.actions import INDEX_ACTIONS, KNOWN, MODES, NO_ACTIONS
from ownership.drift.naming import Names
from ownership.drift.readers.yaml_values import HOLE, Map, Text
from ownership.drift.types import GrantedAccess, Location, Note, ReadError, ReadOrWrite, Unresolved, shortened

FROM_OUTSIDE = re.compile(r"no value for (?:opt|env|sls|param):")  # so it is with every stage that nobody gave
TABLE_NAME = re.compile(r"[\w.*?-]{1,255}", re.ASCII)  # or a pattern of such names
BOTH: frozenset[ReadOrWrite] = frozenset({"read", "write"})


@dataclass
class Log:
    """What a reader met on its way, besides grants."""

    unresolved: dict[Unresolved, None] = field(default_factory=dict)  # in order, each once
    notes: dict[Note, None] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)
    errors: dict[tuple[Location, str], ReadError] = field(default_factory=dict)

    def unresolve(self, text: Text, reason: str, service: str | None = None, modes: Iterable[ReadOrWrite] = ()) -> None:
        shown, why = shortened(text.replace(HOLE, "…")), shortened(text.reason or reason)
        self.unresolved[Unresolved(text.place, shown, why, service, frozenset(modes))] = None

    def note(self, place: Location, text: str) -> None:
        self.notes[Note(place, shortened(text))] = None

    def note_once(self, place: Location, text: str) -> None:
        """For what holds at many places: the first will do."""
        if text not in self.noted:
            self.noted.add(text)
            self.note(place, text)

    def fail(self, error: ReadError) -> None:
        self.errors[error.location, error.reason] = error

    def add(self, other: "Log") -> None:
        """Take over what another met."""
        self.unresolved |= other.unresolved
        self.notes |= other.notes
        self.errors |= other.errors


@dataclass(frozen=True)
class Statement:
    """An Allow, or a Deny without conditions.

    ``actions`` are those on items. ``resources`` are patterns of base names, like ``table/biztechUsers`` or
    ``table/biztech*/index/*``, each with its place; ``inverted``: they are what NotResource leaves out.
    """

    allow: bool
    actions: frozenset[str]
    resources: tuple[tuple[str, Location], ...]
    inverted: bool
    place: Location


Role = Sequence[Statement]
Texts = Callable[[Any], list[Text]]


def glob(pattern: str, text: str) -> bool:
    """Whether the pattern with ``*`` and ``?`` matches the whole text; never exponential."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    p = t = back = 0
    star = -1
    while t < len(text):
        if p < len(pattern) and pattern[p] == "*":
            star, back, p = p, t, p + 1
        elif p < len(pattern) and pattern[p] in ("?", text[t]):
            p, t = p + 1, t + 1
        elif star >= 0:
            back += 1
            p, t = star + 1, back
        else:
            return False
    return not pattern[p:].strip("*")


@lru_cache(maxsize=4096)
def item_actions(pattern: str) -> frozenset[str]:
    """The actions on items that a pattern in lower case stands for."""
    return frozenset(action for action in MODES if glob(pattern, action))


def modes_of(actions: Iterable[str]) -> frozenset[ReadOrWrite]:
    """What the actions do with items."""
    return frozenset(MODES[action] for action in actions)


def statement(node: Map, texts: Texts, service: str, names: Names, log: Log) -> Statement | None:
    """One policy statement; None where it permits and denies nothing with items.

    ``texts`` gives all texts that a value may have. What can't be resolved goes into the log instead.
    """
    elements = {key.lower(): value for key, value in node.items()}
    actions = _actions(elements, texts, service, node.place, log)
    if not actions:
        return None
    if "principal" in elements or "notprincipal" in elements:
        principal = Text("Principal", node.place)
        log.unresolve(principal, "a statement with one belongs to a resource, not a role", service, modes_of(actions))
        return None
    effects = set(texts(elements.get("effect")))
    if not effects <= {"Allow", "Deny"} or len(effects) != 1:
        effect = next(iter(sorted(effects)), Text("no Effect", node.place))
        log.unresolve(Text(effect, node.place), "a statement's Effect is Allow or Deny", service, modes_of(actions))
        return None
    allow = effects == {"Allow"}
    inverted = "notresource" in elements
    resources = []
    stated = texts(elements.get("notresource" if inverted else "resource"))
    if not stated:
        log.unresolve(Text("no Resource", node.place), "IAM wants one", service, modes_of(actions))
    for text in stated:
        try:
            path = resource(text, names)
        except ValueError as error:
            # An unknown exception of NotResource might leave out any table: nothing is known of any of them.
            log.unresolve(text, str(error), service, modes_of(actions))
            if inverted:
                return None
            continue
        if path:
            resources.append((path, text.place))
            if text.endswith("*") and "*" not in path:  # taken off behind a suffix: it reaches the indexes, too
                resources.append((f"{path}/index/*", text.place))
            for reason in (v.reason for v in text.variables if v.varies and v.reason):
                if not FROM_OUTSIDE.match(reason):
                    log.note_once(
                        text.place, f"{service}: taken for the environment's suffix without its value: {reason}"
                    )
    if not resources and not inverted:
        return None
    if texts_of_condition := elements.get("condition"):
        place = getattr(texts_of_condition, "place", node.place)
        if not allow:
            log.note(place, f"{service}: a Deny under a condition takes nothing away here")
            return None
        log.note(place, f"{service}: granted only under a condition")
    return Statement(allow, actions, tuple(resources), inverted, node.place)


def _actions(elements: dict[str, Any], texts: Texts, service: str, place: Location, log: Log) -> frozenset[str]:
    inverted = "notaction" in elements
    found: set[str] = set()
    stated = texts(elements.get("notaction" if inverted else "action"))
    if not stated:
        log.note(place, f"{service}: a statement without Action permits nothing")
        return frozenset()
    for text in stated:
        pattern = text.strip().lower()
        if HOLE in pattern:
            if glob(pattern.replace(HOLE, "*").split(":")[0], "dynamodb"):
                log.unresolve(text, "an action that can't be resolved", service, BOTH)
            continue
        matches = item_actions(pattern)
        found |= matches
        if cure := NO_ACTIONS.get(pattern):
            log.note(text.place, cure)
        elif pattern.startswith("dynamodb:") and not matches and not any(glob(pattern, known) for known in KNOWN):
            log.note(text.place, f"{text} is no action of DynamoDB")
        elif ":" not in pattern and not matches:
            log.note(text.place, f"{text} is no action: IAM wants service:Action")
    if inverted:
        return frozenset(MODES) - found
    return frozenset(found)


def resource(text: Text, names: Names) -> str | None:
    """A resource as a pattern of base names, relative to region and account; None where it is no table's.

    Raises ValueError, saying why, for what can't be resolved.
    """
    text = text.stripped()
    fields = text.cut(":", 5)
    if len(fields) < 6 and any(field.startswith("table/") for field in fields):
        raise ValueError("is no ARN of a table: a field is missing")
    if glob(fields[0], "arn") and (len(fields) < 6 or HOLE not in fields[0]):
        fields += [Text("*", text.place)] * (6 - len(fields))
    if len(fields) < 6 or not glob(fields[0], "arn"):
        if set(text) == {"*"}:
            return "*"
        raise ValueError("can't be resolved" if HOLE in text else "is no ARN")
    partition, service, account, path = fields[1], fields[2], fields[4], fields[5]
    if HOLE in service:
        raise ValueError("can't be resolved")
    if not (HOLE in partition or partition.startswith("aws") or glob(partition, "aws")):
        raise ValueError(f"is no ARN: {partition or 'nothing'} stands where aws belongs")
    if not glob(service, "dynamodb"):
        return None
    if "/" in account:
        raise ValueError("is no ARN of a table: a field is missing")
    head, slash, _ = path.partition("/")
    if head != "table" or not slash:
        if HOLE in head:
            raise ValueError("can't be resolved")
        if "*" in path or "?" in path:
            return str(path)
        if head == "global-table":
            return None
        raise ValueError("names nothing that DynamoDB has: is table/NAME meant?")
    name, *tail = path.part(6, len(path)).cut("/", 1)
    if tail == [""]:
        raise ValueError("names nothing that DynamoDB has: a slash stands at its end")
    base = names.table(name)
    if base is None:
        raise ValueError("the table's name can't be resolved")
    if not TABLE_NAME.fullmatch(base):
        raise ValueError("is no ARN of a table: its name has other characters or is too long")
    return "/".join(["table", base, *map(str, tail)])


def permitted(
    service: str, roles: Iterable[Role], known: Sequence[str], names: Names, log: Log
) -> dict[GrantedAccess, tuple[Location, ...]]:
    """What a service may do with items: each access with the places that grant it.

    A role's Deny binds that role alone. ``known`` are the tables, sorted, that patterns are matched with; a pattern
    that matches none of them is logged as unresolved.
    """
    found: dict[GrantedAccess, dict[Location, None]] = defaultdict(dict)
    for role in roles:
        denies = [s for s in role if not s.allow]
        for allow in (s for s in role if s.allow):
            for table, tail, place in _reached(service, allow, known, names, log):
                actions = allow.actions & INDEX_ACTIONS if tail else allow.actions
                denied = {a for deny in denies if _denies(deny, table + tail, names) for a in deny.actions}
                for mode in modes_of(actions - denied):
                    found[GrantedAccess(service, table, mode)][place] = None
    return {access: tuple(places) for access, places in found.items()}


def _reached(
    service: str, allow: Statement, known: Sequence[str], names: Names, log: Log
) -> Iterable[tuple[str, str, Location]]:
    """The tables that an Allow speaks of: (base name, what follows it: nothing or an index, place)."""
    if allow.inverted:
        for table in known:
            for tail in ("", "/index/*"):
                if not any(_covers(path, table + tail, names) for path, _ in allow.resources):
                    yield table, tail, allow.place
        return
    for path, place in allow.resources:
        name, _, tail = path.removeprefix("table/").partition("/")
        if path.startswith("table/") and "*" not in name and "?" not in name:
            tails = ["/" + tail] if tail.startswith("index/") else ["/index/*"] if glob(tail, "index/*") else []
            for reached in tails if tail else [""]:
                yield name, reached, place
            continue
        index = "/index/" + path.partition("/index/")[2] if "/index/" in path else "/index/*"
        targets = ((table, tail) for table in _candidates(path, known) for tail in ("", index))
        matches = [(table, tail) for table, tail in targets if _covers(path, table + tail, names)]
        if not matches and names.tables:
            log.unresolve(Text(path, place), "the pattern matches no table that is known", service)
        for table, tail in matches:
            yield table, tail, place


def _candidates(path: str, known: Sequence[str]) -> Iterator[str]:
    """Those of the known tables, in order, that begin as the pattern does; a suffix may be in its beginning, too."""
    beginning = re.split(r"[*?]", path, maxsplit=1)[0].removeprefix("table/") if path.startswith("table/") else ""
    for end in range(1, len(beginning)):
        at = bisect_left(known, beginning[:end])
        if known[at : at + 1] == [beginning[:end]]:
            yield beginning[:end]
    at = bisect_left(known, beginning)
    while at < len(known) and known[at].startswith(beginning):
        yield known[at]
        at += 1


def _covers(path: str, target: str, names: Names) -> bool:
    """Whether a pattern reaches ``table[/index/…]`` in any of the environments that are read."""
    table, slash, tail = target.partition("/")
    return any(glob(path, f"table/{table}{suffix}{slash}{tail}") for suffix in names.physical_suffixes | {""})


def _denies(deny: Statement, target: str, names: Names) -> bool:
    """Whether a Deny keeps off ``table[/index/…]`` in all of the environments that are read."""
    table, slash, tail = target.partition("/")
    physical = [f"table/{table}{suffix}{slash}{tail}" for suffix in names.physical_suffixes]
    exact = f"table/{target}"
    hits = [any(glob(path, name) or path == exact for path, _ in deny.resources) for name in physical]
    return not any(hits) if deny.inverted else all(hits)
