"""A value in a form that the registry never writes is found, and so is a search index that differs from the rows."""

import pytest
from django.db import connection, transaction

from ownership.audit import stored_forms
from ownership.audit.text_index import stale_text_indexes
from ownership.history.models import ChangeSet, entry_models, registry_models
from ownership.models import Access, Table
from ownership.operations.setup import indexed_texts
from tests.support.tampering import ACCESS_ENTRY, TABLE_ENTRY, findings, owner_of_the_database

pytestmark = pytest.mark.django_db


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
        f"UPDATE {ACCESS_ENTRY} SET id = x'ff' WHERE change_set_id = 5",
        f"{ACCESS_ENTRY}, history_id",
        marks=SQLITE,
    ),
    "text that is no UTF-8": pytest.param(
        "UPDATE ownership_changeset SET reason = CAST(x'ff' AS TEXT) WHERE revision = 6",
        "can't be read",
        marks=SQLITE,
    ),
    "fraction": pytest.param(
        "UPDATE ownership_table SET position = 0.5",
        "ownership_table, id {table}: its position",
        marks=SQLITE,
    ),
    "boolean of two": pytest.param(
        "UPDATE ownership_access SET indirect = 2",
        "ownership_access, id {access}: its indirect",
        marks=SQLITE,
    ),
    "key twice": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET changes = '{{\"owner\": [1, 2], ' || substr(changes, 2) WHERE change_set_id = 6",
        "its changes is stored in a form",
        marks=SQLITE,
    ),
    "JSON that is none": pytest.param(
        f"UPDATE {TABLE_ENTRY} SET changes = '{{' WHERE change_set_id = 6",
        "its changes is stored",
        marks=SQLITE,
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
def test_a_value_that_django_would_not_have_written_is_named_without_a_traceback(
    edited, statement, expected
):
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
