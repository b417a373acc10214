"""Reads JSON and YAML in the shape of the API's map (docs/api.md), as ``/api/v1/map/`` and the fixture have it.

A key that an entry leaves out states nothing: an import leaves that field as it is, and a new row gets the default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from reprlib import Repr

import yaml

from ownership.exchange.exports import MapContent
from ownership.exchange.imports.statements import (
    KEY_FIELDS,
    Enough,
    Fields,
    FieldValue,
    FilePlace,
    Statements,
)
from ownership.models import Mode
from ownership.models.answerable import answerable_team

ROLES = ("partition_key", "sort_key")
# The keys of each kind of entry. Other keys of a saved map are ignored: nobody confirms a table by a file.
TOP_KEYS = ("environments", "groups", "services", "tables")
# A list that files from before there were teams do not have.
TEAMS = "teams"
ENVIRONMENT_KEYS = ("name", "suffix", "pattern", "description")
GROUP_KEYS = ("name", "description")
TEAM_KEYS = ("name", "contact", "email")
SERVICE_KEYS = ("name", "part_of", "team", "description", "contact", "repository", "aliases")
TABLE_KEYS = (
    "name",
    "group",
    "owner",
    "description",
    "key_schema",
    "more",
    "indexes",
    "accesses",
)
INDEX_KEYS = ("name", "kind", "key_schema")
ACCESS_KEYS = ("service", "mode", "indirect", "notes")
KEY_KEYS = ("name", "type", "format")

# With YAML's aliases, a small file says values that are too large to write out.
_in_short = Repr()
_in_short.maxlevel = 2
_in_short.maxstring = 100

_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


class NotAMap(ValueError):
    """The text is not JSON or YAML; the message says why."""


def read(name: str, text: str) -> Statements:
    """What the file says. Raises NotAMap if it is not JSON or YAML, whichever the file's ending says."""
    content = parse(name, text)
    statements = Statements(name, len(text))
    with suppress(Enough):
        _read_map(_Entry(content, "", statements), statements)
    return statements


def _read_map(top: _Entry, statements: Statements) -> None:
    top.check_keys(TOP_KEYS, ignored=("revision", "environment", TEAMS))
    for key in TOP_KEYS:
        top.require(key)
    statements.complete_kinds |= {"environment", "group", "table"}
    for entry in top.entries("environments"):
        _read_environment(entry)
    for entry in top.entries("groups"):
        _read_group(entry)
    for entry in top.entries(TEAMS):
        _read_team(entry)
    for entry in top.entries("services"):
        _read_service(entry)
    for entry in top.entries("tables"):
        _read_table(entry)


def parse(name: str, text: str) -> object:
    """The file's content. Raises NotAMap, also where a key is given twice in one entry."""
    is_json = name.lower().endswith(".json")
    try:
        if is_json:
            return json.loads(text, object_pairs_hook=_without_doubles)
        return yaml.load(text, _Loader)  # noqa: S506 (_Loader is a SafeLoader)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        form = "JSON" if is_json else "YAML"
        raise NotAMap(f"{name} is not {form}: {error}") from error


def _without_doubles(pairs: list[tuple[object, object]]) -> dict[object, object]:
    result: dict[object, object] = {}
    for key, value in pairs:
        if not isinstance(key, Hashable):
            raise ValueError(f"the key {_in_short.repr(key)} is not a name")
        if key in result:
            raise ValueError(f"the key {_in_short.repr(key)} is given twice in one entry")
        result[key] = value
    return result


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a repeated key instead of taking the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        pairs = []
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            pairs.append((key, self.construct_object(value_node, deep=deep)))
        return _without_doubles(pairs)


def _read_environment(entry: _Entry) -> None:
    entry.check_keys(ENVIRONMENT_KEYS)
    fields = entry.fields(suffix=entry.text, pattern=entry.text, description=entry.text)
    entry.add("environment", entry.names("name"), fields)


def _read_group(entry: _Entry) -> None:
    entry.check_keys(GROUP_KEYS)
    entry.add("group", entry.names("name"), entry.fields(description=entry.text))


def _read_team(entry: _Entry) -> None:
    entry.check_keys(TEAM_KEYS)
    entry.add("team", entry.names("name"), entry.fields(contact=entry.text, email=entry.text))


def _read_service(entry: _Entry) -> None:
    entry.check_keys(SERVICE_KEYS)
    fields = entry.fields(
        part_of=entry.text_or_null,
        team=entry.text_or_null,
        description=entry.text,
        contact=entry.text,
        repository=entry.text,
        aliases=entry.texts,
    )
    entry.add("service", entry.names("name"), fields)


