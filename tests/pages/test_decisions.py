"""Accepting and waiving on the pages, as people do: select, preview, give a reason, confirm."""

import json
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.html import escape
from django.utils.timezone import localdate

from ownership.audit.timeline import Timeline
from ownership.audit.verification import Verification
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Access, Service, Suggestion, Table, TableGroup, Waiver
from ownership.plans.suggestion_review import Review
from ownership.plans.suggestions import take
from ownership.plans.undo import Undo
from tests.support.admin_forms import form_of
from tests.support.drift_code import code_usage
from tests.support.factories import make_access, make_service, make_table
from tests.support.owned_map import OwnedMap
from tests.support.pages import day_text, text_of
from tests.support.runs import keep_run, show, waive

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
DRIFT, ACCEPT, WAIVE = (
    reverse(f"pages:{name}") for name in ("drift", "drift-accept", "drift-waive")
)
MONTH = timedelta(days=30)
BOTS = ["undeclared_access", "orders", "bots"]
SHADOW = ["unregistered_table", "shadow", "bots"]


@pytest.fixture
def run():
    """bots writes orders, which is not declared, and reads shadow, which is not on the map."""
    make_access(make_table("orders"), make_service("payments"), mode="read")
    make_service("bots")
    return keep_run("payments read orders", "bots write orders", "bots read shadow")


def other():
    """Another lead."""
    return get_user_model().objects.create_user("other")


def is_bots(finding):
    return finding.identity == tuple(BOTS)


def look(client, address, run, *findings, at=DRIFT):
    """Select findings on the drift page, and press the button."""
    form = form_of(client.get(at))
    assert form["run"] == str(run.pk)
    return client.post(address, form | {"finding": [json.dumps(one) for one in findings]})


def confirm(client, address, page, *findings, **typed):
    """Fill in the page with the preview, and confirm."""
    form = form_of(page) | {"finding": [json.dumps(one) for one in findings], "confirmed": "1"}
    return client.post(address, form | typed, follow=True)


def previewed(page):
    """The previewed rows: kind, label, what happens, and the new values."""
    return [
        (
            preview.kind,
            preview.label,
            preview.verb,
            {change.field: change.new for change in preview.changes},
        )
        for preview in page.context["previews"]
    ]


def messages(response):
    return " ".join(map(str, response.context["messages"]))


# Accept


def test_the_preview_shows_what_would_be_written_and_writes_nothing(lead_client, run):
    before = ChangeSet.objects.count()
    page = look(lead_client, ACCEPT, run, BOTS)
    assert previewed(page) == [("access", "bots → orders", "created", {"mode": "Write"})]
    assert "Access bots → orders created" in text_of(page.text)
    assert (ChangeSet.objects.count(), Access.objects.count()) == (before, 1)
    assert list(Verification().run()) == []


def test_several_findings_are_accepted_in_one_change_set_with_reason_and_evidence(lead_client, run):
    before = ChangeSet.objects.count()
    page = look(lead_client, ACCEPT, run, BOTS, SHADOW)
    group, owner = TableGroup.objects.get(), Service.objects.get(name="payments")
    places = {"group shadow": str(group.pk), "owner shadow": str(owner.pk)}
    done = confirm(lead_client, ACCEPT, page, BOTS, SHADOW, reason="The bot's new job", **places)
    address = reverse("pages:change-set", args=[before + 1])
    assert f'2 findings accepted (<a href="{address}">revision {before + 1}</a>).' in messages(done)
    change = ChangeSet.objects.get(revision=before + 1)
    assert (change.source, change.user_name) == ("drift", "lead")
    assert change.reason.startswith(f"The bot's new job\n\nAccepted from run {run.pk} serverless")
    assert (
        "Undeclared access: bots → orders, declared: nothing; found: Write (bots/serverless.yml:2)"
        in change.reason
    )
    assert Table.objects.get(name="shadow").owner == owner
    assert show(run).findings == ()
    assert list(Verification().run()) == []


def test_without_a_reason_nothing_is_written_and_the_form_keeps_its_values(lead_client, run):
    page = look(lead_client, ACCEPT, run, SHADOW)
    again = confirm(
        lead_client, ACCEPT, page, SHADOW, **{"group shadow": str(TableGroup.objects.get().pk)}
    )
    assert "Please give a reason." in again.text
    assert form_of(again)["group shadow"] == str(TableGroup.objects.get().pk)
    assert not Table.objects.filter(name="shadow").exists()


