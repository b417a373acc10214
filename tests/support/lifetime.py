"""A registry to which everything happens that can."""

from ownership.history.change_sets import change_set
from ownership.history.models import current_head
from ownership.models import Environment, SecondaryIndex, Service, Table, TableGroup
from ownership.plans.confirming import confirm
from tests.support.factories import make_access, make_service, make_table


def a_life():
    """Does to the seeded registry, step by step, all that can happen to one; yields after each change set."""
    users = Table.objects.get(name="biztechUsers")
    payments, events = Service.objects.get(name="payments"), Service.objects.get(name="events")
    payments.name = "checkout"
    payments.save()
    yield "renamed a service"
    users.owner = payments
    users.save()
    yield "handed a table over"
    users.name = "people"
    users.partition_key_name, users.partition_key_format = "id", "UUID"
    users.save()
    yield "renamed a table, with another key"
    access = make_access(
        users,
        make_service("nightly", aliases=["cron"]),
        mode="write",
        notes="Cleans up",
        position=9,
    )
    yield "added a service"
    confirm(
        [users.pk, Table.objects.get(name="biztechEvents").pk], current_head().revision, user=None
    )
    yield "confirmed two tables"
    confirm(
        [users.pk, Table.objects.get(name="biztechEvents").pk], current_head().revision, user=None
    )
    yield "confirmed two tables"
    access.mode, access.position = "read_write", 0
    access.save()
    yield "changed an access, and its place"
    SecondaryIndex.objects.create(table=users, name="by-email", kind="GSI")
    yield "added an index"
    events.part_of = payments
    events.save()
    yield "put a service under another"
    events.part_of = None
    events.save()
    yield "and took it out again"
    with change_set(reason="Reorder"):
        for place, group in enumerate(TableGroup.objects.order_by("-position")):
            group.position = place
            group.save()
    yield "turned the groups' order round"
    with change_set(reason="Clear out"):
        users.delete()
        Service.objects.get(name="nightly").delete()
    yield "deleted a table with its accesses and its index"
    with change_set(reason="Again"):
        again = make_table("people", owner=events, group=TableGroup.objects.first())
        make_access(again, payments)
    yield "made a table of the same name"
    Environment.objects.get(name="staging").delete()
    yield "deleted an environment"
    with change_set(reason="There and back"):
        again.description = "One"
        again.save()
        again.description = "Two"
        again.save()
        make_service("passing").delete()
    yield "changed a table twice, and made and deleted a service, in one change set"
