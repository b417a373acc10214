"""Waivers are rows of the registry: history, names that move on, and an end."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from ownership.audit import feed
from ownership.audit.timeline import Timeline
from ownership.audit.verification import Verification
from ownership.findings import runs
from ownership.findings import waiving as waiving
from ownership.findings.runs import today
from ownership.history.models import ChangeSet
from ownership.models import Environment, Service, Table, Waiver
from ownership.plans.undo import Undo
from tests.support.factories import make_access, make_service, make_table, make_waiver
from tests.support.runs import keep_run, show, waive

pytestmark = pytest.mark.django_db
SOON = timedelta(days=30)


@pytest.fixture
def bots_write():
    """bots may write orders, and nothing of it is declared: a kept run, with that finding."""
    make_access(make_table("orders"), make_service("payments"))
    make_service("bots")
    return keep_run("bots write orders", "payments read orders")


def waive_all(run, until=None, reason="Until the new bot is out"):
    return waive(run, until or today() + SOON, reason)


def test_what_is_waived_is_so_with_the_change_sets_reason(bots_write):
    waive_all(bots_write)
    ((finding, waiver),) = show(bots_write).waived.items()
    assert finding.identity == ("undeclared_access", "orders", "bots")
    assert (waiver.reason, waiver.granted, waiver.until) == ("Until the new bot is out", "write", today() + SOON)


def test_it_counts_again_when_its_day_is_past(bots_write, monkeypatch):
    waive_all(bots_write, until=today())
    assert len(show(bots_write).waived) == 1
    tomorrow = today() + timedelta(days=1)
    monkeypatch.setattr(runs, "today", lambda: tomorrow)
    assert runs.waivers_in_force(tomorrow) == []
    assert show(bots_write).waived == {}


def test_it_counts_again_when_something_else_is_granted(bots_write):
    waive_all(bots_write)
    later = keep_run("bots read_write orders", "payments read orders")
    assert len(show(later).findings) == 1
    assert show(later).waived == {}


def test_it_holds_in_its_environment_alone(seeded):
    first = keep_run("bots write biztechUsers", environment="dev")
    waive_all(first)
    other = keep_run("bots write biztechUsers", environment="production")
    assert {finding.kind for finding in show(first).waived} == {"undeclared_access", "access_not_granted"}
    assert show(other).waived == {}


def test_in_an_environment_that_the_map_has_no_more_nothing_is_waived(seeded):
    run = keep_run("bots write biztechUsers", environment="dev")
    environment = Environment.objects.get(name="dev")
    environment.name = "development"
    environment.save()
    with pytest.raises(ValidationError, match="no longer has an environment dev"):
        waive_all(run)


def test_names_move_on_with_table_and_service(bots_write):
    waive_all(bots_write)
    for row, name in ((Table.objects.get(name="orders"), "sales"), (Service.objects.get(name="bots"), "robots")):
        row.name = name
        row.save()
    run = keep_run("robots write sales", "payments read sales")
    assert len(show(run).waived) == 1


def test_names_that_the_map_does_not_have_are_waived_by_name(bots_write):
    run = keep_run("stranger read shadow", "payments read orders")
    (waiver,) = waive_all(run)
    assert (waiver.table, waiver.table_name, waiver.service, waiver.service_name) == (None, "shadow", None, "stranger")
    assert len(show(run).waived) == 1


def test_waiving_again_changes_the_waiver_there_is(bots_write):
    (first,) = waive_all(bots_write)
    (second,) = waive_all(bots_write, until=today(), reason="Shorter")
    assert (first.pk, second.until) == (second.pk, today())
    assert Waiver.objects.with_decisions().get().reason == "Shorter"


@pytest.mark.parametrize(
    ("now", "last"),
    [("2026-11-23", "2027-11-23"), ("2027-03-01", "2028-03-01"), ("2028-02-29", "2029-02-28")],
    ids=["a year", "over a leap day", "from a leap day"],
)
def test_it_ends_on_the_same_day_of_the_next_year_at_the_latest(monkeypatch, now, last):
    monkeypatch.setattr(waiving, "today", lambda: date.fromisoformat(now))
    day = date.fromisoformat(last)
    waiving.check_until(day)
    with pytest.raises(ValidationError, match=f"a year at most: until {last}"):
        waiving.check_until(day + timedelta(days=1))


@pytest.mark.parametrize("days", [-1, 367])
def test_it_ends_neither_in_the_past_nor_in_more_than_a_year(bots_write, days):
    with pytest.raises(ValidationError):
        waive(bots_write, today() + timedelta(days=days))
    assert not Waiver.objects.exists()


def test_the_database_refuses_two_waivers_of_one_finding_and_one_of_nothing():
    table = make_table()
    make_waiver(table)
    for fields in ({"table": table}, {"table_name": ""}, {"kind": "mood"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_waiver(**fields)


def test_waivers_stand_in_the_history_of_table_and_service(bots_write):
    (waiver,) = waive_all(bots_write)
    for model, pk in ((Table, waiver.table_id), (Service, waiver.service_id)):
        newest = Timeline.of(model, pk).page().groups[0]
        assert newest.change_set.reason == "Until the new bot is out"
        assert [entry.label for entry in newest.entries] == ["undeclared_access: bots → orders"]
    for names in ({"table": "orders"}, {"service": "bots"}, {"kind": "waiver"}):
        page = feed.read(feed.Cursor.parse(str(0)), 100, feed.select(**names))
        assert "undeclared_access: bots → orders" in {one.label for _, entries in page.changes for one in entries}


def test_a_tables_waivers_go_with_it_and_come_back_with_it(bots_write):
    (waiver,) = waive_all(bots_write)
    Table.objects.get(name="orders").delete()
    assert not Waiver.objects.exists()
    revision = Waiver.history.latest("history_id").change_set_id
    plan = Undo(revision).plan()
    plan.apply(user=None, reason="Too early", source=ChangeSet.Source.RESTORE, undoes=revision)
    assert Waiver.objects.get().identity() == waiver.identity()
    assert list(Verification().run()) == []


def test_a_service_with_a_waiver_stays_until_that_ends(bots_write):
    (waiver,) = waive_all(bots_write)
    with pytest.raises(ProtectedError):
        Service.objects.get(name="bots").delete()
    waiver.delete()
    Service.objects.get(name="bots").delete()
    assert list(Verification().run()) == []
