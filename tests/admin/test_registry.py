"""What a team lead finds in the admin, without training; and what a viewer does not."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ownership.admin import filters
from ownership.history.bulk import save_rows
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, entries_of
from ownership.models import Access, Service, Table, TableGroup
from ownership.plans.plan import Plan
from tests.support.admin_forms import change_url, form_of, open_form, save_form
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db

TABLES = "/admin/ownership/table/"


def text(response) -> str:
    """The page's words, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def names(response) -> list[str]:
    """The tables that a list shows, in order."""
    return re.findall(r'class="field-name"><a [^>]*>([^<]+)<', response.content.decode())


# Every form asks for a reason


def test_an_edit_keeps_user_reason_and_source(lead_client, lead, seeded):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"accesses-1-mode": "read"}
    assert save_form(lead_client, table, form, "Payments writes no more").status_code == 302
    change = ChangeSet.objects.first()
    assert (change.user_name, change.reason, change.source) == ("lead", "Payments writes no more", "admin")
    assert [entry.changes for entry in entries_of([change.revision])] == [{"mode": ["read_write", "read"]}]


def test_everything_in_one_save_is_one_change_set(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table)
    form |= {"description": "Accounts.", "accesses-0-notes": "CRUD", "accesses-2-DELETE": "on"}
    save_form(lead_client, table, form)
    assert ChangeSet.objects.count() == 2
    assert len(entries_of([2])) == 3


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_without_a_reason_nothing_is_saved_and_what_was_entered_stays(lead_client, seeded, reason):
    table = Table.objects.get(name="biztechUsers")
    response = save_form(lead_client, table, open_form(lead_client, table) | {"description": "Typed."}, reason)
    assert response.status_code == 200
    assert form_of(response)["description"] == "Typed."
    assert Table.objects.get(name="biztechUsers").description == "User accounts."
    assert ChangeSet.objects.count() == 1


def test_adding_asks_for_a_reason_too(lead_client):
    url = reverse("admin:ownership_service_add")
    form = form_of(lead_client.get(url)) | {"name": "checkout"}
    assert lead_client.post(url, form | {"reason": ""}).status_code == 200
    assert not Service.objects.exists()
    assert lead_client.post(url, form | {"reason": "New service"}).status_code == 302
    assert ChangeSet.objects.get().reason == "New service"


def test_deleting_asks_for_a_reason(lead_client):
    service = make_service()
    url = reverse("admin:ownership_service_delete", args=[service.pk])
    form = form_of(lead_client.get(url))
    assert "reason" in form
    page = lead_client.post(url, form | {"reason": " "}, follow=True)
    assert "Nothing was deleted. Please give a reason." in text(page)
    assert Service.objects.exists()
    lead_client.post(url, form | {"reason": "Shut down"})
    assert not Service.objects.exists()
    assert ChangeSet.objects.first().reason == "Shut down"


