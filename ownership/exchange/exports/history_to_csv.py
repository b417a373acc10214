"""History as CSV: the log, and what differs between two revisions; one row for each field. See ``to_csv``.

An entry without fields to tell, such as a deleted group of which nothing but the name was recorded, has one row.
"""

from collections.abc import Iterable, Iterator

from ownership.audit.comparison import Difference
from ownership.audit.descriptions import FieldChange, describe, stated_changes
from ownership.exchange.exports.to_csv import pieces
from ownership.history.models import VERBS, ChangeSet, Entry

LOG_COLUMNS = [
    "revision",
    "time",
    "user",
    "suggested_by",
    "source",
    "reason",
    "undoes",
    "kind",
    "entry",
    "what",
    "field",
    "old",
    "new",
]
COMPARISON_COLUMNS = ["table", "kind", "entry", "what", "field", "from", "to"]


def log(changes: Iterable[tuple[ChangeSet, list[Entry]]]) -> Iterator[bytes]:
    """The log as pieces of a file, in the order of the change sets."""
    return pieces(LOG_COLUMNS, _log_rows(changes))


def comparison(differences: Iterable[Difference]) -> Iterator[bytes]:
    """A comparison as pieces of a file; ``table`` is empty for what belongs to none."""
    return pieces(COMPARISON_COLUMNS, _comparison_rows(differences))


def _log_rows(changes: Iterable[tuple[ChangeSet, list[Entry]]]) -> Iterator[list[str]]:
    for change_set, entries in changes:
        undoes = change_set.undoes_id
        about_change_set = [
            str(change_set.revision),
            change_set.time.isoformat(timespec="seconds"),
            change_set.user_name,
            change_set.suggested_by_name,
            change_set.source,
            change_set.reason,
            "" if undoes is None else str(undoes),
        ]
        for entry in entries:
            description = describe(entry)
            about_entry = [description.kind, description.label, description.verb]
            for field in _fields(description.changes):
                yield about_change_set + about_entry + field


def _comparison_rows(differences: Iterable[Difference]) -> Iterator[list[str]]:
    for difference in differences:
        kind = str(difference.model._meta.verbose_name)
        about = [difference.table, kind, difference.label, VERBS[difference.type]]
        changes = stated_changes(difference.model, difference.type, difference.changes)
        for field in _fields(changes):
            yield about + field


def _fields(changes: list[FieldChange]) -> list[list[str]]:
    """Name, old and new value of each field; one empty row where there is none."""
    rows = [[change.field, change.old or "", change.new or ""] for change in changes]
    return rows or [["", "", ""]]
