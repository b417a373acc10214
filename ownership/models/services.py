"""Who uses tables, where they are deployed, and the groups that tables belong to."""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from ownership.drift.physical_names import NamePattern
from ownership.history.tracked import RegistryModel
from ownership.models.teams import Team
from ownership.models.validators import (
    NAME_PATTERN,
    NAME_PATTERN_RULE,
    SERVICE_NAME,
    SERVICE_NAME_RULE,
    SUFFIX,
    has_no_nul,
    is_one_line,
)

SORT_ORDER = "Position on the map, starting at 0."
LONGEST_CONFIRMATION = 3_650  # days
NOT_PART_OF_ITSELF = "A service can't be part of itself."


class Environment(RegistryModel):
    """Where the backend is deployed. It makes physical names from base names: biztechUsers → biztechUsersPROD.

    With a suffix or, if there is more to it, with a pattern; without either, both names are the same.
    """

    name = models.CharField(
        max_length=50,
        validators=[
            RegexValidator(SERVICE_NAME, "Use letters, digits, “_”, “.” or “-” (no spaces).")
        ],
    )
    suffix = models.CharField(
        max_length=50,
        blank=True,
        validators=[
            RegexValidator(SUFFIX, "Use letters, digits, “_”, “.” or “-”, as in table names.")
        ],
        help_text="Added to the base name of every table. Environments with the same suffix share their tables.",
    )
    pattern = models.CharField(
        "name pattern",
        max_length=100,
        blank=True,
        default="",
        validators=[RegexValidator(NAME_PATTERN, NAME_PATTERN_RULE)],
        help_text=(
            "Instead of a suffix, if the base name does not come first: {stage}-{name} or shop-{stage}-{name}. "
            "{name} is the base name, {stage} the environment's name."
        ),
    )
    description = models.TextField(blank=True, validators=[has_no_nul])
    position = models.PositiveIntegerField("sort order", default=0, help_text=SORT_ORDER)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="environment_name_unique",
                violation_error_message="An environment with this name already exists.",
            ),
            models.CheckConstraint(
                name="environment_suffix_or_pattern",
                condition=Q(suffix="") | Q(pattern=""),
                violation_error_message="Give a suffix or a name pattern, not both.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name_pattern(self) -> NamePattern:
        """How it makes physical names, whether by suffix or by pattern."""
        return NamePattern.of(self.name, self.suffix, self.pattern)


class TableGroup(RegistryModel):
    """A group of tables on the map: Core Tables, BTX Tables, …"""

    name = models.CharField(max_length=100, validators=[is_one_line])
    description = models.TextField(blank=True, validators=[has_no_nul])
    position = models.PositiveIntegerField("sort order", default=0, help_text=SORT_ORDER)
    confirmation_days = models.PositiveIntegerField(
        "confirmed for (days)",
        null=True,
        blank=True,
        help_text="For how long a confirmation of its tables holds. Leave blank for the usual period.",
    )

    class Meta:
        verbose_name = "group"
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="group_name_unique",
                violation_error_message="A group with this name already exists.",
            ),
            models.CheckConstraint(
                name="group_name_stated",
                condition=~Q(name=""),
                violation_error_message="A group needs a name.",
            ),
            models.CheckConstraint(
                name="group_confirmation_days",
                condition=Q(confirmation_days__isnull=True)
                | Q(confirmation_days__gte=1, confirmation_days__lte=LONGEST_CONFIRMATION),
                violation_error_message=f"A confirmation holds for 1 to {LONGEST_CONFIRMATION:,} days.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The group's page."""
        return reverse("pages:group", args=[self.name])

    def confirmation_period(self) -> timedelta:
        """For how long a confirmation of its tables holds."""
        days: int = self.confirmation_days or settings.CONFIRMATION_DAYS
        return timedelta(days=days)


class Service(RegistryModel):
    """What reads and writes tables. It may be part of another service: teams is part of interactions."""

    name = models.CharField(
        max_length=100, validators=[RegexValidator(SERVICE_NAME, SERVICE_NAME_RULE)]
    )
    part_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        help_text="The service that this one is part of, if any.",
    )
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="services",
        help_text="The team answerable for it. A part without a team is its parent's team's.",
    )
    description = models.TextField(blank=True, validators=[has_no_nul])
    contact = models.CharField(
        max_length=200,
        blank=True,
        validators=[is_one_line],
        help_text="On-call contact: #users-oncall",
    )
    repository = models.URLField(
        max_length=300, blank=True, help_text="Address of its code: https://…"
    )
    aliases = models.JSONField(
        default=list,
        blank=True,
        help_text="Other names of the service in the infrastructure, such as stack or role names.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="service_name_unique",
                violation_error_message="A service with this name already exists.",
            ),
            models.CheckConstraint(
                name="service_name_rule",
                condition=Q(name__regex=SERVICE_NAME),
                violation_error_message=SERVICE_NAME_RULE,
            ),
            models.CheckConstraint(
                name="service_not_part_of_itself",
                condition=Q(part_of__isnull=True) | ~Q(part_of=F("pk")),
                violation_error_message=NOT_PART_OF_ITSELF,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The service's page."""
        return reverse("pages:service", args=[self.name])

    def clean(self) -> None:
        """Refuse aliases that are not a list of names, and a circle of parts."""
        super().clean()
        if not isinstance(self.aliases, list) or not all(map(_is_alias, self.aliases)):
            raise ValidationError(
                {"aliases": "Aliases are a list of names; none of them may be empty."}
            )
        self.check_under_lock()

    def check_under_lock(self) -> None:
        """Refuse a circle of parts. Under the lock, because two people could each add half of one at once."""
        if self.pk is None:
            return  # a new service has no parts yet
        if self.part_of_id == self.pk:
            raise ValidationError({"part_of": NOT_PART_OF_ITSELF})
        seen = {self.pk}
        ancestor_id = self.part_of_id
        while ancestor_id is not None and ancestor_id not in seen:
            seen.add(ancestor_id)
            ancestor_id = (
                Service.objects.filter(pk=ancestor_id).values_list("part_of_id", flat=True).first()
            )
        # A circle further up, which this service is not part of, is no fault of this service.
        if ancestor_id == self.pk:
            raise ValidationError(
                {
                    "part_of": f"{self.part_of} is already part of {self.name}: that would be a circle."
                }
            )

    def service_reference_id(self) -> int | None:
        """The service that it is part of gains it."""
        return self.part_of_id


def _is_alias(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\x00" not in value
