"""Tampering behind the registry’s back is found and named."""

import json
from datetime import timedelta

import pytest
from django.db import transaction

from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Table
from tests.support.tampering import (
    ACCESS_ENTRY,
    NOT_ITS_DIGEST,
    TABLE_ENTRY,
    copied_row,
    entry,
    findings,
    owner_of_the_database,
    revision,
    rewrite_chain,
    set_value,
)

pytestmark = pytest.mark.django_db


TAMPERINGS = {
    "label": (lambda: [set_value(entry(6), "label", "bills")], "revision 6: its " + NOT_ITS_DIGEST),
    "changes": (
        lambda: [set_value(entry(6), "changes", json.dumps({"owner": ["users", "payments"]}))],
        "revision 6, entry 1 (table orders, id {table}): its changes say owner: ['users', 'payments']",
    ),
    "a key less in changes": (
        lambda: [set_value(entry(2), "changes", json.dumps({"name": [None, "users"]}))],
        "its changes say description: None",
    ),
    "changes that are no mapping": (
        lambda: [set_value(entry(6), "changes", "[]")],
        "its changes are []",
    ),
    "typed column": (
        lambda: [set_value(entry(6), "description", "Bills.")],
        "revision 6, entry 1 (table orders, id {table}): its changes say description: None",
    ),
    "typed foreign key": (
        lambda: [set_value(entry(4), "owner_id", Service.objects.get(name="users").pk)],
        "revision 4, entry 1 (table orders, id {table}): its changes say owner: [None, 'payments']",
    ),
    "typed column of the last entry": (
        lambda: [set_value(entry(7, 2), "mode", "read")],
        "its mode is 'write'; its last entry says 'read'",
    ),
    "history_type": (
        lambda: [set_value(entry(6), "history_type", "+")],
        "it creates a row that already exists",
    ),
    "history_date": (
        lambda: [set_value(entry(6), "history_date", entry(6).history_date - timedelta(days=1))],
        "is not its change set's",
    ),
    "order of a row's entries": (
        lambda: [set_value(entry(4), "history_id", "900000")],
        "and that of the entry before it in the same table is 900000",
    ),
    "number of the only entry of a row": (
        lambda: [set_value(entry(1), "history_id", "900000")],
        "and that of the entry before it in the same table is 900000",
    ),
    "number of a table's last entry": (
        lambda: [
            f"UPDATE {TABLE_ENTRY} SET history_id = 900000 "
            f"WHERE history_id = (SELECT max(history_id) FROM {TABLE_ENTRY})"
        ],
        "its history_id is above",
    ),
    "gained_by": (
        lambda: [f"UPDATE {TABLE_ENTRY} SET gained_by = NULL"],
        "lost_by and gained_by are None, None",
    ),
    "reason": (
        lambda: [set_value(revision(6), "reason", "Nobody's fault")],
        "revision 6: its " + NOT_ITS_DIGEST,
    ),
    "user name": (
        lambda: [set_value(revision(6), "user_name", "mallory")],
        "revision 6: its " + NOT_ITS_DIGEST,
    ),
    "source": (
        lambda: [set_value(revision(6), "source", "admin")],
        "revision 6: its " + NOT_ITS_DIGEST,
    ),
    "time": (
        lambda: [set_value(revision(6), "time", revision(6).time - timedelta(days=1))],
        "is earlier than that of the revision before",
    ),
    "digest": (
        lambda: [set_value(revision(7), "digest", "0" * 64)],
        "revision 7: its " + NOT_ITS_DIGEST,
    ),
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
        lambda: [
            copied_row(Table.history.model, sequence="2", history_type="'~'")
            + " WHERE change_set_id = 6"
        ],
        "revision 6, entry 2 (table orders, id {table}): it changes nothing",
    ),
    "inserted entry far off": (
        lambda: [copied_row(Table.history.model, sequence="9") + " WHERE change_set_id = 6"],
        "its entries are not numbered 1 to 2: [1, 9]",
    ),
    "inserted change set with a digest made by its maker": (
        lambda: [
            copied_row(ChangeSet, revision="8", digest=f"'{'ab' * 32}'") + " WHERE revision = 7",
            copied_row(Table.history.model, change_set_id="8", history_type="'-'")
            + " WHERE change_set_id = 7",
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
        transaction.set_rollback(
            True
        )  # what was torn apart would fail the test's own check of foreign keys
    assert any(expected in finding for finding in found), found


# Tamperings that leave every digest right, so that the replay alone can find them.
REPLAYED = {
    "label": (
        lambda: [set_value(entry(6), "label", "bills")],
        "its label is 'bills', without 'orders'",
    ),
    "changes": (
        lambda: [set_value(entry(6), "changes", json.dumps({"owner": ["x", "users"]}))],
        "its changes say owner",
    ),
    "gained_by": (lambda: [f"UPDATE {TABLE_ENTRY} SET gained_by = NULL"], "lost_by and gained_by"),
    "entry made up": (
        lambda: [
            copied_row(Table.history.model, sequence="2", history_type="'-'")
            + " WHERE change_set_id = 6"
        ],
        "no earlier entry created the row",
    ),
}


@pytest.mark.parametrize(("tamper", "expected"), REPLAYED.values(), ids=REPLAYED)
def test_tampering_is_found_by_the_replay_even_if_the_digests_were_recomputed(
    edited, tamper, expected
):
    with owner_of_the_database() as execute:
        for statement in tamper():
            execute(statement)
    rewrite_chain()
    found = findings()
    assert any(expected in finding for finding in found), found
    assert not any(NOT_ITS_DIGEST in finding for finding in found)
