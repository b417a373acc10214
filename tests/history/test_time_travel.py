"""Inside as_of() the registry is as it was, to the change set; outside it nothing has moved."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.api.serializers import MapSerializer
from ownership.catalog.queries import confirmed_tables, whole_tables
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.history.time_travel import BadMoment, PastIsReadOnly, as_of, at, at_revision, at_time
from ownership.models import Environment, Service, Table, TableGroup, Team
from ownership.models.answerable import teams_by_service
from tests.support.factories import make_access, make_service, make_table
from tests.support.lifetime import a_life

pytestmark = pytest.mark.django_db


def shown_map():
    """The map as the API shows it, of whatever the queries see."""
    content = {
        "revision": 0,
        "environment": None,
        "environments": Environment.objects.all(),
        "groups": TableGroup.objects.all(),
        "teams": Team.objects.all(),
        "services": Service.objects.select_related("part_of", "team").order_by("pk"),
        "tables": confirmed_tables(),
    }
    context = {"view": object(), "environment": None, "teams": teams_by_service()}
    return MapSerializer(content, context=context).data


@pytest.mark.slow
def test_every_revision_shows_the_map_recorded_when_it_was_current(seeded):
    recorded = {current_head().revision: shown_map()}
    for _ in a_life():
        recorded[current_head().revision] = shown_map()

    # The service that joins comes with a change set of its own, which nothing was recorded of.
    assert current_head().revision - len(recorded) == 1
    for revision, expected in recorded.items():
        with as_of(revision):
            assert shown_map() == expected, revision
    assert shown_map() == recorded[current_head().revision]


@pytest.mark.slow
def test_a_few_rows_are_found_by_index_and_equal_those_found_among_all(seeded):
    for _ in a_life():
        pass
    for revision in range(current_head().revision + 1):
        with as_of(revision):
            every = list(Table.objects.all())
            with CaptureQueriesContext(connection) as captured:
                for table in every:
                    [found] = Table.objects.filter(name=table.name)
                    assert vars(found) | {"_state": None} == vars(table) | {"_state": None}
            assert not [query for query in captured if "MATERIALIZED" in query["sql"]]
            assert not Table.objects.filter(name="").exists()


def test_before_the_first_revision_the_map_is_empty(seeded):
    with as_of(0):
        assert {part for part in shown_map().values() if part} == set()
    assert Table.objects.count() == 34


def test_names_of_related_rows_are_those_of_that_time_too():
    table = make_table(owner=make_service("before"))
    make_access(table, table.owner)
    revision = current_head().revision
    table.owner.name = "after"
    table.owner.save()

    with as_of(revision):
        then = whole_tables().get()
    assert (then.owner.name, str(then.accesses.all()[0].service)) == ("before", "before")
    with as_of(revision):
        assert Table.objects.filter(owner__name="before").exists()
        assert not Table.objects.filter(accesses__service__name="after").exists()


def test_writing_into_the_past_is_refused_and_changes_nothing():
    table = make_table("orders")
    for write in (table.delete, lambda: Table.objects.all().delete(), make_service):
        with as_of(current_head().revision), pytest.raises(PastIsReadOnly):
            write()
    table.description = "Rewritten"
    with as_of(current_head().revision), pytest.raises(PastIsReadOnly):
        table.save()
    assert Table.objects.get().description == ""


def test_nested_blocks_are_refused_and_the_present_is_back_after_an_error():
    make_service()
    with pytest.raises(RuntimeError, match="blocks do not nest"), as_of(0), as_of(1):
        pass
    assert Service.objects.count() == 1


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 40])
def test_the_map_takes_as_many_queries_as_today_whatever_its_size(size):
    with change_set(reason="Grow"):
        for _ in range(size):
            make_access()
    with CaptureQueriesContext(connection) as now:
        shown_map()
    with CaptureQueriesContext(connection) as then, as_of(1):
        shown_map()
    assert len(then) == len(now) == 10


# Which revision


def test_a_revision_is_named_by_its_number():
    make_service()
    assert at_revision("0") == (0, "")
    assert at_revision("1") == current_head() == at("1")


@pytest.mark.parametrize("text", ["x", "", "-1", "1.0", "٣", "1\x00", str(2**63), "9" * 500])
def test_an_unknown_revision_is_refused_with_the_valid_range(text):
    make_service()
    with pytest.raises(BadMoment, match="from 0 to 1"):
        at_revision(text)


def test_a_revision_that_is_not_there_yet_is_refused_with_the_latest():
    make_service()
    with pytest.raises(BadMoment, match="There is no revision 2. The latest is 1."):
        at_revision("2")


def test_a_time_means_the_last_revision_at_or_before_it(monkeypatch):
    for day in (1, 2):
        moment = datetime.fromisoformat(f"2026-03-0{day}T12:00:00+00:00")
        monkeypatch.setattr(
            "ownership.history.change_sets.timezone.now", lambda moment=moment: moment
        )
        make_service()
    monkeypatch.undo()

    found = {
        text: at_time(text)[0]
        for text in (
            "2026-02-28",
            "2026-03-01",
            "2026-03-02",
            "2026-03-01T11:59:59.999999Z",
            "2026-03-01T12:00Z",
            "2026-03-01T12:00",
            "2026-03-01T13:00:00+01:00",
            "2026-03-01T12:59:59+01:00",
            "9999-12-31",
        )
    }
    assert list(found.values()) == [0, 1, 2, 0, 1, 1, 1, 0, 2]
    assert at_time("2026-03-01") == (1, ChangeSet.objects.get(revision=1).digest)
    assert at("2026-03-01") == at_time("2026-03-01")


def test_of_revisions_with_the_same_time_the_time_means_the_last(monkeypatch):
    moment = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
    monkeypatch.setattr("ownership.history.change_sets.timezone.now", lambda: moment)
    make_service("a")
    make_service("b")
    assert at_time(moment.isoformat())[0] == 2
    assert at_time((moment - timedelta(microseconds=1)).isoformat())[0] == 0
    with as_of(1):
        assert Service.objects.get().name == "a"


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "12:00", "٢٠٢٦-01-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01\x0012:00"),
        *("0001-01-01T00:00+14:00", "2026-01-01T12:00:00 01:00"),
        *("2026-W47", "2026-W47-1", "2026W471", "2026-327"),
    ],
)
def test_a_malformed_time_is_refused_with_the_format(text):
    with pytest.raises(BadMoment, match="ISO 8601"):
        at_time(text)
