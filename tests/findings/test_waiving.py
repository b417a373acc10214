"""Waivers are rows of the registry: they have history, follow renames and end."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.timezone import localdate

from ownership.audit import feed
from ownership.audit.timeline import Timeline
from ownership.audit.verification import Verification
from ownership.findings import runs
from ownership.findings import waiving as waiving
from ownership.history.models import ChangeSet
from ownership.models import Environment, Service, Table, Waiver
from ownership.plans.undo import Undo
from tests.support.factories import make_access, make_service, make_table, make_waiver
from tests.support.runs import keep_run, show, waive

pytestmark = pytest.mark.django_db
SOON = timedelta(days=30)


@pytest.fixture
def bots_write():
    """A kept run with one finding: bots may write orders, which is not declared."""
    make_access(make_table("orders"), make_service("payments"))
    make_service("bots")
    return keep_run("bots write orders", "payments read orders")


def waive_all(run, until=None, reason="Until the new bot is out"):
    return waive(run, until or localdate() + SOON, reason)


def test_a_waiver_has_the_reason_of_its_change_set(bots_write):
    waive_all(bots_write)
    ((finding, waiver),) = show(bots_write).waived.items()
    assert finding.identity == ("undeclared_access", "orders", "bots")
    assert (waiver.reason, waiver.granted, waiver.until) == (
        "Until the new bot is out",
        "write",
        localdate() + SOON,
    )


def test_the_finding_counts_again_after_the_last_day(bots_write, monkeypatch):
    waive_all(bots_write, until=localdate())
    assert len(show(bots_write).waived) == 1
    tomorrow = localdate() + timedelta(days=1)
    monkeypatch.setattr(runs, "localdate", lambda: tomorrow)
    assert runs.waivers_in_force() == []
    assert show(bots_write).waived == {}


def test_the_finding_counts_again_when_something_else_is_granted(bots_write):
    waive_all(bots_write)
    later = keep_run("bots read_write orders", "payments read orders")
    assert len(show(later).findings) == 1
    assert show(later).waived == {}


def test_a_waiver_applies_in_its_environment_only(seeded):
    first = keep_run("bots write biztechUsers", environment="dev")
    waive_all(first)
    other = keep_run("bots write biztechUsers", environment="production")
    assert {finding.kind for finding in show(first).waived} == {
        "undeclared_access",
        "access_not_granted",
    }
    assert show(other).waived == {}


def test_nothing_is_waived_in_an_environment_that_is_no_longer_on_the_map(seeded):
    run = keep_run("bots write biztechUsers", environment="dev")
    environment = Environment.objects.get(name="dev")
    environment.name = "development"
    environment.save()
    with pytest.raises(ValidationError, match="no longer has an environment dev"):
        waive_all(run)


def test_a_waiver_follows_renames_of_table_and_service(bots_write):
    waive_all(bots_write)
    for row, name in (
        (Table.objects.get(name="orders"), "sales"),
        (Service.objects.get(name="bots"), "robots"),
    ):
        row.name = name
        row.save()
    run = keep_run("robots write sales", "payments read sales")
    assert len(show(run).waived) == 1


def test_names_that_are_not_on_the_map_are_waived_as_text(bots_write):
    run = keep_run("stranger read shadow", "payments read orders")
    (waiver,) = waive_all(run)
    assert (waiver.table, waiver.table_name, waiver.service, waiver.service_name) == (
        None,
        "shadow",
        None,
        "stranger",
    )
    assert len(show(run).waived) == 1


def test_waiving_again_changes_the_existing_waiver(bots_write):
    (first,) = waive_all(bots_write)
    (second,) = waive_all(bots_write, until=localdate(), reason="Shorter")
    assert (first.pk, second.until) == (second.pk, localdate())
    assert Waiver.objects.with_decisions().get().reason == "Shorter"


@pytest.mark.parametrize(
    ("now", "last"),
    [("2026-11-23", "2027-11-23"), ("2027-03-01", "2028-03-01"), ("2028-02-29", "2029-02-28")],
    ids=["a year", "over a leap day", "from a leap day"],
)
def test_a_waiver_ends_a_year_from_today_at_the_latest(monkeypatch, now, last):
    monkeypatch.setattr(waiving, "localdate", lambda: date.fromisoformat(now))
    day = date.fromisoformat(last)
    waiving.check_until(day)
    with pytest.raises(ValidationError, match=f"a year at most: until {last}"):
        waiving.check_until(day + timedelta(days=1))


@pytest.mark.parametrize("days", [-1, 367])
def test_a_waiver_ends_neither_in_the_past_nor_after_more_than_a_year(bots_write, days):
    with pytest.raises(ValidationError):
        waive(bots_write, localdate() + timedelta(days=days))
    assert not Waiver.objects.exists()


def test_the_database_refuses_a_second_waiver_and_one_without_a_table():
    table = make_table()
    make_waiver(table)
    for fields in ({"table": table}, {"table_name": ""}, {"kind": "mood"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_waiver(**fields)


def test_waivers_are_in_the_history_of_table_and_service(bots_write):
    (waiver,) = waive_all(bots_write)
    for model, pk in ((Table, waiver.table_id), (Service, waiver.service_id)):
        newest = Timeline.about(model, pk).page().groups[0]
        assert newest.change_set.reason == "Until the new bot is out"
        assert [entry.label for entry in newest.entries] == ["Undeclared access: bots → orders"]
    for names in ({"table": "orders"}, {"service": "bots"}, {"kind": "waiver"}):
        page = feed.read(feed.Cursor.parse(str(0)), 100, feed.select(**names))
        assert "undeclared_access: bots → orders" in {
            one.label for _, entries in page.changes for one in entries
        }


def test_a_tables_waivers_are_deleted_and_restored_with_it(bots_write):
    (waiver,) = waive_all(bots_write)
    Table.objects.get(name="orders").delete()
    assert not Waiver.objects.exists()
    revision = Waiver.history.latest("history_id").change_set_id
    plan = Undo(revision).plan()
    plan.apply(user=None, reason="Too early", source=ChangeSet.Source.RESTORE, undoes=revision)
    assert Waiver.objects.get().identity() == waiver.identity()
    assert list(Verification().run()) == []


def test_a_service_with_a_waiver_cannot_be_deleted(bots_write):
    (waiver,) = waive_all(bots_write)
    with pytest.raises(ProtectedError):
        Service.objects.get(name="bots").delete()
    waiver.delete()
    Service.objects.get(name="bots").delete()
    assert list(Verification().run()) == []
