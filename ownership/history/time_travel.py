"""The registry as it was: inside ``with as_of(revision):`` every query sees the rows of that revision.

Each SELECT is given, ahead of it, a common table expression per registry table that it reads: named like the
table, so that it stands in the table's place, and made of the typed columns of history. So querysets, filters,
orderings, pages and serializers are those of the present, word for word, and every name is the one of that time.

What asks for certain few rows takes each one's newest entry by an index; what asks for many has all newest ones looked
for at once. Either shape gives the same rows, and takes a hundred times as long where the other one fits.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, time
from datetime import date as Date
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, router

from ownership.history.models import DELETED, ChangeSet, Head, current_head, entry_model, registry_models, whole_number

# A condition on few values by which history has an index, as Django writes it.
CERTAIN = re.compile(r'"(?:id|name|table_id|service_id)" (?:= %s|IN \(%s(?:, %s){,9}\))')


class BadMoment(ValueError):
    """The text names no revision and no time; the message says what would."""


class PastIsReadOnly(RuntimeError):
    """A write was tried where the registry is shown as it was."""


@contextmanager
def as_of(revision: int) -> Iterator[None]:
    """Show the registry's rows as of that revision to this connection's queries; 0 is before everything.

    Rows must be fetched before the block ends. Writing raises PastIsReadOnly. Blocks don't nest: RuntimeError.
    """
    shapes = [(f'"{model._meta.db_table}"', *_rows(model, int(revision))) for model in registry_models()]

    def look_back(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        certain = CERTAIN.search(sql)
        read = [f"{table} AS {some if certain else every}" for table, some, every in shapes if table in sql]
        if read and not sql.startswith("SELECT "):
            raise PastIsReadOnly("What was can't be changed: leave as_of() before writing.")
        return execute(f"WITH {', '.join(read)} {sql}" if read else sql, params, many, context)

    look_back.looks_back = True  # type: ignore[attr-defined]
    if looks_back():
        raise RuntimeError("as_of() is open already: one time at a time.")
    with ExitStack() as stack:
        # Where this is read from a replica, the primary still is where a write would go.
        for alias in {DEFAULT_DB_ALIAS, router.db_for_read(ChangeSet)}:
            stack.enter_context(connections[alias].execute_wrapper(look_back))
        yield


def looks_back() -> bool:
    """Whether this connection's queries see the past."""
    return any(hasattr(wrapper, "looks_back") for wrapper in connection.execute_wrappers)


def _rows(model: Any, revision: int) -> tuple[str, str]:
    """SQL for the model's rows as of a revision, for few and for many of them: of each row the newest entry up to it,
    unless that deletes it.

    Entries are written under the registry's lock, so the newest one has the greatest history_id.
    """
    history = entry_model(model)
    table = history._meta.db_table
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    newest = f'FROM "{table}" AS newest WHERE change_set_id <= {revision}'
    one = (
        f"= (SELECT history_id {newest} AND newest.id = entry.id ORDER BY change_set_id DESC, history_id DESC LIMIT 1)"
    )
    rows = f"SELECT {columns} FROM \"{table}\" AS entry WHERE history_type <> '{DELETED}' AND history_id"  # noqa: S608
    return f"({rows} {one})", f"MATERIALIZED ({rows} IN (SELECT MAX(history_id) {newest} GROUP BY id))"


def at_revision(text: str) -> Head:
    """Revision and digest of the revision that the text names; BadMoment where there is none."""
    revision = whole_number(text)
    if revision is not None:
        found = _last({"revision__lte": revision})
        if found[0] == revision:
            return found
    raise BadMoment(f"Takes a whole number from 0 to {current_head().revision}, which is the latest revision.")


_CALENDAR = re.compile(r"\d{4}-?\d{2}-?\d{2}(?!\d)")  # no week: 2026-W47 would be its Monday, or its Sunday


def time_named(text: str, of_day: time) -> datetime:
    """The time in UTC that a text of ISO 8601 names, that time ``of_day`` for a date alone; ValueError for no such."""
    if not (text.isascii() and text.isprintable() and _CALENDAR.match(text)):
        raise ValueError(text)
    try:
        named = datetime.combine(Date.fromisoformat(text), of_day)
    except ValueError:
        named = datetime.fromisoformat(text)
    try:
        return (named.replace(tzinfo=UTC) if named.tzinfo is None else named).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def at_time(text: str) -> Head:
    """Revision and digest of the last revision at or before a time as ISO 8601, in UTC unless it says otherwise.

    A date alone means its whole day. BadMoment where the text is neither.
    """
    try:
        return _last({"time__lte": time_named(text, time.max)})
    except ValueError:
        raise BadMoment(
            "Takes a date or time as ISO 8601: 2026-01-31 (the end of that day, UTC), 2026-01-31T12:00Z or "
            "2026-01-31T12:00%2B01:00 (in an address, + is written %2B)."
        ) from None


def at(text: str) -> Head:
    """Revision and digest of what the text names: a revision, or a time."""
    # A year or 20260131 would be a date to ISO 8601, too; here a date has its hyphens.
    return at_revision(text) if text.isdigit() else at_time(text)


def _last(which: dict[str, Any]) -> Head:
    last = ChangeSet.objects.filter(**which).order_by("-revision").first()
    return Head(last.revision, last.digest) if last else Head(0, "")
