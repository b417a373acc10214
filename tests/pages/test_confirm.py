"""Confirming tables: what the page shows, that it writes just what was shown, and where states appear."""

import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from ownership.drift.types import KeyAttribute, Keys, TableShape
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import Confirmation, Table
from ownership.plans.confirming import confirm
from tests.support.factories import (
    make_access,
    make_confirmation,
    make_member,
    make_service,
    make_table,
    make_team,
)
from tests.support.pages import day_text, text_of
from tests.support.runs import keep_run
from tests.support.statements import wakings

CONFIRM = reverse("pages:confirm")


@pytest.fixture
def table(db) -> Table:
    """A table with two accesses, of which the infrastructure grants one."""
    payments = make_service("payments")
    table = make_table("orders", owner=payments, partition_key_name="id", partition_key_type="S")
    make_access(table, payments, mode="read_write")
    make_access(table, make_service("reports"))
    return table


def form_of(page) -> dict[str, str]:
    """The fields that the page's form posts back, apart from what is ticked and typed."""
    fields = {}
    for name in ("head", "runs"):
        fields[name] = re.search(f'name="{name}" value="([^"]*)"', page.text)[1]
    return fields


def tables_in(page) -> list[str]:
    """Names of the tables that the page shows, in its order."""
    return re.findall(r'id="table-([^"]+)"', page.text)


def post(client: Client, fields: dict, *tables: Table, query: str = "", note: str = ""):
    data = fields | {"table": [table.pk for table in tables], "note": note}
    return client.post(f"{CONFIRM}{query}", data)