def _read_table(entry: _Entry) -> None:
    # The table's team is that of its owner.
    entry.check_keys(TABLE_KEYS, ignored=("physical_name", "team", "confirmation"))
    fields = entry.fields(group=entry.name, owner=entry.name, description=entry.text)
    fields |= _key_fields(entry)
    fields |= _more_fields(entry)
    names = entry.names("name")
    entry.add("table", names, fields)
    if names is not None:
        _read_indexes(entry, *names)
        _read_accesses(entry, *names)


def _more_fields(entry: _Entry) -> Fields:
    """The link to documentation; no fields if the entry does not state it."""
    if "more" not in entry.values:
        return {}
    more = entry.entry_or_null("more", ("title", "url"))
    if more is None:
        return {"more_title": "", "more_url": ""}
    return {"more_title": more.name("title"), "more_url": more.text_or_null("url") or ""}


def _read_indexes(table: _Entry, table_name: str) -> None:
    if "indexes" in table.values:
        table.statements.complete_parts.add(("index", table_name))
    for entry in table.entries("indexes"):
        entry.check_keys(INDEX_KEYS)
        fields = _key_fields(entry)
        if "kind" in entry.values:
            fields["kind"] = entry.text_or_null("kind") or ""
        entry.add("index", entry.names("name"), fields, table_name)


def _read_accesses(table: _Entry, table_name: str) -> None:
    if "accesses" in table.values:
        table.statements.complete_parts.add(("access", table_name))
    for entry in table.entries("accesses", name_key="service"):
        entry.check_keys(ACCESS_KEYS)
        fields = entry.fields(mode=entry.name, indirect=entry.flag, notes=entry.text)
        mode = fields.get("mode")
        if mode and mode not in Mode.values:
            entry.problem(f"mode is {mode!r}: write one of {', '.join(Mode.values)}.")
            # So that it is not reported again; nothing is applied anyway.
            fields["mode"] = Mode.READ
        entry.add("access", entry.names("service"), fields, table_name)


def _key_fields(entry: _Entry) -> Fields:
    """The six fields of a key schema; none if the entry does not state it."""
    if "key_schema" not in entry.values:
        return {}
    fields: Fields = dict.fromkeys(KEY_FIELDS, "")
    keys = entry.entry_or_null("key_schema", ROLES)
    if keys is None:
        return fields
    if "sort_key" in keys.values and "partition_key" not in keys.values:
        keys.problem("a sort key needs a partition key: add partition_key.")
        return {}
    keys.require("partition_key")
    for role in ROLES:
        key = keys.entry_or_null(role, KEY_KEYS)
        if key is not None:
            fields[f"{role}_name"] = key.name("name")
            fields[f"{role}_type"] = key.text_or_null("type") or ""
            fields[f"{role}_format"] = key.text_or_null("format") or ""
    return fields


