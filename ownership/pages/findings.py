"""The drift page: what the latest run of each reader and environment finds, compared with the map as it is now."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ownership.catalog.mine import MINE
from ownership.catalog.queries import compared_map, current_map
from ownership.drift import verdicts
from ownership.drift.iam_changes import SNIPPETS_FOR, as_list, iam_changes, snippet
from ownership.drift.types import FINDING_KINDS, Finding, Offer, Unchecked
from ownership.findings import runs
from ownership.findings.runs import ComparedRun
from ownership.models import DriftRun, Service, Team, Waiver
from ownership.models.answerable import teams_by_service
from ownership.pages.base import BadAddress, Page
from ownership.pages.chart import agreement_of, truth_of_runs
from ownership.templatetags.display import kind_label
from ownership.web.suggestions import SUGGESTING

ROWS_SHOWN = 200  # findings of a run; the filters lead to the others
OF_TODAY = "Drift compares the latest runs with the current map"
STATES = {"open": "not waived", "new": "new since the run before", "waived": "waived"}
SUBJECTS = ("kind", "verdict", "owner", "table", "service")  # filters for what a finding is about
FILTERS = ("reader", "environment", *SUBJECTS, "state", MINE)

ACCEPTING = [
    "ownership.add_table",
    "ownership.change_table",
    "ownership.delete_table",
    "ownership.add_access",
    "ownership.change_access",
    "ownership.delete_access",
    "ownership.add_secondaryindex",
    "ownership.change_secondaryindex",
    "ownership.delete_secondaryindex",
    "ownership.delete_waiver",
]
WAIVING = ["ownership.add_waiver", "ownership.change_waiver"]


@dataclass(frozen=True)
class FindingRow:
    """A finding as the page lists it; ``value`` is what its checkbox posts."""

    finding: Finding
    value: str
    new: bool = False
    waiver: Waiver | None = None
    ended: Waiver | None = (
        None  # a waiver that no longer covers it: its day is past, or the grant changed
    )
    known: bool = False  # whether the service is on the map
    ticked: bool = False  # whether its checkbox is ticked from the start


@dataclass(frozen=True)
class Group:
    """The findings about which the same is to be done. Where no code was read, there is one without a title."""

    name: str
    title: str
    what_to_do: str
    number: int
    owners: list[tuple[str, list[FindingRow]]]


@dataclass(frozen=True)
class OfferRow:
    """An offer as the page lists it; ``value`` is what its checkbox posts."""

    finding: Offer
    value: str


def filters_query(values: Mapping[str, Any]) -> str:
    """Those of the page's filters that have a value, as a query string."""
    return urlencode({name: values[name] for name in FILTERS if values.get(name)})


class DriftPage(Page):
    """Findings by owner and kind, with their evidence and what to do; those that are new, and those that are waived."""

    template_name = "ownership/drift.html"
    needs_role = True
    shows_past = False
    about_today = OF_TODAY

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add each run's findings, as the filters leave them."""
        latest = runs.latest()
        filters = {name: self.request.GET.get(name, "") for name in FILTERS}
        choices = _choices(latest)
        _refuse_unknown_values(filters, choices)

        head, rows = current_map(compared_map)
        declared = runs.declared_map(head.revision, rows)
        waivers = list(Waiver.objects.with_decisions())
        may_suggest = self.request.user.has_perm(SUGGESTING)
        may_accept = self.request.user.has_perms(ACCEPTING)
        subjects = self._subjects(filters)
        sections = []
        for run in runs.filtered(latest, filters["reader"], filters["environment"]):
            compared = runs.compare_run(run, declared, waivers)
            sections.append(
                _section(
                    compared.about(subjects), waivers, filters, ticks=may_accept or may_suggest
                )
            )

        owners = sorted({str(owner) for owner in declared.owners.values()})
        choices["owner"] = {owner: owner for owner in owners}
        may_waive = self.request.user.has_perms(WAIVING)
        return super().get_context_data(**kwargs) | {
            "title": "Drift",
            "revision": head.revision,
            "teams": _teams_by_name(rows["services"]),
            "asked": filters,
            "filtered": filters_query(filters),
            "selects": _selects(choices, filters) if latest else [],
            "runs": sections,
            "may_accept": may_accept,
            "may_suggest": may_suggest,
            "selects_offers": may_accept or may_suggest,
            "may_waive": may_waive,
            "may_decide": may_accept or may_suggest or may_waive,
        }

    def _subjects(self, filters: Mapping[str, str]) -> dict[str, Collection[str]]:
        """What the findings to show are about: {filter: the values that it leaves}."""
        subjects: dict[str, Collection[str]] = {}
        for name in SUBJECTS:
            if filters[name]:
                subjects[name] = {filters[name]}
        if self.asks_for_mine():
            owners = self.mine().service_names()
            subjects["owner"] = owners.intersection(subjects.get("owner", owners))
        return subjects


def _choices(latest: Sequence[DriftRun]) -> dict[str, dict[str, str]]:
    """For each filter with fixed values, these values and what people call them."""
    choices = {}
    for name, values in runs.filter_values(latest).items():
        choices[name] = {value: value for value in values}
    choices["kind"] = {name: kind_label(name) for name in FINDING_KINDS}
    choices["verdict"] = verdicts.TITLES
    choices["state"] = STATES
    return choices


def _refuse_unknown_values(
    filters: Mapping[str, str], choices: Mapping[str, Mapping[str, str]]
) -> None:
    for name, known in choices.items():
        if filters[name] and filters[name] not in known:
            raise BadAddress(f"{name}: {runs.values_hint(known)}")


