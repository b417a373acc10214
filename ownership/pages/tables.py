"""A table's page: what it is, whose it is, who writes and reads it, and what to know before changing it."""

from functools import partial
from typing import Any

from ownership.audit.timeline import Timeline
from ownership.catalog.queries import whole_tables
from ownership.catalog.warnings import warnings
from ownership.findings import declared_vs_granted
from ownership.models import Access, Environment, Mode, Table
from ownership.pages.base import Page
from ownership.pages.data_flow import Neighbour, Picture, Side, picture, side_of
from ownership.pages.former_names import namesakes_of, renamed, row_named
from ownership.pages.history import lately


def physical_names(base_name: str) -> list[tuple[str, list[str]]]:
    """Each physical name with the environments whose table it is; more than one share that table."""
    found: dict[str, list[str]] = {}
    for environment in Environment.objects.all():
        found.setdefault(base_name + environment.suffix, []).append(environment.name)
    return list(found.items())


class TablePage(Page):
    """One table, by name."""

    template_name = "ownership/table.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the table and all that hangs on it; its history for those who are signed in."""
        table = row_named(whole_tables(), kwargs["name"], self.request)
        accesses = list(table.accesses.all())
        return super().get_context_data(**kwargs) | {
            "table": table,
            "accesses": accesses,
            "indirect": [access for access in accesses if access.indirect],
            "physical_names": physical_names(table.name),
            "hints": warnings(table),
            "picture": _picture(table),
            "renamed": renamed(table, self.request.GET.get("was", ""), self.request),
            "namesakes": namesakes_of(table) if self.request.user.is_authenticated else [],
            # Drift takes a sign-in, and the runs are of today's infrastructure.
            "granted": declared_vs_granted.of_table(table)
            if self.request.user.is_authenticated and not self.moment
            else [],
            "latest": lately(self, Timeline.of(Table, table.pk)),
        }


def _picture(table: Table) -> Picture:
    # What both writes and reads comes first, the owner before all: so it stands in the same row of both columns.
    def column(heading: str, accesses: list[Access], nobody: str) -> Side:
        first = sorted(accesses, key=lambda a: (a.service_id != table.owner_id, a.mode != Mode.READ_WRITE))
        return side_of(heading, first, partial(_neighbour, table), nobody)

    return picture(
        table.name,
        "table",
        column("Written by", table.writing(), "Nobody writes it"),
        column("Read by", table.reading(), "Nobody reads it"),
    )


def _neighbour(table: Table, access: Access) -> Neighbour:
    remarks = ["owner"] if access.service_id == table.owner_id else []
    remarks += ["writes and reads"] if access.mode == Mode.READ_WRITE else []
    remarks += ["indirect"] if access.indirect else []
    path = access.notes if access.indirect else ""
    return Neighbour(access.service.name, access.service.get_absolute_url(), tuple(remarks), access.indirect, path)
