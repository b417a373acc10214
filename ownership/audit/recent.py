"""What changed lately."""

from datetime import datetime

from django.db.models import QuerySet

from ownership.audit.timeline import PARTS_OF_TABLES
from ownership.history.models import ChangeSet, entry_model
from ownership.models import Table


def latest_edits(number: int, until: int | None = None) -> list[ChangeSet]:
    """Return the latest change sets up to that revision, without confirmations: those edit nothing."""
    change_sets = ChangeSet.objects.exclude(source=ChangeSet.Source.CONFIRM)
    if until is not None:
        change_sets = change_sets.filter(revision__lte=until)
    return list(change_sets[:number])


def tables_changed_since(time: datetime) -> set[int]:
    """Return the ids of tables that somebody changed since then, or one of their accesses or indexes; one query.

    Seeding does not count: it writes what has been there before.
    """
    ids: list[QuerySet] = []
    for model in (Table, *PARTS_OF_TABLES):
        entries = entry_model(model).objects.filter(change_set__time__gte=time)
        entries = entries.exclude(change_set__source=ChangeSet.Source.SEED)
        table_id = "id" if model is Table else "table_id"
        ids.append(entries.order_by().values_list(table_id, flat=True))
    first, *others = ids
    return set(first.union(*others))
