"""Writing entries: django-simple-history wrapped once, and an entry for each row that was saved or deleted.

The library keeps the typed copies. Bare, it loses the author with the account, writes rows where nothing changed, and
says nothing of what changed together.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.signals import pre_save
from simple_history.models import HistoricalRecords

from ownership.history.change_sets import open_draft
from ownership.history.entries import entry_model
from ownership.history.lock import RegistryNotReady
from ownership.history.models import CHANGED, CREATED, DELETED, Entry
from ownership.history.row_states import differences, fetch


def kind_of_change(before: models.Model | None, after: models.Model | None) -> str:
    """What happened between two states of a row, None where it was not there."""
    return CREATED if before is None else DELETED if after is None else CHANGED


class RegistryHistory(HistoricalRecords):
    """simple-history's records with our entry in place of its user and reason columns, and without its switches.

    ``SIMPLE_HISTORY_ENABLED = False``, ``skip_history_when_saving`` and ``save_without_historical_record``
    do nothing here: each would be a write without history.
    """

    def __init__(self) -> None:
        super().__init__(inherit=True, bases=[Entry])

    def add_extra_methods(self, cls):
        """Add none: the library's would offer to save without history."""

    def finalize(self, sender, **kwargs):
        """Refuse fixture loading too, which saves rows raw and fires no history."""
        super().finalize(sender, **kwargs)
        if hasattr(sender._meta, "simple_history_manager_attribute"):
            pre_save.connect(_refuse_raw, sender=sender)

    def get_extra_fields(self, model, fields):
        """Keep id, date and type; user and reason are the change set's."""
        extra = super().get_extra_fields(model, fields)
        for name in ("history_change_reason", "history_user", "revert_url", "__str__"):
            extra.pop(name)
        extra["history_id"] = models.BigAutoField(primary_key=True)
        extra["history_user"] = property(lambda row: row.change_set.user_name)
        extra["history_change_reason"] = property(lambda row: row.change_set.reason)
        return extra

    def _get_history_user_fields(self):
        return {"history_user": None}

    def get_meta_options(self, model):
        """Index what time travel and timelines ask for: one row's entries in order, one change set's, a name."""
        options = super().get_meta_options(model)
        name = model._meta.model_name
        options["default_permissions"] = ("view",)
        options["ordering"] = ["-history_id"]
        options["constraints"] = [
            models.UniqueConstraint(fields=["change_set", "sequence"], name=f"{name}_entry_place")
        ]
        options["indexes"] = [models.Index(fields=[model._meta.pk.attname, "change_set"], name=f"{name}_by_row")] + [
            models.Index(fields=[field.attname, "change_set"], name=f"{name}_by_{field.name}")
            for field in model._meta.fields
            if field.is_relation and field.name in ("table", "service")
        ]
        if model.natural_key_lookups == ("name",):
            options["indexes"].append(models.Index(fields=["name", "id"], name=f"{name}_by_name"))
        # Most entries gain and lose nothing; with the order inside, a database need not guess between filter and order.
        options["indexes"] += [
            models.Index(
                fields=[field, "change_set"],
                name=f"{name}_by_{field}",
                condition=models.Q((f"{field}__isnull", False)),
            )
            for field in ("gained_by", "lost_by")
        ]
        return options

    def post_save(self, instance, created, using=None, **kwargs):
        """Write the entry, whatever the library's switches say."""
        write_entries([(instance._state_before, fetch(type(instance), instance.pk))])

    def pre_delete(self, instance, **kwargs):
        """Nothing: what the row was is read before the first row of all is deleted (ownership/history/bulk.py)."""

    def post_delete(self, instance, using=None, **kwargs):
        """Note what the row was, for the entry of its deletion."""
        draft = open_draft()
        if draft is None or draft.deleted is None:
            raise RegistryNotReady(f"{type(instance).__name__} was deleted outside delete(): no change set.")
        draft.deleted.append(instance._state_before)

    def create_historical_record(self, instance, history_type, using=None):
        """Refuse: the library's other ways in know no change set."""
        raise NotImplementedError("History rows are written by save() and delete() alone.")


def write_entries(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Write an entry for each (row before or None, row after or None) that differ; rows as ``fetch`` gives them."""
    entries: dict[Any, list[Any]] = {}
    for before, after in pairs:
        if changes := differences(before, after):
            row = after or before
            entries.setdefault(entry_model(row.__class__), []).append(_entry(before, after, changes))
    for model, of_model in entries.items():
        model.objects.bulk_create(of_model)


def _entry(before: Any, after: Any, changes: dict[str, list]) -> Any:
    draft = open_draft()
    row = after or before
    if draft is None:
        raise RegistryNotReady(f"{type(row).__name__} was written outside save() and delete(): no change set.")
    revision, sequence = draft.take_place()
    lost_by, gained_by = (state.service_reference_id() if state is not None else None for state in (before, after))
    model = entry_model(row.__class__)
    draft.models.add(model)
    return model(
        history_type=kind_of_change(before, after),
        history_date=draft.time,
        change_set_id=revision,
        sequence=sequence,
        label=str(row),
        changes=changes,
        lost_by=lost_by if lost_by != gained_by else None,
        gained_by=gained_by if lost_by != gained_by else None,
        **{field.attname: getattr(row, field.attname) for field in row._meta.fields},
    )


def _refuse_raw(sender, raw, **kwargs):
    if raw:
        raise TypeError(f"loaddata writes {sender.__name__} without history: use `manage.py seed` instead.")