def test_deleting_several_asks_for_a_reason_and_is_one_change_set(lead_client):
    services = [make_service(), make_service()]
    url = reverse("admin:ownership_service_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [service.pk for service in services]}
    page = lead_client.post(url, chosen)
    assert 'name="reason"' in page.content.decode()
    form = form_of(page) | chosen
    assert "Please give a reason." in text(lead_client.post(url, form | {"reason": ""}, follow=True))
    assert Service.objects.count() == 2
    before = ChangeSet.objects.count()
    lead_client.post(url, form | {"reason": "Both shut down"})
    assert not Service.objects.exists()
    assert ChangeSet.objects.count() == before + 1


def test_deleting_a_service_that_owns_or_uses_tables_is_refused_with_what_stands_in_the_way(lead_client, seeded):
    service = Service.objects.get(name="payments")
    url = reverse("admin:ownership_service_delete", args=[service.pk])
    page = text(lead_client.get(url))
    assert "biztechUsers" in page
    assert "biztechProfiles" in page
    lead_client.post(url, {"post": "yes", "reason": "Gone", "revision": "1"})
    assert Service.objects.filter(name="payments").exists()


def test_djangos_own_log_is_not_written_beside_the_history(lead_client, seeded):
    from django.contrib.admin.models import LogEntry

    table = Table.objects.get(name="biztechUsers")
    save_form(lead_client, table, open_form(lead_client, table) | {"description": "Accounts."})
    assert not LogEntry.objects.exists()


def test_a_broken_rule_is_explained_by_its_sentence(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"sort_key_name": "id"}
    assert "name different ones" in text(save_form(lead_client, table, form))


def test_a_doubled_access_is_refused(lead_client):
    access = make_access()
    form = open_form(lead_client, access.table)
    form |= {"accesses-TOTAL_FORMS": "2", "accesses-1-service": str(access.service_id), "accesses-1-mode": "write"}
    form |= {"accesses-1-position": "1"}
    assert save_form(lead_client, access.table, form).status_code == 200
    assert Access.objects.count() == 1


def test_an_address_typed_without_scheme_is_https(lead_client):
    service = make_service()
    save_form(lead_client, service, open_form(lead_client, service) | {"repository": "example.org/repo"})
    assert Service.objects.get().repository == "https://example.org/repo"


# The list of tables


def test_the_list_shows_group_owner_key_schema_readers_writers_and_last_change(lead_client, lead, seeded):
    access = Access.objects.get(table__name="biztechProfiles", service__name="members")
    form = open_form(lead_client, access.table) | {"accesses-2-notes": "Changed."}
    save_form(lead_client, access.table, form)
    row = re.search(r"<tr>(?:(?!</tr>).)*biztechProfiles.*?</tr>", lead_client.get(TABLES).content.decode(), re.S)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row.group()))
    assert "Core Tables" in words
    assert "id (PROFILE#&lt;id&gt;) + eventID;year" in words
    assert "profiles , interactions profiles , interactions , members (indirect), payments (indirect)" in words
    assert words.rstrip().endswith("lead")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("group=Instagram+Table", ["biztechInstagramAuth"]),
        ("owner=events", ["biztechEvents", "biztechEventFeedback"]),
        ("service=bots", ["biztechMembers2026"]),
        ("service=payments&mode=write", ["biztechMembers2026", "biztechProfiles"]),
        ("service=payments&mode=read", ["biztechEvents"]),
        ("q=createProfile", ["biztechProfiles"]),
        ("q=event-form-query", ["biztechEventFeedback"]),
        ("q=feedback submissions", ["biztechEventFeedback"]),
        ("q=instagram", ["biztechInstagramAuth"]),
    ],
)
def test_filters_and_search_find(lead_client, seeded, query, expected):
    assert names(lead_client.get(f"{TABLES}?{query}")) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"{TABLES}?service=payments", 5),
        ("/admin/ownership/access/?service=payments", 5),
        ("/admin/ownership/access/?group=Instagram+Table", 1),
    ],
)
def test_names_are_typed_if_there_are_too_many_to_list(lead_client, seeded, monkeypatch, address, expected):
    listed = lead_client.get(address)
    monkeypatch.setattr(filters, "MAX_LISTED", 5)
    typed = lead_client.get(address)
    assert listed.context["cl"].result_count == typed.context["cl"].result_count == expected
    assert ">bots</a></li>" in re.sub(r"\s+", "", listed.text)
    assert ">bots</a></li>" not in re.sub(r"\s+", "", typed.text)
    assert 'placeholder="name"' in typed.text


@pytest.mark.parametrize("max_listed", [5, 100])
def test_a_filter_by_an_unknown_name_finds_nothing_and_offers_similar_names(
    lead_client, seeded, monkeypatch, max_listed
):
    monkeypatch.setattr(filters, "MAX_LISTED", max_listed)
    page = lead_client.get(f"{TABLES}?owner=event")
    assert page.context["cl"].result_count == 0
    assert "?owner=events" in page.text


