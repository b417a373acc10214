"""The rules of the map: each is enforced by the database, and explained by a sentence in the form."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from ownership.models import (
    Access,
    Confirmation,
    Environment,
    Membership,
    SecondaryIndex,
    Service,
    Table,
    TableGroup,
    Team,
)
from tests.support.factories import (
    make_access,
    make_confirmation,
    make_member,
    make_service,
    make_table,
    make_team,
    make_waiver,
)

pytestmark = pytest.mark.django_db


def table(**fields) -> Table:
    group = TableGroup.objects.get_or_create(name="Group")[0]
    owner = Service.objects.get_or_create(name="owner")[0]
    return Table(**{"name": "orders", "group": group, "owner": owner} | fields)


def index(**fields) -> SecondaryIndex:
    return SecondaryIndex(**{"table": make_table(), "name": "by-day"} | fields)


def access(**fields) -> Access:
    return Access(**{"table": make_table(), "service": make_service(), "mode": "read"} | fields)


def confirmation(**fields) -> Confirmation:
    day = date(2026, 1, 31)
    usual = {"confirmed_by": "ann", "confirmed_on": day, "until": day + timedelta(days=180)}
    return Confirmation(**{"table": make_table(), "at_revision": 1} | usual | fields)


def membership() -> Membership:
    make_member(make_team(), "ann")
    return Membership.objects.get()


def doubled(row, **fields):
    row.save()
    copy = type(row)(
        **{f.attname: getattr(row, f.attname) for f in row._meta.fields if not f.primary_key}
        | fields
    )
    return copy


RULES = {
    "table name too short": (lambda: table(name="ab"), "3–255"),
    "table name too long": (lambda: table(name="a" * 256), "255"),
    "table name with a space": (lambda: table(name="my table"), "no spaces"),
    "table name with a trailing newline": (lambda: table(name="orders\n"), "3–255"),
    "table name beyond ASCII": (lambda: table(name="bestellüngen"), "3–255"),
    "table name taken": (lambda: doubled(table()), "table with this name already exists"),
    "sort key without partition key": (
        lambda: table(sort_key_name="year"),
        "needs a partition key",
    ),
    "sort key equal to partition key": (
        lambda: table(partition_key_name="id", sort_key_name="id"),
        "must be different attributes",
    ),
    "key type without key": (lambda: table(partition_key_type="S"), "needs the key's name"),
    "key format without key": (lambda: table(sort_key_format="UUID"), "needs the key's name"),
    "unknown key type": (
        lambda: table(partition_key_name="id", partition_key_type="X"),
        "S, N or B",
    ),
    "index of the same name in its table": (
        lambda: doubled(index()),
        "already has an index with this name",
    ),
    "index of unknown kind": (lambda: index(kind="XSI"), "GSI or an LSI"),
    "index with a bad name": (lambda: index(name="a b"), "3–255"),
    "index sort key without partition key": (
        lambda: index(sort_key_name="year"),
        "needs a partition key",
    ),
    "service name taken": (
        lambda: doubled(make_service("users")),
        "service with this name already exists",
    ),
    "service name with a trailing newline": (lambda: Service(name="users\n"), "1–100"),
    "service name empty": (lambda: Service(name=""), "1–100"),
    "group name taken": (
        lambda: doubled(TableGroup(name="Core")),
        "group with this name already exists",
    ),
    "group name empty": (lambda: TableGroup(name=""), "needs a name"),
    "group with confirmations of no days": (
        lambda: TableGroup(name="Core", confirmation_days=0),
        "for 1 to 3,650 days",
    ),
    "group with confirmations of eleven years": (
        lambda: TableGroup(name="Core", confirmation_days=4_015),
        "for 1 to 3,650 days",
    ),
    "table confirmed twice": (lambda: doubled(make_confirmation()), "has a confirmation already"),
    "confirmation by nobody": (
        lambda: confirmation(confirmed_by=""),
        "the name of whoever confirms",
    ),
    "confirmation that ends on its day": (
        lambda: confirmation(until=date(2026, 1, 31)),
        "holds for one day at least",
    ),
    "environment name taken": (
        lambda: doubled(Environment(name="dev")),
        "environment with this name already exists",
    ),
    "environment with suffix and pattern": (
        lambda: Environment(name="dev", suffix="-x", pattern="{stage}-{name}"),
        "Give a suffix or a name pattern, not both.",
    ),
    "second access of a service to a table": (
        lambda: doubled(access()),
        "already has an access to this table",
    ),
    "team name taken": (lambda: doubled(make_team("money")), "team with this name already exists"),
    "team name empty": (lambda: Team(name=""), "needs a name"),
    "member twice": (lambda: doubled(membership()), "already a member of the team"),
    "unknown mode": (lambda: access(mode="delete"), "Read, Write or Read + Write"),
}


@pytest.mark.parametrize(("make", "sentence"), RULES.values(), ids=RULES.keys())
def test_each_rule_has_a_sentence_and_is_enforced_by_the_database(make, sentence):
    row = make()
    with pytest.raises(ValidationError) as refused:
        row.validate_constraints()
        row.full_clean()
    assert sentence in str(refused.value)
    if "too long" not in sentence and len(getattr(row, "name", "")) <= 255:
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


@pytest.mark.parametrize("name", ["abc", "a" * 255, "biztechUsers", "A_b.c-9"])
def test_valid_table_names_are_accepted(name):
    table(name=name).full_clean()


PHYSICAL = {
    "neither": ({}, "orders"),
    "a suffix": ({"suffix": "-v2"}, "orders-v2"),
    "the stage in front": ({"pattern": "{stage}-{name}"}, "prod-orders"),
    "the stage in the middle": ({"pattern": "svc-{stage}-{name}"}, "svc-prod-orders"),
    "the stage twice": ({"pattern": "{stage}.{name}.{stage}"}, "prod.orders.prod"),
    "without the stage": ({"pattern": "live_{name}"}, "live_orders"),
    "the name alone": ({"pattern": "{name}"}, "orders"),
}


@pytest.mark.parametrize(("fields", "physical_name"), PHYSICAL.values(), ids=PHYSICAL)
def test_a_physical_name_leads_back_to_its_base_name(fields, physical_name):
    environment = Environment(name="prod", **fields)
    environment.clean_fields()
    assert environment.name_pattern.physical("orders") == physical_name
    assert environment.name_pattern.base(physical_name) == "orders"
    assert environment.name_pattern.base(physical_name.replace("orders", "")) == ""


@pytest.mark.parametrize(
    "pattern", ["{stage}", "{name}{name}", "{Name}", "{name} x", "{env}-{name}", "{name", "a\n"]
)
def test_a_pattern_has_the_name_once_and_nothing_unknown(pattern):
    with pytest.raises(ValidationError, match="Use {name} once for the base name, {stage} for"):
        Environment(name="prod", pattern=pattern).clean_fields()


def test_a_service_is_not_part_of_itself():
    service = make_service("users")
    service.part_of = service
    with pytest.raises(ValidationError, match="part of itself"):
        service.save()


def test_parts_do_not_go_in_a_circle_of_any_length():
    first = make_service("first")
    second = make_service("second", part_of=first)
    third = make_service("third", part_of=second)
    first.part_of = third
    with pytest.raises(ValidationError, match="third is already part of first"):
        first.full_clean()
    with pytest.raises(ValidationError, match="third is already part of first"):
        first.save()
    assert Service.objects.get(name="first").part_of is None


@pytest.mark.parametrize("aliases", ["text", [1], [""], {"a": 1}, ["a\x00b"]])
def test_aliases_are_a_list_of_names(aliases):
    with pytest.raises(ValidationError, match="list of names"):
        Service(name="users", aliases=aliases).full_clean()


def test_a_service_that_owns_or_uses_a_table_can_not_be_deleted():
    owned, used = make_table(), make_access()
    with pytest.raises(ProtectedError):
        owned.owner.delete()
    with pytest.raises(ProtectedError):
        used.service.delete()


def test_an_access_can_not_move_to_another_table():
    row = make_access()
    row.table = make_table("elsewhere")
    with pytest.raises(ValidationError, match="add one to elsewhere"):
        row.save()


def test_everything_is_found_by_its_natural_key(seeded):
    for row in [
        Environment.objects.get(name="production"),
        TableGroup.objects.get(name="BTX Tables"),
        Service.objects.get(name="teams"),
        Table.objects.get(name="biztechUsers"),
        SecondaryIndex.objects.get(name="event-query"),
        Access.objects.get(table__name="biztechUsers", service__name="payments"),
        make_waiver(Table.objects.get(name="biztechUsers")),
    ]:
        assert type(row).objects.get_by_natural_key(*row.natural_key()) == row


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("biztechUsers", "id (email)"),
        ("biztechProfiles", "id (PROFILE#<id>) + eventID;year"),
        ("bizSockets", ""),
    ],
)
def test_the_key_schema_reads_in_one_line(seeded, name, text):
    assert Table.objects.get(name=name).key_schema_text() == text
