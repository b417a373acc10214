"""What accepting a finding writes: the map then says what was found, and the finding is gone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.drift.types import ActionOn, KeyAttribute, Keys, Location, TableShape, Unresolved
from ownership.findings import acceptance, runs
from ownership.history.models import ChangeSet
from ownership.models import Access, Grant, SecondaryIndex, Service, Table, TableGroup
from ownership.plans.plan import Stale
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_service, make_table
from tests.support.pages import day_text
from tests.support.runs import keep_run, show

pytestmark = pytest.mark.django_db
HERE = (Location("orders/serverless.yml", 3),)


@pytest.fixture(autouse=True)
def services():
    """payments and bots."""
    return make_service("payments"), make_service("bots")


def declare(service, mode, table="orders"):
    """An access to a table, which is made if there is none."""
    row = Table.objects.filter(name=table).first() or make_table(table)
    return make_access(row, Service.objects.get(name=service), mode=mode)


def plan_all(run, *kinds):
    """The acceptance of what the run finds and offers, or of some kinds of it."""
    basis = runs.read_basis(run)
    chosen = []
    for choice in (*basis.findings, *basis.offers):
        if not kinds or getattr(choice, "kind", "offer") in kinds:
            chosen.append(choice)
    group, _ = TableGroup.objects.get_or_create(name="Group")
    placement = acceptance.Placement(group, Service.objects.get(name="payments"))
    return acceptance.plan_acceptance(
        basis, chosen, dict.fromkeys(acceptance.new_tables(chosen), placement)
    )


def accept_all(run, *kinds):
    """Accept that; returns the kinds of the findings that are left."""
    accepted = plan_all(run, *kinds)
    assert accepted.problems == []
    accepted.plan.apply(user=None, reason="So it is", source=ChangeSet.Source.DRIFT)
    return [finding.kind for finding in show(run).findings]


def modes():
    return {
        (access.service.name, access.table.name): access.mode for access in Access.objects.all()
    }


USES = {
    # declared, granted, kinds accepted, what is declared then, the findings left
    "undeclared": (None, "write", ["undeclared_access"], "write", []),
    "wider": ("read", "read_write", ["wider_grant"], "read_write", []),
    "narrower": ("read_write", "read", ["narrower_grant"], "read", []),
    "not granted": ("read", None, ["access_not_granted"], None, []),
    "another mode, both": ("write", "read", ["wider_grant", "narrower_grant"], "read", []),
    "another mode, wider alone": (
        "write",
        "read",
        ["wider_grant"],
        "read_write",
        ["narrower_grant"],
    ),
    "another mode, narrower alone": (
        "write",
        "read",
        ["narrower_grant"],
        None,
        ["undeclared_access"],
    ),
}


@pytest.mark.parametrize(("declared", "granted", "kinds", "then", "left"), USES.values(), ids=USES)
def test_an_access_becomes_what_is_granted(declared, granted, kinds, then, left):
    declare("payments", "read")
    if declared:
        declare("bots", declared)
    grants = [f"bots {granted} orders"] if granted else []
    run = keep_run("payments read orders", *grants, services=frozenset({"payments", "bots"}))
    assert accept_all(run, *kinds) == left
    assert modes().get(("bots", "orders")) == then


def test_a_mode_that_could_not_be_checked_stays_declared():
    declare("bots", "read_write")
    unresolved = (Unresolved(HERE[0], "${ssm:x}", "…", "bots", frozenset({"read"})),)
    assert accept_all(keep_run(services=frozenset({"bots"}), unresolved=unresolved)) == []
    assert modes() == {("bots", "orders"): "read"}


def test_what_a_part_declares_is_not_declared_again_for_its_whole():
    whole = make_service("interactions")
    part = make_service("teams", part_of=whole)
    make_access(make_table("orders"), part, mode="read")
    run = keep_run("interactions read_write orders")
    assert accept_all(run) == []
    assert modes() == {("teams", "orders"): "read", ("interactions", "orders"): "write"}


def test_notes_and_position_of_an_access_stay():
    access = declare("bots", "read")
    access.notes, access.position = "Greets people", 3
    access.save()
    accept_all(keep_run("bots read_write orders"))
    access.refresh_from_db()
    assert (access.notes, access.position, access.mode) == ("Greets people", 3, "read_write")


def test_a_new_table_gets_its_keys_indexes_and_accesses():
    keys = Keys(KeyAttribute("id", "S"), KeyAttribute("at", "N"))
    shape = TableShape("shadow", keys, (("by-at", Keys(KeyAttribute("at", "N"))),), HERE)
    run = keep_run("bots read shadow", "payments write shadow", tables=(shape,))
    assert accept_all(run) == []
    table = Table.objects.get(name="shadow")
    assert (table.owner.name, table.group.name, table.key_schema_text()) == (
        "payments",
        "Group",
        "id + at",
    )
    assert runs.stated_keys(table.indexes.get()) == Keys(KeyAttribute("at", "N"))
    assert modes() == {("bots", "shadow"): "read", ("payments", "shadow"): "write"}
    assert ChangeSet.objects.filter(source="drift").count() == 1


def test_a_table_that_is_not_deployed_is_deleted_with_its_accesses():
    declare("bots", "read")
    assert accept_all(keep_run(reader="dynamodb", all_tables=True)) == []
    assert not Table.objects.exists()
    assert Access.history.filter(history_type="-").count() == 1


def test_keys_change_to_the_deployed_ones_and_keep_what_else_is_known():
    make_table("orders", partition_key_name="id", partition_key_format="UUID", sort_key_name="at")
    shape = TableShape("orders", Keys(KeyAttribute("id", "S"), KeyAttribute("when", "N")), (), HERE)
    assert accept_all(keep_run(tables=(shape,))) == []
    table = Table.objects.get(name="orders")
    assert (table.partition_key_type, table.partition_key_format) == ("S", "UUID")
    assert (table.sort_key_name, table.sort_key_type) == ("when", "N")


def test_indexes_change_to_the_deployed_ones():
    table = make_table("orders")
    for name in ("old", "kept"):
        SecondaryIndex.objects.create(table=table, name=name, kind="GSI")
    shape = TableShape("orders", None, (("kept", None), ("new", Keys(KeyAttribute("at")))), HERE)
    assert accept_all(keep_run(tables=(shape,))) == []
    assert {(index.name, index.kind, index.key_schema_text()) for index in table.indexes.all()} == {
        ("kept", "GSI", ""),
        ("new", "", "at"),
    }


def test_offered_keys_are_filled_in_for_table_and_index():
    table = make_table("orders")
    SecondaryIndex.objects.create(table=table, name="by-at")
    shape = TableShape(
        "orders", Keys(KeyAttribute("id", "S")), (("by-at", Keys(KeyAttribute("at"))),), HERE
    )
    run = keep_run(tables=(shape,))
    assert len(show(run).offers) == 2
    assert accept_all(run) == []
    table.refresh_from_db()
    assert (table.key_schema_text(), table.indexes.get().key_schema_text()) == ("id", "at")
    assert show(run).offers == ()


def test_a_service_that_is_not_on_the_map_is_a_problem():
    declare("payments", "read")
    (problem,) = plan_all(keep_run("payments read_write orders", "stranger read orders")).problems
    assert "no service stranger: add it first" in problem


def test_all_problems_are_reported_at_once():
    declare("payments", "read")
    problems = plan_all(
        keep_run("payments read orders", "stranger read orders", "bots read a*")
    ).problems
    assert ["no service stranger" in problems[1], "3–255" in problems[0]] == [True, True]


def test_a_name_that_no_table_can_have_is_a_problem():
    (problem,) = plan_all(keep_run("bots read a*")).problems
    assert problem.startswith("a*: ")
    assert "3–255" in problem


def test_planning_takes_no_lock_and_writes_nothing():
    declare("payments", "read")
    run = keep_run("payments read_write orders", "bots read shadow")
    with CaptureQueriesContext(connection) as queries:
        accepted = plan_all(run)
        assert accepted.problems == []
        labels = [preview.label for preview in accepted.previews()]
    assert labels == ["shadow", "payments → orders", "bots → shadow"]
    assert not [
        query["sql"]
        for query in queries
        if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))
    ]


def test_a_table_is_not_deleted_if_somebody_adds_an_access_meanwhile():
    declare("payments", "read")
    accepted = plan_all(keep_run(reader="dynamodb", all_tables=True))
    declare("bots", "read")
    with pytest.raises(Stale):
        accepted.plan.apply(user=None, reason="Never deployed", source=ChangeSet.Source.DRIFT)
    assert modes() == {("payments", "orders"): "read", ("bots", "orders"): "read"}


def test_findings_that_no_longer_apply_are_listed_separately():
    declare("payments", "read")
    run = keep_run("payments read_write orders")
    identities = [finding.identity for finding in show(run).findings]
    chosen, gone = acceptance.choose(runs.read_basis(run), identities)
    assert ([choice.identity for choice in chosen], gone) == (identities, [])
    Access.objects.get().delete()
    assert acceptance.choose(runs.read_basis(run), identities) == ([], identities)


def test_the_reason_names_run_finding_and_location():
    declare("payments", "read")
    run = keep_run("payments read_write orders")
    told = acceptance.evidence(run, show(run).findings)
    assert told.startswith(
        f"Accepted from run {run.pk} serverless, {day_text(run.time)}, {run.time:%H:%M} UTC:\n"
    )
    assert (
        "Wider grant: payments → orders, declared: Read; found: Read + Write (payments/serverless.yml:1)"
        in told
    )


# With code


def with_code(*uses, services=("payments", "bots"), grants=(), **fields):
    """A run that read infrastructure and code of payments and bots."""
    usage = code_usage(*uses, services=services, **fields)
    return keep_run(*grants, services=frozenset({"payments", "bots"}), code=usage)


def test_of_a_mixed_finding_only_what_code_does_is_declared():
    declare("payments", "read")
    run = with_code(
        "payments read orders",
        "bots read orders",
        grants=["payments read orders", "bots read_write orders"],
    )
    assert accept_all(run) == ["wider_grant"]
    assert modes()["bots", "orders"] == "read"
    (left,) = show(run).findings
    assert left.verdict == "trim_iam"


def test_an_unused_declaration_is_taken_off_the_map():
    declare("payments", "read_write")
    run = with_code("payments read orders", grants=["payments read_write orders"])
    assert accept_all(run) == ["wider_grant"]
    assert modes() == {("payments", "orders"): "read"}


def test_a_use_that_is_in_code_alone_is_declared_and_left_to_iam():
    declare("payments", "read")
    run = with_code("payments read orders", "bots write orders", grants=["payments read orders"])
    assert accept_all(run) == ["access_not_granted"]
    assert modes()["bots", "orders"] == "write"
    assert show(run).findings[0].verdict == "fix_iam"


def test_a_table_that_only_code_names_is_added_with_its_access():
    run = with_code("bots read_write shadow", grants=["bots read shadow"])
    assert accept_all(run) == ["narrower_grant"]
    assert modes() == {("bots", "shadow"): "read_write"}


def test_an_indirect_use_is_declared_as_indirect_with_the_path_in_its_notes():
    declare("payments", "read")
    run = with_code(
        "payments read orders",
        "bots read orders indirectly",
        grants=["payments read orders", "bots read orders"],
    )
    assert accept_all(run) == []
    access = Access.objects.get(service__name="bots")
    assert (access.indirect, access.notes) == (
        True,
        "Reads by way of bots/handler.js#main > lib/db.js#call",
    )


def test_a_direct_access_stays_direct_and_notes_the_way_of_what_is_added():
    access = declare("bots", "read")
    access.notes = "Greets people"
    access.save()
    accept_all(
        with_code(
            "bots read orders", "bots write orders indirectly", grants=["bots read_write orders"]
        )
    )
    access.refresh_from_db()
    assert (access.mode, access.indirect) == ("read_write", False)
    assert access.notes == "Greets people\nWrites by way of bots/handler.js#main > lib/db.js#call"


def test_an_indirect_access_stays_indirect_where_no_code_was_read():
    access = declare("bots", "read")
    access.indirect = True
    access.save()
    accept_all(keep_run("bots read_write orders"))
    access.refresh_from_db()
    assert (access.mode, access.indirect) == ("read_write", True)


WRONG = {
    # declared, granted, in code, the warning
    "takes away what code does": (
        "read",
        None,
        "read",
        "Code reads it (bots/handler.js:1), but IAM does not permit that.",
    ),
    "adds what no code does": (
        None,
        "write",
        None,
        "IAM permits more than code does: no code writes it.",
    ),
    "takes away what nobody does": ("read", None, None, None),
    "adds what code does": (None, "read", "read", None),
    "adds the part that code does": (None, "read_write", "read", None),
}


@pytest.mark.parametrize(("declared", "granted", "in_code", "warning"), WRONG.values(), ids=WRONG)
def test_accepting_against_the_verdict_has_a_warning(declared, granted, in_code, warning):
    make_table("orders")
    if declared:
        declare("bots", declared)
    uses = [f"bots {in_code} orders"] if in_code else []
    planned = plan_all(with_code(*uses, grants=[f"bots {granted} orders"] if granted else []))
    assert planned.problems == []
    assert len(planned.warnings) == (warning is not None)
    assert not warning or planned.warnings[0].fact == warning


def test_accepting_an_action_that_is_not_granted_is_a_problem():
    declare("bots", "read")
    run = with_code("bots read orders", grants=["bots read orders"], calls=[ActionOn("Scan")])
    Grant.objects.update(actions={"": ["Query"]})
    assert [finding.kind for finding in show(run).findings] == ["action_not_granted"]
    (problem,) = plan_all(run).problems
    assert problem == "bots → orders: the map is right. IAM lacks dynamodb:Scan for main."
