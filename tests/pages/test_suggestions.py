"""The pages of suggestions: what one would write now, for whom it waits, and what became of it."""

from datetime import timedelta

import pytest

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import Suggestion, Table
from ownership.plans.division import divide, parts_by_owner
from ownership.plans.plan import Plan
from ownership.plans.steps import Step, copy_of
from ownership.plans.suggestions import suggest
from tests.support.admin_forms import form_of
from tests.support.factories import make_access, make_service, make_suggestion, make_table
from tests.support.owned_map import OwnedMap
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture
def orders(db) -> Table:
    return make_table("orders", description="Old", owner=make_service("payments"))


def edit(row, **fields) -> None:
    with change_set(reason="Meanwhile"):
        row.refresh_from_db()
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


def act(client, suggestion, act, **fields):
    """Open the suggestion's page and press a button, with these fields besides what the page holds."""
    url = suggestion.get_absolute_url()
    fields = {"fingerprint": form_of(client.get(url)).get("fingerprint", "")} | fields
    return client.post(url, fields | {"act": act})


def state(suggestion) -> str:
    return Suggestion.objects.get(pk=suggestion.pk).state


@pytest.mark.slow
def test_the_page_shows_what_it_would_write_and_taking_it_names_both_people(lead_client, orders):
    suggestion = make_suggestion(orders, description="New", more_title="Handbook")
    page = lead_client.get(suggestion.get_absolute_url())
    assert "description Old New" in text_of(page.text)
    form = form_of(page)
    assert form["reason"] == "It is so"
    response = act(
        lead_client, suggestion, "take", reason="Yes", take=["0.description", "0.more_title"]
    )
    orders.refresh_from_db()
    assert (orders.description, orders.more_title) == ("New", "Handbook")
    page = text_of(lead_client.get(response["Location"]).text)
    assert "Taken as revision" in page
    change = ChangeSet.objects.first()
    for url in (
        f"/changes/{change.revision}/",
        orders.get_absolute_url(),
        "/changes/?user=suggester",
    ):
        assert "suggested by suggester, approved by lead" in text_of(lead_client.get(url).text)
    log = b"".join(lead_client.get("/changes/?format=csv")).decode()
    assert ",lead,suggester,suggestion,Yes," in log
    assert (
        "suggested by suggester, approved by lead" in lead_client.get("/api/v1/changes/atom/").text
    )


def test_some_of_it_can_be_taken(lead_client, orders):
    suggestion = make_suggestion(orders, description="New", more_title="Handbook")
    part = {"reason": "Yes", "take": ["0.more_title"]}
    page = text_of(act(lead_client, suggestion, "take", **part).text)
    assert "Say why you leave the rest out" in page
    assert state(suggestion) == "open"
    act(lead_client, suggestion, "take", **part, rest="Old is right")
    orders.refresh_from_db()
    assert (orders.description, orders.more_title, state(suggestion)) == (
        "Old",
        "Handbook",
        "in_part",
    )


@pytest.mark.slow
def test_what_was_not_taken_stays_visible_with_the_reason_and_is_suggested_again(
    lead_client, viewer_client, viewer, orders
):
    suggestion = make_suggestion(orders, viewer, description="New", more_title="Handbook")
    part = {"reason": "Yes", "take": ["0.more_title"], "rest": "Old is right"}
    act(lead_client, suggestion, "take", **part)
    edit(orders, description="Of later", more_title="Of later")
    page = text_of(viewer_client.get(suggestion.get_absolute_url()).text)
    assert "Taken in part Yes Not taken: Old is right" in page
    left = page.split("What was not taken")[1].split("What was suggested")[0]
    assert "Table orders not taken" in left
    assert "description Old New" in left
    assert "Handbook" not in left
    assert "Taken in part" in text_of(viewer_client.get("/suggestions/mine/").text)
    assert "orders" in text_of(viewer_client.get("/suggestions/?state=in_part").text)
    act(viewer_client, suggestion, "again")
    again = Suggestion.objects.get(number=2)
    assert again.steps[0]["changes"]["description"] == ["Of later", "New"]


def test_nothing_is_taken_by_an_empty_selection_or_without_a_reason(lead_client, orders):
    suggestion = make_suggestion(orders, description="New")
    assert "Select at least one" in act(lead_client, suggestion, "take", reason="Yes").text
    assert (
        "give a reason"
        in act(lead_client, suggestion, "take", reason="", take=["0.description"]).text
    )
    assert state(suggestion) == "open"


