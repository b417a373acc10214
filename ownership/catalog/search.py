"""Finding things by what people have at hand: part of a name, a physical name, an ARN, a line of a log."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, QuerySet, When

from ownership.catalog.search_index import holding
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup

LONGEST = 5000
# Texts up to here are looked for as they stand, too: nobody types more than a few words of a note.
TYPED = 120
MOST = 25
SERVICE_TEXTS = ("name", "description", "contact", "aliases")
# What names are made of; an ARN's and a log line's other characters stand between them.
_NAME = re.compile(r"[A-Za-z0-9_.-]{2,255}")
_PARTS = re.compile(r"[-_.]")
_LONGEST_RUN = 6
# How a name can hold a word, best first.
_RANKS = ("iexact", "istartswith", "icontains")


@dataclass(frozen=True)
class Known:
    """A table that the text names outright, by the physical name that it names, with the environments of that name."""

    table: Table
    physical_name: str
    environments: list[str]


@dataclass(frozen=True)
class Hits:
    """Some rows that hold the text, best first; ``more`` than are here."""

    kind: str
    rows: list[Any]
    more: bool


@dataclass(frozen=True)
class Found:
    """What the text names outright, and what holds it."""

    tables: list[Known]
    services: list[Service]
    indexes: list[SecondaryIndex]
    hits: list[Hits]

    def __bool__(self) -> bool:
        return bool(self.tables or self.services or self.indexes or any(found.rows for found in self.hits))


def search(text: str) -> Found:
    """All that the text can mean, of the moment's rows; a fixed number of queries, except none for an empty text.

    Text beyond ``LONGEST`` characters is not looked at.
    """
    text = text[:LONGEST].strip()
    if not text:
        return Found([], [], [], [])
    tokens = _tokens(text)
    environments = list(Environment.objects.all())
    tables = _tables(tokens, environments)
    services = _services(tokens)
    indexes = _indexes(tokens, {known.table.pk for known in tables})
    hits = _holding(text, environments) if len(text) <= TYPED else []
    named = {*(known.table for known in tables), *services, *indexes}
    for found in hits:
        found.rows[:] = [row for row in found.rows if row not in named]
    return Found(tables, services, indexes, hits)


def _tokens(text: str) -> list[str]:
    """The words that could be names, in order, each once; a full stop that ends a sentence is no part of one."""
    found: dict[str, None] = {}
    for word in _NAME.findall(text):
        found[word] = None
        found[word.strip("._-")] = None
    return [word for word in found if len(word) > 1]


def _tables(tokens: list[str], environments: list[Environment]) -> list[Known]:
    """Tables whose physical name in some environment is one of the words; where two could be meant, both."""
    meant: dict[str, dict[str, list[str]]] = {}
    for token in tokens:
        # Without any environment a table goes by its base name.
        for suffix, name in [(e.suffix, e.name) for e in environments] or [("", "")]:
            if token.endswith(suffix) and len(token) > len(suffix):
                base = token.removesuffix(suffix) if suffix else token
                meant.setdefault(base, {}).setdefault(token, []).append(name)
    for token in tokens:
        meant.setdefault(token, {}).setdefault(token, [])  # also where every environment has a suffix
    known = Table.objects.filter(name__in=meant).select_related("owner", "group")
    return [
        Known(table, physical_name, [name for name in names if name])
        for table in sorted(known, key=lambda table: list(meant).index(table.name))
        for physical_name, names in meant[table.name].items()
    ]


def _services(tokens: list[str]) -> list[Service]:
    """Services whose name or alias is one of the words, or stands in one between hyphens: events-prod-lambdaRole."""
    runs = {run for token in tokens for run in _runs(token)}
    named = [
        pk
        for pk, name, aliases in Service.objects.order_by().values_list("pk", "name", "aliases")
        if name in runs or not runs.isdisjoint(aliases)
    ]
    return list(Service.objects.filter(pk__in=named).select_related("part_of"))


def _runs(token: str) -> Iterable[str]:
    starts = [0, *(match.end() for match in _PARTS.finditer(token))]
    ends = [*(match.start() for match in _PARTS.finditer(token)), len(token)]
    for n, start in enumerate(starts):
        for end in ends[n : n + _LONGEST_RUN]:
            yield token[start:end]
    yield token


def _indexes(tokens: list[str], tables: set[int]) -> list[SecondaryIndex]:
    """Indexes of that name; those of the named tables alone, where these have any."""
    found = list(SecondaryIndex.objects.filter(name__in=tokens).prefetch_related("table")[:MOST])
    return [index for index in found if index.table_id in tables] or found


def _holding(text: str, environments: list[Environment]) -> list[Hits]:
    """Rows one of whose texts holds every word, by kind; those whose name begins so first."""
    words = text.split()
    bare = [_without_suffix(word, environments) for word in words]
    return [
        _hits("tables", Table.objects.select_related("owner", "group"), bare),
        _hits("services", Service.objects.select_related("part_of"), words, *SERVICE_TEXTS),
        _hits("indexes", SecondaryIndex.objects.prefetch_related("table"), bare),
        _hits("notes", Access.objects.select_related("table", "service"), words),
        _hits("groups", TableGroup.objects.all(), words, "name", "description"),
    ]


def _without_suffix(word: str, environments: list[Environment]) -> str:
    """Part of a physical name as part of a base name: UsersPROD → Users."""
    for environment in environments:
        if environment.suffix and word.endswith(environment.suffix) and len(word) > len(environment.suffix) + 2:
            return word.removesuffix(environment.suffix)
    return word


def _hits(kind: str, rows: QuerySet, words: list[str], *fields: str) -> Hits:
    which = Q()
    for word in words:
        which &= holding(rows.model, word, fields)
    order: list[Any] = ["pk"]
    if rows.model is not Access:
        ranks = [When(**{f"name__{lookup}": words[0], "then": n}) for n, lookup in enumerate(_RANKS)]
        order = [Case(*ranks, default=len(_RANKS)), "name", "pk"]
    found = list(rows.filter(which).order_by(*order)[: MOST + 1])
    return Hits(kind, found[:MOST], len(found) > MOST)
