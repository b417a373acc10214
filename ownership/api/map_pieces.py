"""The current map as pieces of JSON, so that after an edit only what it touched is read and rendered again.

With 10,000 tables that takes a thirtieth of the time that the whole map takes (docs/performance.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model, Q, QuerySet
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

from ownership.api import serializers
from ownership.catalog.queries import confirmed_map, confirmed_tables
from ownership.history.head import Head
from ownership.history.models import ChangeSet, entry_model
from ownership.models import (
    Access,
    Confirmation,
    Environment,
    SecondaryIndex,
    Service,
    Table,
    TableGroup,
    Team,
)
from ownership.models.answerable import answerable_team, lineage, service_links, teams_by_service

# If more than this share of the tables changed, reading the whole map is faster than reading those tables.
MOST_CHANGED = 0.25
# Below this number of changed tables the share does not matter.
FEW_TABLES = 10

# The lists beside the tables, in the order of the map. Services as confirmed_map() has them.
LISTS: dict[str, tuple[QuerySet, type[ModelSerializer]]] = {
    "environments": (Environment.objects.all(), serializers.EnvironmentSerializer),
    "groups": (TableGroup.objects.all(), serializers.GroupSerializer),
    "teams": (Team.objects.all(), serializers.TeamSerializer),
    "services": (
        Service.objects.select_related("part_of", "team").order_by("pk"),
        serializers.ServiceSerializer,
    ),
}


@dataclass
class MapPieces:
    """The map of one revision, for one environment or none."""

    head: Head
    # The JSON of "environments", "groups", "teams" and "services".
    lists: dict[str, bytes]
    # The JSON of each table, by the table's id, in the map's order.
    tables: dict[int, bytes]

    def as_json(self, environment: Environment | None) -> bytes:
        """The whole map, with one line for each table."""
        names = {
            "revision": self.head.revision,
            "environment": environment and environment.name,
        }
        parts = [JSONRenderer().render(names).removesuffix(b"}")]
        for name, rows in self.lists.items():
            parts.append(b'"%s":%s' % (name.encode(), rows))
        tables = b",\n".join(self.tables.values())
        parts.append(b'"tables":[\n%s\n]}\n' % tables)
        return b",\n".join(parts)


def read_all(head: Head, environment: Environment | None) -> MapPieces:
    """Read and render the whole map."""
    rows = confirmed_map()
    lists = {name: _render_list(name, rows[name]) for name in LISTS}
    teams = teams_by_service(rows["services"])
    return MapPieces(head, lists, _render_tables(rows["tables"], environment, teams))


def update(old: MapPieces, head: Head, environment: Environment | None) -> MapPieces | None:
    """Read and render what changed between the old pieces and ``head``; keep the rest.

    None if the whole map must be read: too much changed, or the old pieces are of another history (a restored backup).
    """
    if not ChangeSet.objects.filter(revision=old.head.revision, digest=old.head.digest).exists():
        return None
    entries = EntriesBetween(after=old.head.revision, until=head.revision)
    changed_rows = {
        "environments": entries.ids_of(Environment),
        "groups": entries.ids_of(TableGroup),
        "teams": entries.ids_of(Team),
        "services": entries.ids_of(Service),
    }
    changed_tables = entries.ids_of(Table)
    for model in (Access, SecondaryIndex, Confirmation):
        changed_tables |= entries.ids_of(model, "table_id")
    changed_tables |= _tables_that_name(changed_rows["groups"], changed_rows["services"])
    changed_tables |= _tables_with_another_team(changed_rows["teams"], changed_rows["services"])
    if environment is not None and changed_rows["environments"]:
        return None  # a new suffix or pattern changes every physical name

    # In today's order: a new position or name moves other tables, too.
    order = list(Table.objects.values_list("pk", flat=True))
    to_render = [pk for pk in order if pk in changed_tables or pk not in old.tables]
    if len(to_render) > max(FEW_TABLES, MOST_CHANGED * len(order)):
        return None
    rendered = {}
    if to_render:
        rendered = _render_tables(
            confirmed_tables().filter(pk__in=to_render), environment, teams_by_service()
        )
    tables = {}
    for pk in order:
        # Neither has a table that was deleted just now; but then the head has moved, and everything is read again.
        tables[pk] = rendered.get(pk) or old.tables.get(pk, b"")
    changed_lists = {name for name, ids in changed_rows.items() if ids}
    if "teams" in changed_lists:
        changed_lists.add("services")  # which name them
    lists = dict(old.lists)
    for name, (rows, _) in LISTS.items():
        if name in changed_lists:
            lists[name] = _render_list(name, rows.all())
    return MapPieces(head, lists, tables)


@dataclass(frozen=True)
class EntriesBetween:
    """The history between two revisions: after one, up to and including the other."""

    after: int
    until: int

    def ids_of(self, model: type[Model], column: str = "id") -> set[int]:
        """The different values of that column in the model's entries."""
        entries = entry_model(model).objects.filter(
            change_set__gt=self.after, change_set__lte=self.until
        )
        return set(entries.order_by().values_list(column, flat=True).distinct())


def _tables_that_name(group_ids: set[int], service_ids: set[int]) -> set[int]:
    """The tables whose JSON has the name of one of these groups or services."""
    if not group_ids and not service_ids:
        return set()
    naming = (
        Q(group__in=group_ids) | Q(owner__in=service_ids) | Q(accesses__service__in=service_ids)
    )
    return set(Table.objects.filter(naming).order_by().values_list("pk", flat=True))


def _tables_with_another_team(team_ids: set[int], service_ids: set[int]) -> set[int]:
    """The tables that may say another team than before: one of these was renamed, or services changed.

    A service's team changes if it, or one that it is part of, gets another team or becomes part of another service.
    """
    if not team_ids and not service_ids:
        return set()
    links = service_links()
    owners = []
    for pk in links:
        if answerable_team(pk, links) in team_ids or not service_ids.isdisjoint(lineage(pk, links)):
            owners.append(pk)
    return set(Table.objects.filter(owner__in=owners).order_by().values_list("pk", flat=True))


def _render_list(name: str, rows: Iterable[Model]) -> bytes:
    _, serializer = LISTS[name]
    return JSONRenderer().render(serializer(rows, many=True).data)


def _render_tables(
    tables: Iterable[Table],
    environment: Environment | None,
    teams: dict[int, Team],
) -> dict[int, bytes]:
    # With a "view" the serializer leaves out physical names if there is no environment.
    context = {"environment": environment, "view": None, "teams": teams}
    serializer = serializers.TableSerializer(context=context)
    renderer = JSONRenderer()
    return {table.pk: renderer.render(serializer.to_representation(table)) for table in tables}
