"""Who uses tables, where they run, and the headings they stand under."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from ownership.history.tracked import RegistryModel
from ownership.models.validators import SERVICE_NAME, has_no_nul, is_one_line


class Environment(RegistryModel):
    """Where the backend runs. Its suffix makes physical names of base names: biztechUsers → biztechUsersPROD."""

    name = models.CharField(
        max_length=50, validators=[RegexValidator(SERVICE_NAME, "Use letters, digits, '_', '.' and '-'.")]
    )
    suffix = models.CharField(
        max_length=50,
        blank=True,
        validators=[RegexValidator(r"\A[a-zA-Z0-9_.-]*\Z", "Use what a table name may hold: a-z A-Z 0-9 _ . -")],
        help_text="Appended to every table's base name. Environments with the same suffix share their tables.",
    )
    description = models.TextField(blank=True, validators=[has_no_nul])
    position = models.PositiveIntegerField(default=0, help_text="Place on the map, from 0.")

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="environment_name_unique",
                violation_error_message="There is an environment of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.name,)


class TableGroup(RegistryModel):
    """A heading of the document that tables stand under: Core Tables, BTX Tables, …"""

    name = models.CharField(max_length=100, validators=[is_one_line])
    description = models.TextField(blank=True, validators=[has_no_nul])
    position = models.PositiveIntegerField(default=0, help_text="Place on the map, from 0.")

    class Meta:
        verbose_name = "group"
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="group_name_unique",
                violation_error_message="There is a group of this name already.",
            ),
            models.CheckConstraint(
                name="group_name_stated",
                condition=~Q(name=""),
                violation_error_message="Give the group a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.name,)

    def get_absolute_url(self) -> str:
        """The group's page."""
        return reverse("pages:group", args=[self.name])


class Service(RegistryModel):
    """What reads and writes tables. It may be part of another: teams is part of interactions."""

    name = models.CharField(
        max_length=100,
        validators=[RegexValidator(SERVICE_NAME, "Use letters, digits, '_', '.' and '-' (at most 100).")],
    )
    part_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        help_text="The service that this one belongs to, if any.",
    )
    description = models.TextField(blank=True, validators=[has_no_nul])
    contact = models.CharField(
        max_length=200, blank=True, validators=[is_one_line], help_text="Whom to ask, also at night."
    )
    repository = models.URLField(max_length=300, blank=True, help_text="Where its code is: https://…")
    aliases = models.JSONField(
        default=list,
        blank=True,
        help_text="Other names it goes by in infrastructure: stack or role names.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="service_name_unique",
                violation_error_message="There is a service of this name already.",
            ),
            models.CheckConstraint(
                name="service_name_rule",
                condition=Q(name__regex=SERVICE_NAME),
                violation_error_message="A service's name is 1–100 of a-z A-Z 0-9 _ . -",
            ),
            models.CheckConstraint(
                name="service_not_part_of_itself",
                condition=Q(part_of__isnull=True) | ~Q(part_of=F("pk")),
                violation_error_message="A service can't be part of itself: leave “part of” empty.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The service's page."""
        return reverse("pages:service", args=[self.name])

    def natural_key(self) -> tuple[str]:
        return (self.name,)

    def clean(self) -> None:
        """Aliases are a list of names; a service is not part of itself by way of others."""
        super().clean()
        if not (
            isinstance(self.aliases, list) and all(isinstance(a, str) and a and "\x00" not in a for a in self.aliases)
        ):
            raise ValidationError({"aliases": "Aliases are a list of names, each a text that is not empty."})
        self.check_under_lock()

    def check_under_lock(self) -> None:
        """Refuse a circle of parts: two leads could each close half of it, so only the lock makes this certain."""
        seen = [self.pk]
        parent_id = self.part_of_id if self.pk else None
        while parent_id is not None:
            if parent_id == self.pk:
                raise ValidationError(
                    {"part_of": f"{self.part_of} is part of {self.name} already: the two would go in a circle."}
                )
            if parent_id in seen:
                break  # a circle that this service is not part of
            seen.append(parent_id)
            parent_id = Service.objects.filter(pk=parent_id).values_list("part_of_id", flat=True).first()

    def service_reference_id(self) -> int | None:
        """The service that it is part of gains it."""
        return self.part_of_id
