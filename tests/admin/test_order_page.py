"""Rows are put in another order by buttons, not by typing positions."""

import pytest
from django.test import Client

from ownership.history.models import ChangeSet, entries_of
from ownership.models import Environment, Table, TableGroup
from tests.support.pages import text_of

pytestmark = pytest.mark.django_db

GROUPS = "/admin/ownership/tablegroup/order/"


def names() -> list[str]:
    return list(TableGroup.objects.values_list("name", flat=True))


def post(client: Client, rows, address: str = GROUPS, **fields):
    return client.post(address, {"row": [row.pk for row in rows]} | fields)


def test_a_button_moves_a_row_on_the_page_alone(lead_client, seeded):
    groups = list(TableGroup.objects.all())
    page = post(lead_client, groups, down=groups[0].pk, reason="Half typed")
    assert [row.name for row in page.context["rows"]][:2] == [groups[1].name, groups[0].name]
    assert 'value="Half typed"' in page.text
    assert names()[0] == groups[0].name
    assert GROUPS in lead_client.get("/admin/ownership/tablegroup/").text
    assert post(lead_client, groups, up=groups[0].pk).context["rows"] == groups


def test_the_order_is_saved_with_a_reason_and_rows_that_keep_their_place_are_not_written(
    lead_client, seeded
):
    groups = list(TableGroup.objects.all())
    groups[0], groups[1] = groups[1], groups[0]
    assert "Please give a reason." in text_of(
        post(lead_client, groups, apply="Save", reason="").text
    )
    assert post(lead_client, groups, apply="Save", reason="By importance").status_code == 302
    assert names() == [group.name for group in groups]
    assert {entry.label for entry in entries_of([2])} == {groups[0].name, groups[1].name}
    assert ChangeSet.objects.first().reason == "By importance"


def test_tables_are_ordered_within_their_group(lead_client, seeded):
    address = "/admin/ownership/table/order/?group=Core+Tables"
    tables = list(Table.objects.filter(group__name="Core Tables"))
    tables.reverse()
    assert "Order of tables in Core Tables" in text_of(lead_client.get(address).text)
    assert (
        post(lead_client, tables, address, apply="Save", reason="The other way").status_code == 302
    )
    assert list(Table.objects.filter(group__name="Core Tables")) == tables
    assert (
        "?group=Core%20Tables" in lead_client.get("/admin/ownership/table/?group=Core+Tables").text
    )


def test_there_is_no_order_of_tables_without_a_group(lead_client, seeded):
    for address in ("/admin/ownership/table/order/", "/admin/ownership/table/order/?group=Nope"):
        assert lead_client.get(address).status_code == 404


def test_rows_with_the_same_position_are_numbered_anew(lead_client):
    rows = [Environment.objects.create(name=name) for name in ("a", "b", "c")]
    address = "/admin/ownership/environment/order/"
    post(lead_client, [rows[2], rows[0], rows[1]], address, apply="Save", reason="By age")
    assert list(Environment.objects.values_list("name", "position")) == [
        ("c", 0),
        ("a", 1),
        ("b", 2),
    ]


def test_an_order_of_other_rows_than_there_are_now_is_refused(lead_client, seeded):
    groups = list(TableGroup.objects.all())
    for rows in (groups[1:], [*groups, groups[0]]):
        page = post(lead_client, rows, apply="Save", reason="By importance")
        assert "the list has changed since this page was opened" in text_of(page.text)
    assert post(lead_client, [], apply="Save", reason="x", row="abc").status_code == 200
    assert ChangeSet.objects.count() == 1


def test_viewers_may_not_change_the_order(viewer_client, seeded):
    assert viewer_client.get(GROUPS).status_code == 403
    assert "Change the order" not in viewer_client.get("/admin/ownership/tablegroup/").text
