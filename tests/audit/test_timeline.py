"""Timelines: the change sets of one thing, with large ones folded."""

import pytest

from ownership.audit.timeline import Timeline
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Service, Table
from tests.support.factories import make_access, make_service, make_table


@pytest.mark.django_db
def test_a_deleted_access_is_listed_once_in_a_service_s_timeline():
    access = make_access(make_table("orders"), make_service("payments"))
    service = access.service
    access.delete()
    [group, *_] = Timeline.about(Service, service.pk).page().groups
    assert [(entry.label, entry.verb) for entry in group.entries] == [
        ("payments → orders", "deleted")
    ]


@pytest.mark.slow
@pytest.mark.django_db
def test_a_change_set_s_many_entries_are_folded_and_the_rest_read_page_by_page():
    service = make_service("payments")
    with change_set(reason="Many"):
        for number in range(30):
            make_access(make_table(f"table-{number:02}"), service)
    timeline = Timeline.about(Service, service.pk)
    group = timeline.page().groups[0]
    assert len(group.entries) + group.folded == 30
    labels, after = [entry.label for entry in group.entries], group.after()
    while rest := timeline.within(group.change_set.revision, after, size=2):
        labels += [entry.label for entry in rest.entries]
        after = rest.after()
    assert labels == [f"payments → table-{number:02}" for number in range(30)]


@pytest.mark.django_db
def test_entries_about_other_things_are_counted():
    with change_set(reason="Three"):
        table = make_table("orders", owner=make_service("payments"))
    group = Timeline.about(Table, table.pk).page().groups[0]
    assert (len(group.entries), group.folded, group.elsewhere) == (1, 0, 2)


@pytest.mark.django_db
def test_a_timeline_reads_whole_change_sets_when_asked():
    service = make_service("payments")
    with change_set(reason="Many"):
        for _ in range(30):
            make_access(service=service)
    assert len(Timeline.about(Service, service.pk).page(fold=None).groups[0].entries) == 30


@pytest.mark.django_db
def test_what_undid_a_change_set_is_read_in_a_constant_number_of_queries(django_assert_num_queries):
    service = make_service("payments")
    for number in range(6):
        with change_set(
            reason="Undo", undoes=(number and ChangeSet.objects.first().revision) or None
        ):
            service.contact = f"#{number}"
            service.save()
    with django_assert_num_queries(19):
        groups = Timeline.about(Service, service.pk).page().groups
        undone = [
            [later.revision for later in group.change_set.undone_by.all()] for group in groups
        ]
    assert undone == [[], [7], [6], [5], [4], [3], []]
