"""Drift over the API: what the latest run of each reader and environment finds, compared with the map as it is now.

Everything here needs a sign-in or a token, even where everybody may read the map.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypedDict

from django.utils.timezone import localdate
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ownership.api import parameters
from ownership.api.authentication import HasRole
from ownership.api.base import RegistryView
from ownership.api.errors import BadParameter
from ownership.api.schema import ONLY_TRUE
from ownership.api.typed_dicts import serializer_of
from ownership.catalog.mine import MINE, Mine
from ownership.drift.report_json import (
    IsoDate,
    NoteJSON,
    OfferJSON,
    ReportedFindingJSON,
    TruthJSON,
    UncheckedJSON,
    UnreadableJSON,
    UnresolvedJSON,
    WaivedJSON,
    by_verdict,
    error_json,
    finding_json,
    note_json,
    rest_json,
    truth_json,
    unresolved_json,
)
from ownership.drift.types import FINDING_KINDS, VERDICTS, CodeUsage, Finding, FindingKind
from ownership.drift.verdicts import NOT_KNOWN
from ownership.findings import runs
from ownership.findings.runs import ComparedRun
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models import DriftRun

# Parameters for what a finding is about.
SUBJECTS = ("kind", "owner", "table", "service", "verdict")
VERDICT_FILTERS = (*VERDICTS, NOT_KNOWN)
FLAGS = ("waived", "new")


class FindingJSON(ReportedFindingJSON):
    """A difference between the map and the infrastructure."""

    new: Annotated[bool, "whether the run before did not have it"]


class FiguresJSON(TypedDict):
    """How far a run agreed with the map of its time."""

    run: int
    time: datetime
    revision: Annotated[int, "of the map that it was compared with"]
    agreeing: Annotated[int, "how many of the things compared agreed"]
    compared: int
    findings: int
    waived: int
    accesses: Annotated[
        int | None, "how many accesses were declared or found; null if no code was read"
    ]
    true_accesses: Annotated[int | None, "on how many of them map, IAM and code agreed"]


class SummaryJSON(TypedDict):
    """Numbers of the findings that the filters leave."""

    findings: int
    waived: int
    new: int
    settled: Annotated[
        int,
        "findings of the run that a change of the map has settled since; the filters don't apply",
    ]
    by_kind: dict[str, int]
    by_owner: Annotated[dict[str, int], "findings without an owner are left out"]
    by_verdict: Annotated[
        dict[str, int],
        "findings about accesses; `not_known` where code does not tell which side is wrong",
    ]


class TableTruthJSON(TruthJSON):
    """How many accesses to a table are known to be the same in map, IAM and code."""

    table: str


class CodeJSON(TypedDict):
    """What the run read of code besides its uses, which the findings name."""

    services: Annotated[list[str], "whose code was read"]
    unresolved: Annotated[list[UnresolvedJSON], "places that may be more uses"]
    notes: list[NoteJSON]
    errors: list[UnreadableJSON]


class RunJSON(TypedDict):
    """The latest run of a reader in an environment, compared with the map as it is now."""

    run: int
    reader: str
    environment: str | None
    time: datetime
    user: str
    revision: Annotated[int, "of the map at the time of the run"]
    services: Annotated[list[str], "whose permissions were read"]
    summary: SummaryJSON
    findings: list[FindingJSON]
    offers: list[OfferJSON]
    unchecked: list[UncheckedJSON]
    unresolved: list[UnresolvedJSON]
    notes: list[NoteJSON]
    errors: list[UnreadableJSON]
    code: Annotated[CodeJSON | None, "null if the run read no code"]
    truth: Annotated[
        TruthJSON | None, "of the whole map; null if the run read no code. The filters don't apply"
    ]
    truth_by_table: Annotated[list[TableTruthJSON], "of each table; `table` narrows it"]
    agreement: Annotated[list[FiguresJSON], "the series' last runs, oldest first"]


class DriftJSON(TypedDict):
    """The latest runs, compared with the map of that revision."""

    revision: int
    runs: list[RunJSON]


class WaiverJSON(WaivedJSON):
    """A finding that the team has decided to ignore for a while."""

    kind: FindingKind
    table: str
    service: str | None
    environment: str | None
    granted: Annotated[
        str | None,
        "what is waived; if something else is granted, the finding counts again",
    ]
    user: str
    time: datetime


class WaiversJSON(TypedDict):
    """The waivers that have not ended."""

    results: list[WaiverJSON]


class _DriftAddress(RegistryView):
    """Answers that change with the map, with a new run, and at midnight UTC."""

    permission_classes = [HasRole]

    def find_head(self) -> Head:
        """The history's head, whose digest also names the last run and the date: they select the answer, too."""
        revision, digest = current_head()
        run = DriftRun.objects.order_by("-pk").values_list("pk", "time").first()
        return Head(revision, f"{digest} {run} {localdate()}")


