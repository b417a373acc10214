"""What differs between two revisions."""

from dataclasses import dataclass
from typing import Any

from ownership.history.models import entry_model, registry_models
from ownership.history.row_states import differences, foreign_keys, kind_of_change
from ownership.history.time_travel import as_of


@dataclass(frozen=True)
class Difference:
    """What became of one row between two revisions, in names of then: ``{field: [old, new]}``."""

    model: Any
    type: str
    label: str
    changes: dict[str, list]


def compare(before: int, after: int) -> list[Difference]:
    """What differs between two revisions, the earlier one first; what was changed and changed back does not."""
    old, new = _touched(before, before, after), _touched(after, before, after)
    found = []
    for model in registry_models():
        for pk in sorted(old[model].keys() | new[model].keys()):
            was, became = old[model].get(pk), new[model].get(pk)
            changes = differences(was, became)
            if changes:
                found.append(Difference(model, kind_of_change(was, became), str(became or was), changes))
    return found


def _touched(revision: int, before: int, after: int) -> dict[Any, dict[int, Any]]:
    """Per model and id, the rows as of a revision that have entries between the two; with the rows that they name."""
    found = {}
    with as_of(revision):
        for model in registry_models():
            entries = entry_model(model).objects.filter(change_set__gt=before, change_set__lte=after)
            rows = model.objects.select_related(*foreign_keys(model))
            found[model] = {row.pk: row for row in rows.filter(pk__in=entries.values("id"))}
    return found
