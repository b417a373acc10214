"""The base class of all registry models: no row is written without its entry.

django-simple-history is wrapped once, in ``RegistryHistory``. The library makes the historical models, with typed
copies of each row. On its own it loses the author when the account is deleted, writes rows where nothing changed,
and does not say what changed together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from django.db import models, transaction
from django.db.models.expressions import Value
from django.db.models.signals import pre_save
from simple_history.models import HistoricalRecords

from ownership.history.bulk import delete_together
from ownership.history.change_sets import joined_change_set, writing_draft
from ownership.history.lock import RegistryNotReady
from ownership.history.models import Entry, TrackedRow
from ownership.history.row_states import changed_fields, fetch_row


class SilentWriteError(TypeError):
    """A way of writing that leaves no history was used on a registry model."""


class RegistryQuerySet(models.QuerySet):
    """Refuses the writes that leave no history, and says what to do instead."""

    def _refuse(self, method: str) -> NoReturn:
        raise SilentWriteError(
            f"{self.model.__name__}: {method}() writes no history. Save or delete each row inside "
            "`with change_set(user=…, reason=…, source=…)` (ownership/history/change_sets.py)."
        )

    def update(self, **kwargs: object) -> NoReturn:
        """Refused."""
        self._refuse("update")

    def bulk_create(self, *args: object, **kwargs: object) -> NoReturn:
        """Refused."""
        self._refuse("bulk_create")

    def bulk_update(self, *args: object, **kwargs: object) -> NoReturn:
        """Refused."""
        self._refuse("bulk_update")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete each row with its entry, in one change set."""
        return delete_together(self)  # type: ignore[arg-type]

    # As on Django's own delete(): templates must not call it, and managers don't have it.
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def get_by_natural_key(self, *names: str) -> Any:
        """The row with that natural key."""
        lookups = self.model.natural_key_lookups  # type: ignore[attr-defined]
        return self.get(**dict(zip(lookups, names, strict=True)))


class RegistryHistory(HistoricalRecords):
    """simple-history's records with ``Entry`` in place of its user and reason columns, and without its switches.

    ``SIMPLE_HISTORY_ENABLED = False``, ``skip_history_when_saving`` and ``save_without_historical_record``
    do nothing here: each would allow a write without history.
    """

    def __init__(self) -> None:
        super().__init__(inherit=True, bases=[Entry])

    def add_extra_methods(self, cls):
        """Add none: the library's would offer to save without history."""

    def finalize(self, sender, **kwargs):
        """Refuse fixture loading too: it saves rows without calling ``save()``."""
        super().finalize(sender, **kwargs)
        if hasattr(sender._meta, "simple_history_manager_attribute"):
            pre_save.connect(_refuse_raw, sender=sender)

    def get_extra_fields(self, model, fields):
        """Keep id, date and type; user and reason are the change set's."""
        extra = super().get_extra_fields(model, fields)
        for name in ("history_change_reason", "history_user", "revert_url", "__str__"):
            extra.pop(name)
        extra["history_id"] = models.BigAutoField(primary_key=True)
        extra["history_user"] = property(lambda entry: entry.change_set.user_name)
        extra["history_change_reason"] = property(lambda entry: entry.change_set.reason)
        return extra

    def _get_history_user_fields(self):
        # The library's only way to have no foreign key to the user is this private method.
        return {"history_user": None}

    def get_meta_options(self, model):
        """Index what time travel and timelines look for: one row's entries in order, one change set's, a name."""
        name = model._meta.model_name
        options = super().get_meta_options(model)
        options["default_permissions"] = ("view",)
        options["ordering"] = ["-history_id"]
        options["constraints"] = [
            models.UniqueConstraint(fields=["change_set", "sequence"], name=f"{name}_entry_place"),
        ]
        indexes = [
            models.Index(fields=[model._meta.pk.attname, "change_set"], name=f"{name}_by_row")
        ]
        for field in model._meta.fields:
            if field.is_relation and field.name in ("table", "service"):
                indexes.append(
                    models.Index(
                        fields=[field.attname, "change_set"], name=f"{name}_by_{field.name}"
                    )
                )
        if model.natural_key_lookups == ("name",):
            indexes.append(models.Index(fields=["name", "id"], name=f"{name}_by_name"))
        for field in ("gained_by", "lost_by"):
            # Partial, because most entries gain and lose nothing. With the change set as second column, so that
            # a database need not choose between an index for the filter and one for the order.
            condition = models.Q((f"{field}__isnull", False))
            indexes.append(
                models.Index(
                    fields=[field, "change_set"], name=f"{name}_by_{field}", condition=condition
                )
            )
        options["indexes"] = indexes
        return options

    def post_save(self, instance: TrackedRow, created, using=None, **kwargs):
        """Write the entry, whatever the library's switches say."""
        after = fetch_row(type(instance), instance.pk)
        writing_draft().write_entries([(instance.row_before, after)])

    def pre_delete(self, instance, **kwargs):
        """Do nothing: ``delete_together`` has read all rows before the first one is deleted."""

    def post_delete(self, instance: TrackedRow, using=None, **kwargs):
        """Note what the row was, for the entry of its deletion."""
        deleted_rows = writing_draft().deleted_rows
        if deleted_rows is None or instance.row_before is None:
            raise RegistryNotReady(f"{type(instance).__name__} was deleted without its delete().")
        deleted_rows.append(instance.row_before)

    def create_historical_record(self, instance, history_type, using=None):
        """Refuse: the library's other ways to write an entry have no change set for it."""
        raise NotImplementedError("Entries are written by save() and delete() alone.")