def _selects(
    choices: Mapping[str, Mapping[str, str]], filters: Mapping[str, str]
) -> list[dict[str, Any]]:
    selects = []
    for name, values in choices.items():
        selects.append({"name": name, "asked": filters[name], "choices": values.items()})
    return selects


def _section(
    compared: ComparedRun, waivers: Sequence[Waiver], filters: Mapping[str, str], *, ticks: bool
) -> dict[str, Any]:
    """What the page shows of a run; ``ticks``: checkboxes are ticked where accepting is right."""
    waived_rows: list[FindingRow] = []
    open_rows: list[FindingRow] = []
    for row in _rows(compared, waivers, ticks=ticks):
        if _is_in_state(row, filters["state"]):
            rows = waived_rows if row.waiver else open_rows
            rows.append(row)
    open_rows.sort(key=lambda row: not row.new)
    figures = runs.figures(compared.run)
    return {
        "shown": compared,
        "run": compared.run,
        "share": compared.run.share(),
        "open": len(open_rows),
        "more": max(0, len(open_rows) - ROWS_SHOWN),
        "new": sum(row.new for row in open_rows),
        "groups": _groups(open_rows, has_code=compared.usage is not None),
        "waived": _by_owner(waived_rows[:ROWS_SHOWN]),
        "waived_shown": min(ROWS_SHOWN, len(waived_rows)),
        "waived_in_all": len(waived_rows),
        "offers": [
            OfferRow(offer, json.dumps(offer.identity)) for offer in compared.offers[:ROWS_SHOWN]
        ],
        "offers_in_all": len(compared.offers),
        "unchecked": _services_by_reason(compared.unchecked),
        "unresolved": compared.found.unresolved[:ROWS_SHOWN],
        "notes": compared.found.notes[:ROWS_SHOWN],
        "errors": compared.found.errors[:ROWS_SHOWN],
        "agreement": agreement_of(figures) if len(figures) > 1 else None,
        "figures": figures[::-1],
    } | _section_of_code(compared, open_rows, figures)


def _section_of_code(
    compared: ComparedRun, open_rows: Sequence[FindingRow], figures: Sequence[DriftRun]
) -> dict[str, Any]:
    """What the page shows besides, if the run read code."""
    if compared.usage is None:
        return {}
    changes = iam_changes(row.finding for row in open_rows)
    snippets = []
    if compared.run.reader == SNIPPETS_FOR:
        for service, of_service in changes.items():
            text = snippet(service, of_service, compared.declared, compared.run.environment)
            snippets.append((service, text))
    return {
        "truth_plot": truth_of_runs(figures),
        "iam_list": "\n".join(as_list(changes)),
        "iam_snippets": snippets,
        "iam_changes": sum(map(len, changes.values())),
        "code_unresolved": compared.usage.unresolved[:ROWS_SHOWN],
        "code_notes": compared.usage.notes[:ROWS_SHOWN],
        "code_errors": compared.usage.errors[:ROWS_SHOWN],
    }


def _groups(rows: Sequence[FindingRow], *, has_code: bool) -> list[Group]:
    """The rows to show by what is to be done, each group with the number of all its rows."""
    if not has_code:
        return [Group("", "", "", len(rows), _by_owner(rows[:ROWS_SHOWN]))] if rows else []
    by_name: dict[str, list[FindingRow]] = {name: [] for name in verdicts.TITLES}
    for row in rows:
        by_name[verdicts.group_of(row.finding)].append(row)
    groups = []
    left = ROWS_SHOWN
    for name, of_group in by_name.items():
        if of_group:
            owners = _by_owner(of_group[:left])
            groups.append(
                Group(name, verdicts.TITLES[name], verdicts.WHAT_TO_DO[name], len(of_group), owners)
            )
            left = max(0, left - len(of_group))
    return groups


def _rows(compared: ComparedRun, waivers: Iterable[Waiver], *, ticks: bool) -> Iterable[FindingRow]:
    services = {service.name for service in compared.declared.services}
    waiver_of = runs.waivers_by_finding(waivers, compared.run.environment)
    for finding in compared.findings:
        covered_by = compared.waived.get(finding)
        is_known = finding.service in services
        changes_rightly = finding.verdict in verdicts.CHANGES_THE_MAP
        yield FindingRow(
            finding,
            json.dumps(finding.identity),
            new=finding.identity in compared.new,
            waiver=covered_by,
            ended=None if covered_by else waiver_of.get(finding.identity),
            known=is_known,
            ticked=ticks and is_known and changes_rightly and covered_by is None,
        )


def _is_in_state(row: FindingRow, state: str) -> bool:
    if state == "open":
        return row.waiver is None
    if state == "new":
        return row.new
    if state == "waived":
        return row.waiver is not None
    return True


def _teams_by_name(services: Sequence[Service]) -> dict[str, Team]:
    """{a service's name: the team that is answerable for it}; the services are all, read with their teams."""
    teams = teams_by_service(services)
    return {service.name: teams[service.pk] for service in services if service.pk in teams}


def _by_owner(rows: Iterable[FindingRow]) -> list[tuple[str, list[FindingRow]]]:
    """The rows by owner; those without one come last."""
    by_owner: dict[str, list[FindingRow]] = defaultdict(list)
    for row in rows:
        by_owner[row.finding.owner or ""].append(row)
    for of_owner in by_owner.values():
        of_owner.sort(key=lambda row: (row.finding.kind, row.finding.table))
    return sorted(by_owner.items(), key=lambda item: (not item[0], item[0]))


def _services_by_reason(unchecked: Iterable[Unchecked]) -> list[tuple[str, list[str]]]:
    services: dict[str, set[str]] = defaultdict(set)
    for access in unchecked:
        services[access.reason].add(access.service)
    return [(reason, sorted(names)) for reason, names in sorted(services.items())]
