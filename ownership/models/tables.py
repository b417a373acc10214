"""Tables, their secondary indexes, and the accesses that services declare to them."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from ownership.history.tracked import RegistryModel
from ownership.models.services import SORT_ORDER, Service, TableGroup
from ownership.models.validators import (
    READS,
    TABLE_NAME,
    TABLE_NAME_RULE,
    WRITES,
    KeyType,
    Mode,
    has_no_nul,
    is_one_line,
)


def key_schema_constraints(model: str) -> list[models.BaseConstraint]:
    """The rules for the key schema of a table and of an index alike."""
    no_partition_key_details = Q(partition_key_type="", partition_key_format="")
    no_sort_key_details = Q(sort_key_type="", sort_key_format="")
    known_types = ["", *KeyType.values]
    return [
        models.CheckConstraint(
            name=f"{model}_sort_key_needs_partition_key",
            condition=~Q(partition_key_name="") | Q(sort_key_name=""),
            violation_error_message="A sort key needs a partition key.",
        ),
        models.CheckConstraint(
            name=f"{model}_sort_key_differs",
            condition=Q(sort_key_name="") | ~Q(sort_key_name=F("partition_key_name")),
            violation_error_message="Partition key and sort key must be different attributes.",
        ),
        models.CheckConstraint(
            name=f"{model}_key_details_need_key",
            condition=(~Q(partition_key_name="") | no_partition_key_details)
            & (~Q(sort_key_name="") | no_sort_key_details),
            violation_error_message="A key's type or format needs the key's name.",
        ),
        models.CheckConstraint(
            name=f"{model}_key_types_known",
            condition=Q(partition_key_type__in=known_types, sort_key_type__in=known_types),
            violation_error_message="A key's type is S, N or B; leave it blank if unknown.",
        ),
    ]


class KeySchema(models.Model):
    """Partition key and optional sort key; all blank if the keys are not known."""

    partition_key_name = models.CharField(
        "partition key",
        max_length=255,
        blank=True,
        validators=[is_one_line],
        help_text="Attribute name: id",
    )
    partition_key_type = models.CharField("type", max_length=1, blank=True, choices=KeyType.choices)
    partition_key_format = models.CharField(
        "format",
        max_length=100,
        blank=True,
        validators=[is_one_line],
        help_text="email, UUID, …",
    )
    sort_key_name = models.CharField(
        "sort key", max_length=255, blank=True, validators=[is_one_line]
    )
    sort_key_type = models.CharField("type", max_length=1, blank=True, choices=KeyType.choices)
    sort_key_format = models.CharField(
        "format", max_length=100, blank=True, validators=[is_one_line]
    )

    class Meta:
        abstract = True

    def key_schema_text(self) -> str:
        """The key schema in a line: ``id (email) + eventID;year``; empty if the keys are not known."""
        keys = [
            (self.partition_key_name, self.partition_key_format),
            (self.sort_key_name, self.sort_key_format),
        ]
        texts = []
        for name, key_format in keys:
            if key_format:
                texts.append(f"{name} ({key_format})")
            elif name:
                texts.append(name)
        return " + ".join(texts)


KEY_FIELDS = tuple(field.name for field in KeySchema._meta.fields)


class Table(KeySchema, RegistryModel):
    """A DynamoDB table by its base name, and the one service that is responsible for it."""

    name = models.CharField(
        max_length=255,
        validators=[RegexValidator(TABLE_NAME, TABLE_NAME_RULE)],
        help_text="Base name, without what an environment adds to it: biztechUsers",
    )
    group = models.ForeignKey(
        TableGroup,
        models.PROTECT,
        related_name="tables",
        help_text="Group on the map.",
    )
    owner = models.ForeignKey(
        Service,
        models.PROTECT,
        related_name="owned_tables",
        help_text="Service responsible for this table.",
    )
    description = models.TextField(
        blank=True,
        validators=[has_no_nul],
        help_text="What the records represent.",
    )
    more_title = models.CharField(
        "link text",
        max_length=200,
        blank=True,
        validators=[is_one_line],
        help_text="Title of further documentation: BTX Database & API",
    )
    more_url = models.URLField(
        "link", max_length=300, blank=True, help_text="Its address: https://…"
    )
    position = models.PositiveIntegerField("sort order", default=0, help_text=SORT_ORDER)

    class Meta:
        ordering = ["group__position", "group__name", "position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="table_name_unique",
                violation_error_message="A table with this name already exists.",
            ),
            models.CheckConstraint(
                name="table_name_rule",
                condition=Q(name__regex=TABLE_NAME),
                violation_error_message=TABLE_NAME_RULE,
            ),
            *key_schema_constraints("table"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The table's page."""
        return reverse("pages:table", args=[self.name])

    def reading(self) -> list["Access"]:
        """Its accesses that read it."""
        return [access for access in self.accesses.all() if access.mode in READS]

    def writing(self) -> list["Access"]:
        """Its accesses that write it."""
        return [access for access in self.accesses.all() if access.mode in WRITES]

    def service_reference_id(self) -> int | None:
        """The owner gains the table."""
        return self.owner_id


