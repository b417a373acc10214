"""Change sets, their entries (one for each row that a change set touched), and the head of history."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections, models, router
from django.db.models import F, Q

from ownership.history.head import Head
from ownership.history.request_id import LONGEST_REQUEST_ID

CREATED, CHANGED, DELETED = "+", "~", "-"
VERBS = {CREATED: "created", CHANGED: "changed", DELETED: "deleted"}


class ChangeSet(models.Model):
    """Everything one person changed in one save, for one reason. Written once, never changed.

    The user is kept as a number and a name, not as a foreign key: deleting an account changes nothing here.
    """

    class Source(models.TextChoices):
        """Which way the change came in."""

        ADMIN = "admin", "Admin"
        SEED = "seed", "Seed"
        IMPORT = "import", "Import"
        RESTORE = "restore", "Undo"
        DRIFT = "drift", "Drift"
        COMMAND = "command", "Command"
        SUGGESTION = "suggestion", "Suggestion"
        CONFIRM = "confirm", "Confirmation"
        SIGN_IN = "sign_in", "Sign-in"

    revision = models.PositiveBigIntegerField(
        primary_key=True, help_text="Number of the change set, in commit order."
    )
    time = models.DateTimeField(
        db_index=True, help_text="Never earlier than that of the previous change set."
    )
    user_id = models.BigIntegerField(null=True, editable=False)
    user_name = models.CharField("user", max_length=150)
    suggested_by_id = models.BigIntegerField(null=True, editable=False)
    suggested_by_name = models.CharField(
        "suggested by",
        max_length=150,
        blank=True,
        default="",
        help_text="Who suggested what the user approved; blank if nobody did.",
    )
    reason = models.TextField()
    source = models.CharField(max_length=10, choices=Source.choices)
    undoes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # the partial index below is used instead: one that holds every row is passed over
        related_name="undone_by",
        help_text="The change set that this one reverses.",
    )
    request_id = models.CharField(
        "request ID",
        max_length=LONGEST_REQUEST_ID,
        blank=True,
        help_text="X-Request-ID of the request that made the change, as in the log.",
    )
    digest = models.CharField(
        max_length=64,
        unique=True,
        help_text="SHA-256 over this change set, its entries and the previous digest.",
    )

    class Meta:
        ordering = ["-revision"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="change_set_has_reason",
                condition=~Q(reason=""),
                violation_error_message="Please give a reason.",
            ),
            models.CheckConstraint(
                name="change_set_has_user",
                condition=~Q(user_name=""),
                violation_error_message="A change set needs a user name.",
            ),
            models.CheckConstraint(
                name="change_set_has_two_people",
                condition=Q(suggested_by_id__isnull=True, suggested_by_name="")
                | (
                    Q(suggested_by_id__isnull=False, user_id__isnull=False)
                    & ~Q(suggested_by_name="")
                    & ~Q(suggested_by_id=F("user_id"))
                ),
                violation_error_message="Nobody approves their own suggestion.",
            ),
        ]
        indexes = [
            models.Index(fields=["user_id", "revision"], name="change_set_by_user"),
            models.Index(
                fields=["undoes", "revision"],
                name="change_set_by_undone",
                condition=Q(undoes__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Revision {self.revision}: {self.reason}"

    @property
    def can_be_undone(self) -> bool:
        """Whether it may have changed the map. Making and answering a suggestion changes nothing to bring back."""
        return self.source != self.Source.SUGGESTION or self.suggested_by_name != ""

    def by(self) -> str:
        """Who made it, for people to read: "ann", or "suggested by ben, approved by ann"."""
        if self.suggested_by_name:
            return f"suggested by {self.suggested_by_name}, approved by {self.user_name}"
        return self.user_name


class Person(NamedTuple):
    """An account as history keeps it: deleting the account changes nothing here."""

    id: int
    name: str


class TrackedRow(models.Model):
    """What history asks of a row that it tracks. ``RegistryModel`` in ``tracked.py`` adds how the row is written."""

    # Lookups that make up the natural key, in its order.
    natural_key_lookups: ClassVar[tuple[str, ...]] = ("name",)

    # Whether undoing a change set brings these rows back, too.
    can_be_undone: ClassVar[bool] = True

    # The row as it was before the save or delete under way; its entry says what changed since.
    row_before: TrackedRow | None = None

    if TYPE_CHECKING:
        objects: models.Manager[Any]

    class Meta:
        abstract = True

    def check_under_lock(self) -> None:
        """Raise ValidationError for what no constraint can say and only the lock makes certain; nothing by default."""

    def service_reference_id(self) -> int | None:
        """Id of the service that this row adds something to, for that service's timeline; None by default."""
        return None


