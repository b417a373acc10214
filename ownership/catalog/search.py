"""Searching by what people have at hand: part of a name, a physical name, an ARN, a line of a log.

A search does three things. It takes the words that could be names, and finds the tables, services and indexes that
they name outright (``SearchResults.tables`` and so on). It finds what had such a name once (``SearchResults.past``).
And it looks for rows whose texts contain every word (``SearchResults.hits``).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Case, F, Model, Q, QuerySet, Value, When

from ownership.audit.text_index import TextsInside, contained
from ownership.catalog.past_names import PastName, past_names
from ownership.catalog.search_index import contains
from ownership.history.time_travel import looks_back
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup

# Characters of a search text that are read.
LONGEST_TEXT = 5000
# Characters of a text that is also looked for inside texts: nobody types more than a few words of a note.
LONGEST_TYPED = 120
MAX_HITS = 25
SERVICE_TEXTS = ("name", "description", "contact", "alias_texts")
GROUP_TEXTS = ("name", "description")
KEY_TEXTS = ("partition_key_name", "partition_key_format", "sort_key_name", "sort_key_format")

# What names are made of. An ARN's other characters, and a log line's, separate names.
_NAME = re.compile(r"[A-Za-z0-9_.-]{2,255}")
_SEPARATOR = re.compile(r"[-_.]")
# Parts of a longer name that a service's name may span: events-prod-lambdaRole has three.
_MOST_PARTS = 6
# How a name can match a word, best first.
_LOOKUPS = ("iexact", "istartswith", "icontains")


@dataclass(frozen=True)
class NamedTable:
    """A table that the text names by its physical name, and the environments in which that is its name."""

    table: Table
    physical_name: str
    environments: list[str]


@dataclass
class Hits:
    """Rows of one kind whose texts contain every word, best first; ``more`` where there are others.

    ``rank`` says how well the best of them match, 0 best.
    """

    kind: str
    rows: list[Model]
    more: bool
    rank: int


@dataclass(frozen=True)
class SearchResults:
    """What the text names outright, and what contains it. False if both are empty."""

    tables: list[NamedTable]
    services: list[Service]
    indexes: list[SecondaryIndex]
    past: list[PastName]
    hits: list[Hits]

    def __bool__(self) -> bool:
        if self.tables or self.services or self.indexes or self.past:
            return True
        return any(hits.rows for hits in self.hits)


def search(text: str) -> SearchResults:
    """Return everything that the text can mean; a fixed number of queries, and none for an empty text.

    Characters beyond ``LONGEST_TEXT`` are ignored. Inside ``as_of()`` the search covers the rows of that time.
    """
    text = text[:LONGEST_TEXT].strip()
    if not text:
        return SearchResults([], [], [], [], [])
    words = _possible_names(text)
    is_typed = len(text) <= LONGEST_TYPED
    environments = list(Environment.objects.all())
    tables = _named_tables(words, environments)
    if not tables and is_typed:
        tables = _named_tables_in_other_case(words, environments)
    services = _named_services(words)
    indexes = _named_indexes(words, {named.table.pk for named in tables})
    past = []
    # In the past, every name is one of that time.
    if not looks_back():
        past = past_names(_base_names(words, environments), ignoring_case=is_typed and not tables)
    hits = []
    if is_typed:
        hits = _hits_of_each_kind(text.split(), environments)

    # What is named outright is not listed a second time.
    named_rows = {*services, *indexes, *(named.table for named in tables)}
    for of_kind in hits:
        of_kind.rows = [row for row in of_kind.rows if row not in named_rows]
    hits.sort(key=lambda of_kind: of_kind.rank)
    return SearchResults(tables, services, indexes, past, hits)


def _possible_names(text: str) -> list[str]:
    """Return the words that could be names, in order, each once; also without a full stop that ends a sentence."""
    words: dict[str, None] = {}
    for word in _NAME.findall(text):
        words[word] = None
        words[word.strip("._-")] = None
    return [word for word in words if len(word) > 1]


def _named_tables(words: list[str], environments: list[Environment]) -> list[NamedTable]:
    """Return tables whose physical name in some environment is one of the words; where it could be two, both."""
    # {base name: {physical name: environments}}, in the order of the words.
    meanings: dict[str, dict[str, list[str]]] = {}
    for word in words:
        for environment in environments:
            base_name = environment.name_pattern.base(word)
            if base_name:
                names = meanings.setdefault(base_name, {}).setdefault(word, [])
                names.append(environment.name)
    # A base name names its table also where every environment adds to it, or there is no environment.
    for word in words:
        meanings.setdefault(word, {}).setdefault(word, [])

    order = {base_name: number for number, base_name in enumerate(meanings)}
    tables = list(Table.objects.filter(name__in=meanings).select_related("owner", "group"))
    tables.sort(key=lambda table: order[table.name])
    named = []
    for table in tables:
        for physical_name, names in meanings[table.name].items():
            named.append(NamedTable(table, physical_name, names))
    return named


def _named_tables_in_other_case(
    words: list[str], environments: list[Environment]
) -> list[NamedTable]:
    """Return tables whose physical name is one of the words but for upper and lower case."""
    condition = Q()
    for base_name in _base_names(words, environments, ignoring_case=True):
        condition |= Q(name__iexact=base_name)
    if not condition:
        return []
    by_name = {}
    for name in (
        Table.objects.filter(condition).order_by().values_list("name", flat=True)[:MAX_HITS]
    ):
        by_name[name.lower()] = name
    corrected = []
    for word in words:
        for environment in environments:
            pattern = environment.name_pattern
            base_name = pattern.lower().base(word.lower())
            if base_name in by_name:
                corrected.append(pattern.physical(by_name[base_name]))
        if word.lower() in by_name:
            corrected.append(by_name[word.lower()])
    return _named_tables(list(dict.fromkeys(corrected)), environments)


def _base_names(
    words: list[str], environments: list[Environment], ignoring_case: bool = False
) -> list[str]:
    """Return the words, and the base names of those that are physical names, each once."""
    names: dict[str, None] = {}
    for word in words:
        names[word] = None
        for environment in environments:
            pattern = environment.name_pattern
            if ignoring_case:
                word, pattern = word.lower(), pattern.lower()
            names[pattern.base(word)] = None
    return [name for name in names if name]


def _named_services(words: list[str]) -> list[Service]:
    """Return services whose name or alias is one of the words, or a part of one: events-prod-lambdaRole."""
    parts: set[str] = set()
    for word in words:
        parts.update(_parts(word))
    named = []
    for pk, name, aliases in Service.objects.order_by().values_list("pk", "name", "aliases"):
        if name in parts or not parts.isdisjoint(aliases):
            named.append(pk)
    return list(Service.objects.filter(pk__in=named).select_related("part_of"))


def _parts(word: str) -> Iterator[str]:
    """Yield the word, and every stretch of it that begins and ends at a separator."""
    yield word
    starts = [0]
    ends = []
    for separator in _SEPARATOR.finditer(word):
        ends.append(separator.start())
        starts.append(separator.end())
    ends.append(len(word))
    for number, start in enumerate(starts):
        for end in ends[number : number + _MOST_PARTS]:
            yield word[start:end]


def _named_indexes(words: list[str], table_ids: set[int]) -> list[SecondaryIndex]:
    """Return indexes of that name; only those of the named tables, where these have any."""
    indexes = list(
        SecondaryIndex.objects.filter(name__in=words).prefetch_related("table")[:MAX_HITS]
    )
    of_named_tables = [index for index in indexes if index.table_id in table_ids]
    return of_named_tables or indexes


def _hits_of_each_kind(words: list[str], environments: list[Environment]) -> list[Hits]:
    base_words = [_without_pattern(word, environments) for word in words]
    tables = Table.objects.select_related("owner", "group")
    services = Service.objects.select_related("part_of").alias(
        alias_texts=TextsInside(F("aliases"))
    )
    indexes = SecondaryIndex.objects.prefetch_related("table")
    accesses = Access.objects.select_related("table", "service")
    groups = TableGroup.objects.all()
    return [
        _hits("tables", tables, base_words),
        _hits("services", services, words, SERVICE_TEXTS),
        _hits("indexes", indexes, base_words),
        _hits("keys", tables, words, KEY_TEXTS),
        _hits("notes", accesses, words),
        _hits("groups", groups, words, GROUP_TEXTS),
    ]


def _without_pattern(word: str, environments: list[Environment]) -> str:
    """Return part of a physical name as part of a base name: UsersPROD becomes Users."""
    for environment in environments:
        rest = environment.name_pattern.without(word)
        # What is left must be long enough to mean something.
        if rest != word and len(rest) > 2:
            return rest
    return word


def _hits(kind: str, rows: QuerySet, words: list[str], fields: tuple[str, ...] = ()) -> Hits:
    """Return rows whose texts contain every word; those come first whose name matches the first word best."""
    condition = Q()
    for word in words:
        if kind == "keys":
            condition &= contained(fields, word)
        else:
            condition &= contains(rows.model, word, fields)
    rows = rows.filter(condition)
    worst = len(_LOOKUPS)
    if kind in ("notes", "keys"):  # not found by a name
        rows = rows.annotate(rank=Value(worst)).order_by("pk")
    else:
        ranks = []
        for rank, lookup in enumerate(_LOOKUPS):
            ranks.append(When(**{f"name__{lookup}": words[0], "then": rank}))
        rows = rows.annotate(rank=Case(*ranks, default=worst)).order_by("rank", "name", "pk")
    first = list(rows[: MAX_HITS + 1])
    best = first[0].rank if first else worst + 1
    return Hits(kind, first[:MAX_HITS], more=len(first) > MAX_HITS, rank=best)
