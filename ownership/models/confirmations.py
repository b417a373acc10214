"""Confirmations: somebody has looked at a table's owner, accesses and keys, and says that they are right."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from ownership.history.models import Entry, Selection, entry_model
from ownership.history.tracked import RegistryModel
from ownership.models.tables import KEY_FIELDS, Access, SecondaryIndex, Table
from ownership.models.validators import is_one_line

# What a confirmation is about. Descriptions, notes, links, groups and places in an order are not part of it.
CONFIRMED_FIELDS: dict[type[RegistryModel], tuple[str, ...]] = {
    Table: ("name", "owner", *KEY_FIELDS),
    Access: ("service", "mode", "indirect"),
    SecondaryIndex: ("name", "kind", *KEY_FIELDS),
}


class Confirmation(RegistryModel):
    """Somebody has confirmed what the map says of a table, as it was at a revision, until a day.

    A table has one at most: confirming it again changes the row, and history keeps the earlier ones. Whether
    something has changed since is read from the table's history and stored nowhere.
    """

    natural_key_lookups: ClassVar[tuple[str, ...]] = ("table__name",)

    table = models.ForeignKey(Table, models.CASCADE, related_name="confirmations")
    at_revision = models.PositiveBigIntegerField(
        help_text="The revision that was shown to whoever confirmed it."
    )
    confirmed_by = models.CharField(
        max_length=150, validators=[is_one_line], help_text="User name."
    )
    confirmed_on = models.DateField(help_text="Day (UTC).")
    until = models.DateField(help_text="Last day on which it holds (UTC).")
    drift = models.TextField(
        blank=True,
        help_text="What the latest runs of drift said of the table then.",
    )

    class Meta:
        ordering = ["until", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["table"],
                name="confirmation_once_per_table",
                violation_error_message="This table has a confirmation already.",
            ),
            models.CheckConstraint(
                name="confirmation_by_somebody",
                condition=~Q(confirmed_by=""),
                violation_error_message="A confirmation needs the name of whoever confirms.",
            ),
            models.CheckConstraint(
                name="confirmation_ends_later",
                condition=Q(until__gt=F("confirmed_on")),
                violation_error_message="A confirmation holds for one day at least.",
            ),
        ]

    def __str__(self) -> str:
        return self.table.name


def confirmed_entries() -> Selection:
    """{historical model: which of its entries change what a confirmation is about}.

    A created or deleted row's entry holds all fields, so it is among them.
    """
    selection = {}
    for model, fields in CONFIRMED_FIELDS.items():
        selection[entry_model(model)] = Q(changes__has_any_keys=list(fields))
    return selection


def table_column(model: type[Entry]) -> str:
    """The column with the table's id, of a historical model that ``confirmed_entries`` has."""
    return "id" if model.instance_type is Table else "table_id"