def test_a_conflict_is_shown_as_then_suggested_and_now_and_is_not_ticked(lead_client, orders):
    suggestion = make_suggestion(orders, description="New")
    edit(orders, description="Theirs")
    page = lead_client.get(suggestion.get_absolute_url())
    text = text_of(page.text)
    assert "description Theirs only if selected New" in text
    assert "It was “Old” when this was suggested; revision" in text
    assert "checked" not in page.text
    act(lead_client, suggestion, "take", reason="Yes", conflicts=["0.description"])
    orders.refresh_from_db()
    assert orders.description == "New"


def test_what_changed_while_the_page_was_open_is_shown_and_nothing_is_written(lead_client, orders):
    suggestion = make_suggestion(orders, description="New")
    fingerprint = form_of(lead_client.get(suggestion.get_absolute_url()))["fingerprint"]
    edit(orders, description="Theirs")
    fields = {"fingerprint": fingerprint, "reason": "Yes", "take": ["0.description"]}
    response = act(lead_client, suggestion, "take", **fields)
    assert response.status_code == 409
    assert "Nothing was written" in response.text
    assert state(suggestion) == "open"


def test_the_second_of_two_answers_is_told_of_the_first(lead_client, admin_client, orders):
    suggestion = make_suggestion(orders, description="New")
    fingerprint = form_of(admin_client.get(suggestion.get_absolute_url()))["fingerprint"]
    fields = {"reason": "Yes", "take": ["0.description"]}
    act(lead_client, suggestion, "take", **fields)
    response = act(admin_client, suggestion, "take", **fields, fingerprint=fingerprint)
    assert response.status_code == 409
    page = text_of(response.text)
    assert "Nothing was written. This suggestion was answered, or has lapsed." in page
    assert "Review it, then take it" not in page