def _refuse_raw(sender, raw, **kwargs):
    if raw:
        raise TypeError(
            f"loaddata writes {sender.__name__} without history: use `manage.py seed` instead."
        )


class RegistryModel(TrackedRow):
    """A row of the registry.

    ``save()`` and ``delete()`` write the row and its entry in one transaction, in the open change set or else in
    one of their own. A save that changes nothing writes nothing.
    """

    history = RegistryHistory()
    objects = RegistryQuerySet.as_manager()

    class Meta:
        abstract = True
        # Related managers update through the base manager: let it be one that refuses to.
        base_manager_name = "objects"

    def natural_key(self) -> tuple:
        """What names the row among those of its model, in the order of ``natural_key_lookups``."""
        names = []
        for lookup in self.natural_key_lookups:
            value: Any = self
            for name in lookup.split("__"):
                # A row on the way may be missing: not every waiver is of one environment.
                value = getattr(value, name, None)
            names.append(value)
        return tuple(names)

    def save(self, *args, force_insert=False, **kwargs) -> None:
        """Write row and entry together, or neither; nothing where the row is stored as it is."""
        with joined_change_set():
            # Read under the lock, so nobody changes the row between here and the entry.
            before = fetch_row(type(self), self.pk) if self.pk is not None else None
            if before is not None and not force_insert and not changed_fields(before, self):
                return
            self.row_before = before
            with transaction.atomic():
                self.check_under_lock()
                # `post_save` writes the entry.
                super().save(*args, force_insert=force_insert, **kwargs)
            self.row_before = None

    def delete(self) -> tuple[int, dict[str, int]]:  # type: ignore[override]
        """Delete the row and what cascades from it, each with its entry, or nothing."""
        return delete_together([self])

    # Django asks the database three times for each check constraint. Here one query answers for all of them, and
    # only where one is broken does Django check each, to find out which.

    _checks_hold = False

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Raise ValidationError for each constraint that the row breaks."""
        checks = [
            rule.condition
            for rule in self._meta.constraints
            if isinstance(rule, models.CheckConstraint)
        ]
        self._checks_hold = models.Q(*checks).check(self._column_values())
        try:
            super().validate_constraints(exclude)
        finally:
            self._checks_hold = False

    def get_constraints(
        self,
    ) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """Django's, without the checks that are known to hold."""
        constraints = super().get_constraints()
        if not self._checks_hold:
            return constraints
        unchecked: list[tuple[type[models.Model], Sequence[models.BaseConstraint]]] = []
        for model, rules in constraints:
            rest = [rule for rule in rules if not isinstance(rule, models.CheckConstraint)]
            unchecked.append((model, rest))
        return unchecked

    def _column_values(self) -> dict[str, Value]:
        values = {
            field.name: Value(getattr(self, field.attname), field)
            for field in self._meta.concrete_fields
        }
        values["pk"] = Value(self.pk, self._meta.pk)
        return values