@pytest.mark.parametrize("facets", ["", "&_facets=True"])
def test_a_filter_by_a_typed_name_that_is_unknown_says_so(lead_client, seeded, monkeypatch, facets):
    monkeypatch.setattr(filters, "MAX_LISTED", 5)
    sentence = "No service is called “event”."
    assert lead_client.get(f"{TABLES}?owner=event{facets}").text.count(sentence) == 1
    assert sentence not in lead_client.get(f"{TABLES}?owner=events").text


def test_the_list_is_in_the_documents_order(lead_client, seeded):
    assert names(lead_client.get(TABLES)) == list(Table.objects.values_list("name", flat=True))
    assert names(lead_client.get(TABLES))[:2] == ["biztechUsers", "biztechEvents"]


def test_the_lists_queries_do_not_grow_with_the_tables(lead_client, seeded, django_assert_num_queries):
    lead_client.get("/admin/")
    with django_assert_num_queries(12):
        lead_client.get(TABLES)
    with django_assert_num_queries(11):  # it was counted for this revision
        lead_client.get(TABLES)
    owner = Service.objects.get(name="events")
    for number in range(40):
        make_access(make_table(f"more-{number}", owner=owner), owner)
    with django_assert_num_queries(12):
        lead_client.get(TABLES)


def test_a_list_is_counted_anew_when_the_registry_changed(lead_client, seeded):
    assert lead_client.get(TABLES).context["cl"].result_count == 34
    make_table("one-more")
    assert lead_client.get(TABLES).context["cl"].result_count == 35
    found = lead_client.get(TABLES, {"q": "one-more"})
    assert found.context["cl"].result_count == 1
    assert '1 result (<a href="?">35 total</a>)' in found.text
    assert " results (" not in lead_client.get(TABLES).text
    assert lead_client.get(TABLES, {"q": "nothing-so-called"}).context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("words", "tables"),
    [
        ("biztechUsers", ["biztechUsers"]),
        ("event-query", ["biztechRegistrations"]),
        ("ledger", ["biztechTransactions"]),
        ("ismember", ["biztechUsers"]),
        ("stickers ledger", []),
        ('"user accounts"', ["biztechUsers"]),
        ("accounts user", ["biztechUsers"]),
    ],
)
def test_the_list_is_searched_in_all_texts_of_a_table(lead_client, seeded, words, tables):
    assert names(lead_client.get(TABLES, {"q": words})) == tables


@pytest.mark.parametrize("accesses", [1, 5])
def test_a_saves_queries_do_not_grow_with_the_rows_that_nobody_touched(
    lead_client, accesses, django_assert_num_queries
):
    table = make_table()
    for _ in range(accesses):
        make_access(table)
    form = open_form(lead_client, table)
    make_table()  # so that the form does not show the latest revision, as is usual
    with django_assert_num_queries(29):
        response = save_form(lead_client, table, form | {"description": "Orders."})
    assert response.status_code == 302


def test_a_save_that_changes_one_access_does_not_write_its_table(lead_client, django_assert_num_queries):
    access = make_access()
    form = open_form(lead_client, access.table) | {"accesses-0-notes": "Reads orders."}
    make_table()  # so that the form does not show the latest revision, as is usual
    with django_assert_num_queries(30) as queries:
        response = save_form(lead_client, access.table, form)
    assert response.status_code == 302
    written = [query["sql"].split('"')[1] for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]
    assert written == ["ownership_access", "ownership_historicalaccess", "ownership_changeset"]


# Pages


