"""Every write leaves its entry, in one change set, in one transaction; and nothing can be written otherwise."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from ownership.history import change_sets
from ownership.history.change_sets import NO_REASON, chain_digest, change_set, entry_content
from ownership.history.lock import RegistryLock, RegistryNotReady
from ownership.history.models import ChangeSet, entries_of, entry_models, registry_models
from ownership.history.tracked import SilentWriteError
from ownership.models import (
    Access,
    Confirmation,
    Endpoint,
    Environment,
    Membership,
    SecondaryIndex,
    Service,
    Suggestion,
    Table,
    TableGroup,
    Team,
    Waiver,
)
from tests.support.factories import (
    make_access,
    make_confirmation,
    make_member,
    make_service,
    make_suggestion,
    make_table,
    make_team,
    make_waiver,
)

pytestmark = pytest.mark.django_db


def last_entry(row):
    return row.history.model.objects.order_by("-history_id").first()


def head():
    return ChangeSet.objects.first()


# Change sets


def test_one_change_set_holds_all_its_writes_with_user_reason_source_and_one_revision(lead):
    with change_set(user=lead, reason="Split the payments service", source=ChangeSet.Source.ADMIN):
        service = make_service("checkout")
        make_table("orders", owner=service)

    change = ChangeSet.objects.get()
    assert (change.revision, change.user_id, change.user_name) == (1, lead.pk, "lead")
    assert (change.reason, change.source) == ("Split the payments service", "admin")
    assert [entry.sequence for entry in entries_of([1])] == [1, 2, 3]
    assert [entry.label for entry in entries_of([1])] == ["checkout", "Group", "orders"]


def test_revisions_follow_each_other_without_gaps_and_time_never_runs_backwards():
    for name in ("a", "b", "c"):
        make_service(name)

    changes = list(ChangeSet.objects.order_by("revision"))
    assert [change.revision for change in changes] == [1, 2, 3]
    assert changes[0].time <= changes[1].time <= changes[2].time


def set_clock(monkeypatch, now: datetime) -> None:
    monkeypatch.setattr(change_sets.timezone, "now", lambda: now)


def test_time_is_never_earlier_than_the_change_set_before_when_the_clock_is_set_back(
    monkeypatch, caplog
):
    make_service("a")
    first = head().time
    set_clock(monkeypatch, first - timedelta(hours=23))
    make_service("b")
    assert head().time == first
    assert "behind the last change set" in caplog.text


def test_nothing_is_written_while_the_last_change_set_is_dated_more_than_a_day_ahead(monkeypatch):
    make_service("a")
    set_clock(monkeypatch, head().time - timedelta(days=1, minutes=1))
    with pytest.raises(RegistryNotReady, match="Nothing is written until it is set right"):
        make_service("b")
    assert not Service.objects.filter(name="b").exists()


def test_a_clock_that_jumps_ahead_is_logged_and_by_more_than_a_day_refused(monkeypatch, caplog):
    now = timezone.now()
    set_clock(monkeypatch, now + timedelta(hours=23))
    make_service("a")
    assert "jumped ahead by" in caplog.text
    set_clock(monkeypatch, now + timedelta(days=1, minutes=1))
    with pytest.raises(RegistryNotReady, match="jumped from"):
        make_service("b")
    assert not Service.objects.filter(name="b").exists()


@pytest.mark.parametrize("revision", [0, -1, 3, 10**15])
def test_the_database_takes_the_next_revision_alone(seeded, revision):
    columns = ", ".join(field.column for field in ChangeSet._meta.fields)
    chosen = {"revision": str(revision), "digest": f"'{'ab' * 32}'"}
    values = ", ".join(chosen.get(field.column, field.column) for field in ChangeSet._meta.fields)
    insert = f"INSERT INTO ownership_changeset ({columns}) SELECT {values} FROM ownership_changeset"
    with (
        pytest.raises(IntegrityError, match="takes the next revision"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(insert)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(insert.replace(f"SELECT {revision},", "SELECT 2,"))
        transaction.set_rollback(True)


def test_a_change_set_that_changes_nothing_takes_no_revision():
    service = make_service("a")
    with change_set(reason="Just looking"):
        service.save()
    assert head().revision == 1


def test_an_exception_undoes_rows_entries_and_change_set():
    with pytest.raises(ZeroDivisionError), change_set(reason="Goes wrong"):
        make_service("a")
        raise ZeroDivisionError
    assert not Service.objects.exists()
    assert not Service.history.exists()
    assert not ChangeSet.objects.exists()


def test_what_a_savepoint_rolled_back_is_not_in_the_change_set_and_leaves_no_gap():
    with change_set(reason="Half of it"), pytest.raises(ZeroDivisionError), transaction.atomic():
        make_service("taken-back")
        raise ZeroDivisionError
    assert not ChangeSet.objects.exists()
    make_service("a")
    assert head().revision == 1


def test_writing_on_after_a_savepoint_rolled_entries_back_is_refused():
    with pytest.raises(RuntimeError, match="savepoint"), change_set(reason="Half of it, and more"):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            make_service("rolled-back")
            raise ZeroDivisionError
        make_service("a")
    assert not Service.objects.exists()


def test_a_blank_reason_is_refused():
    with pytest.raises(ValueError, match="needs a reason"), change_set(reason="  "):
        pass


def test_a_change_set_inside_another_is_refused():
    with (
        pytest.raises(RuntimeError, match="already open"),
        change_set(reason="Outer"),
        change_set(reason="Inner"),
    ):
        pass


def test_a_bare_save_opens_a_change_set_of_its_own_and_says_so(monkeypatch):
    monkeypatch.setattr(change_sets.getpass, "getuser", lambda: "operator")
    make_service("a")
    assert (head().reason, head().source, head().user_name) == (NO_REASON, "command", "operator")


def test_without_the_lock_row_nothing_is_written():
    RegistryLock.objects.all().delete()
    with pytest.raises(RegistryNotReady, match="manage.py migrate"):
        make_service("a")
    assert not Service.objects.exists()


def test_deleting_an_account_changes_no_history(lead):
    with change_set(user=lead, reason="Before leaving"):
        make_service("a")
    before = list(ChangeSet.objects.values())
    User.objects.all().delete()
    assert list(ChangeSet.objects.values()) == before
    assert head().user_name == "lead"


# Entries


def test_an_entry_says_what_changed_with_names_instead_of_ids():
    table = make_table("orders", owner=make_service("payments"), description="Orders.")
    table.owner = make_service("users")
    table.description = "All orders."
    table.save()
    assert last_entry(table).changes == {
        "owner": ["payments", "users"],
        "description": ["Orders.", "All orders."],
    }


def test_created_and_deleted_entries_say_all_fields():
    access = make_access(
        make_table("orders"), make_service("payments"), mode="write", notes="Pays."
    )
    expected = {
        "table": "orders",
        "service": "payments",
        "mode": "write",
        "indirect": False,
        "notes": "Pays.",
        "position": 0,
    }
    assert last_entry(access).changes == {field: [None, value] for field, value in expected.items()}
    access.delete()
    assert last_entry(access).changes == {field: [value, None] for field, value in expected.items()}


def test_labels_and_names_stay_as_they_were_at_the_time():
    service = make_service("payments")
    access = make_access(make_table("orders"), service)
    service.name = "checkout"
    service.save()
    assert last_entry(access).label == "payments → orders"
    assert last_entry(access).changes["service"] == [None, "payments"]


def test_an_entry_records_which_service_lost_and_which_gained_the_row():
    old, new = make_service(), make_service()
    table = make_table(owner=old)
    assert (last_entry(table).lost_by, last_entry(table).gained_by) == (None, old.pk)
    table.owner = new
    table.save()
    assert (last_entry(table).lost_by, last_entry(table).gained_by) == (old.pk, new.pk)
    table.description = "Same owner."
    table.save()
    assert (last_entry(table).lost_by, last_entry(table).gained_by) == (None, None)


def test_deleting_a_table_writes_the_entries_of_its_accesses_and_indexes_in_the_same_change_set():
    table = make_table("orders")
    make_access(table, make_service("payments"))
    SecondaryIndex.objects.create(table=table, name="by-day")
    table.delete()
    entries = entries_of([head().revision])
    assert {(entry.label, entry.history_type) for entry in entries} == {
        ("payments → orders", "-"),
        ("orders / by-day", "-"),
        ("orders", "-"),
    }


def test_a_queryset_deletion_writes_an_entry_per_row():
    make_service("a"), make_service("b")
    Service.objects.all().delete()
    assert {entry.label for entry in entries_of([head().revision])} == {"a", "b"}


def test_an_unchanged_save_and_an_unchanged_update_or_create_add_no_entry():
    service = make_service("a", contact="#payments")
    service.save()
    Service.objects.update_or_create(name="a", defaults={"contact": "#payments"})
    assert Service.history.count() == 1


def test_an_unchanged_save_reads_the_row_and_writes_nothing():
    table = make_table("orders")
    with change_set(reason="Nothing"), CaptureQueriesContext(connection) as queries:
        Table.objects.get(pk=table.pk).save()
    [_, stored] = [query["sql"] for query in queries]
    assert stored.startswith("SELECT")


def test_with_update_fields_the_entry_holds_what_was_written_not_what_was_in_memory():
    service = make_service("a")
    service.contact, service.description = "#payments", "never saved"
    service.save(update_fields=["contact"])
    assert last_entry(service).changes == {"contact": ["", "#payments"]}
    assert last_entry(service).description == ""


def test_after_an_expression_the_entry_holds_what_the_database_holds():
    table = make_table(position=1)
    from django.db.models import F

    table.position = F("position") + 1
    table.save()
    assert last_entry(table).changes == {"position": [1, 2]}


# Row and history, both or neither


def test_a_failed_history_write_undoes_the_row(monkeypatch):
    def fail(*args, **kwargs):
        raise DatabaseError("history is full")

    monkeypatch.setattr(QuerySet, "bulk_create", fail)
    with pytest.raises(DatabaseError, match="history is full"):
        make_service("a")
    assert not Service.objects.exists()


def test_a_failed_history_write_inside_a_change_set_undoes_only_its_row(monkeypatch):
    with change_set(reason="One of two fails"):
        make_service("kept")
        with monkeypatch.context() as patch:
            patch.setattr(QuerySet, "bulk_create", lambda *a, **k: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                make_service("lost")
        make_service("written-after")
    assert [service.name for service in Service.objects.all()] == ["kept", "written-after"]
    assert [entry.sequence for entry in entries_of([1])] == [1, 2]


# Silent writes


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda row: Service.objects.update(contact="x"), id="update"),
        pytest.param(
            lambda row: Service.objects.filter(pk=row.pk).update(contact="x"), id="filtered update"
        ),
        pytest.param(
            lambda row: Service.objects.bulk_create([Service(name="b")]), id="bulk_create"
        ),
        pytest.param(lambda row: Service.objects.bulk_update([row], ["contact"]), id="bulk_update"),
        pytest.param(lambda row: row.parts.update(contact="x"), id="related update"),
        pytest.param(lambda row: row.parts.add(make_service("p")), id="related add"),
        pytest.param(
            lambda row: bulk_create_with_history([Service(name="b")], Service), id="with history"
        ),
        pytest.param(
            lambda row: bulk_update_with_history([row], Service, ["contact"]),
            id="update with history",
        ),
    ],
)
def test_writes_without_history_are_refused_with_the_alternative(write):
    row = make_service("a")
    with pytest.raises(SilentWriteError, match="change_set"), transaction.atomic():
        write(row)
    assert not Service.objects.filter(contact="x").exists()


def test_loaddata_is_refused_with_the_alternative(tmp_path):
    fixture = tmp_path / "services.json"
    fixture.write_text('[{"model": "ownership.service", "pk": 1, "fields": {"name": "a"}}]')
    with pytest.raises(TypeError, match="manage.py seed"):
        call_command("loaddata", fixture, verbosity=0)
    assert not Service.objects.exists()


def test_the_librarys_switches_do_not_switch_history_off(settings):
    settings.SIMPLE_HISTORY_ENABLED = False
    service = Service(name="a")
    service.skip_history_when_saving = True
    service.save()
    assert Service.history.count() == 1
    assert not hasattr(service, "save_without_historical_record")


def test_save_base_is_refused():
    with pytest.raises(RegistryNotReady, match="no change set"), transaction.atomic():
        Service(name="a").save_base()
    assert not Service.objects.exists()


def test_registry_models_are_the_six_of_the_map_and_what_belongs_to_it():
    of_the_map = {Environment, TableGroup, Service, Table, SecondaryIndex, Access}
    later = {Team, Membership, Waiver, Suggestion, Endpoint, Confirmation}
    assert set(registry_models()) == of_the_map | later


def test_a_foreign_key_between_registry_models_is_never_set_null():
    from django.db.models import CASCADE, PROTECT

    actions = {
        (model, field.name): field.remote_field.on_delete
        for model in registry_models()
        for field in model._meta.fields
        if field.is_relation
    }
    cascading = {key for key, action in actions.items() if action is CASCADE}
    of_tables = {
        (Access, "table"),
        (SecondaryIndex, "table"),
        (Waiver, "table"),
        (Confirmation, "table"),
    }
    assert cascading == of_tables | {(Membership, "team")}
    assert {action for key, action in actions.items() if key not in cascading} == {PROTECT}


# Append-only, and the chain


@pytest.mark.parametrize("verb", ["UPDATE {} SET {}={}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete_history(seeded, verb):
    make_waiver()
    make_confirmation()
    make_member(make_team())
    make_suggestion()
    Endpoint.objects.create(name="ci", kind="webhook", address="https://ci.example/")
    for model in [ChangeSet, *entry_models()]:
        table, column = model._meta.db_table, model._meta.pk.column
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(verb.format(table, column, column))
        assert model.objects.exists()


@pytest.mark.sqlite
def test_sqlite_refuses_to_replace_history(seeded):
    for model in [ChangeSet, *entry_models()]:
        if row := model.objects.values().first():
            columns = ", ".join(field.column for field in model._meta.fields)
            table = model._meta.db_table
            with (
                pytest.raises(IntegrityError, match="append-only"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(
                    f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table} LIMIT 1"
                )
            assert model.objects.values().first() == row


@pytest.mark.postgres
def test_postgresql_refuses_to_truncate_history(seeded):
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # or the seed's own pending checks fail the test
        cursor.execute(f"TRUNCATE {Service.history.model._meta.db_table}")


def test_each_digest_covers_change_set_entries_and_the_digest_before(seeded):
    make_service("a")
    previous = ""
    for change in ChangeSet.objects.order_by("revision"):
        entries = [entry_content(entry) for entry in entries_of([change.revision])]
        assert change.digest == chain_digest(previous, change, entries)
        assert change.digest != chain_digest("other", change, entries)
        assert change.digest != chain_digest(previous, change, entries[1:])
        previous = change.digest
    assert ChangeSet.objects.count() == 2


def test_a_digest_does_not_depend_on_which_fields_the_model_has_by_now(monkeypatch):
    make_service("a")
    fields = Service.history.model._meta.fields
    monkeypatch.setattr(
        Service.history.model._meta, "fields", [f for f in fields if f.name != "contact"]
    )
    change = head()
    assert change.digest == chain_digest(
        "", change, [entry_content(entry) for entry in Service.history.all()]
    )
