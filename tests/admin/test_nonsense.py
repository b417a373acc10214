"""Values in the admin that no page sends are answered, beyond what tests/system/test_nonsense.py sends everywhere."""

import pytest

from ownership.models import Service, Table
from tests.support.admin_forms import open_form, save_form

pytestmark = pytest.mark.django_db

HUGE = "9" * 20


@pytest.mark.parametrize(
    "address",
    [
        "ownership/table/?%00=1",
        "ownership/changeset/?time__year=99999",
        "autocomplete/?app_label=ownership&model_name=table&field_name=owner&term=%00",
        "autocomplete/?app_label=ownership&model_name=table&field_name=owner&term=" + "a+" * 1500,
    ],
)
def test_an_odd_address_is_answered(lead_client, seeded, address):
    assert lead_client.get(f"/admin/{address}", follow=True).status_code in (200, 400)


@pytest.mark.parametrize("value", ["abc", HUGE])
def test_an_access_of_a_service_that_is_no_id_is_refused_in_the_form(lead_client, seeded, value):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"accesses-0-service": value}
    assert f"There is no service “{value}”." in save_form(lead_client, table, form).text


@pytest.mark.slow
@pytest.mark.parametrize("number", ["\u00b2", HUGE, "9" * 5_000])
def test_numbers_of_inline_rows_that_no_form_posts_do_not_break_the_merge(
    lead_client, seeded, number
):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"accesses-TOTAL_FORMS": number, "accesses-0-id": number}
    table.description = "Changed meanwhile."
    table.save()
    assert "while you had the page open" in save_form(lead_client, table, form).text


@pytest.mark.slow
def test_a_form_that_claims_more_rows_than_it_has_fields_is_not_answered_with_them(
    lead_client, seeded
):
    table = Table.objects.get(name="biztechUsers")
    form = open_form(lead_client, table) | {"accesses-TOTAL_FORMS": HUGE}
    page = save_form(lead_client, table, form).text
    assert "Please submit at most 1000 forms." in page
    assert page.count('-service" id="id_accesses-') <= len(form)


@pytest.mark.parametrize("number", ["-1", "-9", "0"])
def test_a_form_that_claims_fewer_existing_rows_adds_none(lead_client, seeded, number):
    table = Table.objects.get(name="biztechUsers")
    before = list(table.accesses.values_list("pk", flat=True))
    form = open_form(lead_client, table) | {
        "description": "Changed.",
        "accesses-INITIAL_FORMS": number,
    }
    assert save_form(lead_client, table, form).status_code == 302
    assert list(table.accesses.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("chosen", [{"owner": "abc"}, {"owner": HUGE}, {"_selected_action": "abc"}])
def test_an_action_on_nonsense_changes_nothing(lead_client, seeded, chosen):
    post = {
        "action": "edit_tables",
        "_selected_action": "1",
        "apply": "yes",
        "reason": "x",
    } | chosen
    assert lead_client.post("/admin/ownership/table/", post, follow=True).status_code == 200


@pytest.mark.parametrize("name", [".", ".."])
def test_a_service_has_a_name_that_an_address_can_hold(lead_client, seeded, name):
    service = Service.objects.get(name="users")
    assert (
        save_form(
            lead_client, service, open_form(lead_client, service) | {"name": name}
        ).status_code
        == 200
    )


@pytest.mark.parametrize("name", ["Co\u200bre", "\u202eeroC", "Co\x07re"])
def test_a_groups_name_has_no_invisible_characters(lead_client, seeded, name):
    group = Table.objects.get(name="biztechUsers").group
    assert (
        save_form(lead_client, group, open_form(lead_client, group) | {"name": name}).status_code
        == 200
    )
