"""Two revisions compared: what became of each row."""

from dataclasses import dataclass

from ownership.history.models import TrackedRow, entry_model, kind_of_change, registry_models
from ownership.history.row_states import Changes, differences, foreign_keys
from ownership.history.time_travel import as_of

RowsByModel = dict[type[TrackedRow], dict[int, TrackedRow]]


@dataclass(frozen=True)
class Difference:
    """What became of one row between two revisions: ``type`` as in an entry, ``changes`` {field: [old, new]}.

    Names are those of the two revisions.
    """

    model: type[TrackedRow]
    type: str
    label: str
    changes: Changes


def compare(before: int, after: int) -> list[Difference]:
    """What differs between two revisions, the earlier one first. What was changed and changed back does not."""
    old_rows = _touched_rows(before, before, after)
    new_rows = _touched_rows(after, before, after)
    found = []
    for model in registry_models():
        for pk in sorted(old_rows[model].keys() | new_rows[model].keys()):
            old = old_rows[model].get(pk)
            new = new_rows[model].get(pk)
            changes = differences(old, new)
            if changes:
                label = str(new if new is not None else old)
                found.append(Difference(model, kind_of_change(old, new), label, changes))
    return found


def _touched_rows(revision: int, before: int, after: int) -> RowsByModel:
    """{model: {id: row}} as of a revision, of rows with entries between the two; with the rows that they name."""
    found: RowsByModel = {}
    with as_of(revision):
        for model in registry_models():
            entries = entry_model(model).objects.filter(change_set__gt=before, change_set__lte=after)
            rows = model.objects.select_related(*foreign_keys(model)).filter(pk__in=entries.values("id"))
            found[model] = {row.pk: row for row in rows}
    return found
