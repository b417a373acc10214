"""Drift over the API: what the latest run of each reader and environment says of the map as it is now.

All of it needs a sign-in or a token, also where the map is open to all.
"""

from collections import Counter
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api.authentication import SignedIn
from ownership.api.base import RegistryView
from ownership.api.errors import BadParameter
from ownership.drift.report_json import finding_json, rest_json
from ownership.drift.types import FINDING_KINDS, DeclaredMap
from ownership.findings import runs
from ownership.history.models import Head, current_head
from ownership.models import DriftRun, KeyType, Waiver


class EvidenceSerializer(serializers.Serializer):
    """Where something is said."""

    file = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)


class WaivedSerializer(serializers.Serializer):
    """How long a finding is waived, and why."""

    until = serializers.DateField(help_text="the last day, UTC")
    reason = serializers.CharField()


class FindingSerializer(serializers.Serializer):
    """A difference between the map and the infrastructure."""

    kind = serializers.ChoiceField(FINDING_KINDS)
    table = serializers.CharField()
    service = serializers.CharField(allow_null=True, help_text="null where the table itself is meant")
    declared = serializers.CharField(allow_null=True)
    granted = serializers.CharField(allow_null=True)
    owner = serializers.CharField(allow_null=True, help_text="the service to ask")
    waived = WaivedSerializer(allow_null=True)
    evidence = EvidenceSerializer(many=True)
    new = serializers.BooleanField(help_text="whether the run before didn't have it")


class DriftKeySerializer(serializers.Serializer):
    """A key attribute as the infrastructure states it."""

    name = serializers.CharField()
    type = serializers.ChoiceField(KeyType.choices, allow_null=True)


class DriftKeySchemaSerializer(serializers.Serializer):
    """Partition key and, where there is one, sort key."""

    partition_key = DriftKeySerializer()
    sort_key = DriftKeySerializer(allow_null=True)


class OfferSerializer(serializers.Serializer):
    """Keys that the map leaves open, of a table or of its index."""

    table = serializers.CharField()
    index = serializers.CharField(allow_null=True)
    key_schema = DriftKeySchemaSerializer()
    evidence = EvidenceSerializer(many=True)


class UncheckedSerializer(serializers.Serializer):
    """A declared access of which nobody can know whether it is granted."""

    table = serializers.CharField()
    service = serializers.CharField()
    reason = serializers.CharField()


class UnresolvedSerializer(EvidenceSerializer):
    """What could not be resolved."""

    text = serializers.CharField()
    reason = serializers.CharField()
    service = serializers.CharField(allow_null=True)


class NoteSerializer(EvidenceSerializer):
    """What people should know."""

    text = serializers.CharField()


class UnreadableSerializer(EvidenceSerializer):
    """A file that could not be read."""

    reason = serializers.CharField()


class FiguresSerializer(serializers.Serializer):
    """How far a run agreed with the map of its time."""

    run = serializers.IntegerField()
    time = serializers.DateTimeField()
    revision = serializers.IntegerField(help_text="of the map that it was compared with")
    agreeing = serializers.IntegerField(help_text="how many of the things compared agreed")
    compared = serializers.IntegerField()
    findings = serializers.IntegerField()
    waived = serializers.IntegerField()


class SummarySerializer(serializers.Serializer):
    """Of the findings that the filters leave."""

    findings = serializers.IntegerField()
    waived = serializers.IntegerField()
    new = serializers.IntegerField()
    settled = serializers.IntegerField(help_text="findings of the run that the map has settled since; of all")
    by_kind = serializers.DictField(child=serializers.IntegerField())
    by_owner = serializers.DictField(child=serializers.IntegerField(), help_text="findings without owner are left out")


class RunSerializer(serializers.Serializer):
    """The latest run of a reader in an environment, held against the map as it is now."""

    run = serializers.IntegerField()
    reader = serializers.CharField()
    environment = serializers.CharField(allow_null=True)
    time = serializers.DateTimeField()
    user = serializers.CharField()
    revision = serializers.IntegerField(help_text="of the map at the time of the run")
    services = serializers.ListField(child=serializers.CharField(), help_text="whose permissions were read")
    summary = SummarySerializer()
    findings = FindingSerializer(many=True)
    offers = OfferSerializer(many=True)
    unchecked = UncheckedSerializer(many=True)
    unresolved = UnresolvedSerializer(many=True)
    notes = NoteSerializer(many=True)
    errors = UnreadableSerializer(many=True)  # type: ignore[assignment]
    agreement = FiguresSerializer(many=True, help_text="the series' last runs, oldest first")


class DriftSerializer(serializers.Serializer):
    """What the latest runs say of the map of that revision."""

    revision = serializers.IntegerField()
    runs = RunSerializer(many=True)


class WaiverSerializer(WaivedSerializer):
    """A finding that the team lives with."""

    kind = serializers.ChoiceField(FINDING_KINDS)
    table = serializers.CharField()
    service = serializers.CharField(allow_null=True)
    environment = serializers.CharField(allow_null=True)
    granted = serializers.CharField(allow_null=True, help_text="what it is waived for; for something else it counts")
    user = serializers.CharField()
    time = serializers.DateTimeField()


class WaiversSerializer(serializers.Serializer):
    """The waivers whose day is not past."""

    results = WaiverSerializer(many=True)


