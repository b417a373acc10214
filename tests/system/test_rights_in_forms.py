"""Rights that follow the owner, in the admin's forms and in what pages offer: nothing that was entered is lost."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.history.change_sets import change_set
from ownership.models import Access, Membership, Service, Suggestion, Table
from tests.support.admin_forms import change_url, form_of, open_form, save_form
from tests.support.factories import make_access, make_table
from tests.support.owned_map import revisions
from tests.support.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # rights are decided in Python

BELONGS = "replies belongs to Bots: only its members may change it."


@pytest.mark.slow
def test_a_lead_edits_what_the_team_owns_as_ever(owned, ann):
    form = open_form(ann, owned.receipts)
    assert save_form(ann, owned.receipts, form | {"description": "Slips."}).status_code == 302
    assert open_form(ann, owned.used)["notes"] == ""
    assert (
        save_form(ann, owned.used, open_form(ann, owned.used) | {"notes": "Ours."}).status_code
        == 302
    )
    assert (
        save_form(ann, owned.till, open_form(ann, owned.till) | {"contact": "#till"}).status_code
        == 302
    )


@pytest.mark.slow
def test_the_form_of_another_teams_row_can_only_be_read_and_says_whose_it_is(owned, ann):
    for row, says in (
        (owned.replies, BELONGS),
        (owned.bot, "bot belongs to Bots"),
        (owned.bots, "leads of Bots"),
    ):
        page = ann.get(change_url(row))
        assert 'name="_save"' not in page.text
        assert says in text_of(page.text)
    suggest = reverse("admin:ownership_table_suggest", args=[owned.replies.pk])
    assert suggest in ann.get(change_url(owned.replies)).text
    assert 'name="_save"' in owned.client(owned.ben).get(change_url(owned.replies)).text


@pytest.mark.slow
def test_pages_lead_to_the_forms_of_the_own_teams_rows_alone(owned, ann):
    """Ann may edit what Money owns, and the access of its wallet to a table of Bots."""
    make_access(owned.replies, owned.spare)
    confirm = f'href="{reverse("pages:confirm")}?table='
    page = ann.get(owned.replies.get_absolute_url()).text
    assert re.findall(r'aria-label="Edit ([^"]*)"', page) == ["wallet → replies"]
    assert confirm not in page
    page = ann.get(owned.accounts.get_absolute_url()).text
    assert re.findall(r'aria-label="Edit ([^"]*)"', page) == ["bot → accounts"]
    assert confirm in page
    page = ann.get(owned.bot.get_absolute_url()).text
    assert re.findall(r'aria-label="Edit ([^"]*)"', page) == ["bot → accounts"]


@pytest.mark.slow
def test_which_accesses_may_be_edited_takes_as_many_queries_for_many(owned, ann):
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            ann.get(owned.bot.get_absolute_url())
        counts.append(len(captured))
        with change_set(user=owned.root, reason="Many"):
            for _ in range(20):
                make_access(make_table(owner=owned.spare), owned.bot)
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_a_form_that_was_opened_before_the_table_went_to_another_team_is_refused_and_kept(
    owned, ann
):
    form = open_form(ann, owned.accounts) | {"description": "Still mine."}
    owned.hand_over(owned.accounts, owned.bot)
    head = revisions()
    page = save_form(ann, owned.accounts, form)
    assert revisions() == head
    assert form_of(page)["description"] == "Still mine."
    # Sent again after the conflict was seen, it says whose the table is, and offers to suggest.
    page = save_form(ann, owned.accounts, form_of(page))
    assert "accounts belongs to Bots: only its members may change it." in text_of(page.text)
    assert revisions() == head
    suggest = reverse("admin:ownership_table_suggest", args=[owned.accounts.pk])
    assert f'formaction="{suggest}" value="Suggest this change instead"' in page.text
    done = ann.post(suggest, form_of(page) | {"reason": "It was ours"})
    assert done.status_code == 302
    assert Suggestion.objects.get().about
    assert Table.objects.get(name="accounts").owner == owned.bot


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["wallet", "spare", "bot"])
def test_a_former_owner_does_not_get_a_table_back_by_the_form(owned, ann, owner):
    owned.hand_over(owned.accounts, owned.bot)
    form = open_form(owned.client(owned.root), owned.accounts)
    form["owner"] = str(Service.objects.get(name=owner).pk)
    form["name"] = "renamed"
    assert save_form(ann, owned.accounts, form).status_code == 200
    assert Table.objects.get(pk=owned.accounts.pk).owner == owned.bot
    assert not Table.objects.filter(name="renamed").exists()


@pytest.mark.slow
def test_giving_a_table_away_alone_is_refused_and_offered_as_a_suggestion(owned, ann):
    form = open_form(ann, owned.accounts) | {"owner": str(owned.bot.pk)}
    page = save_form(ann, owned.accounts, form)
    assert "accounts would belong to Bots, which must agree to that." in text_of(page.text)
    assert form_of(page)["owner"] == str(owned.bot.pk)
    assert "Suggest this change instead" in page.text
    assert Table.objects.get(name="accounts").owner == owned.wallet


def test_a_form_with_an_error_stays_one_to_fill_in_though_it_gives_the_table_away(owned, ann):
    form = open_form(ann, owned.accounts) | {"owner": owned.bot.pk, "description": "Typed"}
    page = save_form(ann, owned.accounts, form, reason="")
    assert "Please give a reason." in text_of(page.text)
    assert form_of(page)["description"] == "Typed"
    assert form_of(page)["owner"] == str(owned.bot.pk)
    assert "belongs to Bots" not in text_of(page.text)


def inline(form: dict[str, str], **fields: str) -> dict[str, str]:
    number = int(form["accesses-TOTAL_FORMS"])
    rows = {f"accesses-{number}-{name}": value for name, value in fields.items()}
    return form | rows | {"accesses-TOTAL_FORMS": str(number + 1)}


@pytest.mark.slow
def test_inline_rows_of_another_table_are_neither_added_moved_nor_taken_over(owned, ann):
    head = revisions()
    root = owned.client(owned.root)
    theirs = open_form(root, owned.replies)
    added = inline(theirs, service=str(owned.wallet.pk), mode="write", position="9")
    assert save_form(ann, owned.replies, added).status_code == 200
    # A row of another table, named by its id in one's own form.
    other = str(Access.objects.create(table=owned.replies, service=owned.bot, mode="read").pk)
    mine = open_form(ann, owned.accounts)
    moved = inline(
        mine,
        id=other,
        service=str(owned.wallet.pk),
        mode="write",
        position="9",
        table=str(owned.accounts.pk),
    )
    save_form(
        ann, owned.accounts, moved | {"accesses-INITIAL_FORMS": moved["accesses-TOTAL_FORMS"]}
    )
    row = Access.objects.get(pk=other)
    assert (row.table, row.service, row.mode) == (owned.replies, owned.bot, "read")
    assert revisions() == head + 1  # the access that this test made


@pytest.mark.slow
def test_an_access_of_another_team_is_neither_edited_nor_added_in_the_list_of_accesses(owned, ann):
    root = owned.client(owned.root)
    theirs = Access.objects.create(table=owned.replies, service=owned.bot, mode="read")
    head = revisions()
    form = open_form(root, theirs)
    for fields in ({"mode": "write"}, {"service": str(owned.wallet.pk)}):
        assert save_form(ann, theirs, form | fields).status_code == 200
    add = {"table": str(owned.replies.pk), "mode": "read", "position": "0", "reason": "Because"}
    page = ann.post("/admin/ownership/access/add/", add | {"service": str(owned.spare.pk)})
    assert "spare → replies would belong to Bots" in text_of(page.text)
    assert form_of(page)["service"] == str(owned.spare.pk)
    assert revisions() == head
    own = ann.post("/admin/ownership/access/add/", add | {"service": str(owned.till.pk)})
    assert own.status_code == 302


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "mine"},
        {"part_of": "wallet"},
        {"team": "Money"},
        {"part_of": "wallet", "team": ""},
        {"aliases": "x"},
    ],
    ids=["rename", "part of mine", "team", "part of mine without a team", "alias"],
)
def test_another_teams_service_is_not_taken_over(owned, ann, fields):
    ids = {"wallet": str(owned.wallet.pk), "Money": str(owned.money.pk)}
    form = open_form(owned.client(owned.root), owned.bot)
    form |= {name: ids.get(value, value) for name, value in fields.items()}
    head = revisions()
    assert save_form(ann, owned.bot, form).status_code == 200
    assert revisions() == head


@pytest.mark.slow
def test_teams_are_edited_by_their_leads_alone_and_added_by_administrators(owned, ann):
    head = revisions()
    root = owned.client(owned.root)
    joining = open_form(root, owned.bots) | {
        "memberships-1-user": "ann",
        "memberships-1-is_lead": "on",
    }
    assert save_form(ann, owned.bots, joining).status_code == 200
    assert ann.get("/admin/ownership/team/add/").status_code == 403
    assert (
        ann.post("/admin/ownership/team/add/", {"name": "Mine", "reason": "x"}).status_code == 403
    )
    assert revisions() == head
    assert not Membership.objects.filter(team=owned.bots, user=owned.ann).exists()
    member = owned.client(owned.member)
    own = open_form(root, owned.money) | {"contact": "#x"}
    assert save_form(member, owned.money, own).status_code == 200
    assert save_form(ann, owned.money, own).status_code == 302
    assert save_form(root, owned.bots, joining).status_code == 302


@pytest.mark.slow
def test_a_teams_form_takes_neither_members_nor_services_of_another_team(owned, ann):
    of_ben = Membership.objects.get(user=owned.ben)
    taking = open_form(ann, owned.money) | {
        "memberships-0-id": of_ben.pk,
        "memberships-0-team": owned.money.pk,
        "memberships-0-user": "ben",
        "services": owned.bot.pk,
        "services_and_link": owned.bot.pk,
    }
    head = revisions()
    save_form(ann, owned.money, taking)
    services_alone = open_form(ann, owned.money) | {"services": owned.bot.pk}
    save_form(ann, owned.money, services_alone)
    delete = reverse("admin:ownership_team_delete", args=[owned.bots.pk])
    ann.post(delete, {"post": "yes", "reason": "x", "revision": str(head)})
    assert revisions() == head


# Pages


@pytest.mark.slow
def test_pages_offer_editing_to_those_who_may_and_suggesting_to_others(owned, ann):
    for address, row, is_mine in (
        ("/tables/accounts/", owned.accounts, True),
        ("/tables/replies/", owned.replies, False),
        ("/services/till/", owned.till, True),
        ("/services/bot/", owned.bot, False),
        ("/teams/Money/", owned.money, True),
        ("/teams/Bots/", owned.bots, False),
    ):
        page = ann.get(address).text.split("<main")[1]
        assert (f'href="{change_url(row)}?next' in page) == is_mine, address
        offers_to_suggest = change_url(row).replace("/change/", "/suggest/") in page
        assert offers_to_suggest == (not is_mine and row is not owned.bots), address


def test_without_the_setting_nothing_says_whose_a_row_is(owned, ann, settings):
    settings.RIGHTS_FOLLOW_OWNER = False
    page = ann.get(change_url(owned.replies))
    assert 'name="_save"' in page.text
    assert "only its members" not in page.text
    assert save_form(ann, owned.replies, form_of(page) | {"description": "x"}).status_code == 302
