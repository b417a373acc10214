"""Seeds the registry from a fixture, in the shape of the API's map (docs/api.md); a saved map seeds as it is.

Create only: an entry that the registry has, or once had under that name, is left alone, so that seeding
again changes nothing and never undoes a lead's edit.
"""

import json
import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.history.tracked import RegistryModel
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup

SEED_REASON = "Seeded from the table ownership map"

# What an entry may say, and the type of it. Keys marked True must be there.
_TEXT: dict[str, Any] = {"type": str, "default": ""}
_NAME: dict[str, Any] = {"type": str, "required": True}
_KEY = {
    "name": _NAME,
    "type": {"type": (str, type(None)), "default": None},
    "format": {"type": (str, type(None))},
}
_KEY_SCHEMA = {"type": (dict, type(None)), "default": None}
_IGNORED: dict[str, Any] = {"type": object, "ignored": True}  # what a saved map says besides
_SHAPES: dict[str, dict[str, Any]] = {
    "file": {
        "revision": _IGNORED,
        "environment": _IGNORED,
        **{name: {"type": list, "required": True} for name in ("environments", "groups", "services", "tables")},
    },
    "environment": {"name": _NAME, "suffix": _TEXT, "description": _TEXT},
    "group": {"name": _NAME, "description": _TEXT},
    "service": {
        "name": _NAME,
        "part_of": {"type": (str, type(None)), "default": None},
        "description": _TEXT,
        "contact": _TEXT,
        "repository": _TEXT,
        "aliases": {"type": list, "default": []},
    },
    "table": {
        "name": _NAME,
        "physical_name": _IGNORED,
        "group": _NAME,
        "owner": _NAME,
        "description": _TEXT,
        "key_schema": _KEY_SCHEMA,
        "more": {"type": (dict, type(None)), "default": None},
        "indexes": {"type": list, "default": []},
        "accesses": {"type": list, "default": []},
    },
    "more": {"title": _NAME, "url": {"type": (str, type(None)), "default": None}},
    "index": {"name": _NAME, "kind": {"type": (str, type(None)), "default": None}, "key_schema": _KEY_SCHEMA},
    "access": {
        "service": _NAME,
        "mode": _NAME,
        "indirect": {"type": bool, "default": False},
        "notes": _TEXT,
    },
    "key_schema": {"partition_key": {"type": dict, "required": True}, "sort_key": _KEY_SCHEMA},
    "key": _KEY,
}


class SeedError(ValueError):
    """The fixture holds a mistake; the message names the entry and the reason, and nothing was written."""


def seed(path: Path) -> dict[str, int]:
    """Create what the fixture has and the registry never had; {plural name of a model: how many}.

    One change set, or none when nothing is new. Raises SeedError and writes nothing at the first mistake.
    """
    fixture = _shaped(read_fixture(path), "file", path.name)
    with change_set(reason=f"{SEED_REASON} ({path.name})", source=ChangeSet.Source.SEED):
        return _Seeder().run(fixture)


def fixture_map(path: Path) -> dict[str, Any]:
    """The fixture as the API's map would give it once seeded into an empty registry: nothing is left to defaults.

    SeedError where it is not of that shape. What it names is not checked; seeding does that.
    """
    fixture = _shaped(read_fixture(path), "file", path.name)
    content: dict[str, Any] = {"revision": 0, "environment": None}
    for kind in ("environment", "group", "service", "table"):
        content[f"{kind}s"] = [_shaped(entry, kind, f"{kind}s › {n}") for n, entry in enumerate(fixture[f"{kind}s"], 1)]
    for table in content["tables"]:
        where = f"tables › {table['name']}"
        table["accesses"] = [_shaped(access, "access", f"{where} › accesses") for access in table["accesses"]]
        table["indexes"] = [_shaped(index, "index", f"{where} › indexes") for index in table["indexes"]]
        if table["more"] is not None:
            table["more"] = _shaped(table["more"], "more", f"{where} › more")
        for entry in (table, *table["indexes"]):
            if entry["key_schema"] is not None:
                keys = _shaped(entry["key_schema"], "key_schema", f"{where} › key_schema")
                entry["key_schema"] = {role: key and _shaped(key, "key", where) for role, key in keys.items()}
    return content


