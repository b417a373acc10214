"""Tampering behind the registry’s back is found; what people do in the registry is not reported."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from pythonjsonlogger.json import JsonFormatter

from ownership.audit import stored_forms
from ownership.audit.head_log import heads_in_log
from ownership.audit.text_index import stale_text_indexes
from ownership.audit.verification import Head, Verification, unchanging_view
from ownership.history.append_only import create_triggers, drop_triggers
from ownership.history.change_sets import chain_digest, change_set, entry_content
from ownership.history.models import ChangeSet, entries_of, entry_models, registry_models
from ownership.models import Access, SecondaryIndex, Service, Table
from ownership.operations.setup import indexed_texts
from registry import env
from tests.support.admin_forms import open_form, save_form
from tests.support.factories import make_access, make_member, make_service, make_table, make_team

pytestmark = pytest.mark.django_db


def findings(kept: Head | None = None) -> list[str]:
    heads = [kept] if kept else []
    return [str(finding) for finding in Verification(heads).run()]


def head() -> Head:
    change = ChangeSet.objects.latest("revision")
    return Head(change.revision, change.digest)


@pytest.fixture
def edited() -> None:
    """Seven revisions: 1–3 services and a group, 4 the table, 5 an access, 6 a hand-over, 7 two rows in one save."""
    payments, users = make_service("payments"), make_service("users")
    table = make_table("orders", owner=payments, description="Orders.")
    access = make_access(table, users, notes="Reads orders.")
    with change_set(reason="Handed to users"):
        table.owner = users
        table.save()
    with change_set(reason="Tidied"):
        table.description = "All orders."
        table.save()
        access.mode = "write"
        access.save()
    assert head().revision == 7


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
            execute(_set(entry, "changes", _json(entry.changes)))
    rewrite_chain()
    assert findings() == []


@pytest.mark.slow
def test_the_command_reports_success_and_prints_a_head_to_keep(edited):
    out = StringIO()
    call_command("verify_history", stdout=out)
    assert "All is well: 7 change sets, 8 entries." in out.getvalue()
    assert f"--head: {head()}" in out.getvalue()
    call_command("verify_history", head=str(head()), stdout=out)


# Tampering


@contextmanager
def owner_of_the_database() -> Iterator[Callable[[str], None]]:
    """Raw SQL past all triggers and foreign keys, as the owner of the database could."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            drop_triggers(connection)
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        else:
            drop_triggers(connection)
        yield cursor.execute


def _json(value: Any) -> str:
    return json.dumps(value)


def _set(row: Any, column: str, value: Any) -> str:
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)  # UTC, as Django writes it on SQLite
    text = str(value).replace("'", "''").replace("%", "%%")
    return f"UPDATE {row._meta.db_table} SET {column} = '{text}' WHERE {row._meta.pk.column} = {row.pk}"


def entry(revision: int, sequence: int = 1) -> Any:
    return entries_of([revision])[sequence - 1]


def revision(number: int) -> ChangeSet:
    return ChangeSet.objects.get(revision=number)


def rewrite_chain() -> None:
    """Make every digest right again, as somebody who reads our code could."""
    previous = ""
    for change in ChangeSet.objects.order_by("revision"):
        contents = [entry_content(row) for row in entries_of([change.revision])]
        previous = chain_digest(previous, change, contents)
        with owner_of_the_database() as execute:
            execute(_set(change, "digest", previous))


def _columns(model: Any, **values: str) -> str:
    """INSERT of a copy of a row, other values in some columns (SQL expressions)."""
    columns = [field.column for field in model._meta.concrete_fields if field.name != "history_id"]
    chosen = ", ".join(values.get(column, column) for column in columns)
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {chosen} FROM {model._meta.db_table}"


Entry = {model: model.history.model._meta.db_table for model in (Table, Service, Access)}
TABLE_ENTRY, ACCESS_ENTRY = Entry[Table], Entry[Access]
NOT_ITS_DIGEST = "digest does not match its content"