class _DriftAddress(RegistryView):
    """Answers that change with the map, with a new run, and at midnight UTC."""

    permission_classes = [SignedIn]

    def find_head(self) -> Head:
        """The history's head; what selects the answer beside it is the last run and the date."""
        revision, digest = current_head()
        run = DriftRun.objects.order_by("-pk").values_list("pk", "time").first()
        return Head(revision, f"{digest} {run} {runs.today()}")


class DriftView(_DriftAddress):
    """Drift."""

    parameters = frozenset({"format", "reader", "environment", "kind", "owner", "table", "service", "waived", "new"})

    @extend_schema(
        operation_id="drift",
        parameters=[
            OpenApiParameter("reader", str, description="Runs of this reader."),
            OpenApiParameter("environment", str, description="Runs in this environment; `none`: without one."),
            OpenApiParameter("kind", str, enum=FINDING_KINDS, description="Findings of this kind."),
            OpenApiParameter("owner", str, description="Findings, offers and unchecked accesses of its tables."),
            OpenApiParameter("table", str, description="Findings, offers and unchecked accesses of this table."),
            OpenApiParameter("service", str, description="Findings about what this service may do, likewise."),
            OpenApiParameter("waived", bool, description="Findings that are waived, or that are not."),
            OpenApiParameter("new", bool, description="Findings that the run before did not have, or that it had."),
        ],
        responses=DriftSerializer,
    )
    def get(self, request: Request) -> Response:
        """The latest run of each reader and environment against the map as it is now; filters narrow the findings."""
        query = request.query_params
        every = runs.latest()
        for name, known in {**runs.choices(every), "kind": FINDING_KINDS}.items():
            if name in query and query[name] not in known:
                raise BadParameter({name: f"Takes {', '.join(known) or 'nothing yet: no run was kept'}."})
        asked = {name: query[name] for name in ("kind", "owner", "table", "service") if name in query}
        flags = {name: _flag(name, query[name]) for name in ("waived", "new") if name in query}
        head, declared = runs.declared_now()
        waivers = runs.waivers_in_force(runs.today())
        chosen = runs.chosen(every, query.get("reader"), query.get("environment"))
        shown = [runs.compare_run(run, declared, waivers) for run in chosen]
        _refuse_unknown_names(asked, declared, shown)
        return Response({"revision": head[0], "runs": [_run(one.about(asked), flags) for one in shown]})


def _refuse_unknown_names(asked: dict[str, str], declared: DeclaredMap, shown: list[runs.ComparedRun]) -> None:
    findings = [finding for one in shown for finding in one.findings]
    services = {service.name for service in declared.services}
    known: dict[str, set[Any]] = {
        "owner": services,
        "service": services | {finding.service for finding in findings},
        "table": {table.name for table in declared.tables} | {finding.table for finding in findings},
    }
    errors = {
        name: "Neither the map nor any finding has this name."
        for name, value in asked.items()
        if name in known and value not in known[name]
    }
    if errors:
        raise BadParameter(errors)


def _flag(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise BadParameter({name: "Takes true or false."})
    return value == "true"


def _run(shown: runs.ComparedRun, flags: dict[str, bool]) -> dict[str, Any]:
    run = shown.run
    findings = [
        finding
        for finding in shown.findings
        if flags.items() <= {"waived": finding in shown.waived, "new": finding.identity in shown.new}.items()
    ]
    waived = {finding: waiver.value() for finding, waiver in shown.waived.items()}
    return {
        "run": run.pk,
        "reader": run.reader,
        "environment": run.environment or None,
        "time": run.time,
        "user": run.user_name,
        "revision": run.revision,
        "services": sorted(shown.found.services),
        "summary": {
            "findings": len(findings),
            "waived": sum(finding in waived for finding in findings),
            "new": sum(finding.identity in shown.new for finding in findings),
            "settled": shown.settled,
            "by_kind": dict(sorted(Counter(finding.kind for finding in findings).items())),
            "by_owner": dict(sorted(Counter(finding.owner for finding in findings if finding.owner).items())),
        },
        "findings": [finding_json(one, waived) | {"new": one.identity in shown.new} for one in findings],
        **rest_json(shown.found, shown.offers, shown.unchecked),
        "agreement": [figures_json(one) for one in runs.figures(run)],
    }


def figures_json(run: DriftRun) -> dict[str, Any]:
    """A run's figures."""
    return {
        "run": run.pk,
        "time": run.time,
        "revision": run.revision,
        "agreeing": run.agreeing,
        "compared": run.compared,
        "findings": sum(run.by_kind.values()),
        "waived": run.waived,
    }


class WaiversView(_DriftAddress):
    """Waivers."""

    @extend_schema(operation_id="drift_waivers", responses=WaiversSerializer)
    def get(self, request: Request) -> Response:
        """The waivers whose day is not past; a finding is waived where something of it is granted as here."""
        return Response({"results": [_waiver(one) for one in runs.waivers_in_force(runs.today())]})


def _waiver(row: Waiver) -> dict[str, Any]:
    value: Any = row.value()
    return {
        **value.identity._asdict(),
        "environment": value.environment,
        "granted": value.granted,
        "until": value.until,
        "reason": value.reason,
        "user": row.by,  # type: ignore[attr-defined]
        "time": row.since,  # type: ignore[attr-defined]
    }
