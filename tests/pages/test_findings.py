"""The drift page shows the latest runs to people who are signed in."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from ownership.drift.types import (
    Identity,
    KeyAttribute,
    Keys,
    Location,
    Note,
    ReadError,
    TableShape,
    Unresolved,
)
from ownership.models import Access, Service
from ownership.pages import findings as page_module
from ownership.pages.chart import HEIGHT, WIDTH, agreement_of
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_service, make_table, make_team
from tests.support.pages import day_text, text_of
from tests.support.runs import keep_run, show, waive

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
DRIFT = reverse("pages:drift")
PLACE = Location("bots/serverless.yml", 7)


@pytest.fixture
def drifted():
    """The finding about payments is waived; those about bots and shadow are new."""
    make_access(
        make_table("orders", owner=make_service("sales")), make_service("payments"), mode="read"
    )
    make_service("bots")
    first = keep_run("payments read_write orders")
    waive(first, localdate() + timedelta(days=9), "Until they are split")
    return keep_run(
        "payments read_write orders",
        "bots write orders",
        "bots read shadow",
        tables=(TableShape("orders", Keys(KeyAttribute("id", "S")), (), (PLACE,)),),
        unresolved=(Unresolved(PLACE, "${ssm:x}", "is known only when deployed", "bots"),),
        notes=(Note(PLACE, "there is a condition"),),
        errors=(ReadError(Location("broken/serverless.yml", 2), "key a twice"),),
    )


def ticks(page):
    """The identities that the page's checkboxes name."""
    return {
        Identity(*json.loads(unescape(v)))
        for v in re.findall(r'name="finding"\s+value="([^"]*)"', page)
    }


def test_findings_are_grouped_by_owner_with_evidence_and_what_to_do(viewer_client, drifted):
    page = re.sub(r"\s+", " ", viewer_client.get(DRIFT).text)
    for words in (
        "Owner: sales (1)",
        "<strong>Undeclared access</strong>",
        'orders</a> <strong class="badge good">new</strong>',
        "<code>bots/serverless.yml:2</code>",
        "declare the access, or remove the grant",
        "Owner unknown (1)",
        "2 findings now, <strong>2 new</strong> since the previous run; 1 waived",
        "Until they are split",
        day_text(localdate() + timedelta(days=9)),
        "is known only when deployed",
        "there is a condition",
        "key a twice",
        "id (S)",
    ):
        assert words in page, words


def test_drift_needs_a_sign_in_even_where_everybody_may_read_the_map(client, drifted, settings):
    settings.ANONYMOUS_READ = True
    assert client.get(DRIFT).headers["Location"] == "/admin/login/?next=/drift/"


def test_leads_can_decide_and_viewers_can_suggest(viewer_client, lead_client, drifted):
    page = lead_client.get(DRIFT).text
    assert ticks(page) == {
        ("undeclared_access", "orders", "bots"),
        ("unregistered_table", "shadow", "bots"),
        ("key_schema_offered", "orders", None),
        ("wider_grant", "orders", "payments"),
    }
    assert "Accept…" in page
    viewers_page = viewer_client.get(DRIFT).text
    assert ticks(viewers_page) == ticks(page)
    assert "Suggest…" in viewers_page
    assert "Accept…" not in viewers_page
    assert "Waive…" not in viewers_page
    assert "Waive…" in page


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("kind=unregistered_table", {"shadow"}),
        ("owner=sales", {"orders"}),
        ("table=shadow", {"shadow"}),
        ("service=payments", {"orders"}),
        ("state=new", {"orders", "shadow"}),
        ("state=waived", {"orders"}),
        ("reader=serverless&environment=none", {"orders", "shadow"}),
    ],
)
def test_filters_narrow_the_findings(lead_client, drifted, query, left):
    found = ticks(lead_client.get(f"{DRIFT}?{query}").text)
    assert {one.table for one in found if one.kind != "key_schema_offered"} == left


def test_filters_narrow_everything_besides_the_findings(lead_client, drifted):
    page = lead_client.get(f"{DRIFT}?owner=payments&service=payments").text
    assert "Suggestions" not in page
    assert "is known only when deployed" not in page


@pytest.mark.parametrize(
    "query", ["reader=x", "environment=x", "kind=x", "state=x", "revision=1", "table=%00"]
)
def test_an_unknown_value_is_refused_with_the_known_ones(viewer_client, drifted, query):
    assert viewer_client.get(f"{DRIFT}?{query}").status_code == 400


