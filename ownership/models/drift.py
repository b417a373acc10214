"""What was found in the infrastructure, run by run, and which findings the team lives with."""

from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ownership.drift import types as drift
from ownership.history.tracked import RegistryModel, RegistryQuerySet
from ownership.models.services import Environment, Service
from ownership.models.tables import Table
from ownership.models.validators import is_one_line


class DriftRunQuerySet(QuerySet["DriftRun"]):
    """Runs by series: those of one reader in one environment."""

    def latest_of_each(self) -> "DriftRunQuerySet":
        """The last run of each series, by reader and environment."""
        last = DriftRun.objects.order_by().values("reader", "environment").annotate(last=models.Max("pk"))
        return self.filter(pk__in=last.values("last")).order_by("reader", "environment")

    def series(self, reader: str, environment: str) -> "DriftRunQuerySet":
        """The runs of one reader in one environment, newest first."""
        return self.filter(reader=reader, environment=environment).order_by("-pk")


class DriftRun(models.Model):
    """One look of a reader at the infrastructure, and how far the map of that time agreed with it.

    A run is an observation, not a row of the registry: nobody decides it, it is never changed, and it has no history
    (the runs are the history). Its revision and digest name the map that it was compared with. What was found stays
    for the latest runs of a series, so that it can be compared with later maps; older runs keep their figures alone.
    """

    reader = models.CharField(max_length=20)
    environment = models.CharField(max_length=50, blank=True, help_text="Empty where none was chosen.")
    time = models.DateTimeField()
    user_name = models.CharField(max_length=150)
    revision = models.PositiveBigIntegerField(help_text="Of the map that it was compared with.")
    digest = models.CharField(max_length=64, blank=True, help_text="Of that revision.")
    agreeing = models.PositiveIntegerField(help_text="How many of the things compared agreed.")
    compared = models.PositiveIntegerField()
    by_kind = models.JSONField(help_text="{kind: number of findings}")
    waived = models.PositiveIntegerField(help_text="How many of the findings were waived.")
    findings = models.JSONField(
        null=True, help_text="[[kind, table, service, waived, granted], …]; null where only figures are kept."
    )
    found = models.JSONField(
        null=True, help_text="What the reader found, grants apart; as ownership.drift.serialization."
    )

    objects = DriftRunQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["reader", "environment", "id"], name="drift_run_series")]

    def __str__(self) -> str:
        return " ".join(filter(None, (f"run {self.pk}", self.reader, self.environment)))

    def share(self) -> int:
        """The percentage that agreed, rounded down: 100 only where everything did, or nothing was compared."""
        if not self.compared:
            return 100
        return self.agreeing * 100 // self.compared


class Grant(models.Model):
    """What infrastructure permitted in one run: a service may read, or write, a table; with the places that say so.

    Service and table are names, for infrastructure may speak of some that the registry doesn't have.
    """

    run = models.ForeignKey(DriftRun, models.CASCADE, related_name="grants")
    table = models.CharField(max_length=255)
    service = models.CharField(max_length=255)
    mode = models.CharField(max_length=5)
    evidence = models.JSONField(help_text="[[file, line or null], …]")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["run", "table"], name="grant_by_table"),
            models.Index(fields=["run", "service"], name="grant_by_service"),
        ]

    def __str__(self) -> str:
        return f"{self.service} may {self.mode} {self.table}"

    def value(self) -> drift.GrantedAccess:
        """The grant as drift compares it."""
        return drift.GrantedAccess(self.service, self.table, self.mode)  # type: ignore[arg-type]

    def locations(self) -> tuple[drift.Location, ...]:
        """Where it is granted."""
        return tuple(drift.Location(file, line) for file, line in self.evidence)


class WaiverQuerySet(RegistryQuerySet):
    """Waivers with what they are shown with."""

    def told(self) -> Any:
        """With ``reason``, ``by`` and ``since`` of the change set that made or last changed each, and with names."""
        entries = Waiver.history.model.objects.filter(id=OuterRef("pk")).order_by("-history_id")
        return self.select_related("table", "service", "environment").annotate(
            reason=Subquery(entries.values("change_set__reason")[:1]),
            by=Subquery(entries.values("change_set__user_name")[:1]),
            since=Subquery(entries.values("change_set__time")[:1]),
        )


class Waiver(RegistryModel):
    """A team's decision to live with a finding of drift in one environment, until a day.

    It holds while the infrastructure grants what it granted then; its reason is its change set's. Table and service
    are rows of the registry, so that names move on, or bare names where the registry had no such row.
    """

    natural_key_lookups = ("kind", "table__name", "table_name", "service__name", "service_name", "environment__name")

    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in drift.FINDING_KINDS])
    table = models.ForeignKey(Table, models.CASCADE, null=True, blank=True, related_name="waivers")
    table_name = models.CharField(
        "unregistered table", max_length=255, blank=True, validators=[is_one_line], help_text="Not on the map."
    )
    service = models.ForeignKey(Service, models.PROTECT, null=True, blank=True, related_name="waivers")
    service_name = models.CharField(
        "unregistered service", max_length=255, blank=True, validators=[is_one_line], help_text="Not on the map."
    )
    environment = models.ForeignKey(Environment, models.PROTECT, null=True, blank=True, related_name="waivers")
    granted = models.TextField(blank=True, help_text="What was found when it was waived; the waiver holds for this.")
    until = models.DateField(help_text="The last day on which it holds (UTC).")

    objects = WaiverQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["until", "pk"]
        constraints = [
            models.UniqueConstraint(
                "kind",
                Coalesce("table", 0),
                "table_name",
                Coalesce("service", 0),
                "service_name",
                Coalesce("environment", 0),
                name="waiver_once_per_finding",
                violation_error_message="This finding is waived already: change that waiver.",
            ),
            models.CheckConstraint(
                name="waiver_kind_known",
                condition=Q(kind__in=drift.FINDING_KINDS),
                violation_error_message="There is no such kind of finding.",
            ),
            models.CheckConstraint(
                name="waiver_names_one_table",
                condition=Q(table__isnull=False, table_name="") | (Q(table__isnull=True) & ~Q(table_name="")),
                violation_error_message="A waiver is of one table: of the map, or by a name that the map doesn't have.",
            ),
            models.CheckConstraint(
                name="waiver_names_one_service",
                condition=Q(service__isnull=True) | Q(service_name=""),
                violation_error_message="A waiver is of one service at most.",
            ),
        ]

    def __str__(self) -> str:
        identity = self.identity()
        service = f"{identity.service} → " if identity.service else ""
        return f"{identity.kind}: {service}{identity.table}" + (f" in {self.environment}" if self.environment else "")

    def natural_key(self) -> tuple[str | None, ...]:
        names = (row.name if row else None for row in (self.table, self.service, self.environment))
        table, service, environment = names
        return (self.kind, table, self.table_name, service, self.service_name, environment)

    def identity(self) -> drift.Identity:
        """The finding that is waived."""
        service = self.service.name if self.service else self.service_name or None
        table = self.table.name if self.table else self.table_name
        return drift.Identity(self.kind, table, service)  # type: ignore[arg-type]

    def value(self) -> drift.WaiverTerms:
        """The waiver as drift compares it. One that is ``told()`` says why."""
        environment = self.environment.name if self.environment else None
        return drift.WaiverTerms(
            self.identity(), environment, self.granted or None, self.until, getattr(self, "reason", "")
        )
