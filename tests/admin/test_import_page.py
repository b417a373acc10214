"""A map is imported in the browser: upload, preview, reason."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ownership.admin import import_page
from ownership.history.models import ChangeSet
from ownership.models import Access, Suggestion, Table
from ownership.plans.plan import Plan
from tests.support.admin_forms import form_of
from tests.support.owned_map import OwnedMap
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

IMPORT = "/admin/ownership/table/import/"
HEAD = "table,group,owner,service,mode\n"


def upload(client: Client, text: str | bytes, name: str = "map.csv", **fields):
    content = text.encode() if isinstance(text, str) else text
    return client.post(IMPORT, {"file": SimpleUploadedFile(name, content)} | fields)


def apply(client: Client, page, **fields):
    form = {
        name: value for name, value in form_of(page).items() if name in ("content", "fingerprint")
    }
    return client.post(IMPORT, form | {"apply": "Apply", "reason": "As agreed"} | fields)


ROW = "biztechUsers,Core Tables,users,payments,read"


def test_a_file_is_previewed_row_by_row_and_applied_with_a_reason(lead_client, seeded):
    page = upload(lead_client, HEAD + ROW)
    words = text_of(page.text)
    assert "payments → biztechUsers" in words
    assert "mode Read + Write Read" in words
    assert "In the file: line 2." in words
    assert "0 added, 1 changed, 0 deleted; compared with revision 1." in words
    assert ChangeSet.objects.count() == 1
    done = apply(lead_client, page)
    change = ChangeSet.objects.first()
    assert done["Location"] == f"/admin/ownership/changeset/{change.revision}/change/"
    assert (change.reason, change.source, change.user_name) == ("As agreed", "import", "lead")
    assert Access.objects.get(table__name="biztechUsers", service__name="payments").mode == "read"


def test_what_the_map_already_says_is_no_difference(lead_client, seeded):
    exported = lead_client.get("/api/v1/map/?format=csv").getvalue()
    page = upload(lead_client, exported)
    assert "the map already matches the file" in text_of(page.text)
    assert "content" not in form_of(page)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("map.csv", HEAD + "biztechUsers,Core Tables,users,payments,sometimes", "line 2"),
        ("map.json", "{", "is not JSON"),
        ("map.csv", b"\xff\xfe\x00", "is cut off"),
        ("map.yaml", "a: [", "is not YAML"),
        ("map.txt", '{"tables": []}', "looks like JSON"),
        ("map.csv", "", "empty"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(lead_client, seeded, name, content, says):
    page = upload(lead_client, content, name)
    assert says in text_of(page.text)
    assert "content" not in form_of(page)
    assert ChangeSet.objects.count() == 1


def test_what_belongs_to_a_new_table_with_a_mistake_is_left_out_of_the_preview(lead_client, seeded):
    page = upload(lead_client, f"{HEAD}bad name,Core Tables,users,payments,read\n{ROW}")
    words = text_of(page.text)
    assert "line 2: table bad name: name: Use 3–255 letters" in words
    assert "0 added, 1 changed, 0 deleted" in words
    assert "payments → bad name" not in words


def test_a_file_that_is_too_large_is_refused_unread(lead_client, seeded, monkeypatch):
    monkeypatch.setattr(import_page, "MAX_BYTES", 10)
    page = upload(lead_client, HEAD + ROW)
    assert "takes up to 10" in text_of(page.text)


def test_what_the_file_leaves_out_is_deleted_if_that_is_asked_for(lead_client, seeded):
    page = upload(lead_client, HEAD + ROW)
    assert "Not in the file, and kept: 33 tables, 4 accesses." in text_of(page.text)
    page = upload(lead_client, HEAD + ROW, prune="on")
    assert "What the file leaves out is deleted" in text_of(page.text)
    apply(lead_client, page)
    assert [table.name for table in Table.objects.all()] == ["biztechUsers"]


def test_without_a_reason_nothing_is_imported_and_the_file_need_not_be_chosen_again(
    lead_client, seeded
):
    page = apply(lead_client, upload(lead_client, HEAD + ROW), reason="")
    assert "Please give a reason." in text_of(page.text)
    assert ChangeSet.objects.count() == 1
    assert apply(lead_client, page).status_code == 302


def test_a_file_that_was_tampered_with_is_refused(lead_client, seeded):
    page = upload(lead_client, HEAD + ROW)
    answer = apply(lead_client, page, content=form_of(page)["content"][:-1] + "x")
    assert "choose the file again" in text_of(answer.text)
    assert ChangeSet.objects.count() == 1


def change_meanwhile():
    access = Access.objects.get(table__name="biztechUsers", service__name="payments")
    access.notes, access.mode = "Meanwhile.", "write"
    access.save()


def test_a_preview_that_is_out_of_date_is_shown_again(lead_client, seeded):
    page = upload(lead_client, HEAD + ROW)
    change_meanwhile()
    page = apply(lead_client, page)
    assert "the map has changed since this preview" in text_of(page.text)
    assert "mode Write Read" in text_of(page.text)
    assert form_of(page)["reason"] == "As agreed"
    assert apply(lead_client, page).status_code == 302


def test_a_change_just_before_the_lock_is_not_overwritten(lead_client, seeded, monkeypatch):
    page = upload(lead_client, HEAD + ROW)
    apply_plan = Plan.apply

    def apply_late(plan, **arguments):
        change_meanwhile()
        return apply_plan(plan, **arguments)

    monkeypatch.setattr(Plan, "apply", apply_late)
    assert "the map has changed since this preview" in text_of(apply(lead_client, page).text)
    assert Access.objects.get(table__name="biztechUsers", service__name="payments").mode == "write"


def test_a_refused_import_with_a_new_table_is_previewed_again(settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    ann = owned.client(owned.ann)
    rows = "table,group,owner,service,mode\nfresh,{},bot,bot,read\n"
    page = upload(ann, rows.format(owned.accounts.group.name))
    refused = apply(ann, page)
    text = text_of(refused.text)
    assert "Nothing was changed. fresh would belong to Bots" in text
    assert "Table fresh created" in text
    assert not Table.objects.filter(name="fresh").exists()


def test_viewers_may_not_import(viewer_client, seeded):
    page = upload(viewer_client, HEAD + ROW)
    assert 'value="Apply"' not in page.text
    assert apply(viewer_client, page).status_code == 403
    assert ChangeSet.objects.count() == 1


def test_a_viewer_sends_the_differences_to_the_owners_one_suggestion_each(
    viewer_client, lead_client, seeded
):
    rows = (
        "biztechUsers,Core Tables,users,payments,read\nbiztechEvents,Core Tables,events,bots,read\n"
    )
    page = upload(viewer_client, HEAD + rows)
    form = {
        name: value for name, value in form_of(page).items() if name in ("content", "fingerprint")
    }
    form |= {"suggest": "Suggest to the owners", "reason": "As in the code"}
    answer = viewer_client.post(IMPORT, form, follow=True)
    assert "Sent as 2 suggestions, one for each owner" in text_of(answer.text)
    assert {one.about for one in Suggestion.objects.all()} == {"biztechUsers", "biztechEvents"}
    assert ChangeSet.objects.count() == 2
    assert not Access.objects.filter(table__name="biztechEvents", service__name="bots").exists()


def suggest(client: Client, page, **fields):
    form = {
        name: value for name, value in form_of(page).items() if name in ("content", "fingerprint")
    }
    return client.post(IMPORT, form | {"suggest": "Suggest", "reason": "As agreed"} | fields)


@pytest.fixture
def owned(settings) -> OwnedMap:
    settings.RIGHTS_FOLLOW_OWNER = True
    return OwnedMap()


def test_of_two_teams_the_own_part_is_applied_after_the_rest_was_suggested(owned):
    ann = owned.client(owned.ann)
    rows = ""
    for table in (owned.accounts, owned.replies):
        rows += f"{table.name},{table.group.name},{table.owner.name},spare,read\n"
    page = upload(ann, HEAD + rows)
    assert 'value="Apply"' not in page.text
    rest = suggest(ann, page)
    assert Suggestion.objects.get().about == "replies"
    words = text_of(rest.text)
    assert "Sent as a suggestion." in words
    assert "Already suggested, so left out: spare → replies: suggestion 1" in words
    assert 'name="suggest"' not in rest.text
    assert form_of(rest)["reason"] == "As agreed"
    assert apply(ann, rest).status_code == 302
    assert [access.table.name for access in owned.spare.accesses.all()] == ["accounts"]


@pytest.mark.slow
def test_what_waits_is_left_out_of_the_preview_with_a_link(owned, viewer_client):
    row = f"replies,{owned.replies.group.name},bot,spare,read\n"
    suggest(viewer_client, upload(viewer_client, HEAD + row))
    page = upload(viewer_client, HEAD + row)
    assert 'href="/suggestions/1/">suggestion 1</a>' in page.text
    assert "0 added, 0 changed, 0 deleted" in text_of(page.text)
    assert 'name="suggest"' not in page.text
    assert "No difference" not in page.text
    other = f"{row}accounts,{owned.accounts.group.name},wallet,spare,read\n"
    suggest(viewer_client, upload(viewer_client, HEAD + other))
    assert [one.about for one in Suggestion.objects.order_by("number")] == ["replies", "accounts"]
    # The owner's team may write it all the same.
    assert 'value="Apply"' in upload(owned.client(owned.ben), HEAD + row).text


def test_nothing_is_suggested_to_the_own_team_that_one_may_write(owned, settings):
    settings.RIGHTS_FOLLOW_OWNER = False
    row = f"accounts,{owned.accounts.group.name},wallet,spare,read\n"
    page = upload(owned.client(owned.ann), HEAD + row)
    assert 'name="suggest"' not in page.text
    assert 'name="suggest"' in upload(owned.client(owned.ben), HEAD + row).text