def test_findings_beyond_the_first_page_are_counted(lead_client, drifted, monkeypatch):
    monkeypatch.setattr(page_module, "ROWS_SHOWN", 1)
    page = lead_client.get(DRIFT).text
    assert "1 more: filter by owner, kind, table or service" in page
    assert (
        len(
            ticks(page)
            - {("key_schema_offered", "orders", None), ("wider_grant", "orders", "payments")}
        )
        == 1
    )


def test_a_service_on_the_map_is_a_link(viewer_client, drifted):
    assert (
        f'<a href="{reverse("pages:service", args=["bots"])}">bots</a>'
        in viewer_client.get(DRIFT).text
    )
    keep_run("stranger read orders")
    assert 'stranger <span class="badge">not on the map</span>' in viewer_client.get(DRIFT).text


def test_a_waived_finding_does_not_count_as_new(viewer_client, drifted):
    waive(drifted, localdate() + timedelta(days=9), "Until summer")
    page = viewer_client.get(DRIFT).text
    assert "0 findings now; 3 waived" in text_of(page)
    for query in ("", "?state=waived"):
        assert "No findings" not in viewer_client.get(DRIFT + query).text, "what is waived is one"
    assert "No findings match these filters" in viewer_client.get(f"{DRIFT}?state=open").text


def test_a_finding_whose_waiver_ended_shows_it(viewer_client, drifted, monkeypatch):
    words = f"waived this until {day_text(localdate() + timedelta(days=9))} for"
    assert words not in text_of(viewer_client.get(DRIFT).text)
    later = keep_run("payments write orders", "bots write orders", "bots read shadow")
    page = text_of(viewer_client.get(DRIFT).text)
    assert page.count(words) == 1
    assert "Until they are split" in page
    after = localdate() + timedelta(days=10)
    monkeypatch.setattr("ownership.findings.runs.localdate", lambda: after)
    later.delete()
    assert text_of(viewer_client.get(DRIFT).text).count(words) == 1


def test_several_runs_have_a_list_with_links(viewer_client, drifted):
    assert f'href="#run-{drifted.pk}"' not in viewer_client.get(DRIFT).text
    other = keep_run("bots read orders", environment="production")
    page = viewer_client.get(DRIFT).text
    for run in (drifted, other):
        assert page.count(f'href="#run-{run.pk}"') == page.count(f'id="run-{run.pk}"') == 1


def test_a_single_run_has_no_chart(viewer_client, drifted):
    assert "<svg" in viewer_client.get(DRIFT).text
    keep_run("bots read orders", environment="production")
    assert "<svg" not in viewer_client.get(f"{DRIFT}?environment=production").text


def test_without_a_run_the_page_says_how_to_keep_one(viewer_client, seeded):
    assert "manage.py drift serverless path/to/backend --save" in viewer_client.get(DRIFT).text


def test_the_chart_has_a_point_for_each_run_and_a_table(viewer_client, drifted):
    page = viewer_client.get(DRIFT).text
    drawn = agreement_of(type(drifted).objects.order_by("pk"))["points"]
    assert [point.reading.share for point in drawn] == [0, 25]
    for point in drawn:
        assert 0 <= point.x <= WIDTH
        assert 0 <= point.y <= HEIGHT
    assert page.count("<circle") == 2
    assert "1 of 4" in page
    assert drawn[0].x < drawn[1].x
    assert drawn[0].y > drawn[1].y


def test_the_page_has_no_inline_style_because_the_csp_forbids_it(lead_client, drifted):
    assert not re.search(r"\sstyle=|<style|<script(?! src=)", lead_client.get(DRIFT).text)


def test_queries_do_not_grow_with_findings(lead_client, drifted):
    def counted():
        with CaptureQueriesContext(connection) as queries:
            assert lead_client.get(DRIFT).status_code == 200
        return len(queries)

    few = counted()
    keep_run(*(f"bots write shadow{number}" for number in range(30)), "payments read_write orders")
    for _ in range(5):
        Access.objects.create(
            table=make_table(), service=Service.objects.get(name="bots"), mode="read"
        )
    Service.objects.create(name="replies", team=make_team())
    # Session, user and teams; the runs; head twice and five models of the map; waivers; permissions, the user's and the
    # groups'; of the run its grants, the one before and the figures.
    assert counted() == few == 3 + 1 + 7 + 1 + 2 + 3


