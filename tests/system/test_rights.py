"""Rights that follow the owner, from every page that writes: what another team owns stays as it is, and nothing that
was entered is lost. Also when two people write at once.
"""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ownership.audit.verification import Verification
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Access, Membership, Service, Suggestion, Table, Team, Waiver
from tests.support.admin_forms import answer, change_url, form_of, open_form, save_form
from tests.support.factories import make_access, make_member, make_table, make_waiver
from tests.support.owned_map import OwnedMap
from tests.support.pages import text_of
from tests.support.runs import keep_run
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db

TABLES = "/admin/ownership/table/"
SERVICES = "/admin/ownership/service/"
BELONGS = "replies belongs to Bots: only its members may change it."


@pytest.fixture
def owned(db, settings) -> OwnedMap:
    settings.RIGHTS_FOLLOW_OWNER = True
    return OwnedMap()


@pytest.fixture
def ann(owned) -> Client:
    """Signed in as a lead of Money, who tries to change what Bots owns."""
    return owned.client(owned.ann)


def revisions() -> int:
    return ChangeSet.objects.count()


def hand_over(owned: OwnedMap, table: Table, owner: Service) -> None:
    with change_set(user=owned.root, reason="Agreed", source="admin"):
        table.owner = owner
        table.save()


# Forms


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


def test_a_form_that_was_opened_before_the_table_went_to_another_team_is_refused_and_kept(
    owned, ann
):
    form = open_form(ann, owned.accounts) | {"description": "Still mine."}
    hand_over(owned, owned.accounts, owned.bot)
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


@pytest.mark.parametrize("owner", ["wallet", "spare", "bot"])
def test_a_former_owner_does_not_get_a_table_back_by_the_form(owned, ann, owner):
    hand_over(owned, owned.accounts, owned.bot)
    form = open_form(owned.client(owned.root), owned.accounts)
    form["owner"] = str(Service.objects.get(name=owner).pk)
    form["name"] = "renamed"
    assert save_form(ann, owned.accounts, form).status_code == 200
    assert Table.objects.get(pk=owned.accounts.pk).owner == owned.bot
    assert not Table.objects.filter(name="renamed").exists()


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


# Deleting, many rows at once, undo


def test_deleting_another_teams_row_is_refused_with_whose_it_is(owned, ann):
    for row in (
        owned.replies,
        Access.objects.create(table=owned.replies, service=owned.bot, mode="read"),
        owned.bots,
    ):
        url = change_url(row).replace("/change/", "/delete/")
        page = ann.get(url)
        assert page.status_code == 403
        assert "Bots" in text_of(page.text)
        assert (
            ann.post(url, {"post": "yes", "reason": "x", "revision": str(revisions())}).status_code
            == 403
        )
        assert type(row).objects.filter(pk=row.pk).exists()


def test_deleting_many_rows_of_which_one_is_another_teams_deletes_none(owned, ann):
    action = {
        "action": "delete_selected",
        "_selected_action": [owned.accounts.pk, owned.replies.pk],
    }
    confirmed = {"post": "yes", "reason": "x", "revision": str(revisions())}
    ann.post(TABLES, action)
    ann.post(TABLES, action | confirmed)
    assert Table.objects.filter(name__in=["accounts", "replies"]).count() == 2


def test_a_bulk_edit_names_what_is_another_teams_and_writes_nothing(owned, ann):
    selected = {"action": "edit_tables", "_selected_action": [owned.accounts.pk, owned.replies.pk]}
    page = ann.post(TABLES, selected)
    preview = ann.post(TABLES, answer(page) | selected | {"preview": "yes", "owner": owned.till.pk})
    assert "replies: belongs to Bots: only its members may change it." in text_of(preview.text)
    head = revisions()
    done = ann.post(TABLES, answer(preview) | selected | {"apply": "Apply", "reason": "x"})
    assert "Nothing was changed. replies belongs to Bots" in text_of(done.text)
    assert revisions() == head


