"""Rights that follow the owner, where one step changes many rows: deleting, bulk edits, undo, imports, drift."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ownership.history.change_sets import change_set
from ownership.models import Access, Membership, Service, Suggestion, Table, Waiver
from tests.support.admin_forms import answer, change_url, form_of, open_form, save_form
from tests.support.factories import make_waiver
from tests.support.owned_map import revisions
from tests.support.pages import text_of
from tests.support.runs import keep_run

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # rights are decided in Python

TABLES = "/admin/ownership/table/"
SERVICES = "/admin/ownership/service/"
BELONGS = "replies belongs to Bots: only its members may change it."


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_giving_many_tables_away_asks_the_team_that_would_get_them(owned, ann):
    selected = {"action": "edit_tables", "_selected_action": [owned.accounts.pk]}
    page = ann.post(TABLES, selected)
    preview = ann.post(TABLES, form_of(page) | {"preview": "yes", "owner": owned.bot.pk})
    done = ann.post(TABLES, form_of(preview) | {"suggest": "Suggest", "reason": "x"})
    assert done.status_code == 302
    assert Suggestion.objects.get().kind == "hand_over"


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_former_owner_does_not_undo_the_hand_over(owned, ann):
    owned.hand_over(owned.accounts, owned.bot)
    url = reverse("admin:ownership_undo", args=[revisions()])
    head = revisions()
    ann.post(url, form_of(ann.get(url)) | {"reason": "Back"})
    ann.post(url, form_of(ann.get(url)) | {"reason": "Back", "rest": "on"})
    assert revisions() == head


@pytest.mark.slow
def test_undo_brings_nobody_back_into_a_team_and_no_service_back_to_its_former_team(owned, ann):
    membership = Membership.objects.create(team=owned.bots, user=owned.ann, is_lead=True)
    with change_set(user=owned.root, reason="Out", source="admin"):
        membership.delete()
    removal = revisions()
    with change_set(user=owned.root, reason="Theirs", source="admin"):
        owned.wallet.team = owned.bots
        owned.wallet.save()
    head = revisions()
    for revision in (removal, head):
        url = reverse("admin:ownership_undo", args=[revision])
        for fields in ({}, {"rest": "on"}):
            ann.post(url, form_of(ann.get(url)) | {"reason": "Back"} | fields)
    # A part without a team of its own went with the service.
    selected = {"action": "set_team", "_selected_action": [owned.till.pk]}
    page = ann.post(SERVICES, selected)
    page = ann.post(SERVICES, answer(page) | selected | {"preview": "yes", "team": owned.money.pk})
    ann.post(SERVICES, answer(page) | selected | {"apply": "Apply", "reason": "Back"})
    assert revisions() == head


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        {"services": [{"name": "bot", "team": "Money"}], "teams": [{"name": "Money"}]},
        {"services": [{"name": "bot", "team": None}]},
        {"services": [{"name": "bot", "part_of": "wallet"}]},
        {"teams": [{"name": "Ours"}]},
    ],
    ids=["team", "no team", "part", "new team"],
)
def test_an_import_takes_no_service_and_makes_no_team(owned, ann, content):
    nothing: dict[str, list] = {"environments": [], "groups": [], "services": [], "tables": []}
    text = json.dumps(nothing | content)
    page = ann.post(f"{TABLES}import/", {"file": SimpleUploadedFile("map.json", text.encode())})
    form = {
        name: value for name, value in form_of(page).items() if name in ("content", "fingerprint")
    }
    head = revisions()
    done = ann.post(f"{TABLES}import/", form | {"apply": "Apply", "reason": "x"})
    assert "Nothing was changed." in text_of(done.text)
    assert revisions() == head


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


@pytest.mark.slow
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
