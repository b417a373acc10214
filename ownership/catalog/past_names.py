"""Names that tables, services and groups had, or that deleted ones have: what became of them, by whom and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from ownership.audit.text_index import newest_with
from ownership.history.models import DELETED, ChangeSet, Entry, entry_model
from ownership.models import Service, Table, TableGroup

Named = type[Table] | type[Service] | type[TableGroup]
IdAndName = tuple[int, str]
WITH_HISTORY_PAGE: dict[str, type[Table] | type[Service]] = {"table": Table, "service": Service}
NAMED_MODELS: tuple[Named, ...] = (Table, Service, TableGroup)
# Names in history that a search is answered with.
MAX_ANSWERS = 5
# Labels of history that are read to find a name in other case.
MAX_READ = 200


@dataclass(frozen=True)
class PastName:
    """A name that nothing of its kind has now.

    ``row`` is what had it, as it is now; None where that was deleted. ``ended`` is the change set that took the name
    away: which renamed it, or deleted it. ``sequence`` is the place of its entry there.
    """

    kind: str
    name: str
    row: Table | Service | TableGroup | None
    new_name: str  # what the row was called next; empty where the change set deleted it
    ended: ChangeSet
    sequence: int

    @property
    def history_url(self) -> str:
        """Where its history is; empty for groups, which have no page for it."""
        model = WITH_HISTORY_PAGE.get(self.kind)
        if model is None:
            return ""
        row = self.row or model(name=self.new_name or self.name)
        return f"{row.get_absolute_url()}history/"


def past_names(names: Collection[str], ignoring_case: bool) -> list[PastName]:
    """Return what became of these names, the latest first; at most three queries for each kind of thing.

    Names that something of the kind has again are left out. ``ignoring_case`` also finds them in other case.
    """
    if not names:
        return []
    answers = []
    for model in NAMED_MODELS:
        answers += _of_model(model, names, ignoring_case)
    answers.sort(key=lambda answer: answer.ended.revision, reverse=True)
    return answers[:MAX_ANSWERS]


def _of_model(model: Named, names: Collection[str], ignoring_case: bool) -> list[PastName]:
    entries = entry_model(model)
    named = set(
        entries.objects.filter(name__in=names).order_by().values_list("id", "name").distinct()
    )
    if not named and ignoring_case:
        named = _in_other_case(entries, names)
    # Django asks the database nothing where there is no id to ask for.
    live = model.objects.in_bulk({pk for pk, _ in named})
    current_names = {row.name for row in live.values()}
    former = {(pk, name) for pk, name in named if name not in current_names}
    answers = []
    for (pk, name), entry in _endings(entries, former).items():
        _, new_name = entry.changes["name"]
        answers.append(
            PastName(
                kind=str(model._meta.verbose_name),
                name=name,
                row=live.get(pk),
                new_name="" if entry.history_type == DELETED else new_name,
                ended=entry.change_set,
                sequence=entry.sequence,
            )
        )
    return answers


def _endings(entries: type[Entry], former: set[IdAndName]) -> dict[IdAndName, Entry]:
    """The entries that took these names away, the last one for each."""
    # Creations, renames and deletions all say something of the name.
    about_names = Q(id__in={pk for pk, _ in former}, changes__has_key="name")
    rows = entries.objects.filter(about_names).select_related("change_set")
    endings = {}
    for entry in rows.order_by("history_id"):
        old_name, _ = entry.changes["name"]
        if (entry.id, old_name) in former:
            endings[entry.id, old_name] = entry
    return endings


def _in_other_case(entries: type[Entry], names: Collection[str]) -> set[IdAndName]:
    """The ids and names of those whose name is the first of these but for upper and lower case."""
    name = next(iter(names))
    labels = newest_with(entries, ("label",), [name], MAX_READ).values_list("id", "label")
    return {(pk, label) for pk, label in labels if label.lower() == name.lower()}