def test_a_bulk_edit_is_suggested_where_it_is_another_teams_and_the_rest_is_left_to_apply(
    owned, ann
):
    selected = {"action": "edit_tables", "_selected_action": [owned.accounts.pk, owned.replies.pk]}
    page = ann.post(TABLES, selected)
    preview = ann.post(TABLES, answer(page) | selected | {"preview": "yes", "owner": owned.till.pk})
    assert 'name="apply"' not in preview.text
    done = ann.post(TABLES, answer(preview) | selected | {"suggest": "Suggest", "reason": "Tills"})
    assert "Sent as a suggestion. View" in text_of(done.text)
    assert Table.objects.filter(owner=owned.till).count() == 1  # receipts
    suggestion = Suggestion.objects.get()
    assert (suggestion.about, suggestion.reason) == ("replies", "Tills")
    left = form_of(done)
    assert left["_selected_action"] == str(owned.accounts.pk)
    assert left["reason"] == "Tills"
    ann.post(TABLES, left | {"apply": "Apply"})
    owned.accounts.refresh_from_db()
    assert owned.accounts.owner == owned.till
    ben = owned.client(owned.ben)
    take = form_of(ben.get(suggestion.get_absolute_url()))
    ben.post(suggestion.get_absolute_url(), take | {"act": "take", "take": ["0.owner"]})
    owned.replies.refresh_from_db()
    assert owned.replies.owner == owned.till


def test_a_new_table_of_another_teams_service_is_refused_and_offered_as_a_suggestion(owned, ann):
    add = f"{TABLES}add/"
    form = form_of(ann.get(add)) | {
        "name": "bills",
        "group": owned.replies.group_id,
        "owner": owned.bot.pk,
        "reason": "Bots bill",
    }
    page = ann.post(add, form)
    assert "would belong to Bots, which must agree to that." in text_of(page.text)
    assert f'formaction="{TABLES}suggest/"' in page.text
    assert ann.post(f"{TABLES}suggest/", form_of(page)).status_code == 302
    suggestion = Suggestion.objects.get()
    assert not Table.objects.filter(name="bills").exists()
    ben = owned.client(owned.ben)
    take = form_of(ben.get(suggestion.get_absolute_url()))
    ben.post(suggestion.get_absolute_url(), take | {"act": "take", "take": ["0", "1"]})
    assert Table.objects.get(name="bills").owner == owned.bot


def test_giving_many_tables_away_asks_the_team_that_would_get_them(owned, ann):
    selected = {"action": "edit_tables", "_selected_action": [owned.accounts.pk]}
    page = ann.post(TABLES, selected)
    preview = ann.post(TABLES, form_of(page) | {"preview": "yes", "owner": owned.bot.pk})
    done = ann.post(TABLES, form_of(preview) | {"suggest": "Suggest", "reason": "x"})
    assert done.status_code == 302
    assert Suggestion.objects.get().kind == "hand_over"


def test_giving_services_to_another_team_asks_that_team_and_the_rest_is_left_to_apply(owned, ann):
    selected = {
        "action": "set_team",
        "_selected_action": [owned.wallet.pk, owned.spare.pk, owned.bot.pk],
    }
    page = ann.post(SERVICES, selected)
    page = ann.post(SERVICES, answer(page) | selected | {"preview": "yes", "team": owned.money.pk})
    assert "bot: belongs to Bots: only its members may change it." in text_of(page.text)
    page = ann.post(SERVICES, answer(page) | selected | {"suggest": "Suggest", "reason": "Ours"})
    assert "Sent as a suggestion." in text_of(page.text)
    assert Suggestion.objects.get().about == "bot"
    selected["_selected_action"] = [owned.spare.pk]
    ann.post(SERVICES, answer(page) | selected | {"apply": "Apply", "reason": "Ours"})
    teams = dict(Service.objects.values_list("name", "team__name"))
    assert (teams["spare"], teams["bot"]) == ("Money", "Bots")

    selected["_selected_action"] = [owned.wallet.pk]
    page = ann.post(SERVICES, answer(page) | selected | {"preview": "yes", "team": owned.bots.pk})
    assert "wallet: would belong to Bots, which must agree to that." in text_of(page.text)
    ann.post(SERVICES, answer(page) | selected | {"apply": "Apply", "reason": "Theirs"})
    assert Service.objects.get(name="wallet").team == owned.money
    ann.post(SERVICES, answer(page) | selected | {"suggest": "Suggest", "reason": "Theirs"})
    asked = Suggestion.objects.get(about="wallet")
    assert asked.kind == Suggestion.Kind.HAND_OVER
    assert [subject.team_id for subject in asked.subjects.all() if subject.team_id] == [
        owned.bots.pk
    ]


