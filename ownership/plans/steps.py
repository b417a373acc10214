"""One row of a plan: as it is, as it would be, and how a page shows the difference."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import ForeignKey

from ownership.audit.descriptions import FieldChange, stated_changes
from ownership.history.models import VERBS, ChangeSet, Entry
from ownership.history.row_states import differences, kind_of_change
from ownership.history.tracked import RegistryModel


@dataclass(eq=False)
class Step:
    """One row as it is and as it would be; None where it is not there.

    Both have the rows that they name loaded, as ``fetch_rows`` gives them: else each
    name costs a query. ``earlier`` is a state of the row that the registry accepted
    once: values that are the same there are not checked again.
    """

    before: RegistryModel | None
    after: RegistryModel | None
    label: str = ""  # what people call the row; by default what it would be called
    earlier: Entry | RegistryModel | None = None

    def __post_init__(self) -> None:
        if not self.label:
            self.label = str(self.row)

    @property
    def row(self) -> RegistryModel:
        """The row as it would be, or as it is where it would be deleted."""
        row = self.before if self.after is None else self.after
        if row is None:
            raise ValueError("A step needs a row: before, after or both.")
        return row

    @property
    def model(self) -> type[RegistryModel]:
        """The row's model."""
        return type(self.row)

    @property
    def pk(self) -> int | None:
        """The row's id; None for a new row."""
        return self.row.pk

    @property
    def history_type(self) -> str:
        """CREATED, CHANGED or DELETED."""
        return kind_of_change(self.before, self.after)

    def changes(self) -> dict[str, list]:
        """{field: [now, after]} in the words of history: names instead of ids."""
        return differences(self.before, self.after)

    def preview(self) -> "Preview":
        """The step as a timeline would show it."""
        return Preview(
            kind=str(self.model._meta.verbose_name),
            label=self.label,
            verb=VERBS[self.history_type],
            changes=stated_changes(self.model, self.history_type, self.changes()),
        )


@dataclass(frozen=True)
class Conflict:
    """Something to decide, because of a change set that came later."""

    why: str
    by: ChangeSet
    field: str = ""  # as people call it, where the conflict is about one field


@dataclass(frozen=True)
class Preview:
    """What a plan does to one row, in words; shaped like an entry of a timeline.

    ``conflicts`` are choices: nothing happens to such a row, or field, unless chosen.
    """

    kind: str
    label: str
    verb: str  # "created", "changed", "deleted"; an undo also says "restored", "kept"
    changes: list[FieldChange]
    explanation: str = ""
    conflicts: Mapping[str, Conflict] = field(default_factory=dict)


def unsaved_references(row: RegistryModel) -> list[RegistryModel]:
    """The rows that this row names and that have no id yet."""
    targets = []
    for column in foreign_key_fields(type(row)):
        if column.is_cached(row):
            target = column.get_cached_value(row)
            if target is not None and target.pk is None:
                targets.append(target)
    return targets


def take_ids_of_references(row: RegistryModel) -> None:
    """Give the row the ids of rows that were new when it was made to name them."""
    for column in foreign_key_fields(type(row)):
        if getattr(row, column.attname) is None and column.is_cached(row):
            target = column.get_cached_value(row)
            if target is not None:
                setattr(row, column.attname, target.pk)


def foreign_key_fields(model: type[RegistryModel]) -> list[ForeignKey]:
    """The fields of a model that name other rows."""
    return [column for column in model._meta.fields if isinstance(column, ForeignKey)]