TAMPERINGS = {
    "label": (lambda: [_set(entry(6), "label", "bills")], "revision 6: its " + NOT_ITS_DIGEST),
    "changes": (
        lambda: [_set(entry(6), "changes", _json({"owner": ["users", "payments"]}))],
        "revision 6, entry 1 (table orders, id {table}): its changes say owner: ['users', 'payments']",
    ),
    "a key less in changes": (
        lambda: [_set(entry(2), "changes", _json({"name": [None, "users"]}))],
        "its changes say description: None",
    ),
    "changes that are no mapping": (lambda: [_set(entry(6), "changes", "[]")], "its changes are []"),
    "typed column": (
        lambda: [_set(entry(6), "description", "Bills.")],
        "revision 6, entry 1 (table orders, id {table}): its changes say description: None",
    ),
    "typed foreign key": (
        lambda: [_set(entry(4), "owner_id", Service.objects.get(name="users").pk)],
        "revision 4, entry 1 (table orders, id {table}): its changes say owner: [None, 'payments']",
    ),
    "typed column of the last entry": (
        lambda: [_set(entry(7, 2), "mode", "read")],
        "its mode is 'write'; its last entry says 'read'",
    ),
    "history_type": (lambda: [_set(entry(6), "history_type", "+")], "it creates a row that already exists"),
    "history_date": (
        lambda: [_set(entry(6), "history_date", entry(6).history_date - timedelta(days=1))],
        "is not its change set's",
    ),
    "order of a row's entries": (
        lambda: [_set(entry(4), "history_id", "900000")],
        "written before the entry that it follows",
    ),
    "gained_by": (lambda: [f"UPDATE {TABLE_ENTRY} SET gained_by = NULL"], "lost_by and gained_by are None, None"),
    "reason": (lambda: [_set(revision(6), "reason", "Nobody's fault")], "revision 6: its " + NOT_ITS_DIGEST),
    "user name": (lambda: [_set(revision(6), "user_name", "mallory")], "revision 6: its " + NOT_ITS_DIGEST),
    "source": (lambda: [_set(revision(6), "source", "admin")], "revision 6: its " + NOT_ITS_DIGEST),
    "time": (
        lambda: [_set(revision(6), "time", revision(6).time - timedelta(days=1))],
        "is earlier than that of the revision before",
    ),
    "digest": (lambda: [_set(revision(7), "digest", "0" * 64)], "revision 7: its " + NOT_ITS_DIGEST),
    "deleted entry": (
        lambda: [f"DELETE FROM {ACCESS_ENTRY} WHERE change_set_id = 7"],
        "revision 7: its " + NOT_ITS_DIGEST,
    ),
    "deleted first entry": (
        lambda: [f"DELETE FROM {ACCESS_ENTRY} WHERE change_set_id = 5"],
        "no earlier entry created the row",
    ),
    "all entries of a change set": (
        lambda: [f"DELETE FROM {TABLE_ENTRY} WHERE change_set_id = 6"],
        "it has no entries",
    ),
    "deleted change set": (
        lambda: ["DELETE FROM ownership_changeset WHERE revision = 6"],
        "revision 6: its entries have no change set",
    ),
    "deleted change set with its entries": (
        lambda: [
            f"DELETE FROM {TABLE_ENTRY} WHERE change_set_id = 6",
            "DELETE FROM ownership_changeset WHERE revision = 6",
        ],
        "revision 7: it follows revision 5",
    ),
    "inserted entry": (
        lambda: [_columns(Table.history.model, sequence="2", history_type="'~'") + " WHERE change_set_id = 6"],
        "revision 6, entry 2 (table orders, id {table}): it changes nothing",
    ),
    "inserted entry far off": (
        lambda: [_columns(Table.history.model, sequence="9") + " WHERE change_set_id = 6"],
        "its entries are not numbered 1 to 2: [1, 9]",
    ),
    "inserted change set with a digest made by its maker": (
        lambda: [
            _columns(ChangeSet, revision="8", digest=f"'{'ab' * 32}'") + " WHERE revision = 7",
            _columns(Table.history.model, change_set_id="8", history_type="'-'") + " WHERE change_set_id = 7",
        ],
        "revision 8: its " + NOT_ITS_DIGEST,
    ),
    "swapped revisions": (
        lambda: (
            [
                f"UPDATE {name} SET {column} = CASE {column} WHEN 6 THEN 107 WHEN 7 THEN 106 ELSE {column} END"
                for name, column in (
                    (TABLE_ENTRY, "change_set_id"),
                    (ACCESS_ENTRY, "change_set_id"),
                    ("ownership_changeset", "revision"),
                )
            ]
            + [
                f"UPDATE {name} SET {column} = {column} - 100 WHERE {column} > 100"
                for name, column in (
                    (TABLE_ENTRY, "change_set_id"),
                    (ACCESS_ENTRY, "change_set_id"),
                    ("ownership_changeset", "revision"),
                )
            ]
        ),
        "revision 6: its " + NOT_ITS_DIGEST,
    ),
    "edited live row": (
        lambda: ["UPDATE ownership_table SET description = 'Bills.'"],
        "table orders, id {table}: its description is 'Bills.'; its last entry says 'All orders.'",
    ),
    "deleted live row": (
        lambda: ["DELETE FROM ownership_access"],
        "access users → orders, id {access}: the row is gone, and no entry deletes it",
    ),
    "inserted live row": (
        lambda: [
            "INSERT INTO ownership_tablegroup (name, description, position) VALUES ('Shadow', '', 0)",
        ],
        "group Shadow, id",
    ),
}


