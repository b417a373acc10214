"""Entries in words: values as people read them, in order, with differences marked."""

import pytest

from ownership.audit.descriptions import (
    FieldChange,
    describe,
    describe_value,
    marked_differences,
    near_differences,
)
from ownership.models import Access, Service, Table, Waiver
from tests.support.factories import make_access, make_service, make_table, make_waiver


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
        "notes",
        "Reads isMember for pricing tier; writes on payment",
        "Reads isMember for tier and on payment",
    )
    old, new = change.marked()
    assert [text for differs, text in old if differs] == ["pricing tier; writes"]
    assert [text for differs, text in new if differs] == ["tier and"]
    assert "".join(text for _, text in old) == change.old
    assert "".join(text for _, text in new) == change.new


def test_short_values_are_not_split():
    assert FieldChange("mode", "Read", "Read + Write").marked() == (
        [(False, "Read")],
        [(False, "Read + Write")],
    )
    assert FieldChange("notes", None, "New.").marked() == ([(False, "—")], [(False, "New.")])


@pytest.mark.django_db
def test_a_created_entry_lists_values_that_its_label_does_not_hold():
    access = make_access(
        make_table("orders"), make_service("payments"), mode="write", notes="Pays."
    )
    words = describe(Access.history.get())
    assert (words.kind, words.label, words.verb) == ("access", "payments → orders", "created")
    assert [(change.field, change.new) for change in words.changes] == [
        ("mode", "Write"),
        ("notes", "Pays."),
    ]
    access.delete()
    assert [change.old for change in describe(Access.history.first()).changes] == [
        "Write",
        "Pays.",
    ]


@pytest.mark.django_db
def test_a_created_entry_states_a_flag_only_where_it_is_set():
    make_access(indirect=True)
    fields = [change.in_one_line() for change in describe(Access.history.get()).changes]
    assert fields == ["mode — → Read", "indirect — → yes"]


@pytest.mark.django_db
def test_an_entry_about_a_waiver_says_what_was_granted_in_words():
    make_waiver(granted="read_write")
    [granted, _] = describe(Waiver.history.get()).changes
    assert (granted.field, granted.new) == ("granted", "Read + Write")


@pytest.mark.django_db
def test_key_fields_come_last_and_are_named_by_their_key():
    make_table(
        "orders", partition_key_name="id", partition_key_format="UUID", description="Orders."
    )
    fields = [change.field for change in describe(Table.history.get()).changes]
    assert fields == ["group", "owner", "description", "partition key", "partition key format"]


def test_only_the_parts_of_a_long_text_near_a_difference_are_shown():
    start, end = "Same words. " * 100, " More of the same." * 100
    old, new = marked_differences(f"{start}It reads.{end}", f"{start}It writes.{end}")
    for pieces, words in (
        (near_differences(old), "It reads. "),
        (near_differences(new), "It writes. "),
    ):
        text = "".join(text for _, text in pieces)
        assert words in text
        assert len(text) < 300
        assert text.startswith("…")
        assert text.endswith("…")


def test_both_texts_show_the_place_of_an_addition():
    start, end = "Same words. " * 100, "More of the same. " * 100
    old, _ = marked_differences(start + end, f"{start}Added. {end}")
    assert "Same words. More of the same." in "".join(text for _, text in near_differences(old))


def test_texts_with_too_many_words_to_compare_are_shown_as_replaced():
    old, new = marked_differences("a b " * 1_000, "c d " * 1_000)
    assert [differs for differs, _ in old + new] == [True, True]
    assert len(near_differences(old)[0][1]) < 700


def test_a_sign_that_was_taken_out_is_marked_without_the_word_before_it():
    old, new = marked_differences(
        "Reads the pricing tier; writes members", "Reads the pricing tier and writes members"
    )
    assert [text for differs, text in old if differs] == [";"]
    assert [text for differs, text in new if differs] == [" and"]


def test_several_words_in_a_row_that_were_replaced_are_marked_as_one():
    old, _ = marked_differences(
        "It reads old names every night.", "It reads fresh rows every night."
    )
    assert [text for differs, text in old if differs] == ["old names"]