def test_the_order_of_a_group_with_tables_of_others_is_refused(owned, ann):
    head = revisions()
    rows = list(Table.objects.order_by("-pk").values_list("pk", flat=True))
    order = {"row": rows, "apply": "Save", "reason": "x"}
    page = ann.post(f"{TABLES}order/?group=Group", order)
    assert "Nothing was changed. replies belongs to Bots" in text_of(page.text)
    assert [row.pk for row in page.context["rows"]] == rows
    assert revisions() == head


def test_undoing_names_what_is_another_teams_and_undoes_the_rest_if_told_to(owned, ann):
    with change_set(user=owned.root, reason="Both", source="admin"):
        for table in (owned.accounts, owned.replies):
            table.description = "x"
            table.save()
    url = reverse("admin:ownership_undo", args=[revisions()])
    page = ann.get(url)
    assert "belongs to Bots: only its members may change it." in text_of(page.text)
    done = ann.post(url, form_of(page) | {"reason": "Back"})
    assert "Nothing was changed." in text_of(done.text)
    assert ann.post(url, form_of(page) | {"reason": "Back", "rest": "on"}).status_code == 302
    assert Table.objects.get(name="accounts").description == ""
    assert Table.objects.get(name="replies").description == "x"


def test_a_former_owner_does_not_undo_the_hand_over(owned, ann):
    hand_over(owned, owned.accounts, owned.bot)
    url = reverse("admin:ownership_undo", args=[revisions()])
    head = revisions()
    ann.post(url, form_of(ann.get(url)) | {"reason": "Back"})
    ann.post(url, form_of(ann.get(url)) | {"reason": "Back", "rest": "on"})
    assert revisions() == head


def test_restoring_another_teams_deleted_table_is_refused(owned, ann):
    with change_set(user=owned.root, reason="Gone", source="admin"):
        owned.replies.delete()
    url = reverse("admin:ownership_undo", args=[revisions()])
    ann.post(url, form_of(ann.get(url)) | {"reason": "Back"})
    assert not Table.objects.filter(name="replies").exists()


# Imports and drift


def test_an_import_names_what_is_another_teams_and_can_be_suggested(owned, ann):
    text = "table,group,owner\nreplies,Group,wallet\naccounts,Group,wallet\n"
    page = ann.post(f"{TABLES}import/", {"file": SimpleUploadedFile("map.csv", text.encode())})
    assert "replies: belongs to Bots: only its members may change it." in text_of(page.text)
    assert 'value="Apply"' not in page.text
    assert "Suggest to the owners" in page.text
    form = {
        name: value for name, value in form_of(page).items() if name in ("content", "fingerprint")
    }
    done = ann.post(f"{TABLES}import/", form | {"apply": "Apply", "reason": "x"})
    assert "Nothing was changed. replies belongs to Bots" in text_of(done.text)
    assert Table.objects.get(name="replies").owner == owned.bot


