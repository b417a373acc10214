"""What people do in the registry verifies; the command tells what does not, and holds nobody up."""

import json
import threading
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from ownership.audit.verification import Verification, unchanging_view
from ownership.history.append_only import create_triggers
from ownership.history.change_sets import change_set
from ownership.models import Access, SecondaryIndex, Service, Table
from tests.support.admin_forms import open_form, save_form
from tests.support.factories import make_access, make_member, make_service, make_team
from tests.support.tampering import findings, head, owner_of_the_database, rewrite_chain, set_value

pytestmark = pytest.mark.django_db


# Nothing to find


def test_the_seed_and_everything_people_do_to_it_verifies(seeded, lead, lead_client):
    with change_set(user=lead, reason="All kinds of edits"):
        payments = Service.objects.get(name="payments")
        payments.name = "checkout"
        payments.aliases = ["pay", "zahlung →"]
        payments.save()
        table = Table.objects.get(name="biztechUsers")
        table.owner = payments
        table.name = "people"
        table.save()
        make_access(table, make_service("new", part_of=payments), mode="write")
    SecondaryIndex.objects.get(name="event-query").delete()
    Table.objects.get(name="biztechEvents").delete()
    Access.objects.filter(table=table).delete()
    form = open_form(lead_client, table)
    assert save_form(lead_client, table, form | {"description": "Line\r\nbreak"}).status_code == 302
    assert findings() == []


def test_a_row_restored_with_its_id_verifies():
    service = make_service("a")
    service.delete()
    Service(pk=Service.history.first().id, name="a").save()
    assert findings() == []


def test_an_empty_registry_verifies():
    assert findings() == []


def test_history_verifies_after_an_account_is_deleted(lead):
    with change_set(user=lead, reason="Before leaving"):
        make_service("a")
    kept = head()
    User.objects.all().delete()
    assert findings(kept) == []


def test_a_membership_verifies_whatever_its_account_is_called_later():
    team = make_team()
    ann = make_member(team, "ann")
    ann.username = "anna"
    ann.save()
    ann.memberships.get().delete()
    assert findings() == []
    ann.delete()
    assert findings() == []


def test_a_field_that_was_added_to_the_model_later_is_not_a_finding(edited, monkeypatch):
    """History written before ``contact`` was a field: its column has the default, its entries don't speak of it."""
    for entry in Service.history.all():
        del entry.changes["contact"]
        with owner_of_the_database() as execute:
            execute(set_value(entry, "changes", json.dumps(entry.changes)))
    rewrite_chain()
    assert findings() == []


@pytest.mark.slow
def test_the_command_reports_success_and_prints_a_head_to_keep(edited):
    out = StringIO()
    call_command("verify_history", stdout=out)
    assert "All is well: 7 change sets, 8 entries." in out.getvalue()
    assert f"--head: {head()}" in out.getvalue()
    call_command("verify_history", head=str(head()), stdout=out)


# What does not verify


@pytest.mark.slow
def test_the_command_lists_what_it_found_and_fails(edited):
    with owner_of_the_database() as execute:
        execute("UPDATE ownership_table SET description = 'Bills.'")
    create_triggers(connection)
    out = StringIO()
    with pytest.raises(CommandError, match="1 finding"):
        call_command("verify_history", stdout=out)
    assert "its description is 'Bills.'" in out.getvalue()


@pytest.mark.slow
def test_the_command_reports_a_missing_trigger_and_a_missing_lock_row(edited):
    table = "ownership_historicaltable"
    one = {
        "postgresql": f"DROP TRIGGER append_only ON {table}",
        "sqlite": f"DROP TRIGGER {table}_no_update",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE" if connection.vendor == "postgresql" else "SELECT 1"
        )
        cursor.execute(one[connection.vendor])
        cursor.execute("DELETE FROM ownership_registrylock")
    out = StringIO()
    with pytest.raises(CommandError, match=r"2 finding\(s\)"):
        call_command("verify_history", stdout=out)
    name = {"postgresql": f"{table} append_only", "sqlite": f"{table}_no_update"}[connection.vendor]
    assert f"trigger {name}: missing. `manage.py migrate` makes it again." in out.getvalue()
    call_command("migrate", verbosity=0)
    call_command("verify_history", stdout=StringIO())


# How it reads


def test_the_number_of_queries_does_not_grow_with_history(edited):
    with CaptureQueriesContext(connection) as first:
        findings()
    for name in ("a", "b", "c"):
        make_service(name)
    with CaptureQueriesContext(connection) as second:
        findings()
    assert len(first) == len(second)


def test_verification_does_not_block_writers_and_does_not_see_their_writes(committed):
    make_service("before")
    written = []

    def write() -> None:
        written.append(make_service("meanwhile"))
        connection.close()

    with unchanging_view():
        assert Service.objects.count() == 1
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=10)
        assert written
        assert Service.objects.count() == 1
    assert Service.objects.count() == 2
    make_service("after")  # the connection writes as before
    assert findings() == []


def test_verification_runs_on_a_connection_that_was_never_opened(committed):
    make_service("a")
    connection.close()
    vars(connections["default"]).pop(
        "transaction_mode", None
    )  # as in a process that has not asked anything yet
    assert list(Verification().run()) == []