class DriftView(_DriftAddress):
    """Drift."""

    parameters = frozenset({"format", "reader", "environment", MINE, *SUBJECTS, *FLAGS})

    @extend_schema(
        operation_id="drift",
        parameters=[
            OpenApiParameter("reader", str, description="Runs of this reader."),
            OpenApiParameter(
                "environment",
                str,
                description="Runs in this environment; `none`: without one.",
            ),
            OpenApiParameter(
                MINE,
                ONLY_TRUE,
                description="Findings, offers and unchecked accesses of tables that the account's teams own.",
            ),
            OpenApiParameter("kind", str, enum=FINDING_KINDS, description="Findings of this kind."),
            OpenApiParameter(
                "owner",
                str,
                description="Findings, offers and unchecked accesses of its tables.",
            ),
            OpenApiParameter(
                "table",
                str,
                description="Findings, offers and unchecked accesses of this table.",
            ),
            OpenApiParameter(
                "service",
                str,
                description="Findings and unchecked accesses of this service.",
            ),
            OpenApiParameter(
                "verdict",
                str,
                enum=VERDICT_FILTERS,
                description="Findings with this verdict; `not_known`: accesses of which code does not tell.",
            ),
            OpenApiParameter(
                "waived",
                bool,
                description="Findings that are waived, or those that are not.",
            ),
            OpenApiParameter(
                "new",
                bool,
                description="Findings that the run before did not have, or those it had.",
            ),
        ],
        responses=serializer_of(DriftJSON),
    )
    def get(self, request: Request) -> Response:
        """The latest run of each reader and environment, compared with the map as it is now.

        The filters narrow the findings.
        """
        query = request.query_params
        latest = runs.latest()
        _refuse_unknown_values(
            query, {**runs.filter_values(latest), "kind": FINDING_KINDS, "verdict": VERDICT_FILTERS}
        )
        subjects = {name: query[name] for name in SUBJECTS if name in query}
        flags = {name: _flag(name, query[name]) for name in FLAGS if name in query}

        head, declared = runs.declared_now()
        waivers = runs.waivers_in_force()
        compared_runs = []
        for run in runs.filtered(latest, query.get("reader"), query.get("environment")):
            compared_runs.append(runs.compare_run(run, declared, waivers))
        _refuse_unknown_names(subjects, _known_names(compared_runs))
        about: dict[str, Collection[str]] = {name: {value} for name, value in subjects.items()}
        if parameters.asks_for_mine(request):
            owners = Mine.of(request.user).service_names()
            about["owner"] = owners.intersection(about.get("owner", owners))
        answer: DriftJSON = {
            "revision": head.revision,
            "runs": [_run_json(compared.about(about), flags) for compared in compared_runs],
        }
        return Response(answer)


def _refuse_unknown_values(query: Mapping[str, str], choices: Mapping[str, Iterable[str]]) -> None:
    for name, known in choices.items():
        if name in query and query[name] not in known:
            raise BadParameter({name: runs.values_hint(known)})


def _known_names(compared_runs: Iterable[ComparedRun]) -> dict[str, set[str | None]]:
    """The names that each parameter can ask for: those on the map, and those that a finding names."""
    services: set[str | None] = set()
    tables: set[str | None] = set()
    owners: set[str | None] = set()
    for compared in compared_runs:
        on_map = {service.name for service in compared.declared.services}
        owners |= on_map
        services |= on_map | {finding.service for finding in compared.findings}
        tables |= {table.name for table in compared.declared.tables}
        tables |= {finding.table for finding in compared.findings}
    return {"owner": owners, "service": services, "table": tables}


