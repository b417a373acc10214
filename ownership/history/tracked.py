"""What all registry models share: writes that can't happen without history, and lookups by name."""

from typing import Any, NoReturn, Self

from django.db import models

from ownership.history.bulk import delete_together
from ownership.history.change_sets import joined_change_set
from ownership.history.row_states import fetch
from ownership.history.tracking import RegistryHistory


class SilentWriteError(TypeError):
    """A way of writing that leaves no history was used on a registry model."""


class RegistryQuerySet(models.QuerySet):
    """Refuses the writes that leave no history, and names the way to go instead."""

    def _refuse(self, method: str) -> NoReturn:
        raise SilentWriteError(
            f"{self.model.__name__}: {method}() writes no history. Save or delete each row inside "
            "`with change_set(user=…, reason=…, source=…)` (ownership/history/change_sets.py)."
        )

    def update(self, **kwargs: Any) -> NoReturn:
        """Refused."""
        self._refuse("update")

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        self._refuse("bulk_create")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused."""
        self._refuse("bulk_update")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete each row with its history, in one change set."""
        return delete_together(self)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def get_by_natural_key(self, *names: str) -> Any:
        """The row by what it is called; see each model's ``natural_key``."""
        lookups = self.model.natural_key_lookups  # type: ignore[attr-defined]
        return self.get(**dict(zip(lookups, names, strict=True)))


class RegistryModel(models.Model):
    """A row of the registry. ``save()`` and ``delete()`` put lock, change set, row and entry into one transaction.

    Outside ``change_set(…)`` each opens one of its own. A save that changes nothing leaves no trace.
    """

    # Lookups that make up the natural key, in its order.
    natural_key_lookups: tuple[str, ...] = ("name",)

    history = RegistryHistory()
    objects = RegistryQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"  # related managers update through the base manager, silently

    # The row as it was before the save or delete under way; its entry says what changed since.
    _state_before: Self | None = None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write row and entry together, or neither."""
        with joined_change_set():
            self._state_before = fetch(type(self), self.pk) if self.pk is not None else None
            self.check_under_lock()
            super().save(*args, **kwargs)
            self._state_before = None

    def delete(self) -> tuple[int, dict[str, int]]:  # type: ignore[override]
        """Delete the row and what cascades from it, each with its entry, or nothing."""
        return delete_together([self])

    def check_under_lock(self) -> None:
        """Raise ValidationError for what no constraint can say and only the lock makes certain; nothing by default."""

    _checks_hold = False

    def validate_constraints(self, exclude: Any = None) -> None:
        """As Django's, which takes three statements for each check: here one query answers for all that hold."""
        checks = [one.condition for one in self._meta.constraints if isinstance(one, models.CheckConstraint)]
        against = self._get_field_expression_map(meta=self._meta)  # type: ignore[attr-defined]
        self._checks_hold = models.Q(*checks).check(against)
        try:
            super().validate_constraints(exclude)
        finally:
            self._checks_hold = False

    def get_constraints(self) -> Any:
        """Django's, less the checks that are known to hold."""
        return [
            (model, [one for one in all_of if not (self._checks_hold and isinstance(one, models.CheckConstraint))])
            for model, all_of in super().get_constraints()
        ]

    def service_reference_id(self) -> int | None:
        """Id of the service that this row adds something to, for that service's timeline; None by default."""
        return None
