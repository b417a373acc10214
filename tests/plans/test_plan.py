"""A plan is previewed without a trace, and applied as one change set unless its rows changed meanwhile."""

import copy

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head, entries_of
from ownership.models import Access, Service, Table
from ownership.plans import blockers
from ownership.plans.plan import Blocked, Plan, Stale
from ownership.plans.steps import Step, copy_of
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db


def plan_of(*steps: Step) -> Plan:
    return Plan(steps, current_head().revision)


def changed(row, **fields) -> Step:
    after = copy.copy(row)
    for name, value in fields.items():
        setattr(after, name, value)
    return Step(row, after)


def apply(plan: Plan) -> int | None:
    return plan.apply(user=None, reason="As shown", source=ChangeSet.Source.COMMAND)


def edit(row, **fields) -> None:
    row = type(row).objects.get(pk=row.pk)
    for name, value in fields.items():
        setattr(row, name, value)
    with change_set(reason="Somebody was quicker"):
        row.save()


@pytest.fixture
def table() -> Table:
    return make_table("orders", owner=make_service("payments"), description="Orders.")


def test_a_plan_is_one_change_set_with_reason_and_source(table, lead):
    plan = plan_of(changed(table, description="All orders."), Step(None, Service(name="users")))
    revision = plan.apply(user=lead, reason="As shown", source=ChangeSet.Source.DRIFT)
    change = ChangeSet.objects.get(revision=revision)
    assert (change.user_name, change.reason, change.source) == ("lead", "As shown", "drift")
    assert [entry.label for entry in entries_of([revision])] == ["orders", "users"]


def test_previewing_a_plan_writes_nothing_and_takes_no_lock(table):
    plan = plan_of(changed(table, owner=make_service("users")), Step(make_service("unused"), None))
    with CaptureQueriesContext(connection) as queries:
        assert plan.blockers == []
        plan.preview()
        plan.fingerprint()
    statements = [query["sql"] for query in queries]
    assert [
        sql for sql in statements if not sql.startswith("SELECT") or "registrylock" in sql
    ] == []


def test_the_preview_reads_like_a_timeline(table):
    users = make_service("users")
    new = Service(name="new", contact="#new")
    previews = plan_of(changed(table, owner=users), Step(None, new), Step(users, None)).preview()
    assert [(preview.kind, preview.label, preview.verb) for preview in previews] == [
        ("table", "orders", "changed"),
        ("service", "new", "created"),
        ("service", "users", "deleted"),
    ]
    assert [(change.field, change.old, change.new) for change in previews[0].changes] == [
        ("owner", "payments", "users")
    ]
    assert [(change.field, change.new) for change in previews[1].changes] == [("contact", "#new")]


def test_new_rows_may_name_each_other(table):
    whole = Service(name="shop")
    part = Service(name="till", part_of=whole)
    order = Table(name="shopOrders", group=table.group, owner=part)
    steps = [
        Step(None, row)
        for row in (whole, part, order, Access(table=order, service=part, mode="read"))
    ]
    apply(plan_of(*steps, changed(table, owner=whole)))
    access = Access.objects.get()
    assert (access.table.name, access.table.owner.name, access.service.part_of.name) == (
        "shopOrders",
        "till",
        "shop",
    )
    assert Table.objects.get(name="orders").owner.name == "shop"


def test_a_reference_to_a_new_row_is_shown_as_a_change():
    part, whole = make_service("till"), Service(name="shop")
    step = changed(part, part_of=whole)
    assert step.changes() == {"part_of": [None, "shop"]}
    revision = apply(plan_of(Step(None, whole), step))
    assert entries_of([revision])[1].changes == {"part_of": [None, "shop"]}


def test_a_change_elsewhere_does_not_make_a_plan_stale(table):
    plan = plan_of(changed(table, description="All orders."))
    make_service("elsewhere")
    apply(plan)
    assert Table.objects.get().description == "All orders."


def test_a_plan_whose_row_changed_since_is_stale_and_writes_nothing(table):
    new = Step(None, Service(name="new"))
    plan = plan_of(new, changed(table, description="All orders."))
    edit(table, more_title="Wiki")
    with pytest.raises(Stale, match=r"^orders changed in the meantime \(revision \d+ by .+\)"):
        apply(plan)
    assert Table.objects.get().description == "Orders."
    assert not Service.objects.filter(name="new").exists()