def test_an_import_by_command_is_judged_by_the_account_that_it_is_for(owned, tmp_path):
    from django.core.management import CommandError, call_command

    file = tmp_path / "map.csv"
    file.write_text("table,group,owner\nreplies,Group,wallet\n")
    with pytest.raises(CommandError, match="replies belongs to Bots"):
        call_command("import_map", str(file), apply=True, reason="x", user="ann", verbosity=0)
    assert Table.objects.get(name="replies").owner == owned.bot
    call_command("import_map", str(file), apply=True, reason="x", verbosity=0)
    assert Table.objects.get(name="replies").owner == owned.wallet


def decide(client: Client, act: str, table: str, **fields: str):
    run = keep_run("spare write replies", "spare write accounts")
    finding = json.dumps(["undeclared_access", table, "spare"])
    posted = {"run": str(run.pk), "finding": finding, "revision": str(revisions())}
    page = client.post(f"/drift/{act}/", posted)
    signature = form_of(page).get("signature", "")
    confirmed = posted | {"confirmed": "1", "signature": signature, "reason": "It is so"} | fields
    return page, client.post(f"/drift/{act}/", confirmed)


def test_accepting_a_finding_on_another_teams_table_is_refused_and_said_before(owned, ann):
    _, done = decide(ann, "accept", "replies")
    assert done.status_code == 200
    assert "spare → replies would belong to Bots" in text_of(done.text)
    assert not Access.objects.filter(table=owned.replies, service=owned.spare).exists()
    _, own = decide(ann, "accept", "accounts")
    assert own.status_code == 302


def test_waiving_a_finding_on_another_teams_table_is_refused(owned, ann):
    until = "2027-01-01"
    _, done = decide(ann, "waive", "replies", until=until)
    assert "Bots" in text_of(done.text)
    assert not Waiver.objects.exists()
    _, own = decide(ann, "waive", "accounts", until=until)
    assert own.status_code == 302
    theirs = make_waiver(owned.replies)
    assert save_form(ann, theirs, open_form(owned.client(owned.root), theirs)).status_code == 200
    assert (
        ann.post(
            change_url(theirs).replace("/change/", "/delete/"), {"post": "yes", "reason": "x"}
        ).status_code
        == 403
    )


# Pages


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


# At once


@pytest.mark.usefixtures("committed")
def test_of_a_hand_over_and_the_former_owners_form_at_once_the_table_ends_with_the_new_owner(
    settings,
):
    """The former owner's form is checked while the table is still theirs, and written after it is not."""
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    for attempt in range(4):
        hand_back = Table.objects.get(name="accounts")
        hand_over(owned, hand_back, owned.wallet)
        ann = owned.client(owned.ann)
        form = open_form(ann, owned.accounts) | {
            "description": f"By ann, {attempt}",
            "owner": str(owned.till.pk),
        }

        def give(table=hand_back) -> None:
            hand_over(owned, Table.objects.get(pk=table.pk), owned.bot)

        at_once(give, lambda ann=ann, form=form: save_form(ann, owned.accounts, form))
        assert Table.objects.get(name="accounts").owner == owned.bot
    assert [str(finding) for finding in Verification().run()] == []


@pytest.mark.usefixtures("committed")
def test_who_is_removed_from_a_team_while_saving_writes_before_that_or_not_at_all(settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    member = make_member(owned.money, "leaver")
    client = owned.client(member)
    for attempt in range(4):
        membership, _ = Membership.objects.get_or_create(team=owned.money, user=member)
        form = open_form(client, owned.accounts) | {"description": f"By the leaver, {attempt}"}
        at_once(membership.delete, lambda form=form: save_form(client, owned.accounts, form))
        after = save_form(
            client, owned.accounts, form | {"description": "Later", "revision": str(revisions())}
        )
        assert after.status_code == 200
        last = Table.objects.get(name="accounts")
        if last.description == f"By the leaver, {attempt}":
            saved = Table.history.filter(id=last.pk).latest("history_id").change_set_id
            left = Membership.history.filter(id=membership.pk).latest("history_id").change_set_id
            assert saved < left
        assert last.description != "Later"
    assert Team.objects.filter(name="Money").exists()
