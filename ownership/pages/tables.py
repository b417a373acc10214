"""A table's page: what it is, who owns, writes and reads it, and what to know before changing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ownership.audit.timeline import Timeline
from ownership.catalog.confirmation import states_of
from ownership.catalog.queries import whole_tables
from ownership.catalog.warnings import warnings
from ownership.drift.types import Finding
from ownership.findings import side_by_side
from ownership.models import READS, WRITES, Access, Environment, Service, Suggestion, Table, Team
from ownership.models.answerable import teams_by_service
from ownership.models.rights import editable, has_role, may_edit
from ownership.pages import accesses as access_tables
from ownership.pages.base import Context, Page
from ownership.pages.chart import truth_of_table
from ownership.pages.data_flow import Neighbour, Picture, flow_neighbour, flow_side, picture
from ownership.pages.former_names import former_name, namesakes_of, row_named
from ownership.pages.history import last_owner_change, latest_changes
from ownership.pages.suggestions import suggestions_waiting


def physical_names(base_name: str) -> list[tuple[str, list[str]]]:
    """Return each physical name with its environments; more than one share that table."""
    environments: dict[str, list[str]] = {}
    for environment in Environment.objects.all():
        physical_name = environment.name_pattern.physical(base_name)
        environments.setdefault(physical_name, []).append(environment.name)
    return list(environments.items())


@dataclass(frozen=True)
class Contact:
    """A service to tell about a change of a table, and why: it owns, writes or reads it."""

    service: Service
    roles: list[str]
    team: Team | None = None  # that is answerable for the service

    @property
    def address(self) -> str:
        """Where to reach them: the service's own contact, or else its team's. Empty if neither is recorded."""
        if self.service.contact or self.team is None:
            return self.service.contact
        return self.team.contact or self.team.email


class TablePage(Page):
    """One table, by name."""

    template_name = "ownership/table.html"

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: the table and all that belongs to it; history for people with a role."""
        table = row_named(whole_tables(), kwargs["name"], self.request)
        accesses = list(table.accesses.all())
        reads_history = has_role(self.request.user)
        granted: list[side_by_side.SideBySide] = []
        shape_findings: list[Finding] = []
        # Drift needs a role, and its runs are about the infrastructure of today.
        if reads_history and not self.moment:
            granted = side_by_side.of_table(table)
            shape_findings = side_by_side.shape_findings(table)
        access_table = access_tables.of_table(accesses, granted)
        teams = teams_by_service()
        contacts = _contacts(table, accesses, teams)
        return super().get_context_data(**kwargs) | {
            "table": table,
            "team": teams.get(table.owner_id),
            "may_edit": may_edit(self.request.user, table),
            "editable": set() if self.moment else editable(self.request.user, accesses),
            "access_table": access_table,
            "lines": access_table.lines,
            "truth_plots": _truth_plots(table, access_table),
            "shape_findings": shape_findings,
            "findings": access_table.findings + len(shape_findings),
            "physical_names": physical_names(table.name),
            "hints": warnings(table),
            "picture": _picture(table),
            "contacts": contacts,
            "contact_list": _addresses(contacts),
            "renamed": former_name(table, self.request.GET.get("was", ""), self.request),
            "namesakes": namesakes_of(table) if reads_history else [],
            "suggestions": suggestions_waiting(self, Suggestion.objects.about_table(table.pk)),
            "standing": states_of([table])[table.pk],
            "latest": latest_changes(self, Timeline.about(Table, table.pk)),
            "owner_change": last_owner_change(self, table) if reads_history else None,
        }


def _truth_plots(table: Table, access_table: access_tables.AccessTable) -> list[dict[str, object]]:
    """Return a chart for each series of runs with more than one reading of the table."""
    plots = []
    for run, _ in access_table.truths:
        plotted = truth_of_table(side_by_side.truth_over_runs(table.name, run))
        if plotted is not None:
            plots.append(plotted)
    return plots


def _contacts(table: Table, accesses: list[Access], teams: Mapping[int, Team]) -> list[Contact]:
    """Return the owner, then all others that a change of the table concerns, in the order of the accesses."""
    roles = {table.owner.pk: Contact(table.owner, ["owner"], teams.get(table.owner.pk))}
    for access in accesses:
        new = Contact(access.service, [], teams.get(access.service_id))
        contact = roles.setdefault(access.service_id, new)
        if access.mode in WRITES:
            contact.roles.append("writes")
        if access.mode in READS:
            contact.roles.append("reads")
        if access.indirect:
            contact.roles.append("indirectly")
    return list(roles.values())


def _addresses(contacts: list[Contact]) -> str:
    """Return the contacts that are recorded, each once, for people to paste into a message."""
    addresses = dict.fromkeys(contact.address for contact in contacts)
    return ", ".join(address for address in addresses if address)


def _picture(table: Table) -> Picture:
    def neighbour(access: Access) -> Neighbour:
        return flow_neighbour(access.service, access, owned="owner", both="writes and reads")

    return picture(
        table.name,
        "table",
        flow_side("Written by", "Nobody writes it", table.writing(), neighbour),
        flow_side("Read by", "Nobody reads it", table.reading(), neighbour),
    )