def test_a_plan_whose_row_was_deleted_since_is_stale(table):
    plan = plan_of(changed(table, description="All orders."))
    Table.objects.get().delete()
    with pytest.raises(Stale):
        apply(plan)


def test_a_deletion_is_stale_if_it_would_take_along_a_row_that_came_since(table):
    plan = plan_of(Step(table, None))
    make_access(table, make_service("users"))
    with pytest.raises(Stale, match="orders"):
        apply(plan)
    assert Table.objects.filter(name="orders").exists()


def test_a_copy_can_change_what_it_refers_to_while_the_row_stays(table):
    copy = copy_of(table)
    copy.owner = make_service("users")
    assert (table.owner.name, copy.owner.name) == ("payments", "users")
    assert copy.pk == table.pk


def test_a_row_that_came_into_use_after_the_plan_was_made_blocks_it(table):
    users = make_service("users")
    plan = plan_of(Step(users, None))
    edit(table, owner=users)
    with pytest.raises(Blocked, match="users: still used by orders"):
        apply(plan)
    assert Service.objects.filter(name="users").exists()


def test_a_name_taken_after_the_plan_was_made_blocks_it():
    plan = plan_of(Step(None, Service(name="users")))
    make_service("users")
    with pytest.raises(Blocked, match="A service with this name already exists"):
        apply(plan)


def test_a_new_row_with_keys_that_break_a_rule_is_blocked(table):
    new = Table(name="shopOrders", group=table.group, owner=table.owner, sort_key_name="day")
    [blocker] = plan_of(Step(None, new)).blockers
    assert str(blocker) == "shopOrders: A sort key needs a partition key."


def test_changes_after_the_plan_was_made_are_conflicts_by_change_set(table):
    access = make_access(table, make_service("users"))
    plan = plan_of(changed(table, description="All orders."), changed(access, mode="write"))
    make_service("elsewhere")
    edit(table, more_title="Wiki")
    edit(access, notes="Noted.")
    groups = plan.conflicts
    assert [[entry.label for entry in group.entries] for group in groups] == [
        ["orders"],
        ["users → orders"],
    ]


def test_only_the_same_steps_have_the_same_fingerprint(table):
    users = make_service("users")
    fingerprint = plan_of(changed(table, owner=users)).fingerprint()
    assert plan_of(changed(table, owner=users)).fingerprint() == fingerprint
    assert plan_of(changed(table, description="All orders.")).fingerprint() != fingerprint
    edit(table, description="Edited.")
    edited = Table.objects.select_related("owner", "group").get()
    assert plan_of(changed(edited, owner=users)).fingerprint() == fingerprint, (
        "the same field, from and to the same"
    )


def statements(size: int) -> int:
    """How many it takes to look at and apply a plan of so many new tables, each with an access."""
    group = make_table(f"of-{size}").group
    steps = []
    for number in range(size):
        service = Service(name=f"service-{size}-{number}")
        table = Table(name=f"table-{size}-{number}", group=group, owner=service)
        steps += [
            Step(None, service),
            Step(None, table),
            Step(None, Access(table=table, service=service, mode="read")),
        ]
    steps.sort(key=lambda step: [Service, Table, Access].index(step.model))
    blockers._allowed.cache_clear()  # what earlier tests asked of constraints
    with CaptureQueriesContext(connection) as queries:
        plan = plan_of(*steps)
        make_service(f"elsewhere-{size}")
        apply(plan)
    return len(queries)


def test_a_plan_takes_as_many_statements_for_many_rows_as_for_few():
    assert statements(4) == statements(40)


def test_a_row_that_is_deleted_before_its_users_give_it_up_is_still_used(table):
    """The rules look at what all steps leave behind, the database at each."""
    plan = plan_of(Step(table.owner, None), changed(table, owner=make_service("users")))
    assert plan.blockers == []
    with pytest.raises(Blocked, match="payments: still used by orders"):
        apply(plan)