def read_fixture(path: Path) -> Any:
    """The file's content, as JSON or YAML by its ending; SeedError where it is neither or a key stands twice."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return json.loads(text, object_pairs_hook=_without_doubles)
        return yaml.load(text, _Loader)  # noqa: S506 (_Loader is a SafeLoader)
    except OSError as error:
        raise SeedError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SeedError(f"{path.name} is not text in UTF-8: {error.reason} at byte {error.start}.") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        kind = "JSON" if path.suffix == ".json" else "YAML"
        raise SeedError(f"{path.name} is not {kind}: {error}") from error


def _without_doubles(pairs: list[tuple[Any, Any]]) -> dict:
    result: dict = {}
    for key, value in pairs:
        if not isinstance(key, Hashable):
            raise ValueError(f"the key {key!r} is not a name")
        if key in result:
            raise ValueError(f"the key {key!r} stands twice in one entry")
        result[key] = value
    return result


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a doubled key instead of taking the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        return _without_doubles(
            [(self.construct_object(k, deep=True), self.construct_object(v, deep=deep)) for k, v in node.value]
        )


def _shaped(entry: Any, shape: str, where: str) -> dict[str, Any]:
    """The entry with its defaults filled in; SeedError where it is not of the shape."""
    if not isinstance(entry, dict):
        raise SeedError(f"{where}: expected an entry with keys, found {entry!r}.")
    keys = _SHAPES[shape]
    for key in entry:
        if key not in keys:
            takes = ", ".join(name for name, rule in keys.items() if not rule.get("ignored"))
            raise SeedError(f"{where}: unknown key {key!r}; {shape} takes {takes}.")
    result = {}
    for key, rule in keys.items():
        if rule.get("ignored"):
            continue
        if rule.get("required") and key not in entry:
            raise SeedError(f"{where}: {key!r} is missing.")
        value = entry.get(key, rule.get("default"))
        if not isinstance(value, rule["type"]):
            kinds = rule["type"] if isinstance(rule["type"], tuple) else (rule["type"],)
            expected = " or ".join("null" if kind is type(None) else _KIND_NAMES[kind] for kind in kinds)
            raise SeedError(f"{where}: {key} is {value!r}; expected {expected}.")
        if rule.get("required") and value == "":
            raise SeedError(f"{where}: {key} is empty.")
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and _LONE_SURROGATE.search(text):
                raise SeedError(f"{where}: {key} is {text!r}; half a character can't be stored.")
        result[key] = value
    return result


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_KIND_NAMES = {str: "text", list: "a list", dict: "an entry with keys", bool: "true or false"}


class _Seeder:
    """One run: which names the registry has seen, the rows by name, and how many were created."""

    def __init__(self) -> None:
        self.created: dict[str, int] = {}
        self.seen: dict[type[RegistryModel], set[str]] = {
            model: set(model.history.values_list("label", flat=True))
            for model in (Environment, TableGroup, Service, Table, SecondaryIndex, Access)
        }
        self.groups: dict[str, TableGroup] = {row.name: row for row in TableGroup.objects.all()}
        self.services: dict[str, Service] = {row.name: row for row in Service.objects.all()}
        self.tables: dict[str, Table] = {row.name: row for row in Table.objects.all()}

    def run(self, fixture: dict[str, list]) -> dict[str, int]:
        for position, where, entry in self._entries(fixture["environments"], "environment", "environments"):
            self._create(Environment(position=position, **entry), where)
        for position, where, entry in self._entries(fixture["groups"], "group", "groups"):
            group = TableGroup(position=position, **entry)
            if self._create(group, where):
                self.groups[group.name] = group
        self._services(list(self._entries(fixture["services"], "service", "services")))
        for position, where, entry in self._entries(fixture["tables"], "table", "tables"):
            self._table(position, where, entry)
        return self.created

    def _entries(self, entries: list, shape: str, where: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """(position, where it stands, entry) of each; SeedError where a name stands twice."""
        names = set()
        key = "service" if shape == "access" else "name"
        for position, raw in enumerate(entries):
            name = raw.get(key) if isinstance(raw, dict) else None
            place = f"{where} › {name if isinstance(name, str) else position + 1}"
            entry = _shaped(raw, shape, place)
            if entry[key] in names:
                raise SeedError(f"{place}: stands twice.")
            names.add(entry[key])
            yield position, place, entry

    def _services(self, entries: list[tuple[int, str, dict[str, Any]]]) -> None:
        """Create services in the file's order, but a whole before its parts, so that each is written once."""
        waiting = {entry["name"]: (where, entry) for _, where, entry in entries}
        for first in list(waiting):
            chain: dict[str, str] = {}  # from a part to the whole of its whole
            name = first
            while name in waiting:
                where, entry = waiting[name]
                if name in chain:
                    raise SeedError(f"{where}: part of {entry['part_of']!r}, which goes in a circle.")
                chain[name] = where
                name = entry["part_of"]
            for name, where in reversed(chain.items()):
                _, entry = waiting.pop(name)
                if name in self.seen[Service]:
                    continue
                parent = entry.pop("part_of")
                service = Service(
                    part_of=self._named(self.services, parent, "service", where) if parent else None, **entry
                )
                self._create(service, where)
                self.services[name] = service

    def _table(self, position: int, where: str, entry: dict[str, Any]) -> None:
        table = self.tables.get(entry["name"])
        if entry["name"] not in self.seen[Table]:
            more = _shaped(entry["more"], "more", f"{where} › more") if entry["more"] is not None else {}
            table = Table(
                name=entry["name"],
                group=self._named(self.groups, entry["group"], "group", where),
                owner=self._named(self.services, entry["owner"], "service", where),
                description=entry["description"],
                more_title=more.get("title", ""),
                more_url=more.get("url") or "",
                position=position,
                **self._keys(entry["key_schema"], where),
            )
            self._create(table, where)
        if table is None:
            return  # a lead renamed or deleted it: nothing of it is brought back
        for place, at, index in self._entries(entry["indexes"], "index", f"{where} › indexes"):
            keys = self._keys(index["key_schema"], at)
            self._create(
                SecondaryIndex(table=table, name=index["name"], kind=index["kind"] or "", position=place, **keys),
                at,
            )
        for place, at, access in self._entries(entry["accesses"], "access", f"{where} › accesses"):
            if f"{access['service']} → {table.name}" not in self.seen[Access]:
                service = self._named(self.services, access.pop("service"), "service", at)
                self._create(Access(table=table, service=service, position=place, **access), at)

    def _keys(self, key_schema: dict[str, Any] | None, where: str) -> dict[str, str]:
        """The key schema's six columns."""
        if key_schema is None:
            return {}
        where = f"{where} › key_schema"
        if "partition_key" not in key_schema and "sort_key" in key_schema:
            raise SeedError(f"{where}: a sort key needs a partition key: state the partition key too.")
        columns = {}
        for role, key in _shaped(key_schema, "key_schema", where).items():
            if key is not None:
                for part, value in _shaped(key, "key", f"{where} › {role}").items():
                    columns[f"{role}_{part}"] = value or ""
        return columns

    def _named(self, rows: dict[str, Any], name: str, kind: str, where: str) -> Any:
        if name not in rows:
            known = name in self.seen[TableGroup if kind == "group" else Service]
            raise SeedError(
                f"{where}: the registry renamed or deleted its {kind} {name!r}; use the name of today."
                if known
                else f"{where}: unknown {kind} {name!r}."
            )
        return rows[name]

    def _create(self, row: RegistryModel, where: str) -> bool:
        """Save the row unless the registry has, or had, one of that name; whether it did."""
        if str(row) in self.seen[type(row)]:
            return False
        try:
            row.full_clean()
        except ValidationError as error:
            reasons = "; ".join(
                f"{field}: {' '.join(messages)}" if field != "__all__" else " ".join(messages)
                for field, messages in error.message_dict.items()
            )
            raise SeedError(f"{where}: {reasons}") from error
        row.save()
        plural = str(type(row)._meta.verbose_name_plural)
        self.created[plural] = self.created.get(plural, 0) + 1
        return True
