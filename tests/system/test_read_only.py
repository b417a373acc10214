"""A database that takes no changes, as while it is moved or after a failover: the map is served, a save is refused."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from ownership.history.models import ChangeSet
from tests.support.admin_forms import form_of, open_form, save_form
from tests.support.factories import make_service, make_table
from tests.support.tokens import make_token

pytestmark = pytest.mark.usefixtures("committed")

SWITCHES = {
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "postgresql": ("SET default_transaction_read_only = on", "RESET default_transaction_read_only"),
}
SAYS = "The database accepts no changes at the moment. Nothing was changed here: try again later."


@pytest.fixture
def table(committed):
    return make_table("orders", owner=make_service("shop"))


@pytest.fixture
def client(lead) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(lead)
    return browser


class ReadOnly:
    """The connection's database refuses to write inside the block."""

    def __enter__(self) -> None:
        self._execute(SWITCHES[connection.vendor][0])

    def __exit__(self, *args: object) -> None:
        self._execute(SWITCHES[connection.vendor][1])

    def _execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.fixture
def read_only() -> ReadOnly:
    return ReadOnly()


@pytest.mark.slow
def test_the_map_and_its_history_are_served(table, client, lead, read_only):
    _, shown = make_token(lead)
    with read_only:
        for address in ("/", "/tables/orders/", "/changes/", "/admin/ownership/table/"):
            assert client.get(address).status_code == 200, address
        for address in ("map/", "changes/", "tables/orders/"):
            answer = Client().get(f"/api/v1/{address}", headers={"Authorization": f"Token {shown}"})
            assert answer.status_code == 200, address


def test_a_save_is_refused_in_words_and_works_again_afterwards(table, client, read_only):
    form = open_form(client, table) | {"description": "Edited."}
    before = ChangeSet.objects.count()
    with read_only:
        answer = save_form(client, table, form)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert form_of(answer)["description"] == "Edited.", "the page keeps what was typed"
    assert SAYS in answer.text
    assert save_form(client, table, form).status_code == 302
    assert ChangeSet.objects.count() == before + 1


def test_a_command_that_writes_says_so(table, tmp_path, read_only):
    file = tmp_path / "map.csv"
    file.write_text("table,group,owner\norders,Group,shop\ncarts,Group,shop\n")
    before = ChangeSet.objects.count()
    with (
        read_only,
        pytest.raises(CommandError, match="Nothing was applied. The database accepts no"),
    ):
        call_command("import_map", str(file), "--apply", "--reason", "Carts")
    assert ChangeSet.objects.count() == before