def _refuse_unknown_names(
    subjects: Mapping[str, str], known: Mapping[str, set[str | None]]
) -> None:
    errors = {}
    for name, names in known.items():
        if name in subjects and subjects[name] not in names:
            errors[name] = "Neither the map nor any finding has this name."
    if errors:
        raise BadParameter(errors)


def _flag(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise BadParameter({name: "Must be true or false."})
    return value == "true"


def _run_json(compared: ComparedRun, flags: Mapping[str, bool]) -> RunJSON:
    run = compared.run
    findings = [finding for finding in compared.findings if _has_flags(finding, compared, flags)]
    waived = {finding: waiver.value() for finding, waiver in compared.waived.items()}
    listed: list[FindingJSON] = []
    for finding in findings:
        listed.append({**finding_json(finding, waived), "new": finding.identity in compared.new})
    return {
        "run": run.pk,
        "reader": run.reader,
        "environment": run.environment or None,
        "time": run.time,
        "user": run.user_name,
        "revision": run.revision,
        "services": sorted(compared.found.services),
        "summary": _summary_json(findings, compared),
        "findings": listed,
        **rest_json(compared.found, compared.offers, compared.unchecked),
        "code": _code_json(compared.usage),
        "truth": truth_json(compared.truth),
        "truth_by_table": _truth_by_table(compared),
        "agreement": [figures_json(earlier) for earlier in runs.figures(run)],
    }


def _code_json(usage: CodeUsage | None) -> CodeJSON | None:
    if usage is None:
        return None
    return {
        "services": sorted(usage.services),
        "unresolved": [unresolved_json(unresolved) for unresolved in usage.unresolved],
        "notes": [note_json(note) for note in usage.notes],
        "errors": [error_json(error) for error in usage.errors],
    }


def _truth_by_table(compared: ComparedRun) -> list[TableTruthJSON]:
    rows: list[TableTruthJSON] = []
    for table, truth in compared.truth_by_table.items():
        of_table = truth_json(truth)
        if of_table is not None:
            rows.append({"table": table, **of_table})
    return rows


def _has_flags(finding: Finding, compared: ComparedRun, flags: Mapping[str, bool]) -> bool:
    own = {
        "waived": finding in compared.waived,
        "new": finding.identity in compared.new,
    }
    return all(own[name] == wanted for name, wanted in flags.items())


def _summary_json(findings: list[Finding], compared: ComparedRun) -> SummaryJSON:
    by_kind: Counter[str] = Counter(finding.kind for finding in findings)
    by_owner: Counter[str] = Counter(finding.owner for finding in findings if finding.owner)
    return {
        "findings": len(findings),
        "waived": sum(finding in compared.waived for finding in findings),
        "new": sum(finding.identity in compared.new for finding in findings),
        "settled": compared.settled,
        "by_kind": dict(sorted(by_kind.items())),
        "by_owner": dict(sorted(by_owner.items())),
        "by_verdict": by_verdict(findings),
    }


def figures_json(run: DriftRun) -> FiguresJSON:
    """A run's figures."""
    return {
        "run": run.pk,
        "time": run.time,
        "revision": run.revision,
        "agreeing": run.agreeing,
        "compared": run.compared,
        "findings": sum(run.by_kind.values()),
        "waived": run.waived,
        "accesses": run.accesses,
        "true_accesses": run.true_accesses,
    }


class WaiversView(_DriftAddress):
    """Waivers."""

    @extend_schema(operation_id="drift_waivers", responses=serializer_of(WaiversJSON))
    def get(self, request: Request) -> Response:
        """The waivers that have not ended. A waiver covers its finding while the same is granted."""
        answer: WaiversJSON = {"results": [_waiver_json(row) for row in runs.waivers_in_force()]}
        return Response(answer)


def _waiver_json(row: Any) -> WaiverJSON:
    """A waiver as ``with_decisions()`` gives it, with its reason, author and time."""
    terms = row.value()
    return {
        "kind": terms.identity.kind,
        "table": terms.identity.table,
        "service": terms.identity.service,
        "environment": terms.environment,
        "granted": terms.granted,
        "until": IsoDate(terms.until.isoformat()),
        "reason": terms.reason,
        "user": row.by,
        "time": row.since,
    }
