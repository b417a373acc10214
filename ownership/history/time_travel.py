"""The registry as it was: inside ``with as_of(revision):`` every query sees the rows of that revision.

A wrapper around all queries of the connection puts common table expressions (CTEs) ahead of each SELECT, one for
each registry table that it reads. ``SELECT … FROM "ownership_table"`` becomes::

    WITH "ownership_table" AS (SELECT … FROM "ownership_historicaltable" …)
    SELECT … FROM "ownership_table"

In SQL, the name of a CTE hides the table of the same name. So the query reads the rows that history holds for that
revision, and nothing that builds queries knows of it: query sets, filters, ordering, pages and serializers are those
of the present. Every name is that of the time.

A row as of a revision is its newest entry up to that revision, unless that entry deletes it. There are two ways to
find it, and a CTE takes one of them for each query:

- A query for a few rows (``"name" = …``) looks up each row's newest entry by an index.
- A query for many rows finds the newest entries of all rows at once, in one pass over the historical table.

Both give the same rows. The wrong one takes a hundred times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db import DEFAULT_DB_ALIAS, connection, connections, router
from django.db.models import Model

from ownership.history.head import Head
from ownership.history.models import (
    DELETED,
    ChangeSet,
    current_head,
    entry_model,
    registry_models,
    whole_number,
)

# A condition on at most ten values of a column for which history has an index, as Django writes it.
FEW_ROWS = re.compile(r'"(?:id|name|table_id|service_id)" (?:= %s|IN \(%s(?:, %s){,9}\))')


class BadMoment(ValueError):
    """The text is not a revision and not a time; the message says what is accepted."""


class PastIsReadOnly(RuntimeError):
    """A write was tried where the registry is shown as it was."""


@dataclass(frozen=True)
class PastTable:
    """A registry table as of a revision: its quoted name, and the SQL of its rows for either kind of query."""

    name: str
    few_rows: str
    many_rows: str

    @classmethod
    def of(cls, model: type[Model], revision: int) -> PastTable:
        """The model's table as of the revision."""
        entries = entry_model(model)._meta.db_table
        columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
        # Entries are written under the registry's lock: a row's newest one has the greatest history_id.
        up_to = f'FROM "{entries}" AS newest WHERE change_set_id <= {revision}'
        newest_of_row = (
            f"SELECT history_id {up_to} AND newest.id = entry.id "
            "ORDER BY change_set_id DESC, history_id DESC LIMIT 1"
        )
        newest_of_all = f"SELECT MAX(history_id) {up_to} GROUP BY id"
        rows = f"SELECT {columns} FROM \"{entries}\" AS entry WHERE history_type <> '{DELETED}'"  # noqa: S608
        return cls(
            name=f'"{model._meta.db_table}"',
            few_rows=f"({rows} AND history_id = ({newest_of_row}))",
            many_rows=f"MATERIALIZED ({rows} AND history_id IN ({newest_of_all}))",
        )


class LookBack:
    """A wrapper around queries that replaces today's tables by those of the past."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.tables = [PastTable.of(model, revision) for model in registry_models()]

    def __call__(
        self,
        execute: Callable,
        sql: str,
        params: object,
        many: bool,
        context: dict[str, object],
    ) -> object:
        expressions = self.expressions(sql)
        if not expressions:
            return execute(sql, params, many, context)
        if not sql.startswith("SELECT "):
            raise PastIsReadOnly("The past can't be changed: leave as_of() before writing.")
        return execute(f"WITH {', '.join(expressions)} {sql}", params, many, context)

    def expressions(self, sql: str) -> list[str]:
        """The CTEs for the registry tables that the SQL names."""
        few = FEW_ROWS.search(sql) is not None
        expressions = []
        for table in self.tables:
            if table.name in sql:
                rows = table.few_rows if few else table.many_rows
                expressions.append(f"{table.name} AS {rows}")
        return expressions


@contextmanager
def as_of(revision: int) -> Iterator[None]:
    """Show the registry's rows as of that revision to this connection's queries; 0 is before everything.

    Rows must be fetched before the block ends. Writing raises PastIsReadOnly. Blocks don't nest: RuntimeError.
    """
    if looks_back():
        raise RuntimeError("An as_of() block is already open: blocks do not nest.")
    look_back = LookBack(int(revision))
    with ExitStack() as stack:
        # Reads may go to a replica. A write would go to the primary, and must be refused there.
        for alias in {DEFAULT_DB_ALIAS, router.db_for_read(ChangeSet)}:
            stack.enter_context(connections[alias].execute_wrapper(look_back))
        yield


def looks_back() -> bool:
    """Whether this connection's queries see the past."""
    return past_revision() is not None


def past_revision() -> int | None:
    """The revision that this connection's queries see; None for the present.

    For questions about entries: as_of() hides today's rows, and no later history.
    """
    for wrapper in connection.execute_wrappers:
        if isinstance(wrapper, LookBack):
            return wrapper.revision
    return None


def at_revision(text: str) -> Head:
    """Revision and digest of the revision that the text names; BadMoment if there is none."""
    revision = whole_number(text)
    if revision == 0:
        return Head(0, "")
    if revision is not None:
        change_set = ChangeSet.objects.filter(revision=revision).first()
        if change_set is not None:
            return Head(change_set.revision, change_set.digest)
    latest = current_head().revision
    if revision is not None:
        raise BadMoment(f"There is no revision {revision}. The latest is {latest}.")
    raise BadMoment(f"Takes a whole number from 0 to {latest}, which is the latest revision.")


# A calendar date comes first. Python also reads ISO weeks, and 2026-W47 could mean its Monday or its Sunday.
_CALENDAR_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}(?!\d)")


def time_named(text: str, of_day: time) -> datetime:
    """The time in UTC that a text in ISO 8601 names; ValueError for other text.

    A date alone means the time ``of_day`` on that day. A time without an offset is in UTC.
    """
    if not (text.isascii() and text.isprintable() and _CALENDAR_DATE.match(text)):
        raise ValueError(text)
    try:
        named = datetime.combine(date.fromisoformat(text), of_day)
    except ValueError:
        named = datetime.fromisoformat(text)
    if named.tzinfo is None:
        return named.replace(tzinfo=UTC)
    try:
        return named.astimezone(UTC)
    except OverflowError as error:  # the year 0, or 10000
        raise ValueError(text) from error


def at_time(text: str) -> Head:
    """Revision and digest of the last revision at or before a time in ISO 8601; BadMoment for other text.

    A date alone means the whole day. A time without an offset is in UTC.
    """
    try:
        moment = time_named(text, time.max)
    except ValueError:
        raise BadMoment(
            "Takes a date or time as ISO 8601: 2026-01-31 (the end of that day, UTC), 2026-01-31T12:00Z or "
            "2026-01-31T12:00%2B01:00 (in an address, + is written %2B)."
        ) from None
    change_set = ChangeSet.objects.filter(time__lte=moment).order_by("-revision").first()
    if change_set is None:
        return Head(0, "")
    return Head(change_set.revision, change_set.digest)


def is_future(text: str) -> bool:
    """Whether a time in ISO 8601 has not come yet; of a date alone, its beginning. ValueError for other text."""
    return time_named(text, time.min) > datetime.now(UTC)


def at(text: str) -> Head:
    """Revision and digest of what the text names: a revision, or a time."""
    # ISO 8601 would read 20260131 as a date, too. Here a date has its hyphens.
    if text.isdigit():
        return at_revision(text)
    return at_time(text)