def test_a_tables_page_shows_physical_names_and_warnings(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    assert "production: biztechUsersPROD" in text(lead_client.get(change_url(table)))
    assert "has no access of its own" not in text(lead_client.get(change_url(table)))
    save_form(
        lead_client,
        table,
        open_form(lead_client, table) | {"owner": str(Service.objects.get(name="bots").pk)},
        "Handed to bots",
    )
    page = text(lead_client.get(change_url(table)))
    assert "The owner, bots, has no access of its own to this table." in page
    assert "The note on users’s access begins with “Owner.”, but the owner is bots." in page


def test_a_services_page_links_the_tables_it_owns_reads_and_writes(lead_client, seeded):
    page = lead_client.get(change_url(Service.objects.get(name="payments"))).content.decode()
    linked = {
        name: re.search(rf'field-{name}">(.*?)</div>\s*</div>', page, re.S).group(1) for name in ("reads", "writes")
    }
    assert re.findall(r">(biz\w+)</a>", linked["reads"]) == ["biztechUsers", "biztechEvents", "biztechRegistrations"]
    assert re.findall(r">(biz\w+)</a>", linked["writes"]) == [
        "biztechUsers",
        "biztechRegistrations",
        "biztechMembers2026",
        "biztechProfiles",
    ]


def test_aliases_are_typed_one_per_line(lead_client):
    service = make_service()
    form = open_form(lead_client, service) | {"aliases": "pay-prod\r\n\r\n  payments-api \r\n"}
    save_form(lead_client, service, form)
    assert Service.objects.get().aliases == ["pay-prod", "payments-api"]
    assert open_form(lead_client, service)["aliases"] == "pay-prod\npayments-api"


def test_the_history_page_shows_who_why_and_old_and_new_in_words(lead_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    save_form(
        lead_client, table, open_form(lead_client, table) | {"accesses-1-mode": "read"}, "Payments writes no more"
    )
    page = text(lead_client.get(reverse("admin:ownership_table_history", args=[table.pk])))
    assert "Access payments → biztechUsers changed Undo… Field Old New mode Read + Write Read" in page
    assert "Payments writes no more" in page
    assert "lead" in page


def test_the_history_of_a_deleted_table_can_be_read(lead_client):
    access = make_access(make_table("orders"), make_service("payments"))
    pk = access.table.pk
    access.table.delete()
    page = text(lead_client.get(reverse("admin:ownership_table_history", args=[pk])))
    assert "orders was deleted" in page
    assert "payments → orders deleted" in page


@pytest.mark.parametrize("pk", ["999", "0", "abc", "x y", "99999999999999999999999", "_00"])
def test_the_history_of_what_never_was_is_not_an_error(lead_client, pk):
    response = lead_client.get(f"/admin/ownership/table/{pk}/history/", follow=True)
    assert response.status_code == 200
    assert "doesn’t exist" in text(response)


def test_the_first_page_shows_the_latest_changes(lead_client, viewer_client, seeded):
    assert "Seeded from the table ownership map" in text(lead_client.get("/admin/"))


# Handing tables over


def hand_over(client: Client, tables, **fields):
    selected = {"action": "hand_over", "_selected_action": [table.pk for table in tables]}
    return client.post(TABLES, selected | fields, follow=True)


def hand_over_to(client: Client, tables, owner, reason):
    """From a page opened now."""
    page = hand_over(client, tables)
    return hand_over(client, tables, **answer(page, owner=owner, reason=reason))


def answer(page, **fields):
    """The page's form filled in; which rows it is about stays with the caller, for a dict holds one of them."""
    return {name: value for name, value in form_of(page).items() if name != "_selected_action"} | fields


def test_selected_tables_are_handed_over_in_one_change_set(lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    assert "owner btx the new owner" in text(hand_over(lead_client, tables))
    owner = Service.objects.get(name="bots")
    hand_over_to(lead_client, tables, owner.pk, "Bots takes BTX")
    assert not Table.objects.filter(owner__name="btx").exists()
    assert ChangeSet.objects.count() == 2
    assert {tuple(entry.changes["owner"]) for entry in entries_of([2])} == {("btx", "bots")}


def test_handing_over_needs_a_reason_and_an_owner(lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    page = text(hand_over_to(lead_client, tables, "", ""))
    assert "This field is required" in page
    assert "Please give a reason." in page
    assert ChangeSet.objects.count() == 1


def test_handing_over_what_changed_meanwhile_is_refused_and_keeps_what_was_chosen(lead, lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    owner, rival = Service.objects.get(name="bots"), Service.objects.get(name="events")
    opened = hand_over(lead_client, tables)
    with change_set(user=lead, reason="Events takes it", source=ChangeSet.Source.ADMIN):
        tables[0].owner = rival
        tables[0].save()
    page = hand_over(lead_client, tables, **answer(opened, owner=owner.pk, reason="Bots takes BTX"))
    assert "lead changed this" in text(page)
    assert "Events takes it" in text(page)
    assert form_of(page)["reason"] == "Bots takes BTX"
    assert form_of(page)["owner"] == str(owner.pk)
    assert not Table.objects.filter(owner=owner, pk__in=[table.pk for table in tables]).exists()
    hand_over(lead_client, tables, **answer(page))
    assert Table.objects.filter(owner=owner, pk__in=[table.pk for table in tables]).count() == len(tables)


def test_handing_over_is_refused_where_a_table_changes_just_before_it_is_written(lead_client, seeded, monkeypatch):
    tables = list(Table.objects.filter(owner__name="btx"))
    owner, rival = Service.objects.get(name="bots"), Service.objects.get(name="events")
    apply = Plan.apply

    def apply_late(plan, **arguments):
        tables[0].owner = rival
        tables[0].save()
        return apply(plan, **arguments)

    monkeypatch.setattr(Plan, "apply", apply_late)
    page = hand_over_to(lead_client, tables, owner.pk, "Bots takes BTX")
    assert "changed this while you had the page open" in text(page)
    assert form_of(page)["owner"] == str(owner.pk)
    assert not Table.objects.filter(owner=owner, pk__in=[table.pk for table in tables]).exists()


def test_handing_over_to_the_owner_changes_nothing(lead_client, seeded):
    tables = list(Table.objects.filter(owner__name="btx"))
    page = hand_over_to(lead_client, tables, tables[0].owner_id, "Once more")
    assert "Nothing was changed: btx already owns these tables." in text(page)
    assert ChangeSet.objects.count() == 1


def test_deleting_several_of_which_one_changed_meanwhile_is_refused(lead, lead_client):
    services = [make_service(), make_service()]
    url = reverse("admin:ownership_service_changelist")
    chosen = {"action": "delete_selected", "_selected_action": [service.pk for service in services]}
    opened = answer(lead_client.post(url, chosen))
    with change_set(user=lead, reason="Still needed", source=ChangeSet.Source.ADMIN):
        services[1].description = "Still in use."
        services[1].save()
    page = lead_client.post(url, chosen | opened | {"reason": "Both shut down"})
    assert "Still needed" in text(page)
    assert Service.objects.count() == 2
    lead_client.post(url, chosen | answer(page))
    assert not Service.objects.exists()


@pytest.mark.parametrize("action", ["delete_selected", "hand_over"])
def test_an_action_without_the_revision_of_its_page_is_refused(lead_client, action):
    table = make_table()
    form = {"action": action, "_selected_action": table.pk, "post": "yes", "hand_over": "yes", "reason": "x"}
    page = lead_client.post(TABLES, form | {"owner": make_service().pk})
    assert "does not say which revision" in text(page)
    assert Table.objects.get().owner == table.owner


# Who may do what


def test_a_lead_gets_in_without_staff_status_and_sees_no_users_groups_or_sessions(lead_client):
    page = lead_client.get("/admin/").content.decode()
    assert "/admin/ownership/table/" in page
    assert "/admin/auth/" not in page
    for url in ("/admin/auth/user/", "/admin/auth/group/"):
        assert lead_client.get(url).status_code == 403


def test_a_viewer_sees_registry_and_history_and_changes_nothing(viewer_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    page = viewer_client.get(change_url(table))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert 'name="reason"' not in page.content.decode()
    assert viewer_client.get(reverse("admin:ownership_table_history", args=[table.pk])).status_code == 200
    assert viewer_client.get("/admin/ownership/changeset/1/change/").status_code == 200
    assert viewer_client.post(change_url(table), {"name": "x", "reason": "y", "revision": "1"}).status_code == 403
    assert viewer_client.get(reverse("admin:ownership_table_add")).status_code == 403
    assert ChangeSet.objects.count() == 1


def test_a_viewer_can_not_write_through_the_history_page(viewer_client, seeded):
    table = Table.objects.get(name="biztechUsers")
    url = reverse("admin:ownership_table_history", args=[table.pk])
    viewer_client.post(url, {"name": "hacked", "reason": "x"})
    viewer_client.post(f"{url}1/", {"name": "hacked", "reason": "x"})
    assert Table.objects.filter(name="biztechUsers").exists()
    assert ChangeSet.objects.count() == 1


def test_someone_without_a_group_does_not_get_in():
    User.objects.create_user("stranger", password="a long pass phrase")
    client = Client()
    response = client.post("/admin/login/", {"username": "stranger", "password": "a long pass phrase"})
    assert "Please enter the correct username and password" in text(response)
    assert client.get("/admin/").status_code == 302


def test_nobody_edits_or_deletes_change_sets(admin_client, seeded):
    assert admin_client.get("/admin/ownership/changeset/add/").status_code == 403
    assert admin_client.get("/admin/ownership/changeset/1/delete/").status_code == 403
    assert b'name="_save"' not in admin_client.get("/admin/ownership/changeset/1/change/").content


# API tokens


def test_a_lead_makes_a_token_sees_it_once_and_reads_the_map_with_it(lead_client, lead, seeded):
    url = reverse("admin:ownership_apitoken_add")
    page = lead_client.post(url, form_of(lead_client.get(url)) | {"name": "nightly"}, follow=True)
    token = re.search(r"own_\w+", page.content.decode()).group()
    assert Client().get("/api/v1/map/").status_code == 401
    assert Client().get("/api/v1/map/", headers={"authorization": f"Token {token}"}).status_code == 200
    assert token not in lead_client.get("/admin/ownership/apitoken/").content.decode()


def test_people_see_and_revoke_only_their_own_tokens(lead_client, viewer_client, lead):
    from ownership.models import ApiToken

    token, _ = ApiToken.objects.create(user=lead, name="nightly")
    url = reverse("admin:ownership_apitoken_delete", args=[token.pk])
    assert "nightly" not in text(viewer_client.get("/admin/ownership/apitoken/"))
    viewer_client.post(url, {"post": "yes"})
    assert ApiToken.objects.exists()
    lead_client.post(url, {"post": "yes"})
    assert not ApiToken.objects.exists()


def test_more_rows_than_djangos_form_takes_are_deleted_at_once(lead_client, seeded):
    owner = Service.objects.get(name="events")
    group = Table.objects.first().group
    save_rows(Table(name=f"many-{n}", group=group, owner=owner, position=n) for n in range(1_100))
    chosen = [str(pk) for pk in Table.objects.filter(name__startswith="many-").values_list("pk", flat=True)]
    form = {"action": "delete_selected", "_selected_action": chosen[:1], "select_across": "1"}
    page = lead_client.post(f"{TABLES}?q=many-", form)
    assert page.status_code == 200
    confirmed = {"action": "delete_selected", "_selected_action": chosen, "post": "yes", "reason": "Never used"}
    answer = lead_client.post(f"{TABLES}?q=many-", confirmed | {"revision": form_of(page)["revision"]})
    assert answer.status_code == 302
    assert Table.objects.count() == 34


def test_a_new_row_comes_last_unless_the_address_says_otherwise(lead_client, seeded):
    last = Table.objects.order_by("-position").first().position
    assert form_of(lead_client.get("/admin/ownership/table/add/"))["position"] == str(last + 1)
    assert form_of(lead_client.get("/admin/ownership/table/add/?position=3"))["position"] == "3"
    groups = TableGroup.objects.order_by("-position").first().position
    assert form_of(lead_client.get("/admin/ownership/tablegroup/add/"))["position"] == str(groups + 1)