class Entry(models.Model):
    """What happened to one row in one change set: created, changed or deleted.

    Each registry model has a historical model of its own, whose rows are the entries. It is made by
    django-simple-history (``tracked.py``) from this class and typed copies of the model's columns, which hold
    the row as the change left it. Label and changes are text of that time, so that reading history needs
    neither today's rows nor the previous entry.
    """

    change_set = models.ForeignKey(ChangeSet, models.PROTECT, related_name="+")
    sequence = models.PositiveIntegerField(help_text="Place in the change set, starting at 1.")
    label = models.CharField(max_length=600, help_text="Name of the row at that time.")
    changes = models.JSONField(
        encoder=DjangoJSONEncoder,
        help_text="{field: [old, new]}, with names instead of ids; all fields if the row was created or deleted.",
    )
    # A service's timeline shows what it was given and what was taken from it. The names in `changes` can't be
    # searched for that, because services get renamed.
    gained_by = models.BigIntegerField(
        null=True, help_text="Id of the service that gained the row."
    )
    lost_by = models.BigIntegerField(null=True, help_text="Id of the service that lost the row.")

    if TYPE_CHECKING:
        # What django-simple-history adds to each historical model.
        objects: ClassVar[models.Manager[Any]]  # of entries with the columns of their model
        id: int  # of the row
        history_id: int  # of the entry
        history_type: str  # CREATED, CHANGED or DELETED
        history_date: datetime  # the change set's time
        instance_type: type[TrackedRow]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label


def kind_of_change(before: TrackedRow | None, after: TrackedRow | None) -> str:
    """What happened between two states of a row, where None is a row that does not exist."""
    if before is None:
        return CREATED
    if after is None:
        return DELETED
    return CHANGED


def registry_models() -> list[type[TrackedRow]]:
    """The models whose rows have history, in the order in which they are declared."""
    return [
        model
        for model in apps.get_app_config("ownership").get_models()
        if issubclass(model, TrackedRow)
    ]


def registry_model_named(name: str) -> type[TrackedRow] | None:
    """The model with history that Django calls so, in lower case; None where there is none."""
    for model in registry_models():
        if model._meta.model_name == name:
            return model
    return None


@cache
def entry_model(model: type[models.Model]) -> type[Entry]:
    """The historical model of a registry model.

    Cached, because simple-history makes a new manager class each time ``history`` is read.
    """
    return model.history.model  # type: ignore[attr-defined]


def entry_models() -> list[type[Entry]]:
    """The historical models, in the order of ``registry_models()``."""
    return [entry_model(model) for model in registry_models()]


# Which entries to read: a historical model, and a condition on its entries.
EntryFilter = tuple[type[Entry], Q]
# The same for several historical models, one condition each. Of a model that is not in it, no entry is selected.
Selection = dict[type[Entry], Q]


def any_of(filters: Iterable[EntryFilter]) -> Selection:
    """The entries that pass any of the filters."""
    selection: Selection = {}
    for model, condition in filters:
        selection[model] = selection[model] | condition if model in selection else condition
    return selection


def both_of(left: Selection, right: Selection) -> Selection:
    """The entries that are in both selections."""
    return {model: left[model] & right[model] for model in left if model in right}


def read_entries(filters: Iterable[EntryFilter], limit: int | None = None) -> list[Entry]:
    """The entries that pass any of the filters, each once, in commit order; at most ``limit``.

    One query per filter.
    """
    entries: dict[tuple[int, int, str], Entry] = {}
    for model, condition in filters:
        rows = model.objects.filter(condition)
        if limit is not None:
            rows = rows.order_by("change_set_id", "sequence")[:limit]
        for entry in rows:
            entries[entry.change_set_id, entry.sequence, model.__name__] = entry
    in_order = [entries[place] for place in sorted(entries)]
    return in_order[:limit]


def entries_of(
    revisions: Iterable[int], models: Iterable[type[Entry]] | None = None
) -> list[Entry]:
    """All entries of some change sets in order; one query per historical model, or per one of those given."""
    condition = Q(change_set__in=list(revisions))
    if models is None:
        models = entry_models()
    return read_entries([(model, condition) for model in models])


HEAD_SQL = (
    f'SELECT revision, digest FROM "{ChangeSet._meta.db_table}" ORDER BY revision DESC LIMIT 1'  # noqa: S608
)


def current_head() -> Head:
    """The head of the database that this request reads from."""
    # Every request asks for it, so it is plain SQL: the ORM takes ten times as long.
    with connections[router.db_for_read(ChangeSet)].cursor() as cursor:
        cursor.execute(HEAD_SQL)
        row = cursor.fetchone()
    return Head(*row) if row else Head(0, "")


_DIGITS = re.compile("[0-9]{1,18}")  # with 19, a number may be more than a database holds


def whole_number(text: str | None) -> int | None:
    """The id, revision or sequence that a text from outside names; None where it names none."""
    if text and _DIGITS.fullmatch(text):
        return int(text)
    return None