def sentences(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_a_lead_confirms_a_table_from_its_page(table, lead_client):
    page = lead_client.get(table.get_absolute_url()).text
    address = re.search(r'href="(/confirm/[^"]*)"', page)[1]
    assert "Never confirmed" in page
    shown = lead_client.get(address)
    assert re.search(rf'name="table" value="{table.pk}" checked', shown.text)
    answer = post(
        lead_client, form_of(shown), table, query="?table=orders", note="Checked with the team"
    )
    assert answer["Location"] == table.get_absolute_url()
    assert "1 table confirmed" in sentences(answer)
    change = ChangeSet.objects.first()
    assert (change.source, change.reason, change.user_name) == (
        "confirm",
        "Checked with the team",
        "lead",
    )
    text = text_of(lead_client.get(table.get_absolute_url()).text)
    assert (
        f"Confirmation: Confirmed lead, {day_text(localdate())} ; until {day_text(localdate() + timedelta(days=180))}"
        in text
    )


def test_the_page_says_all_that_is_confirmed_and_what_the_runs_say(table, lead_client):
    shape = TableShape("orders", Keys(KeyAttribute("number", "N")))
    run = keep_run("payments read_write orders", environment="production", tables=(shape,))
    shown = lead_client.get(CONFIRM)
    text = text_of(shown.text)
    assert "Owner payments Keys id S" in text
    assert "reports Read unknown not checked" in text
    table.owner.team = make_team("Money")
    table.owner.save()
    assert "Owner payments Money Keys id S" in text_of(lead_client.get(CONFIRM).text)
    assert "Key schema differs : recorded id (S), found number (N)" in text
    said = (
        f"Run {run.pk} (serverless, production, {day_text(localdate())}): map and IAM agree on 1 of 2 accesses, "
        "1 not known; findings: key schema differs."
    )
    assert said in text
    post(lead_client, form_of(shown), table)
    run.delete()
    assert Confirmation.objects.get().drift == said


def test_what_changed_after_the_page_was_shown_is_not_confirmed_and_nothing_is_lost(
    table, lead_client
):
    fields = form_of(lead_client.get(f"{CONFIRM}?table=orders"))
    with change_set(reason="Bots came", source="admin"):
        make_access(table, make_service("bots"))
    head = current_head()
    answer = post(lead_client, fields, table, query="?table=orders", note="As every spring")
    assert answer.status_code == 409
    assert current_head() == head
    text = text_of(answer.text)
    assert "Nothing was confirmed: somebody changed this table" in text
    assert "Bots came" in text
    assert 'value="As every spring"' in answer.text
    assert re.search(rf'value="{table.pk}" checked', answer.text)
    again = post(lead_client, form_of(answer), table, query="?table=orders", note="As every spring")
    assert again.status_code == 302
    assert ChangeSet.objects.first().reason == "As every spring"


def test_of_many_those_that_changed_are_left_out_and_shown_again(table, lead_client):
    others = [make_table("receipts"), make_table("refunds")]
    fields = form_of(lead_client.get(CONFIRM))
    table.description = "An edit of the description is no change of what is confirmed"
    table.save()
    with change_set(user=None, reason="Bots came"):
        make_access(others[0])
    answer = post(lead_client, fields, table, *others)
    assert answer["Location"] == f"{CONFIRM}?table=receipts"
    assert re.search(
        r"2 tables confirmed .* Left out, because \S+ changed them .*: receipts\.",
        sentences(answer),
    )
    assert {row.table.name for row in Confirmation.objects.all()} == {"orders", "refunds"}
    assert "refunds" not in lead_client.get(answer["Location"]).text


def test_a_newer_run_or_a_restored_registry_is_shown_before_anything_is_confirmed(
    table, lead_client
):
    fields = form_of(lead_client.get(CONFIRM))
    other_history = fields | {"head": f"{current_head().revision}:{'0' * 64}"}
    assert "restored from a backup" in post(lead_client, other_history, table).text
    keep_run("payments read orders")
    answer = post(lead_client, fields, table, note="Checked")
    assert answer.status_code == 409
    assert "newer run of drift" in answer.text
    assert 'value="Checked"' in answer.text
    assert not Confirmation.objects.exists()
    assert post(lead_client, form_of(answer), table).status_code == 302


NONSENSE = {
    "no head": {"head": ""},
    "a bad head": {"head": "1:x"},
    "a name for a number": {"table": ["orders"]},
    "a large number": {"table": ["9" * 30]},
    "too many": {"table": [str(number) for number in range(501)]},
}


@pytest.mark.parametrize("fields", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused(table, lead_client, fields):
    good = form_of(lead_client.get(CONFIRM)) | {"table": [str(table.pk)]}
    assert lead_client.post(CONFIRM, good | fields).status_code == 400
    assert not Confirmation.objects.exists()


def test_nothing_ticked_or_a_deleted_table_confirms_nothing_and_says_so(table, lead_client):
    fields = form_of(lead_client.get(CONFIRM))
    assert "tick at least one" in sentences(post(lead_client, fields))
    gone = make_table()
    gone_id = gone.pk
    gone.delete()
    answer = lead_client.post(CONFIRM, fields | {"table": [gone_id]})
    assert "have been deleted" in sentences(answer)


def test_viewers_see_the_page_and_confirm_nothing(table, viewer_client, lead_client):
    shown = viewer_client.get(CONFIRM)
    assert "Never confirmed 1" in text_of(shown.text)
    assert "checkbox" not in shown.text
    assert post(viewer_client, form_of(shown), table).status_code == 403
    assert not Confirmation.objects.exists()


def test_where_rights_follow_the_owner_its_team_confirms_and_nobody_else(
    table, lead_client, settings
):
    settings.RIGHTS_FOLLOW_OWNER = True
    team = make_team("Money", contact="#money")
    table.owner.team = team
    table.owner.save()
    make_table("receipts")
    shown = lead_client.get(f"{CONFIRM}?state=all")
    assert re.findall(r'name="table" value="(\d+)"', shown.text) == [
        str(Table.objects.get(name="receipts").pk)
    ]
    answer = post(lead_client, form_of(shown), table, note="Mine")
    assert answer.status_code == 409
    assert "orders belongs to Money (#money): only its members may change it." in text_of(
        answer.text
    )
    assert not Confirmation.objects.exists()
    member = Client()
    member.force_login(make_member(team, "ann"))
    answer = post(member, form_of(member.get(f"{CONFIRM}?mine=true")), table, query="?mine=true")
    assert answer["Location"] == f"{CONFIRM}?mine=true"
    assert Confirmation.objects.get().confirmed_by == "ann"


@pytest.mark.slow
def test_the_list_is_narrowed_by_state_group_and_owner(table, lead_client):
    tables = [make_table(name) for name in ("due", "overdue", "changed", "confirmed")]
    for row, days in zip(tables, (3, -3, 180, 180), strict=True):
        make_confirmation(row, days=days)
    make_access(tables[2])

    def listed(query: str) -> set[str]:
        return set(tables_in(lead_client.get(f"{CONFIRM}?{query}")))

    assert listed("") == {"orders", "due", "overdue", "changed"}
    assert listed("state=all") == {"orders", "due", "overdue", "changed", "confirmed"}
    by_state = {
        state: listed(f"state={state}")
        for state in ("never", "due", "overdue", "changed_since", "confirmed")
    }
    assert by_state == {
        "never": {"orders"},
        "due": {"due"},
        "overdue": {"overdue"},
        "changed_since": {"changed"},
        "confirmed": {"confirmed"},
    }
    assert listed("state=all&owner=payments") == {"orders"}
    assert listed("group=Group&state=due") == {"due"}
    for nonsense in ("state=soon", "owner=nobody", "group=none"):
        assert lead_client.get(f"{CONFIRM}?{nonsense}").status_code == 400
    chips = text_of(lead_client.get(CONFIRM).text)
    assert (
        "To confirm 4 Overdue 1 Changed since 1 Due 1 Never confirmed 1 Confirmed 1 All 5" in chips
    )


def test_the_most_urgent_tables_come_first_and_the_page_says_so(lead_client):
    tables = {
        name: make_table(name, position=place)
        for place, name in enumerate(
            ("new", "confirmed", "due", "changed", "overdue", "overdue-too")
        )
    }
    days = {"confirmed": 180, "due": 3, "changed": 180, "overdue": -3, "overdue-too": -90}
    for name, left in days.items():
        make_confirmation(tables[name], days=left)
    make_access(tables["changed"])
    urgent = ["overdue", "overdue-too", "changed", "due", "new"]
    page = lead_client.get(CONFIRM)
    assert tables_in(page) == urgent
    order = "Most urgent first: overdue, changed since, due, never confirmed"
    assert f"{order}. Within each, in map order." in text_of(page.text)
    page = lead_client.get(f"{CONFIRM}?state=all")
    assert tables_in(page) == [*urgent, "confirmed"]
    assert f"{order}, confirmed." in text_of(page.text)
    assert "Most urgent" not in lead_client.get(f"{CONFIRM}?state=overdue").text


@pytest.mark.slow
def test_states_appear_in_lists_once_anything_is_confirmed(table, lead_client, settings):
    settings.ANONYMOUS_READ = True
    home, group = reverse("pages:home"), reverse("pages:group", args=["Group"])
    for address in (home, group):
        assert "Never confirmed" not in lead_client.get(address).text
    assert "1 table to confirm" in text_of(lead_client.get(home).text)
    confirm([table.pk], current_head().revision, user=None)
    for address in (home, group, f"{home}?revision={current_head().revision}"):
        assert ">Confirmed</span>" in re.sub(
            r"<span\s+class=\"unseen\">[^<]*</span>", "", lead_client.get(address).text
        )
    make_table("receipts")
    shown = lead_client.get(f"{home}?show=confirm").text
    assert "receipts" in shown.partition("<main")[2]
    assert ">orders<" not in shown.partition("<main")[2].partition("<aside")[0]
    anonymous = Client().get(table.get_absolute_url()).text
    assert "Confirmed" in anonymous
    assert Confirmation.objects.get().confirmed_by not in anonymous


@pytest.mark.slow
def test_a_services_page_says_how_far_its_tables_are_confirmed(table, lead_client):
    address = table.owner.get_absolute_url()
    make_table("rates", owner=table.owner)
    assert "Never confirmed" not in text_of(lead_client.get(address).text)
    make_confirmation(table)
    page = text_of(lead_client.get(address).text)
    assert "orders Confirmation: Confirmed rates Confirmation: Never confirmed" in page


@pytest.mark.slow
def test_confirming_is_no_edit_on_pages(table, lead, lead_client):
    with change_set(user=lead, reason="Before", source="admin"):
        make_access(table)
    before = lead_client.get(table.get_absolute_url()).text
    changed = re.search(r'<a class="badge" href="#history">changed.*?</a>', before, re.DOTALL)[0]
    confirm([table.pk], current_head().revision, user=lead, reason="Every entry is right")
    assert changed in lead_client.get(table.get_absolute_url()).text
    for address in (
        reverse("pages:home"),
        reverse("admin:index"),
        reverse("admin:ownership_table_add"),
    ):
        assert "Every entry is right" not in lead_client.get(address).text
    assert "Every entry is right" in lead_client.get(reverse("pages:changes")).text
    compared = lead_client.get(reverse("pages:compare"), {"from": current_head().revision - 1})
    assert "No differences between these two." in text_of(compared.text)


def test_the_matrix_has_a_layer_that_says_how_far_tables_are_confirmed(
    table, lead_client, settings
):
    settings.ANONYMOUS_READ = True
    matrix = reverse("pages:matrix")
    assert "layer=confirmation" not in lead_client.get(matrix).text
    confirm([table.pk], current_head().revision, user=None)
    make_access(make_table("receipts"))
    assert "layer=confirmation" in Client().get(matrix).text
    for query in (
        "layer=confirmation",
        "layer=confirmation&mode=read",
        f"layer=confirmation&revision={current_head().revision}",
    ):
        page = lead_client.get(f"{matrix}?{query}").text
        rows = re.findall(r'<tr class="tint (\w+)">', page)
        assert rows == ["confirmed", "never"]


@pytest.mark.slow
def test_the_page_takes_a_fixed_number_of_queries(lead_client):
    keep_run("payments read orders", environment="production")

    def count(number: int) -> list[int]:
        with change_set(reason="Grow"):
            tables = [make_table(f"table-{number}-{row}") for row in range(number)]
            for table in tables:
                make_access(table)
                table.indexes.create(name="by-day")
        shown = lead_client.get(CONFIRM)
        found = []
        for act in (
            lambda: lead_client.get(CONFIRM),
            lambda: lead_client.get(reverse("pages:home")),
            lambda: lead_client.get(f"{reverse('pages:matrix')}?layer=confirmation"),
            lambda: post(lead_client, form_of(shown), *tables),
        ):
            with CaptureQueriesContext(connection) as queries:
                act()
            found.append(len(queries))
        return found

    few = count(2)
    assert count(20) == few == [23, 20, 14, 36 + wakings()]