@pytest.mark.parametrize(("tamper", "expected"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_tampering_is_found_and_named(edited, tamper, expected):
    expected = expected.format(table=Table.objects.get().pk, access=Access.objects.get().pk)
    with transaction.atomic():
        with owner_of_the_database() as execute:
            for statement in tamper():
                execute(statement)
        found = findings()
        transaction.set_rollback(True)  # what was torn apart would fail the test's own check of foreign keys
    assert any(expected in finding for finding in found), found


# What Django would not have written


SQLITE, POSTGRES = pytest.mark.sqlite, pytest.mark.postgres
FORMS = {
    "T in a time": pytest.param(
        "UPDATE ownership_changeset SET time = replace(time, ' ', 'T') WHERE revision = 6",
        "ownership_changeset, revision 6: its time",
        marks=SQLITE,
    ),
    "day that does not exist": pytest.param(
        "UPDATE ownership_changeset SET time = '2026-02-31 10:00:00' WHERE revision = 6",
        "ownership_changeset, revision 6: its time",
        marks=SQLITE,
    ),
    "time that is none": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET history_date = 'yesterday' WHERE change_set_id = 6",
        "its history_date",
        marks=SQLITE,
    ),
    "time with an offset": pytest.param(
        "UPDATE ownership_changeset SET time = time || '+00:00' WHERE revision = 6",
        "revision 6: its time",
        marks=SQLITE,
    ),
    "BLOB": pytest.param(
        "UPDATE ownership_changeset SET reason = CAST(reason AS BLOB) WHERE revision = 6",
        "ownership_changeset, revision 6: its reason",
        marks=SQLITE,
    ),
    "BLOB as id": pytest.param(
        f"UPDATE {ACCESS_ENTRY} SET id = x'ff' WHERE change_set_id = 5", f"{ACCESS_ENTRY}, history_id", marks=SQLITE
    ),
    "text that is no UTF-8": pytest.param(
        "UPDATE ownership_changeset SET reason = CAST(x'ff' AS TEXT) WHERE revision = 6", "can't be read", marks=SQLITE
    ),
    "fraction": pytest.param(
        "UPDATE ownership_table SET position = 0.5", "ownership_table, id {table}: its position", marks=SQLITE
    ),
    "boolean of two": pytest.param(
        "UPDATE ownership_access SET indirect = 2", "ownership_access, id {access}: its indirect", marks=SQLITE
    ),
    "key twice": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET changes = '{{\"owner\": [1, 2], ' || substr(changes, 2) WHERE change_set_id = 6",
        "its changes is stored in a form",
        marks=SQLITE,
    ),
    "JSON that is none": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET changes = '{{' WHERE change_set_id = 6", "its changes is stored", marks=SQLITE
    ),
    "half of a character in JSON": pytest.param(
        f'UPDATE {TABLE_ENTRY} SET changes = \'{{"name": [null, "\\ud800"]}}\' WHERE change_set_id = 6',
        "can't be read",
        marks=SQLITE,
    ),
    "deep JSON": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET changes = replace(hex(zeroblob(50000)), '0', '[') WHERE change_set_id = 6",
        "its changes",
        marks=SQLITE,
    ),
    "entry number 0": (
        f"UPDATE {TABLE_ENTRY} SET history_id = 0 WHERE change_set_id = 4",
        f"{TABLE_ENTRY}, history_id 0: its history_id is stored in a form that the registry never writes.",
    ),
    "endless time": pytest.param(
        "UPDATE ownership_changeset SET time = 'infinity' WHERE revision = 7",
        "ownership_changeset, revision 7: its time",
        marks=POSTGRES,
    ),
    "time before our era": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET history_date = '0044-03-15 BC' WHERE change_set_id = 6",
        "its history_date",
        marks=POSTGRES,
    ),
    "number too large for Python": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET changes = ('{{\"a\": ' || repeat('9', 5000) || '}}')::jsonb WHERE change_set_id = 6",
        "can't be read",
        marks=POSTGRES,
    ),
}