def test_a_new_table_needs_group_and_owner(lead_client, run):
    page = look(lead_client, ACCEPT, run, SHADOW)
    assert form_of(page)["owner shadow"] == str(Service.objects.get(name="bots").pk)
    again = confirm(lead_client, ACCEPT, page, SHADOW, reason="New")
    assert "This field is required" in again.text
    assert not Table.objects.filter(name="shadow").exists()


def test_findings_settled_meanwhile_are_named_with_who_and_why(lead_client, run):
    page = look(lead_client, ACCEPT, run, BOTS, SHADOW)
    with change_set(reason="Declared by hand"):
        make_access(
            Table.objects.get(name="orders"), Service.objects.get(name="bots"), mode="write"
        )
    head = ChangeSet.objects.count()
    again = confirm(lead_client, ACCEPT, page, BOTS, SHADOW, reason="The bot's new job")
    assert again.status_code == 409
    assert "Undeclared access orders bots (revision" in again.text
    assert "Declared by hand" in again.text
    assert form_of(again)["reason"] == "The bot's new job"
    assert form_of(again)["finding"] == json.dumps(SHADOW)
    assert ChangeSet.objects.count() == head


def test_if_everything_was_settled_meanwhile_the_drift_page_says_so(lead_client, run):
    page = look(lead_client, ACCEPT, run, BOTS)
    make_access(Table.objects.get(name="orders"), Service.objects.get(name="bots"), mode="write")
    done = confirm(lead_client, ACCEPT, page, BOTS, reason="The bot's new job")
    assert "the selected findings no longer apply" in messages(done)


@pytest.mark.slow
def test_a_changed_preview_is_shown_again_before_anything_is_written(lead_client, run):
    page = look(lead_client, ACCEPT, run, BOTS)
    newer = keep_run("payments read orders", "bots read_write orders")
    again = confirm(lead_client, ACCEPT, page, BOTS, reason="The bot's new job")
    assert again.status_code == 409
    assert "something changed after this page was loaded" in again.text
    assert previewed(again) == [("access", "bots → orders", "created", {"mode": "Read + Write"})]
    assert Access.objects.count() == 1
    done = confirm(lead_client, ACCEPT, again, BOTS, reason="The bot's new job")
    assert "1 finding accepted" in messages(done)
    assert show(newer).findings == ()


def test_new_disagreement_in_another_environment_is_shown_first(lead_client, run):
    keep_run("payments read orders", environment="dev")
    here = keep_run(environment="production", services=frozenset({"payments"}))
    finding = ["access_not_granted", "orders", "payments"]
    page = lead_client.post(
        ACCEPT, {"run": here.pk, "revision": "1", "finding": json.dumps(finding)}
    )
    ((other, made),) = page.context["elsewhere"][1:]
    assert (other.environment, made.identity) == (
        "dev",
        ("undeclared_access", "orders", "payments"),
    )
    assert "serverless, dev: Undeclared access" in text_of(page.text)


def test_what_other_runs_already_find_is_not_shown_as_new(lead_client, run):
    keep_run("bots read shadow", "bots write orders", environment="dev")
    ticked = {"run": run.pk, "revision": "1", "finding": [json.dumps(BOTS), json.dumps(SHADOW)]}
    page = lead_client.post(ACCEPT, ticked)
    assert page.context["previews"]
    assert page.context["elsewhere"] == []


def test_a_table_is_deleted_only_with_the_rows_that_were_shown(lead_client, run):
    gone = ["table_not_deployed", "orders", None]
    run = keep_run(reader="dynamodb", all_tables=True)
    form = {"run": str(run.pk), "revision": "1", "finding": [json.dumps(gone)]}
    page = lead_client.post(ACCEPT, form)
    assert [label for _, label, _, _ in previewed(page)] == ["payments → orders", "orders"]
    make_access(Table.objects.get(name="orders"), Service.objects.get(name="bots"))
    again = confirm(lead_client, ACCEPT, page, gone, reason="Never deployed")
    assert again.status_code == 409
    assert Table.objects.filter(name="orders").exists()
    confirm(lead_client, ACCEPT, again, gone, reason="Never deployed")
    assert not Table.objects.filter(name="orders").exists()


