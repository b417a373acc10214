"""A kept run, compared with the map as that changes."""

from datetime import timedelta

import pytest
from django.utils.timezone import localdate

from ownership.findings import keeping, runs
from ownership.models import Access, DriftRun, Grant, Service, Table
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_service, make_table
from tests.support.runs import keep_run, show, waive

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders():
    """payments reads orders, and there is a service bots."""
    make_service("bots")
    return make_access(make_table("orders"), make_service("payments")).table


def identities(shown):
    return [tuple(finding.identity) for finding in shown.findings]


def test_a_finding_is_gone_as_soon_as_the_map_agrees(orders):
    run = keep_run("bots write orders", "payments read orders")
    assert identities(show(run)) == [("undeclared_access", "orders", "bots")]
    Access.objects.create(table=orders, service=Service.objects.get(name="bots"), mode="write")
    assert identities(show(run)) == []
    assert show(run).settled == 1


def test_a_finding_that_an_edit_causes_appears_at_once_as_new(orders):
    keep_run("payments read orders")
    run = keep_run("payments read orders")
    Access.objects.all()[0].delete()
    assert identities(show(run)) == [("undeclared_access", "orders", "payments")]
    assert show(run).new == {("undeclared_access", "orders", "payments")}


def test_nothing_is_new_in_the_first_run_of_a_series(orders):
    shown = show(keep_run("bots write orders"))
    assert (shown.before, shown.new) == (None, set())
    other = show(keep_run("bots write orders", reader="cloudformation"))
    assert other.before is None


def test_findings_that_the_run_before_did_not_have_are_new(orders):
    keep_run("bots write orders")
    shown = show(keep_run("bots write orders", "bots write shadow"))
    assert shown.new == {("unregistered_table", "shadow", "bots")}


def test_a_finding_whose_waiver_ended_is_new(orders, monkeypatch):
    first = keep_run("bots write orders")
    waive(first, localdate(), "Until tonight")
    assert show(keep_run("bots write orders")).new == set()
    tomorrow = localdate() + timedelta(days=1)
    monkeypatch.setattr(runs, "localdate", lambda: tomorrow)
    returned = keep_run("bots write orders")
    assert show(returned).new == {("undeclared_access", "orders", "bots")}
    assert show(keep_run("bots write orders")).new == set()


def test_a_finding_that_its_waiver_no_longer_covers_is_new(orders):
    waive(keep_run("bots write orders"), localdate(), "Next term")
    assert show(keep_run("bots read_write orders")).new == {("undeclared_access", "orders", "bots")}
    assert show(keep_run("bots read_write orders")).new == set()


def test_a_run_keeps_its_figures_when_the_map_changes(orders):
    run = keep_run("bots write orders", "payments read orders")
    Table.objects.get(name="orders").delete()
    kept = DriftRun.objects.get(pk=run.pk)
    assert (kept.agreeing, kept.compared, kept.by_kind) == (1, 2, {"undeclared_access": 1})
    assert [one.pk for one in runs.figures(kept)] == [kept.pk]


def test_a_run_of_a_version_that_kept_neither_code_nor_actions_is_still_compared(orders):
    run = keep_run("bots write orders", "payments read orders")
    Grant.objects.update(actions=None)
    DriftRun.objects.update(code=None, accesses=None, true_accesses=None, by_verdict=None)
    shown = show(DriftRun.objects.get(pk=run.pk))
    (finding,) = shown.findings
    assert (finding.kind, finding.verdict, finding.to_remove, shown.truth) == (
        "undeclared_access",
        None,
        (),
        None,
    )


def test_older_runs_keep_only_figures_of_what_code_did(orders, monkeypatch):
    monkeypatch.setattr(keeping, "KEPT_WHOLE", 1)
    monkeypatch.setattr(keeping, "KEPT_BY_TABLE", 2)
    for _ in range(3):
        keep_run("payments read orders", code=code_usage("payments read orders"))
    kept = DriftRun.objects.order_by("pk")
    assert [
        (run.code is None, run.uses.count(), run.truths.count(), run.true_accesses) for run in kept
    ] == [
        (True, 0, 0, 1),
        (True, 0, 1, 1),
        (False, 1, 1, 1),
    ]


def test_the_latest_run_of_each_series_is_shown(orders):
    keep_run("bots write orders")
    latest = {keep_run("bots write orders").pk, keep_run(reader="dynamodb").pk}
    assert {run.pk for run in runs.latest()} == latest
    assert {run.reader for run in runs.filtered(runs.latest(), "dynamodb", None)} == {"dynamodb"}


@pytest.mark.parametrize(
    ("agreeing", "compared", "share"), [(0, 0, 100), (3, 3, 100), (199, 200, 99)]
)
def test_the_share_is_whole_where_all_agrees_and_nowhere_else(agreeing, compared, share):
    assert DriftRun(agreeing=agreeing, compared=compared).share() == share