@pytest.mark.parametrize(("statement", "expected"), FORMS.values(), ids=FORMS)
def test_a_value_that_django_would_not_have_written_is_named_without_a_traceback(edited, statement, expected):
    expected = expected.format(table=Table.objects.get().pk, access=Access.objects.get().pk)
    with transaction.atomic():
        with owner_of_the_database() as execute:
            if connection.vendor == "sqlite":
                execute("PRAGMA ignore_check_constraints = ON")
            execute(statement)
            if connection.vendor == "sqlite":
                execute("PRAGMA ignore_check_constraints = OFF")
        found = findings()
        transaction.set_rollback(True)
    assert any(expected in finding for finding in found), found


def test_there_is_a_form_for_every_kind_of_field():
    for model in [ChangeSet, *registry_models(), *entry_models()]:
        for field in model._meta.concrete_fields:
            assert field.get_internal_type() in stored_forms._SQLITE_FORMS, field


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ownership_table_text (ownership_table_text) VALUES ('delete-all')",
        "INSERT INTO ownership_table_text (rowid, name, description) VALUES (77, 'shadow', '')",
        "DELETE FROM ownership_table_text_data",
    ],
    ids=["emptied", "another row", "torn"],
)
def test_a_search_index_that_differs_from_the_rows_is_named(edited, statement):
    assert list(stale_text_indexes(indexed_texts())) == []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement)
        [finding] = stale_text_indexes(indexed_texts())
        transaction.set_rollback(True)
    assert finding.startswith("ownership_table_text: the search index differs from the rows.")


# Heads from a log


def log_line(head: Head, **more: object) -> str:
    return "web-1  | " + json.dumps({"logger": "ownership.history", "head": str(head), **more})


@pytest.fixture
def log(edited, caplog, tmp_path) -> Path:
    """The log of one more change set, written as in production, with lines of others."""
    with caplog.at_level("INFO", "ownership.history"), transaction.atomic():
        connection.run_on_commit.clear()
        make_service("later")
        for _, report, _ in connection.run_on_commit:
            report()
        connection.run_on_commit.clear()
    settings = {"fmt" if key == "format" else key: value for key, value in env.JSON_LINES.items() if key != "()"}
    formatter = JsonFormatter(**settings)
    lines = [f"web-1  | {formatter.format(record)}" for record in caplog.records]
    path = tmp_path / "registry.log"
    path.write_text("\n".join(["starting", '{"logger": "other", "head": "x"}', *lines, "{broken"]))
    return path


def test_a_history_is_held_against_the_heads_in_a_log(log):
    call_command("verify_history", head_from_log=str(log), stdout=StringIO())
    with owner_of_the_database() as execute:
        execute(_set(revision(2), "user_name", "mallory"))
    rewrite_chain()
    create_triggers(connection)
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 finding\(s\)"):
        call_command("verify_history", head_from_log=str(log), stdout=out)
    assert "revision 8: its digest" in out.getvalue()
    assert "differs from the kept head" in out.getvalue()


def test_after_a_restore_in_the_log_later_heads_no_longer_count():
    old, new = Head(2, "b" * 64), Head(2, "c" * 64)
    first = Head(1, "a" * 64)
    lines = [log_line(first), log_line(old), log_line(first, restored=True), log_line(new)]
    assert heads_in_log(lines) == [first, new]


def test_two_heads_of_one_revision_in_a_log_are_refused():
    with pytest.raises(ValueError, match="two heads of revision 2"):
        heads_in_log([log_line(Head(2, "b" * 64)), log_line(Head(2, "c" * 64))])


