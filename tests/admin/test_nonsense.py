"""Nonsense in the admin's addresses and forms is answered, never a server error."""

import pytest
from django.urls import reverse

from ownership.models import Service, Table
from tests.support.admin_forms import change_url, open_form, save_form

pytestmark = pytest.mark.django_db

HUGE = "9" * 20


@pytest.mark.parametrize(
    "address",
    [
        "ownership/table/add/?owner=x",
        f"ownership/table/add/?owner={HUGE}",
        "ownership/access/add/?service=nope&mode=x",
        "ownership/table/?mode=%00",
        "ownership/table/?name=%00",
        "ownership/table/?%00=1",
        f"ownership/table/?owner={HUGE}",
        f"ownership/access/?service={HUGE}",
        "ownership/changeset/?table=%00",
        "ownership/changeset/?time__year=99999",
        "ownership/apitoken/%00/change/",
        "autocomplete/?app_label=ownership&model_name=table&field_name=owner&term=%00",
        "autocomplete/?app_label=ownership&model_name=table&field_name=owner&term=" + "a+" * 1500,
        "ownership/table/?q=" + "a+" * 2000,
        "ownership/table/?p=999",
        "ownership/table/?o=99",
        "ownership/table/abc/change/",
        f"ownership/table/{HUGE}/change/",
    ],
)
def test_an_odd_address_is_answered(lead_client, seeded, address):
    assert lead_client.get(f"/admin/{address}", follow=True).status_code in (200, 400, 404)


@pytest.mark.parametrize("value", ["abc", "1.5", HUGE, "\x00", ""])
def test_an_owner_that_is_no_id_is_refused_in_the_form(lead_client, seeded, value):
    table = Table.objects.get(name="biztechUsers")
    response = save_form(lead_client, table, open_form(lead_client, table) | {"owner": value})
    assert response.status_code == 200
    told = {"": "This field is required", "\x00": "Null characters"}.get(value, "Select a valid choice")
    assert told in response.content.decode()


@pytest.mark.parametrize("number", ["\u00b2", HUGE, "9" * 5_000])
def test_numbers_that_no_form_posts_do_not_fail_where_it_is_brought_up_to_date(lead_client, seeded, number):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"accesses-TOTAL_FORMS": number, "accesses-0-id": number}
    table.description = "Changed meanwhile."
    table.save()
    assert "while you had this page open" in save_form(lead_client, table, form).content.decode()


@pytest.mark.parametrize("number", ["-1", "-9", "0"])
def test_a_form_that_says_fewer_rows_were_there_than_are_adds_none(lead_client, seeded, number):
    table = Table.objects.get(name="biztechUsers")
    before = list(table.accesses.values_list("pk", flat=True))
    form = open_form(lead_client, table) | {"accesses-INITIAL_FORMS": number}
    assert save_form(lead_client, table, form).status_code == 302
    assert list(table.accesses.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("value", ["abc", HUGE])
def test_an_access_of_a_service_that_is_no_id_is_refused_in_the_form(lead_client, seeded, value):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"accesses-0-service": value}
    assert "Select a valid choice" in save_form(lead_client, table, form).content.decode()


@pytest.mark.parametrize("chosen", [{"owner": "abc"}, {"owner": HUGE}, {"_selected_action": "abc"}])
def test_an_action_on_nonsense_changes_nothing(lead_client, seeded, chosen):
    post = {"action": "hand_over", "_selected_action": "1", "hand_over": "yes", "reason": "x"} | chosen
    assert lead_client.post("/admin/ownership/table/", post, follow=True).status_code == 200


@pytest.mark.parametrize("pk", ["abc", "x y", "0", "999999", HUGE])
def test_the_history_of_no_service_is_nobody_elses(lead_client, seeded, pk):
    response = lead_client.get(f"/admin/ownership/service/{pk}/history/", follow=True)
    assert "this is its history" not in response.content.decode()
    assert "doesn’t exist" in response.content.decode()


@pytest.mark.parametrize("reason", ["\u200b", " \u2800 ", "…", "\u202e"])
def test_a_reason_in_which_nothing_can_be_read_is_none(lead_client, seeded, reason):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"description": "Changed."}
    assert "Say why" in save_form(lead_client, table, form, reason).content.decode()


@pytest.mark.parametrize("name", [".", ".."])
def test_a_service_has_a_name_that_an_address_can_hold(lead_client, seeded, name):
    service = Service.objects.get(name="users")
    assert save_form(lead_client, service, open_form(lead_client, service) | {"name": name}).status_code == 200


@pytest.mark.parametrize("name", ["Co\u200bre", "\u202eeroC", "Co\x07re"])
def test_a_groups_name_looks_like_what_it_is(lead_client, seeded, name):
    group = Table.objects.get(name="biztechUsers").group
    assert save_form(lead_client, group, open_form(lead_client, group) | {"name": name}).status_code == 200


def test_a_form_whose_table_was_deleted_meanwhile_gives_back_what_was_typed_and_says_who_deleted_it(
    lead_client, seeded
):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table)
    url = change_url(table)
    table.delete()
    response = lead_client.post(url, form | {"description": "Long thoughts.", "reason": "Because"})
    page = response.content.decode()
    assert response.status_code == 409
    for told in ("biztechUsers was deleted meanwhile", "Long thoughts.", "No reason given", reverse("admin:index")):
        assert told in page