def test_the_page_says_what_it_leaves_out(viewer_client, seeded, monkeypatch):
    monkeypatch.setattr(page_module, "ROWS_SHOWN", 2)
    run = keep_run(*(f"bots write shadow{number}" for number in range(5)))
    open_ones = len(show(run).findings)
    assert f"{open_ones - 2} more: filter by owner" in viewer_client.get(DRIFT).text
    waive(run, localdate() + timedelta(days=9), "All of them")
    page = viewer_client.get(DRIFT).text
    assert f"Waived ({open_ones})" in page
    assert "First 2 shown: filter by owner" in page


# With code


@pytest.fixture
def judged():
    """A finding with each verdict, about one service each."""
    orders = make_table("orders", owner=make_service("sales"))
    for name, mode in {"fixiam": "read", "gone": "read", "unused": "write"}.items():
        make_access(orders, make_service(name), mode=mode)
    for name in ("fixmap", "trim", "mixed", "unread"):
        make_service(name)
    read = {"sales", "fixiam", "gone", "unused", "fixmap", "trim", "mixed"}
    return keep_run(
        "fixmap read orders",
        "trim write orders",
        "mixed read_write orders",
        "unused write orders",
        "unread read orders",
        services=frozenset(read | {"unread"}),
        code=code_usage(
            "fixmap read orders", "fixiam read orders", "mixed read orders", services=read
        ),
        tables=(TableShape("orders", None, (("by-day", None),), (PLACE,)),),
    )


def ticked(page):
    """The services of the findings that are ticked."""
    values = re.findall(r'name="finding"\s+value="([^"]*)"\s+aria-label="[^"]*"\s+checked', page)
    return {json.loads(unescape(value))[2] for value in values}


def test_findings_are_grouped_by_what_is_to_be_done(viewer_client, judged):
    page = viewer_client.get(DRIFT)
    groups = [(group.title, group.number) for group in page.context["runs"][0]["groups"]]
    assert groups == [
        ("The map is wrong", 1),
        ("IAM lacks", 1),
        ("IAM grants too much", 1),
        ("Nobody does this", 2),
        ("Differs by mode", 1),
        ("Not known", 1),
        ("Keys, indexes and tables", 1),
    ]
    text = text_of(page.text)
    for words in (
        "The map is wrong: 1",
        "Declare it: code does it",
        "read: fix the map, write: trim IAM",
    ):
        assert words in text
    assert "agree on 0 of 7 accesses now; 0 not known" not in text
    assert "agree on 0 of 7 accesses now" in text


def test_only_what_changes_the_map_rightly_is_ticked(lead_client, viewer_client, judged):
    assert ticked(lead_client.get(DRIFT).text) == {"fixmap", "gone", "unused"}
    assert ticked(viewer_client.get(DRIFT).text) == {"fixmap", "gone", "unused"}


def test_a_waived_finding_is_not_ticked(lead_client, judged):
    waive(
        judged, localdate() + timedelta(days=9), which=lambda finding: finding.service == "fixmap"
    )
    assert ticked(lead_client.get(DRIFT).text) == {"gone", "unused"}


def test_without_code_nothing_is_ticked_and_there_are_no_groups(lead_client, drifted):
    page = lead_client.get(DRIFT)
    assert ticked(page.text) == set()
    assert "The map is wrong:" not in page.text
    assert "In code" not in page.text


def test_the_owners_of_iam_get_a_list_and_a_patch_to_copy(viewer_client, judged):
    page = unescape(viewer_client.get(DRIFT).text)
    assert "orders: allow dynamodb:GetItem in the role of main (fixiam/handler.js:2)" in page
    assert "orders: remove Write (trim/serverless.yml:2)" in page
    assert "+            - dynamodb:GetItem" in page
    assert page.count('data-copy="') == 1 + len(re.findall("<summary>Patch for ", page))


def test_a_filter_by_verdict_leaves_those_findings(lead_client, judged):
    found = ticks(lead_client.get(f"{DRIFT}?verdict=trim_iam").text)
    assert {finding.service for finding in found} == {"trim"}
    found = ticks(lead_client.get(f"{DRIFT}?verdict=not_known").text)
    assert {finding.service for finding in found} == {"unread"}


def test_the_course_of_what_is_true_is_a_chart(viewer_client, judged):
    assert "Accesses on which map, IAM and code agree" not in viewer_client.get(DRIFT).text
    keep_run("fixmap read orders", code=code_usage("fixmap read orders"))
    page = viewer_client.get(DRIFT).text
    assert "Accesses on which map, IAM and code agree" in page
    assert "0 of 7" in page


def test_code_costs_one_query(lead_client, judged):
    with CaptureQueriesContext(connection) as queries:
        lead_client.get(DRIFT)
    assert len(queries) == 17 + 1
