"""History in words: values as people read them, in order, with what differs marked."""

import pytest

from ownership.audit.descriptions import FieldChange, describe, describe_value
from ownership.audit.text_diff import marked, shortened
from ownership.audit.timeline import Timeline
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
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
def test_values_read_as_people_say_them(model, field, value, words):
    assert describe_value(model, field, value) == words


def test_in_long_texts_the_words_that_differ_are_marked():
    change = FieldChange(
        "notes", "Reads isMember for pricing tier; writes on payment", "Reads isMember for tier and on payment"
    )
    old, new = change.marked()
    assert [text for differs, text in old if differs] == ["pricing tier; writes "]
    assert [text for differs, text in new if differs] == ["tier and "]
    assert "".join(text for _, text in old) == change.old
    assert "".join(text for _, text in new) == change.new


def test_short_values_are_not_picked_apart():
    assert FieldChange("mode", "Read", "Read + Write").marked() == ([(False, "Read")], [(False, "Read + Write")])
    assert FieldChange("notes", None, "New.").marked() == ([(False, "—")], [(False, "New.")])


@pytest.mark.django_db
def test_a_created_entry_says_what_was_stated_and_its_label_does_not():
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


@pytest.mark.django_db
def test_a_service_s_timeline_tells_a_deleted_access_once():
    access = make_access(make_table("orders"), make_service("payments"))
    service = access.service
    access.delete()
    [group, *_] = Timeline.of(Service, service.pk).page().groups
    assert [(said.label, said.verb) for said in group.entries] == [("payments → orders", "deleted")]


@pytest.mark.django_db
def test_a_change_set_s_many_entries_are_folded_and_the_rest_read_page_by_page():
    service = make_service("payments")
    with change_set(reason="Many"):
        for number in range(30):
            make_access(make_table(f"table-{number:02}"), service)
    timeline = Timeline.of(Service, service.pk)
    group = timeline.page().groups[0]
    assert len(group.entries) + group.folded == 30
    told, after = [said.label for said in group.entries], group.after()
    while rest := timeline.within(group.change_set.revision, after, size=2):
        told += [said.label for said in rest.entries]
        after = rest.after()
    assert told == [f"payments → table-{number:02}" for number in range(30)]


@pytest.mark.django_db
def test_it_is_told_how_much_of_a_change_set_is_about_other_things():
    with change_set(reason="Three"):
        table = make_table("orders", owner=make_service("payments"))
    group = Timeline.of(Table, table.pk).page().groups[0]
    assert (len(group.entries), group.folded, group.elsewhere) == (1, 0, 2)


@pytest.mark.django_db
def test_a_timeline_reads_whole_change_sets_when_asked():
    service = make_service("payments")
    with change_set(reason="Many"):
        for _ in range(30):
            make_access(service=service)
    assert len(Timeline.of(Service, service.pk).page(fold=None).groups[0].entries) == 30


@pytest.mark.django_db
def test_undoing_and_undone_are_told_in_a_constant_number_of_queries(django_assert_num_queries):
    service = make_service("payments")
    for number in range(6):
        with change_set(reason="Undo", undoes=(number and ChangeSet.objects.first().revision) or None):
            service.contact = f"#{number}"
            service.save()
    with django_assert_num_queries(19):
        groups = Timeline.of(Service, service.pk).page().groups
        undone = [[later.revision for later in group.change_set.undone_by.all()] for group in groups]
    assert undone == [[], [7], [6], [5], [4], [3], []]


def test_of_a_long_text_only_what_is_near_a_difference_is_shown():
    start, end = "Same words. " * 100, " More of the same." * 100
    old, new = marked(f"{start}It reads.{end}", f"{start}It writes.{end}")
    for pieces, words in ((shortened(old), "It reads. "), (shortened(new), "It writes. ")):
        text = "".join(text for _, text in pieces)
        assert words in text
        assert len(text) < 300
        assert text.startswith("…")
        assert text.endswith("…")


def test_where_something_was_added_both_texts_show_the_place():
    start, end = "Same words. " * 100, "More of the same. " * 100
    old, _ = marked(start + end, f"{start}Added. {end}")
    assert "Same words. More of the same." in "".join(text for _, text in shortened(old))


def test_texts_with_too_many_words_to_compare_are_shown_as_replaced():
    old, new = marked("a b " * 1_000, "c d " * 1_000)
    assert [differs for differs, _ in old + new] == [True, True]
    assert len(shortened(old)[0][1]) < 700