def test_a_lead_of_another_team_is_told_which_team_may_answer(settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    suggestion = make_suggestion(owned.accounts)
    response = act(owned.client(owned.ben), suggestion, "decline", **{"decline-reason": "No"})
    assert response.status_code == 403
    assert "Only members of Money may take or decline it." in text_of(response.text)


def test_blockers_are_named(lead_client, orders):
    bots = make_service("bots")
    suggestion = make_suggestion(orders, owner=bots)
    bots.delete()
    page = lead_client.get(suggestion.get_absolute_url())
    assert "its owner bots has been deleted" in text_of(page.text)
    response = act(lead_client, suggestion, "take", reason="Yes", take=["0.owner"])
    assert "Nothing was written. orders: its owner bots has been deleted" in text_of(response.text)


@pytest.mark.slow
def test_a_hand_over_by_a_stranger_is_passed_on_to_the_other_team(viewer_client, viewer, settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    suggestion = make_suggestion(owned.accounts, viewer, owner=owned.bot)
    assert "waits for Money (#money)" in text_of(
        viewer_client.get(suggestion.get_absolute_url()).text
    )
    ann = owned.client(owned.ann)
    page = text_of(ann.get(suggestion.get_absolute_url()).text)
    assert "accounts: would belong to Bots, which must agree to that." in page
    response = act(ann, suggestion, "pass_on", reason="Bots keep them", take=["0.owner"])
    assert state(suggestion) == "passed_on"
    ben = owned.client(owned.ben)
    asked = Suggestion.objects.get(number=2)
    assert response["Location"] == asked.get_absolute_url()
    page = text_of(ben.get("/mine/").text)
    assert "Hand-overs to agree to 1 accounts Hand-over Bots keep them (Suggestion 1, by" in page
    page = text_of(viewer_client.get(suggestion.get_absolute_url()).text)
    assert "The other team was asked in suggestion 2 : no answer yet." in page
    assert "Suggest again" not in page
    act(ben, asked, "take", reason="Yes", take=["0.owner"])
    page = text_of(viewer_client.get(suggestion.get_absolute_url()).text)
    assert "The other team was asked in suggestion 2 : taken." in page
    owned.accounts.refresh_from_db()
    assert owned.accounts.owner == owned.bot


@pytest.mark.slow
def test_passing_on_a_part_asks_why_not_the_rest_and_shows_it(viewer, settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    steps = []
    for table in (owned.accounts, owned.receipts):
        before = Table.objects.get(pk=table.pk)
        after = copy_of(before)
        after.owner = owned.bot
        steps.append(Step(before, after))
    parts = parts_by_owner(steps, viewer)
    [suggestion] = suggest(parts, user=viewer, reason="x", revision=current_head().revision)
    ann = owned.client(owned.ann)
    part = {"reason": "Fine", "take": ["0.owner"]}
    assert "Say why you leave the rest out" in act(ann, suggestion, "pass_on", **part).text
    act(ann, suggestion, "pass_on", **part, rest="We need it")
    page = text_of(ann.get(suggestion.get_absolute_url()).text)
    assert "Not passed on: We need it" in page
    left = page.split("What was not taken")[1].split("What was suggested")[0]
    assert "receipts" in left
    assert "accounts" not in left


@pytest.mark.slow
def test_an_import_with_a_hand_over_is_answered_part_by_part(viewer, settings):
    """Of somebody in neither team: what is handed over waits apart from the owner's other changes."""
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    given, other = (Table.objects.get(pk=row.pk) for row in (owned.accounts, owned.receipts))
    steps = [Step(given, copy_of(given)), Step(other, copy_of(other))]
    steps[0].after.owner = owned.bot
    steps[1].after.description = "New"
    parts = divide(Plan(steps, current_head().revision), viewer).parts
    hand_over, change = suggest(parts, user=viewer, reason="x", revision=current_head().revision)
    ann = owned.client(owned.ann)
    act(ann, hand_over, "pass_on", reason="Fine", take=["0.owner"])
    assert (state(hand_over), state(change)) == ("passed_on", "open")
    act(ann, change, "take", reason="Yes", take=["0.description"])
    assert state(change) == "taken"


def test_the_list_says_which_teams_suggestions_wait_for(viewer_client):
    owned = OwnedMap()
    make_suggestion(owned.accounts)
    for address in ("/suggestions/", "/suggestions/?state=waiting"):
        assert "waits for Money · until" in text_of(viewer_client.get(address).text)
    of_nobody = make_suggestion(owned.loose)
    for address in ("/suggestions/", of_nobody.get_absolute_url()):
        assert "waits for any team lead" in text_of(viewer_client.get(address).text)


def test_declining_says_why(lead_client, viewer_client, viewer, orders):
    suggestion = make_suggestion(orders, viewer, description="New")
    assert "give a reason" in act(lead_client, suggestion, "decline").text
    act(lead_client, suggestion, "decline", **{"decline-reason": "It is not"})
    page = text_of(viewer_client.get(suggestion.get_absolute_url()).text)
    assert "Declined It is not lead" in page
    assert "Suggest again" in page


def test_a_viewer_withdraws_their_own_and_does_nothing_else(viewer_client, viewer, orders):
    own, other = make_suggestion(orders, viewer), make_suggestion(orders)
    assert act(viewer_client, other, "withdraw").status_code == 403
    assert act(viewer_client, own, "take", reason="Yes", take=["0.description"]).status_code == 403
    assert act(viewer_client, other, "decline", **{"decline-reason": "No"}).status_code == 403
    act(viewer_client, own, "withdraw")
    assert (state(own), state(other)) == ("withdrawn", "open")


def test_nobody_takes_their_own(lead_client, lead, orders):
    own = make_suggestion(orders, lead)
    assert "Take what is selected" not in lead_client.get(own.get_absolute_url()).text
    assert act(lead_client, own, "take", reason="Yes", take=["0.description"]).status_code == 403


def test_a_lapsed_one_can_t_be_taken_and_is_suggested_again_in_one_click(
    viewer_client, lead_client, viewer, orders, monkeypatch
):
    suggestion = make_suggestion(orders, viewer, description="New")
    after = suggestion.until.replace(year=2100)
    monkeypatch.setattr("ownership.models.suggestions.localdate", lambda: after)
    assert "has lapsed" in lead_client.get(suggestion.get_absolute_url()).text
    act(lead_client, suggestion, "take", reason="Yes", take=["0.description"])
    orders.refresh_from_db()
    assert orders.description == "Old"
    assert "orders" in text_of(viewer_client.get("/suggestions/?state=lapsed").text)
    response = act(viewer_client, suggestion, "again")
    assert response["Location"] == "/suggestions/2/"


def test_the_list_has_those_that_wait_for_the_reader_first(lead_client, lead, orders):
    make_suggestion(orders, lead, description="Mine")
    make_suggestion(make_access(orders, make_service("bots")), mode="write")
    page = text_of(lead_client.get("/suggestions/").text)
    assert page.index("Waiting for you") < page.index("Your own")
    assert "Waiting for others" not in page
    assert "It is so lead" not in page.split("Your own")[0]


def test_who_is_in_no_team_finds_their_own_first_what_waits_then_the_answers(
    viewer_client, viewer, lead_client, orders
):
    declined = make_suggestion(orders, viewer, description="First")
    make_suggestion(orders, viewer, description="Second")
    make_suggestion(orders, description="Of somebody else")
    act(lead_client, declined, "decline", **{"decline-reason": "It is old on purpose"})
    for page in (viewer_client.get("/mine/"), viewer_client.get("/")):
        assert 'href="/suggestions/mine/"' in page.text
    page = text_of(viewer_client.get("/suggestions/mine/").text)
    assert page.index("Waiting") < page.index("Second") < page.index("Closed")
    assert page.index("Closed") < page.index("First") < page.index("It is old on purpose")
    assert "Of somebody else" not in page
    assert "My suggestions 1" in text_of(viewer_client.get("/mine/").text)


def test_what_lapsed_is_among_ones_own_with_the_day(viewer_client, viewer, orders, monkeypatch):
    suggestion = make_suggestion(orders, viewer)
    monkeypatch.setattr(
        "ownership.models.suggestions.localdate", lambda: suggestion.until + timedelta(days=1)
    )
    page = text_of(viewer_client.get("/suggestions/mine/").text)
    assert "Lapsed" in page.split("Closed")[1]
    assert "Nobody answered until" in page


@pytest.mark.slow
def test_tables_services_and_home_say_how_many_wait(lead_client, orders):
    one = make_suggestion(orders, description="New")
    assert (
        f'href="{one.get_absolute_url()}">1 suggestion waits'
        in lead_client.get(orders.get_absolute_url()).text
    )
    make_suggestion(orders, description="Newer")
    assert "2 suggestions wait" in lead_client.get(orders.get_absolute_url()).text
    assert "2 suggestions wait for you" in text_of(lead_client.get("/").text)
    make_suggestion(orders.owner, contact="#pay")
    assert "1 suggestion waits" in lead_client.get(orders.owner.get_absolute_url()).text
    assert text_of(lead_client.get("/suggestions/?service=payments").text).count("suggester ·") == 1


def test_undoing_what_was_taken_leaves_the_answer(lead_client, orders):
    suggestion = make_suggestion(orders, description="New")
    act(lead_client, suggestion, "take", reason="Yes", take=["0.description"])
    undo = f"/admin/ownership/changeset/{ChangeSet.objects.first().revision}/undo/"
    form = form_of(lead_client.get(undo))
    lead_client.post(undo, form | {"reason": "No"})
    orders.refresh_from_db()
    assert (orders.description, state(suggestion)) == ("Old", "taken")


def test_a_comparison_says_what_changed_on_the_map_and_not_what_was_suggested(lead_client, orders):
    address = f"/compare/?from={ChangeSet.objects.first().revision}"
    suggestion = make_suggestion(orders, description="New")
    assert "orders" not in lead_client.get(address).text.split("<main")[1]
    act(lead_client, suggestion, "take", reason="Yes", take=["0.description"])
    page = lead_client.get(address).text.split("<main")[1]
    assert "orders" in page
    assert "uggestion" not in page


def test_making_a_suggestion_can_t_be_undone(lead_client, orders):
    make_suggestion(orders)
    revision = ChangeSet.objects.first().revision
    assert "Undo" not in lead_client.get(f"/changes/{revision}/").text
    assert lead_client.get(f"/admin/ownership/changeset/{revision}/undo/").status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "/suggestions/99/",
        f"/suggestions/{10**30}/",
        "/suggestions/?state=odd",
        "/suggestions/?revision=0",
    ],
)
def test_nonsense_is_refused(viewer_client, url):
    assert viewer_client.get(url).status_code in (400, 404)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 12])
def test_pages_take_a_fixed_number_of_queries(lead_client, orders, rows, django_assert_num_queries):
    for number in range(rows):
        access = make_access(orders, notes="a")
        make_suggestion(access, notes=f"b {number}")
    lead_client.get("/suggestions/")
    with django_assert_num_queries(9):
        lead_client.get("/suggestions/")
    with django_assert_num_queries(7):
        lead_client.get("/suggestions/?state=all")