@pytest.mark.parametrize("text", ["", "nothing here\n"], ids=["empty", "other lines"])
def test_a_log_without_a_head_is_refused(text, tmp_path):
    file = tmp_path / "log"
    file.write_text(text)
    with pytest.raises(CommandError, match="no head in the log"):
        call_command("verify_history", head_from_log=str(file))


# Tamperings that leave every digest right, so that the replay alone can find them.
REPLAYED = {
    "label": (lambda: [_set(entry(6), "label", "bills")], "its label is 'bills', without 'orders'"),
    "changes": (lambda: [_set(entry(6), "changes", _json({"owner": ["x", "users"]}))], "its changes say owner"),
    "gained_by": (lambda: [f"UPDATE {TABLE_ENTRY} SET gained_by = NULL"], "lost_by and gained_by"),
    "entry made up": (
        lambda: [_columns(Table.history.model, sequence="2", history_type="'-'") + " WHERE change_set_id = 6"],
        "no earlier entry created the row",
    ),
}


@pytest.mark.parametrize(("tamper", "expected"), REPLAYED.values(), ids=REPLAYED)
def test_tampering_is_found_by_the_replay_even_if_the_digests_were_recomputed(edited, tamper, expected):
    with owner_of_the_database() as execute:
        for statement in tamper():
            execute(statement)
    rewrite_chain()
    found = findings()
    assert any(expected in finding for finding in found), found
    assert not any(NOT_ITS_DIGEST in finding for finding in found)


def test_a_completely_rewritten_history_is_found_only_with_a_kept_head(edited):
    kept = head()
    with owner_of_the_database() as execute:
        execute(_set(revision(2), "user_name", "mallory"))
    rewrite_chain()
    assert findings() == []
    assert findings(kept) == [
        f"revision 7: its digest {head().digest} differs from the kept head: history was rewritten."
    ]


def test_a_cut_off_tail_is_found_only_with_a_kept_head(edited):
    kept = head()
    with owner_of_the_database() as execute:
        for model in entry_models():
            execute(f"DELETE FROM {model._meta.db_table} WHERE change_set_id = 7")
        execute("DELETE FROM ownership_changeset WHERE revision = 7")
        execute("UPDATE ownership_table SET description = 'Orders.'")
        execute("UPDATE ownership_access SET mode = 'read'")
    assert findings() == []
    assert findings(kept) == ["revision 7: the kept head is missing: the end of the history was cut off."]


def test_an_older_kept_head_still_matches(edited):
    kept = head()
    make_service("later")
    assert findings(kept) == []


def test_the_command_lists_what_it_found_and_fails(edited):
    with owner_of_the_database() as execute:
        execute("UPDATE ownership_table SET description = 'Bills.'")
    create_triggers(connection)
    out = StringIO()
    with pytest.raises(CommandError, match="1 finding"):
        call_command("verify_history", stdout=out)
    assert "its description is 'Bills.'" in out.getvalue()


def test_the_command_reports_a_missing_trigger_and_a_missing_lock_row(edited):
    table = "ownership_historicaltable"
    one = {"postgresql": f"DROP TRIGGER append_only ON {table}", "sqlite": f"DROP TRIGGER {table}_no_update"}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE" if connection.vendor == "postgresql" else "SELECT 1")
        cursor.execute(one[connection.vendor])
        cursor.execute("DELETE FROM ownership_registrylock")
    out = StringIO()
    with pytest.raises(CommandError, match=r"2 finding\(s\)"):
        call_command("verify_history", stdout=out)
    name = {"postgresql": f"{table} append_only", "sqlite": f"{table}_no_update"}[connection.vendor]
    assert f"trigger {name}: missing. `manage.py migrate` makes it again." in out.getvalue()
    call_command("migrate", verbosity=0)
    call_command("verify_history", stdout=StringIO())


@pytest.mark.parametrize("text", ["", "7", "7:", ":abc", "7:xyz", "-1:" + "a" * 64, "7:" + "a" * 63])
def test_a_malformed_head_is_refused(text):
    with pytest.raises(ValueError, match="expected REVISION:DIGEST"):
        Head.parse(text)


def test_the_command_refuses_a_malformed_head():
    with pytest.raises(CommandError, match="expected REVISION:DIGEST"):
        call_command("verify_history", head="7")


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
    vars(connections["default"]).pop("transaction_mode", None)  # as in a process that has not asked anything yet
    assert list(Verification().run()) == []