def test_problems_are_shown_and_the_other_findings_can_be_accepted(lead_client, run):
    run = keep_run("payments read orders", "bots write orders", "stranger read orders")
    stranger = ["undeclared_access", "orders", "stranger"]
    page = look(lead_client, ACCEPT, run, BOTS, stranger)
    assert "The map has no service stranger" in page.text
    assert 'name="confirmed"' not in page.text
    typed = form_of(page) | {"finding": [json.dumps(BOTS)], "reason": "Half typed"}
    rest = lead_client.post(ACCEPT, typed)
    assert form_of(rest)["reason"] == "Half typed"
    assert "1 finding accepted" in messages(confirm(lead_client, ACCEPT, rest, BOTS))


# Suggest


def test_a_viewer_sends_findings_to_the_owners_and_a_lead_takes_one(
    viewer_client, lead, lead_client, run
):
    make_access(make_table("users"), make_service("members"), mode="read")
    run = keep_run(
        "payments read orders", "bots write orders", "bots read users", "members read users"
    )
    users = ["undeclared_access", "users", "bots"]
    assert "Suggest…" in viewer_client.get(DRIFT).text
    page = look(viewer_client, ACCEPT, run, BOTS, users)
    assert "Suggest to the owners" in page.text
    assert "The map does not change until they take it." in page.text
    assert "The map will be updated" not in page.text
    assert "You can undo this" not in page.text
    typed = {"reason": "Code says so", "confirmed": "suggest"}
    answer = confirm(viewer_client, ACCEPT, page, BOTS, users, **typed)
    assert "Sent as 2 suggestions, one for each owner" in messages(answer)
    assert not Access.objects.filter(service__name="bots").exists()
    suggestion = Suggestion.objects.get(about="orders")
    assert suggestion.reason.startswith("Code says so\n\nFound by run")
    suggestions = text_of(viewer_client.get("/suggestions/").text)
    assert "Code says so" in suggestions
    assert "Found by run" not in suggestions
    review = Review(suggestion)
    take(review, review.unasked, user=lead, reason="Yes")
    assert Access.objects.get(service__name="bots").mode == "write"


