"""What was found in the infrastructure, run by run, and which findings the team has waived."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ownership.drift.serialization import (
    actions_from_json,
    code_access_from_json,
    from_json,
    usage_from_json,
)
from ownership.drift.types import (
    FINDING_KINDS,
    ActionOn,
    CodeAccess,
    CodeUsage,
    GrantedAccess,
    Identity,
    Infrastructure,
    Location,
    WaiverTerms,
)
from ownership.history.tracked import RegistryModel, RegistryQuerySet
from ownership.models.services import Environment, Service
from ownership.models.tables import Table
from ownership.models.validators import is_one_line


class DriftRunQuerySet(QuerySet["DriftRun"]):
    """Runs by series: those of one reader in one environment."""

    def latest_of_each(self) -> "DriftRunQuerySet":
        """The last run of each series, by reader and environment."""
        last = (
            DriftRun.objects.order_by()
            .values("reader", "environment")
            .annotate(last=models.Max("pk"))
        )
        return self.filter(pk__in=last.values("last")).order_by("reader", "environment")

    def series(self, reader: str, environment: str) -> "DriftRunQuerySet":
        """The runs of one reader in one environment, newest first."""
        return self.filter(reader=reader, environment=environment).order_by("-pk")


class DriftRun(models.Model):
    """What a reader found in the infrastructure at one time, and how far the map of that time agreed with it.

    A run is an observation: nobody decides it, and it never changes. So it has no history; the runs are the history.
    Revision and digest name the map that it was compared with. The latest runs of a series keep what was found, so
    that it can be compared with later maps. Older runs keep only their figures.
    """

    reader = models.CharField(max_length=20)
    environment = models.CharField(max_length=50, blank=True, help_text="Blank if none was chosen.")
    time = models.DateTimeField()
    user_name = models.CharField(max_length=150)
    revision = models.PositiveBigIntegerField(help_text="Revision of the map it was compared with.")
    digest = models.CharField(max_length=64, blank=True, help_text="Digest of that revision.")
    agreeing = models.PositiveIntegerField(help_text="How many of the compared items matched.")
    compared = models.PositiveIntegerField()
    by_kind = models.JSONField(help_text="{kind: number of findings}")
    waived = models.PositiveIntegerField(help_text="Number of findings that were waived.")
    findings = models.JSONField(
        null=True,
        help_text="[[kind, table, service, waived, granted], …]; null if only the figures are kept.",
    )
    found = models.JSONField(
        null=True,
        help_text="What the reader found, without grants, in the form of ownership.drift.serialization.",
    )
    code = models.JSONField(
        null=True,
        help_text="What the reader of code found, without uses; null if no code was read, or only figures are kept.",
    )
    accesses = models.PositiveIntegerField(
        null=True,
        help_text="How many accesses were declared or found; null if no code was read.",
    )
    true_accesses = models.PositiveIntegerField(
        null=True,
        help_text="On how many of them map, IAM and code agreed.",
    )
    by_verdict = models.JSONField(
        null=True, help_text="{verdict: number of findings}; null if no code was read."
    )

    objects = DriftRunQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["reader", "environment", "id"], name="drift_run_series")]

    def __str__(self) -> str:
        return f"run {self.pk} {self.reader} {self.environment}".rstrip()

    def share(self) -> int:
        """The percentage that agreed, rounded down: 100 only where everything did, or nothing was compared."""
        if not self.compared:
            return 100
        return self.agreeing * 100 // self.compared


class Grant(models.Model):
    """What the infrastructure granted at the time of a run: a service may read, or write, a table.

    Service and table are names, because infrastructure may name some that the registry doesn't have.
    """

    run = models.ForeignKey(DriftRun, models.CASCADE, related_name="grants")
    table = models.CharField(max_length=255)
    service = models.CharField(max_length=255)
    mode = models.CharField(max_length=5)
    evidence = models.JSONField(help_text="[[file, line or null], …]")
    actions = models.JSONField(
        null=True,
        help_text="{index or empty: [action, …]}; null in runs of versions that did not keep them.",
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["run", "table"], name="grant_by_table"),
            models.Index(fields=["run", "service"], name="grant_by_service"),
        ]

    def __str__(self) -> str:
        return f"{self.service} may {self.mode} {self.table}"

    def value(self) -> GrantedAccess:
        """The grant as drift compares it."""
        return GrantedAccess(self.service, self.table, self.mode)  # type: ignore[arg-type]

    def locations(self) -> tuple[Location, ...]:
        """The places in the infrastructure that grant it."""
        return tuple(Location(file, line) for file, line in self.evidence)

    def permitted(self) -> frozenset[ActionOn] | None:
        """The actions that it permits; None if the run did not keep them."""
        return None if self.actions is None else actions_from_json(self.actions)


class CodeUse(models.Model):
    """What code did at the time of a run: a deployed function of a service read, or wrote, a table.

    Service and table are names, as in a Grant.
    """

    run = models.ForeignKey(DriftRun, models.CASCADE, related_name="uses")
    table = models.CharField(max_length=255)
    service = models.CharField(max_length=255)
    mode = models.CharField(max_length=5)
    content = models.JSONField(
        help_text="Function, calls and places, in the form of ownership.drift.serialization."
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["run", "table"], name="code_use_by_table"),
            models.Index(fields=["run", "service"], name="code_use_by_service"),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.mode}s {self.table}"

    def value(self) -> CodeAccess:
        """The use as drift compares it."""
        return code_access_from_json(self.service, self.table, self.mode, self.content)  # type: ignore[arg-type]


class TableTruth(models.Model):
    """On how many accesses to one table map, IAM and code agreed at the time of a run."""

    run = models.ForeignKey(DriftRun, models.CASCADE, related_name="truths")
    table = models.CharField(max_length=255)
    agreeing = models.PositiveIntegerField()
    accesses = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["table", "run"], name="table_truth_by_table")]

    def __str__(self) -> str:
        return f"{self.table}: {self.agreeing} of {self.accesses}"


@dataclass
class FoundRows:
    """The grants and uses that one run keeps; all of them, or those that a condition selects."""

    grants: dict[GrantedAccess, tuple[Location, ...]] = field(default_factory=dict)
    actions: dict[GrantedAccess, frozenset[ActionOn]] = field(default_factory=dict)
    uses: list[CodeAccess] = field(default_factory=list)

    def infrastructure(self, run: DriftRun) -> Infrastructure:
        """What the run found in the infrastructure. It must be one that is still kept whole."""
        return from_json(run.reader, run.found or {}, self.grants, self.actions)

    def usage(self, run: DriftRun) -> CodeUsage | None:
        """What the run found in code; None if it read none."""
        return None if run.code is None else usage_from_json(run.code, self.uses)


def rows_of(runs: Collection[DriftRun], which: Q | None = None) -> dict[int, FoundRows]:
    """By run: the rows that the condition selects. Two queries, or one if none of the runs read code."""
    by_run = {run.pk: FoundRows() for run in runs}
    condition = Q(run__in=by_run)
    if which is not None:
        condition &= which
    for grant in Grant.objects.filter(condition):
        rows, access = by_run[grant.run_id], grant.value()
        rows.grants[access] = grant.locations()
        actions = grant.permitted()
        if actions is not None:
            rows.actions[access] = actions
    if any(run.code is not None for run in runs):
        for use in CodeUse.objects.filter(condition):
            by_run[use.run_id].uses.append(use.value())
    return by_run


def found_in(
    run: DriftRun, tables: Collection[str] | None = None
) -> tuple[Infrastructure, CodeUsage | None]:
    """What the run found in infrastructure and code; of these tables only, if they are given.

    The run must be one that is still kept whole.
    """
    which = None if tables is None else Q(table__in=tables)
    rows = rows_of([run], which)[run.pk]
    found = rows.infrastructure(run)
    if tables is not None:
        found = replace(
            found, tables=tuple(shape for shape in found.tables if shape.name in tables)
        )
    return found, rows.usage(run)


class WaiverQuerySet(RegistryQuerySet):
    """Waivers with the decision behind them."""

    def with_decisions(self) -> Any:
        """With ``reason``, ``by`` and ``since`` of the change set that last changed each, and with related rows."""
        entries = Waiver.history.model.objects.filter(id=OuterRef("pk")).order_by("-history_id")
        return self.select_related("table", "service", "environment").annotate(
            reason=Subquery(entries.values("change_set__reason")[:1]),
            by=Subquery(entries.values("change_set__user_name")[:1]),
            since=Subquery(entries.values("change_set__time")[:1]),
        )


class Waiver(RegistryModel):
    """A team's decision to ignore a finding of drift in one environment, until a date.

    It applies while the infrastructure grants what it granted then; its reason is its change set's. Table and service
    are rows of the registry, so that a waiver follows when they are renamed; or names, if the registry has no such
    row.
    """

    natural_key_lookups = (
        "kind",
        "table__name",
        "table_name",
        "service__name",
        "service_name",
        "environment__name",
    )

    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in FINDING_KINDS])
    table = models.ForeignKey(Table, models.CASCADE, null=True, blank=True, related_name="waivers")
    table_name = models.CharField(
        "unregistered table",
        max_length=255,
        blank=True,
        validators=[is_one_line],
        help_text="Name of a table that is not on the map.",
    )
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="waivers"
    )
    service_name = models.CharField(
        "unregistered service",
        max_length=255,
        blank=True,
        validators=[is_one_line],
        help_text="Name of a service that is not on the map.",
    )
    environment = models.ForeignKey(
        Environment, models.PROTECT, null=True, blank=True, related_name="waivers"
    )
    granted = models.TextField(
        blank=True,
        help_text="What was granted when the finding was waived. If something else is granted, it counts again.",
    )
    until = models.DateField(help_text="Last day on which the finding is ignored (UTC).")

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
                violation_error_message="This finding is already waived.",
            ),
            models.CheckConstraint(
                name="waiver_kind_known",
                condition=Q(kind__in=FINDING_KINDS),
                violation_error_message="Unknown kind of finding.",
            ),
            models.CheckConstraint(
                name="waiver_names_one_table",
                condition=Q(table__isnull=False, table_name="")
                | (Q(table__isnull=True) & ~Q(table_name="")),
                violation_error_message="A waiver is for one table: one on the map, or the name of another.",
            ),
            models.CheckConstraint(
                name="waiver_names_one_service",
                condition=Q(service__isnull=True) | Q(service_name=""),
                violation_error_message="A waiver is for one service at most.",
            ),
        ]

    def __str__(self) -> str:
        identity = self.identity()
        service = f"{identity.service} → " if identity.service else ""
        environment = f" in {self.environment}" if self.environment else ""
        return f"{identity.kind}: {service}{identity.table}{environment}"

    def identity(self) -> Identity:
        """The finding that is waived."""
        service = self.service.name if self.service else self.service_name or None
        table = self.table.name if self.table else self.table_name
        return Identity(self.kind, table, service)  # type: ignore[arg-type]

    def value(self) -> WaiverTerms:
        """The waiver as drift compares it; with its reason, if it was read ``with_decisions()``."""
        environment = self.environment.name if self.environment else None
        return WaiverTerms(
            self.identity(),
            environment,
            self.granted or None,
            self.until,
            getattr(self, "reason", ""),
        )