class SecondaryIndex(KeySchema, RegistryModel):
    """A secondary index of a table, global (GSI) or local (LSI): event-query."""

    class Kind(models.TextChoices):
        """DynamoDB's two kinds."""

        GLOBAL = "GSI", "Global (GSI)"
        LOCAL = "LSI", "Local (LSI)"

    natural_key_lookups = ("table__name", "name")

    table = models.ForeignKey(Table, models.CASCADE, related_name="indexes")
    name = models.CharField(
        max_length=255, validators=[RegexValidator(TABLE_NAME, TABLE_NAME_RULE)]
    )
    kind = models.CharField(max_length=3, blank=True, choices=Kind.choices)
    position = models.PositiveIntegerField("sort order", default=0, help_text=SORT_ORDER)

    class Meta:
        verbose_name_plural = "secondary indexes"
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["table", "name"],
                name="index_unique_in_table",
                violation_error_message="The table already has an index with this name.",
            ),
            models.CheckConstraint(
                name="index_name_rule",
                condition=Q(name__regex=TABLE_NAME),
                violation_error_message=TABLE_NAME_RULE,
            ),
            models.CheckConstraint(
                name="index_kind_known",
                condition=Q(kind__in=["", "GSI", "LSI"]),
                violation_error_message="An index is a GSI or an LSI; leave it blank if unknown.",
            ),
            *key_schema_constraints("index"),
        ]

    def __str__(self) -> str:
        return f"{self.table.name} / {self.name}"

    def check_under_lock(self) -> None:
        """Refuse to move the index to another table."""
        refuse_move(self, "index")


class Access(RegistryModel):
    """One service's declared use of one table: payments reads and writes biztechUsers."""

    natural_key_lookups = ("table__name", "service__name")

    table = models.ForeignKey(Table, models.CASCADE, related_name="accesses")
    service = models.ForeignKey(Service, models.PROTECT, related_name="accesses")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    indirect = models.BooleanField(
        default=False,
        help_text="Through another service's code; describe how in the notes.",
    )
    notes = models.TextField(
        blank=True,
        validators=[has_no_nul],
        help_text="What the service does with the records.",
    )
    position = models.PositiveIntegerField(
        "sort order",
        default=0,
        help_text="Position among the table's accesses, starting at 0.",
    )

    class Meta:
        verbose_name_plural = "accesses"
        ordering = ["position", "service__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["table", "service"],
                name="access_once_per_table_and_service",
                violation_error_message="This service already has an access to this table.",
            ),
            models.CheckConstraint(
                name="access_mode_known",
                condition=Q(mode__in=Mode.values),
                violation_error_message="The mode is Read, Write or Read + Write.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service.name} → {self.table.name}"

    @property
    def is_by_owner(self) -> bool:
        """Whether the service owns the table."""
        return self.service_id == self.table.owner_id

    def check_under_lock(self) -> None:
        """Refuse to move the access to another table."""
        refuse_move(self, "access")

    def service_reference_id(self) -> int | None:
        """Its service gains the access."""
        return self.service_id


def refuse_move(row: SecondaryIndex | Access, kind: str) -> None:
    """Refuse to move a table's access or index to another table: its history is part of the table's."""
    table_before = getattr(row.row_before, "table_id", row.table_id)
    if table_before != row.table_id:
        message = f"An {kind} can't be moved to another table. Delete it, and add one to {row.table.name}."
        raise ValidationError({"table": message})


def table_of(row: models.Model | None) -> Table | None:
    """The table that a row is, or belongs to; None if it belongs to none."""
    return row if isinstance(row, Table) else getattr(row, "table", None)