class _Entry:
    """One entry of the file with its place. Each getter notes a problem for a value of another type."""

    def __init__(self, value: object, place: FilePlace, statements: Statements) -> None:
        self.place = place
        self.statements = statements
        self.values: dict[object, object] = {}
        self.is_entry = isinstance(value, dict)
        if isinstance(value, dict):
            self.values = value
        else:
            self.problem(f"expected an entry with keys, found {_in_short.repr(value)}.")

    def problem(self, words: str) -> None:
        """Note a problem at this entry's place."""
        self.statements.problem(self.place, words)

    def check_keys(self, known: tuple[str, ...], ignored: tuple[str, ...] = ()) -> None:
        """Note each unknown key."""
        for key in self.values:
            if key not in known and key not in ignored:
                self.problem(f"unknown key {_in_short.repr(key)}. The keys are {', '.join(known)}.")

    def require(self, key: str) -> None:
        """Note the key if it is missing."""
        if self.is_entry and key not in self.values:
            self.problem(f"{key!r} is missing.")

    def names(self, key: str) -> tuple[str, ...] | None:
        """The name of the row; None, with a problem noted, if there is none."""
        self.require(key)
        name = self.name(key)
        return (name,) if name else None

    def add(
        self,
        kind: str,
        names: tuple[str, ...] | None,
        fields: Fields,
        *table: str,
    ) -> None:
        """State the row, if it has a name. An index or access is named by its table, too."""
        if names is not None:
            self.statements.add(kind, (*table, *names), self.place, fields)

    def fields(self, **getters: Callable[[str], FieldValue]) -> Fields:
        """The values of those keys that the entry has."""
        return {key: getter(key) for key, getter in getters.items() if key in self.values}

    def text(self, key: str) -> str:
        """A text; empty if there is none."""
        value = self.values.get(key, "")
        if isinstance(value, str) and not _HALF_A_CHARACTER.search(value):
            return value
        self._wrong(key, value, "text")
        return ""

    def name(self, key: str) -> str:
        """A text that is not empty."""
        if key in self.values and self.values[key] == "":
            self.problem(f"{key} is empty.")
        return self.text(key)

    def text_or_null(self, key: str) -> str | None:
        """A text; None if it is null or empty."""
        if self.values.get(key) is None:
            return None
        return self.text(key) or None

    def texts(self, key: str) -> list[str]:
        """A list of texts, none of them empty."""
        values = self.values.get(key)
        if not isinstance(values, list):
            self._wrong(key, values, "a list")
            return []
        texts = []
        for value in values:
            if isinstance(value, str) and value and not _HALF_A_CHARACTER.search(value):
                texts.append(value)
            else:
                self._wrong(key, value, "names, each a text that is not empty")
        return texts

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return value
        self._wrong(key, value, "true or false")
        return False

    def entry_or_null(self, key: str, known: tuple[str, ...]) -> _Entry | None:
        """The entry inside this one; None if it is null or left out."""
        value = self.values.get(key)
        if value is None:
            return None
        entry = _Entry(value, f"{self.place} › {key}", self.statements)
        entry.check_keys(known)
        if "name" in known or "title" in known:
            entry.require(known[0])
        return entry

    def entries(self, key: str, name_key: str = "name") -> Iterator[_Entry]:
        """The entries of a list; the place of each is its name, or else its number. A name given twice is noted."""
        values = self.values.get(key, [])
        if not isinstance(values, list):
            self._wrong(key, values, "a list")
            return
        titles = set()
        for number, value in enumerate(values, 1):
            title = _name_in(value, name_key) or number
            place = " › ".join(map(str, filter(None, [self.place, key, title])))
            entry = _Entry(value, place, self.statements)
            if title in titles:
                entry.problem("is listed twice.")
                continue
            titles.add(title)
            yield entry

    def _wrong(self, key: str, value: object, expected: str) -> None:
        if isinstance(value, str) and _HALF_A_CHARACTER.search(value):
            self.problem(
                f"{key} is {_in_short.repr(value)}: half of a surrogate pair can't be stored."
            )
        else:
            self.problem(f"{key} is {_in_short.repr(value)}; expected {expected}.")


def _name_in(value: object, key: str) -> str:
    """The name of an entry; empty if it has none."""
    name = value.get(key) if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""


def complete_map(name: str, text: str) -> MapContent:
    """The file's map as the API would give it once seeded: with all defaults filled in.

    For a file that ``read`` finds no problem in.
    """
    content: MapContent = parse(name, text)  # type: ignore[assignment]
    environment = {"suffix": "", "pattern": "", "description": ""}
    service: MapContent = {
        "part_of": None,
        "team": None,
        "description": "",
        "contact": "",
        "repository": "",
        "aliases": [],
    }
    services = [service | entry for entry in content["services"]]
    links = {entry["name"]: (entry["part_of"], entry["team"]) for entry in services}
    tables = []
    for entry in content["tables"]:
        tables.append(_complete_table(entry) | {"team": answerable_team(entry["owner"], links)})
    return {
        "revision": 0,
        "environment": None,
        "environments": [environment | entry for entry in content["environments"]],
        "groups": [{"description": ""} | entry for entry in content["groups"]],
        "teams": [{"contact": "", "email": ""} | entry for entry in content.get(TEAMS, [])],
        "services": services,
        "tables": tables,
    }


def _complete_table(table: MapContent) -> MapContent:
    indexes = []
    for entry in table.get("indexes", []):
        index = {"kind": None} | entry
        indexes.append(index | {"key_schema": _complete_keys(entry.get("key_schema"))})
    more = table.get("more")
    access = {"indirect": False, "notes": ""}
    return {
        "description": "",
        **table,
        "key_schema": _complete_keys(table.get("key_schema")),
        "more": more and {"url": None} | more,
        "indexes": indexes,
        "accesses": [access | entry for entry in table.get("accesses", [])],
    }


def _complete_keys(key_schema: MapContent | None) -> MapContent | None:
    if key_schema is None:
        return None
    complete = {}
    for role in ROLES:
        key = key_schema.get(role)
        complete[role] = key and {"type": None, "format": None} | key
    return complete
