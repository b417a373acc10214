"""The list of tables: of each the owner, who else writes and reads it, and what there is to look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ownership.catalog.confirmation import TableConfirmation, states_of
from ownership.catalog.warnings import warnings
from ownership.models import Access, Table, Team

# Services that are named in a cell; the table's page has the others.
MAX_NAMED = 2


@dataclass(frozen=True)
class Others:
    """Services other than the owner that write, or read, a table: those to name, and how many more there are."""

    named: list[Access]
    more: int


@dataclass(frozen=True)
class ListedTable:
    """A row of the list."""

    table: Table
    writers: Others
    readers: Others
    warnings: int
    findings: int  # of drift, for people who may see them
    standing: TableConfirmation
    team: Team | None = None  # that is answerable for the owner

    @property
    def needs_attention(self) -> bool:
        """Whether there is something to look at."""
        return bool(self.warnings or self.findings)


def listed(
    tables: Iterable[Table],
    teams: Mapping[int, Team],
    findings: Mapping[str, int] | None = None,
) -> list[ListedTable]:
    """Return rows for tables whose accesses are fetched.

    ``teams`` is what ``teams_by_service`` gives, ``findings`` are counts by a table's name. One query.
    """
    tables = list(tables)
    counts = findings or {}
    standings = states_of(tables)
    rows = []
    for table in tables:
        row = ListedTable(
            table,
            writers=_others(table, table.writing()),
            readers=_others(table, table.reading()),
            warnings=len(warnings(table)),
            findings=counts.get(table.name, 0),
            standing=standings[table.pk],
            team=teams.get(table.owner_id),
        )
        rows.append(row)
    return rows


def any_confirmed(rows: Iterable[ListedTable]) -> bool:
    """Return whether any of the tables has ever been confirmed: lists then show the states."""
    return any(row.standing.confirmation is not None for row in rows)


def _others(table: Table, accesses: list[Access]) -> Others:
    others = [access for access in accesses if access.service_id != table.owner_id]
    return Others(others[:MAX_NAMED], max(0, len(others) - MAX_NAMED))
