"""Entries in words: values as people read them, in order, with differences marked."""

import pytest

from ownership.audit.descriptions import FieldChange, describe, describe_value
from ownership.models import Access, Service, Table
from tests.support.factories import make_access, make_service, make_table


@pytest.mark.parametrize(
    ("model", "field", "value", "words"),
    [
        (Access, "mode", "read_write", "Read + Write"),
        (Access, "indirect", True, "yes"),
        (Access, "notes", "", None),
        (Table, "partition_key_type", "S", "S (string)"),
        (Service, "aliases", ["a", "b"], "a, b"),
        (Service, "part_of", None, None),
        (Table, "a_field_that_is_no_more", "kept", "kept"),
    ],
)
def test_values_are_shown_in_words(model, field, value, words):
    assert describe_value(model, field, value) == words


def test_words_that_differ_are_marked_in_long_texts():
    change = FieldChange(
        "notes", "Reads isMember for pricing tier; writes on payment", "Reads isMember for tier and on payment"
    )
    old, new = change.marked()
    assert [text for differs, text in old if differs] == ["pricing tier; writes"]
    assert [text for differs, text in new if differs] == ["tier and"]
    assert "".join(text for _, text in old) == change.old
    assert "".join(text for _, text in new) == change.new


def test_short_values_are_not_split():
    assert FieldChange("mode", "Read", "Read + Write").marked() == ([(False, "Read")], [(False, "Read + Write")])
    assert FieldChange("notes", None, "New.").marked() == ([(False, "—")], [(False, "New.")])


@pytest.mark.django_db
def test_a_created_entry_lists_values_that_its_label_does_not_hold():
    access = make_access(make_table("orders"), make_service("payments"), mode="write", notes="Pays.")
    words = describe(Access.history.get())
    assert (words.kind, words.label, words.verb) == ("access", "payments → orders", "created")
    assert [(change.field, change.new) for change in words.changes] == [
        ("mode", "Write"),
        ("indirect", "no"),
        ("notes", "Pays."),
    ]
    access.delete()
    assert [change.old for change in describe(Access.history.first()).changes] == ["Write", "no", "Pays."]


@pytest.mark.django_db
def test_key_fields_come_last_and_are_named_by_their_key():
    make_table("orders", partition_key_name="id", partition_key_format="UUID", description="Orders.")
    fields = [change.field for change in describe(Table.history.get()).changes]
    assert fields == ["group", "owner", "description", "partition key", "partition key format"]