@pytest.mark.slow
def test_of_two_teams_the_own_part_is_accepted_after_the_rest_was_suggested(settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    ann = owned.client(owned.ann)
    run = keep_run("spare read accounts", "spare read replies")
    found = [["undeclared_access", table, "spare"] for table in ("accounts", "replies")]
    page = look(ann, ACCEPT, run, *found)
    assert "Accept 2 findings" not in text_of(page.text)
    rest = confirm(ann, ACCEPT, page, *found, reason="As found", confirmed="suggest")
    assert Suggestion.objects.get().about == "replies"
    assert "Sent as a suggestion." in messages(rest)
    assert [label for _, label, _, _ in previewed(rest)] == ["spare → accounts"]
    assert "spare → replies: suggestion 1 by ann" in text_of(rest.text)
    assert "Suggest to the owners" not in rest.text
    confirm(ann, ACCEPT, rest, *found)
    assert [access.table.name for access in owned.spare.accesses.all()] == ["accounts"]


@pytest.mark.slow
def test_a_finding_that_waits_is_left_out_with_a_link(viewer_client, run):
    page = look(viewer_client, ACCEPT, run, BOTS)
    confirm(viewer_client, ACCEPT, page, BOTS, reason="As found", confirmed="suggest")
    again = look(viewer_client, ACCEPT, run, BOTS)
    assert 'href="/suggestions/1/">suggestion 1</a>' in again.text
    assert previewed(again) == []
    assert "Suggest to the owners" not in again.text
    forced = confirm(viewer_client, ACCEPT, again, BOTS, reason="Again", confirmed="suggest")
    assert "Nothing was suggested" in messages(forced)
    assert Suggestion.objects.count() == 1


def test_viewers_accept_nothing(viewer_client, run):
    page = look(viewer_client, ACCEPT, run, BOTS)
    answer = confirm(viewer_client, ACCEPT, page, BOTS, reason="So it is")
    assert answer.status_code == 403
    assert "team leads" in answer.text
    assert not Access.objects.filter(service__name="bots").exists()


# Waive


def test_several_findings_are_waived_at_once(lead_client, run):
    page = look(lead_client, WAIVE, run, BOTS, SHADOW)
    until = localdate() + timedelta(days=20)
    done = confirm(
        lead_client, WAIVE, page, BOTS, SHADOW, reason="The old bot goes", until=str(until)
    )
    assert f"2 findings waived until {day_text(until)}" in messages(done)
    assert {waiver.until for waiver in Waiver.objects.all()} == {until}
    change = ChangeSet.objects.latest("revision")
    assert (change.source, change.user_name, change.reason) == ("drift", "lead", "The old bot goes")
    assert len(show(run).waived) == 2


@pytest.mark.parametrize(
    ("until", "message"),
    [(-1, "This day is in the past"), (500, "a year at most"), (None, "Enter a valid date")],
)
def test_an_impossible_day_is_refused_and_the_reason_stays(lead_client, run, until, message):
    page = look(lead_client, WAIVE, run, BOTS)
    day = "soon" if until is None else str(localdate() + timedelta(days=until))
    again = confirm(lead_client, WAIVE, page, BOTS, reason="The old bot goes", until=day)
    assert message in again.text
    assert form_of(again)["reason"] == "The old bot goes"
    assert not Waiver.objects.exists()


def test_a_grant_that_changed_meanwhile_is_not_waived(lead_client, run):
    page = look(lead_client, WAIVE, run, BOTS)
    keep_run("payments read orders", "bots read_write orders")
    again = confirm(
        lead_client, WAIVE, page, BOTS, reason="The old bot goes", until=str(localdate())
    )
    assert again.status_code == 409
    assert not Waiver.objects.exists()


def test_another_leads_waiver_is_shown_before_it_is_replaced(lead_client, run):
    page = look(lead_client, WAIVE, run, BOTS)
    waive(
        run,
        localdate(),
        "Mine until Friday",
        user=get_user_model().objects.create_user("other"),
        which=lambda finding: finding.identity == tuple(BOTS),
    )
    head = ChangeSet.objects.count()
    until = str(localdate() + timedelta(days=20))
    again = confirm(lead_client, WAIVE, page, BOTS, reason="The old bot goes", until=until)
    assert again.status_code == 409
    assert f"other waived this until {day_text(localdate())} (“Mine until Friday" in text_of(
        again.text
    )
    assert form_of(again)["reason"] == "The old bot goes"
    assert ChangeSet.objects.count() == head
    done = confirm(lead_client, WAIVE, again, BOTS, reason="The old bot goes", until=until)
    assert "1 finding waived" in messages(done)


# What is waived already


@pytest.fixture
def waived(run):
    """The finding about bots and orders is waived for a month."""
    return waive(
        run,
        localdate() + MONTH,
        "The old bot goes",
        user=get_user_model().objects.create_user("other"),
        which=lambda finding: finding.identity == tuple(BOTS),
    )


def test_accepting_a_waived_finding_ends_the_waiver_and_history_has_both(lead_client, run, waived):
    assert json.dumps(BOTS) in unescape(lead_client.get(DRIFT).text.partition("Waived (1)")[2])
    page = look(lead_client, ACCEPT, run, BOTS)
    until = day_text(localdate() + MONTH)
    waived_by = f"other waived this until {until} (“The old bot goes”)."
    replaced = f"{waived_by} This decision replaces that waiver."
    assert replaced in text_of(page.text)
    assert "Waiver Undeclared access: bots → orders deleted" in text_of(page.text)
    done = confirm(lead_client, ACCEPT, page, BOTS, reason="It stays after all")
    assert "1 finding accepted" in messages(done)
    assert (Waiver.objects.count(), Access.objects.filter(service__name="bots").count()) == (0, 1)
    accepted, before = Timeline.about(Table, Table.objects.get(name="orders").pk).page().groups[:2]
    assert {one.label for one in accepted.entries} == {
        "Undeclared access: bots → orders",
        "bots → orders",
    }
    assert before.change_set.reason == "The old bot goes"
    assert list(Verification().run()) == []


def test_a_waiver_made_meanwhile_is_shown_before_it_ends(lead_client, run):
    page = look(lead_client, ACCEPT, run, BOTS)
    waive(
        run,
        localdate(),
        "Mine until Friday",
        user=get_user_model().objects.create_user("other"),
        which=lambda finding: finding.identity == tuple(BOTS),
    )
    again = confirm(lead_client, ACCEPT, page, BOTS, reason="It stays after all")
    assert again.status_code == 409
    assert f"other waived this until {day_text(localdate())} (“Mine until Friday" in text_of(
        again.text
    )
    assert (Waiver.objects.count(), Access.objects.count()) == (1, 1)
    assert "1 finding accepted" in messages(
        confirm(lead_client, ACCEPT, again, BOTS, reason="It stays after all")
    )


def test_an_accepted_finding_that_comes_back_counts(lead_client, run, waived):
    confirm(
        lead_client, ACCEPT, look(lead_client, ACCEPT, run, BOTS), BOTS, reason="It stays after all"
    )
    Access.objects.get(service__name="bots").delete()
    shown = show(run)
    assert tuple(BOTS) in {one.identity for one in shown.findings}
    assert shown.waived == {}


def test_undoing_an_acceptance_restores_the_waiver(lead_client, run, waived):
    confirm(
        lead_client, ACCEPT, look(lead_client, ACCEPT, run, BOTS), BOTS, reason="It stays after all"
    )
    plan = Undo(ChangeSet.objects.count()).plan()
    plan.apply(user=None, reason="It goes nevertheless", source=ChangeSet.Source.RESTORE)
    assert [one.identity for one in show(run).waived] == [tuple(BOTS)]


def test_a_waiver_in_another_environment_stays(seeded, lead_client):
    for environment in ("dev", "production"):
        each = keep_run(
            "qr write biztechUsers", environment=environment, services=frozenset({"qr"})
        )
        waive(each, localdate(), "Both", which=lambda finding: finding.service == "qr")
    confirm_one = ["undeclared_access", "biztechUsers", "qr"]
    form = {"run": each.pk, "revision": "1", "finding": json.dumps(confirm_one)}
    confirm(
        lead_client,
        ACCEPT,
        lead_client.post(ACCEPT, form),
        confirm_one,
        reason="It stays after all",
    )
    left = Waiver.objects.filter(kind="undeclared_access")
    assert [waiver.environment.name for waiver in left] == ["dev"]


def test_accepting_that_a_table_is_not_deployed_ends_its_waiver(lead_client, run):
    gone = ["table_not_deployed", "orders", None]
    run = keep_run(reader="dynamodb", all_tables=True)
    waive(run, localdate(), "Soon", which=lambda finding: finding.identity == tuple(gone))
    form = {"run": str(run.pk), "revision": "1", "finding": [json.dumps(gone)]}
    done = confirm(
        lead_client, ACCEPT, lead_client.post(ACCEPT, form), gone, reason="Never deployed"
    )
    assert "1 finding accepted" in messages(done)
    assert (Waiver.objects.count(), Table.objects.filter(name="orders").count()) == (0, 0)
    assert list(Verification().run()) == []


# Back to the list


@pytest.mark.parametrize("address", [ACCEPT, WAIVE])
def test_a_decision_leads_back_to_the_filtered_list(lead_client, run, address):
    filtered = f"{DRIFT}?kind=undeclared_access&owner={Table.objects.get(name='orders').owner}"
    page = look(lead_client, address, run, BOTS, at=filtered)
    assert f'href="{escape(filtered)}">Cancel' in page.text
    again = confirm(lead_client, address, page, BOTS)
    assert "Please give a reason." in again.text
    done = confirm(lead_client, address, again, BOTS, reason="The old bot goes")
    assert done.redirect_chain == [(filtered, 302)]
    assert "1 finding" in messages(done)


def test_without_a_decision_the_list_stays_filtered(lead_client, run):
    filtered = f"{DRIFT}?table=orders&service=bots"
    assert look(lead_client, ACCEPT, run, at=filtered).headers["Location"] == filtered
    gone = look(lead_client, ACCEPT, run, ["undeclared_access", "nowhere", "bots"], at=filtered)
    assert gone.headers["Location"] == filtered


@pytest.mark.parametrize(
    "filters", ["//example.org/", "next=/admin/&kind=&owner=", "\r\nX: y=1", "%", "&&=&"]
)
def test_only_the_filters_are_kept(lead_client, run, filters):
    answer = lead_client.post(ACCEPT, {"run": run.pk, "filters": filters})
    assert answer.headers["Location"] == DRIFT


# Who may, and nonsense


@pytest.mark.parametrize("address", [ACCEPT, WAIVE])
def test_a_decision_has_no_past(lead_client, run, address):
    assert 'name="as_of"' not in look(lead_client, address, run, BOTS).text


def test_viewers_waive_nothing(viewer_client, run):
    form = {
        "run": run.pk,
        "finding": [json.dumps(BOTS)],
        "confirmed": "1",
        "reason": "Mine",
        "until": str(localdate()),
    }
    answer = viewer_client.post(WAIVE, form)
    assert answer.status_code == 403
    assert "team leads" in answer.text
    assert Waiver.objects.count() == 0


@pytest.mark.parametrize("address", [ACCEPT, WAIVE])
def test_strangers_must_sign_in_and_a_get_leads_to_the_drift_page(
    client, lead_client, run, address
):
    assert client.post(address, {"run": run.pk}).status_code == 302
    assert lead_client.get(address).headers["Location"] == DRIFT


@pytest.mark.parametrize("address", [ACCEPT, WAIVE])
@pytest.mark.parametrize(
    "fields",
    [
        {"run": "x"},
        {"run": "99999"},
        {"run": "9" * 30},
        {"finding": "x"},
        {"finding": "[1, 2, 3]"},
        {"finding": "[" * 5000},
        {"finding": json.dumps(["undeclared_access", "a\x00b", "bots"])},
        {"finding": json.dumps(["undeclared_access", "half of a character: \ud800", "bots"])},
        {"finding": [json.dumps(["undeclared_access", str(n), "bots"]) for n in range(201)]},
    ],
)
def test_nonsense_is_refused(lead_client, run, address, fields):
    answer = lead_client.post(address, {"run": str(run.pk), "finding": json.dumps(BOTS)} | fields)
    assert answer.status_code == 400


@pytest.mark.parametrize("address", [ACCEPT, WAIVE])
@pytest.mark.parametrize("table", ["nowhere", "x" * 5000])
def test_a_finding_that_does_not_exist_no_longer_applies(lead_client, run, address, table):
    finding = json.dumps(["undeclared_access", table, "bots"])
    answer = lead_client.post(
        address, {"run": str(run.pk), "finding": finding, "revision": "x"}, follow=True
    )
    assert "the selected findings no longer apply" in messages(answer)


def test_without_a_selection_the_page_asks_for_one(lead_client, run):
    assert "Select at least one finding first" in messages(
        lead_client.post(ACCEPT, {"run": run.pk}, follow=True)
    )


# With code


def test_accepting_against_what_code_does_has_a_warning(lead_client):
    make_access(make_table("orders"), make_service("payments"), mode="read")
    run = keep_run(services=frozenset({"payments"}), code=code_usage("payments read orders"))
    finding = ["access_not_granted", "orders", "payments"]
    page = look(lead_client, ACCEPT, run, finding)
    assert "Code reads it (payments/handler.js:1), but IAM does not permit that.\n" in page.text
    assert "<p>Accepting takes this access off the map.</p>" in page.text
    assert "fix IAM" in page.text


def test_an_indirect_use_is_previewed_and_accepted_with_its_path(lead_client):
    make_table("orders")
    make_service("bots")
    run = keep_run("bots read orders", code=code_usage("bots read orders indirectly"))
    page = look(lead_client, ACCEPT, run, BOTS)
    path = "Reads by way of bots/handler.js#main > lib/db.js#call"
    assert previewed(page) == [
        ("access", "bots → orders", "created", {"mode": "Read", "indirect": "yes", "notes": path})
    ]
    assert "Code says otherwise" not in page.text
    confirm(lead_client, ACCEPT, page, BOTS, reason="It is so")
    access = Access.objects.get()
    assert (access.indirect, access.notes) == (True, path)
    assert "in code: Read; fix the map" in ChangeSet.objects.latest("revision").reason
