"""A save that waits too long says so, names the change set it waited for, and keeps what was typed."""

import threading
import time
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from ownership.history import lock
from ownership.history.change_sets import account_name, change_set
from ownership.models.rights import TEAM_LEADS
from tests.support.admin_forms import form_of, open_form, save_form
from tests.support.factories import make_table
from tests.support.threads import PATIENCE, at_once

pytestmark = pytest.mark.usefixtures("committed")


@contextmanager
def patience_of(seconds):
    """This thread's connection waits so long. Back in the pool, it is as it was: other tests get it from there."""
    postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{'SET lock_timeout' if postgresql else 'PRAGMA busy_timeout'} = {int(seconds * 1000)}"
        )
    try:
        yield
    finally:
        if postgresql:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
        connection.close()


@pytest.fixture(autouse=True)
def impatient(committed):
    """Waits of a fifth of a second."""
    with patience_of(0.2):
        yield


@contextmanager
def another_writes(reason, announced=True):
    """Another connection holds the lock and has announced itself, unless the test says otherwise."""
    holds, over = threading.Event(), threading.Event()

    def write():
        try:
            with change_set(reason=reason, source="import") as draft:
                if announced:
                    draft.announce()
                holds.set()
                over.wait(PATIENCE)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert holds.wait(PATIENCE)
    try:
        yield over
    finally:
        over.set()
        thread.join(PATIENCE)


@pytest.fixture
def lead():
    client = Client()
    user = User.objects.create_user("ann")
    user.groups.add(Group.objects.get(name=TEAM_LEADS))
    client.force_login(user)
    return client


def test_a_save_that_waits_too_long_keeps_what_was_typed_and_can_be_sent_again(lead):
    table = make_table("orders")
    form = open_form(lead, table) | {"description": 'Two\nlines, "quoted" & <b>bold</b>'}
    with another_writes("A large map"):
        response = save_form(lead, table, form, "Because")
    page = response.content.decode()
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "Another change set is being written" in page
    table.refresh_from_db()
    assert table.description == ""
    typed = form_of(response)
    again = lead.post(response.wsgi_request.get_full_path(), typed)
    assert again.status_code == 302
    table.refresh_from_db()
    assert table.description == form["description"]
    assert table.history.latest("history_id").change_set.reason == "Because"


def test_a_form_with_a_mistake_does_not_wait(lead):
    table = make_table("orders")
    with another_writes("A large map"):
        response = save_form(lead, table, open_form(lead, table) | {"name": "no name"}, "Because")
    assert response.status_code == 200
    assert "Use 3–255 letters, digits" in response.content.decode()


def test_the_error_names_the_running_change_set(lead):
    table = make_table("orders")
    with another_writes("Café tables"):
        page = save_form(lead, table, open_form(lead, table), "Because").content.decode()
    announced_reason = "Cafe tables" if connection.vendor == "postgresql" else "Café tables"
    assert f"import by {account_name()}: {announced_reason}" in page


def test_an_unannounced_change_set_is_not_mistaken_for_an_earlier_announced_one(lead):
    table = make_table("orders")
    with another_writes("A large map"):
        pass
    with another_writes("Something short", announced=False):
        page = save_form(lead, table, open_form(lead, table), "Because").content.decode()
    assert "Another change set is being written, which takes a while" in page


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("announced", "status"), [(True, 503), (False, 302)], ids=["a long one", "quick ones"]
)
def test_on_sqlite_quick_writers_are_waited_for_longer_than_an_announced_one(
    lead, monkeypatch, announced, status
):
    monkeypatch.setattr(lock, "PATIENCE", 0.2)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
    table = make_table("orders")
    form = open_form(lead, table) | {"description": "Mine."}
    with another_writes("A map", announced) as over:
        if not announced:
            threading.Timer(1.5, over.set).start()
        assert save_form(lead, table, form).status_code == status


@pytest.mark.slow
@pytest.mark.postgres
def test_of_several_waiting_writers_none_waits_longer_than_lock_timeout():

    def save(after):
        time.sleep(after)
        with patience_of(4):  # by then there is a connection, for which it may have waited, too
            begun = time.monotonic()
            with pytest.raises(lock.RegistryBusy), change_set(reason="Late"):
                pass
            return time.monotonic() - begun

    with another_writes("Something short", announced=False):
        waited = at_once(*(lambda after=number / 10: save(after) for number in range(4)))
    assert all(4 <= seconds < 7.5 for seconds in waited), waited


@pytest.mark.slow
def test_one_thread_of_a_process_waits_for_an_announced_change_set_and_others_are_refused_at_once(
    monkeypatch,
):
    assert _saved_meanwhile(monkeypatch, announced=True) == ["told", "told", "written"]


def test_all_threads_wait_for_an_unannounced_change_set(monkeypatch):
    assert _saved_meanwhile(monkeypatch, announced=False) == ["written"] * 3


def _saved_meanwhile(monkeypatch, announced):
    """The results of three saves while another one writes: until two of them were refused, or for a moment."""
    monkeypatch.setattr(lock, "PATIENCE", PATIENCE)
    told = threading.Semaphore(0)

    def save():
        try:
            with patience_of(PATIENCE), change_set(reason="Late"):
                return "written"
        except lock.RegistryBusy:
            told.release()
            return "told"

    with another_writes("A large map", announced) as over:

        def end():
            for _ in range(2):
                told.acquire(timeout=PATIENCE / 2 if announced else 0.3)
            over.set()

        threading.Thread(target=end).start()
        return sorted(at_once(save, save, save))


def test_a_command_that_waits_too_long_says_so():
    with (
        another_writes("A large map"),
        pytest.raises(CommandError, match="Another change set is being written"),
    ):
        call_command("seed", verbosity=0)
