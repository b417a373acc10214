"""Several deliverers share the work: nothing is lost and order is kept, even if they are killed."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from ownership.history.models import current_head
from ownership.models import Delivery, Mailing
from ownership.news import deliverer as module
from ownership.news.claims import claimed
from ownership.news.deliverer import Deliverer
from ownership.news.watching import watch
from tests.support.endpoints import deliver, make_endpoint, revisions
from tests.support.factories import (
    make_confirmation,
    make_member,
    make_service,
    make_table,
    make_team,
)
from tests.support.mail_server import text_of
from tests.support.threads import PATIENCE, at_once

ROOT = Path(__file__).resolve().parents[2]


def wait_until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


@pytest.mark.postgres
def test_each_of_its_threads_finds_a_connection_in_the_pool(db):
    # Otherwise some would wait for one in vain while all are busy.
    assert connection.settings_dict["OPTIONS"]["pool"]["max_size"] >= module.THREADS + 1


def test_once_sends_what_is_due_and_returns(committed, receiver, monkeypatch):
    monkeypatch.setattr(module, "IN_A_ROW", 2)
    endpoint = make_endpoint(receiver)
    broken = make_endpoint(receiver, name="broken", address=receiver.address + "-broken")
    Delivery.objects.create(pk=broken.pk, revision=current_head().revision)
    first = current_head().revision + 1
    for _ in range(3):
        make_service()
    broken.delete()

    call_command("deliver", once=True)

    assert revisions(receiver) == list(range(first - 1, first + 4))
    assert Delivery.objects.get().pk == endpoint.pk


def test_of_two_deliverers_one_works_for_an_endpoint(committed, receiver):
    endpoint = make_endpoint(receiver)
    Delivery.objects.create(pk=endpoint.pk, revision=1)
    claimed_by: list[bool] = []
    both = threading.Barrier(2)

    def claim() -> None:
        with claimed(Delivery, endpoint.pk) as delivery:
            claimed_by.append(delivery is not None)
            both.wait(PATIENCE)

    at_once(claim, claim)

    assert sorted(claimed_by) == [False, True]
    with claimed(Delivery, endpoint.pk) as delivery:
        assert delivery is not None


@contextmanager
def running() -> Iterator[Deliverer]:
    deliverer = Deliverer()
    thread = threading.Thread(target=deliverer.run)
    thread.start()
    try:
        yield deliverer
    finally:
        deliverer.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.mark.postgres
def test_postgresql_wakes_the_deliverer(committed, receiver, monkeypatch):
    monkeypatch.setattr(module, "INTERVAL", 10 * PATIENCE)
    make_endpoint(receiver)
    deliver()
    with running():
        time.sleep(1)  # until it listens
        make_service()
        wait_until(lambda: revisions(receiver) == [current_head().revision])


def test_on_any_database_it_looks_every_few_seconds(committed, receiver, monkeypatch):
    monkeypatch.setattr(module, "INTERVAL", 0.05)
    make_endpoint(receiver)
    with running():
        make_service()
        wait_until(lambda: revisions(receiver) == [current_head().revision])


def database_url() -> str:
    """The URL of the tests' database."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"], safe="")
    host = quote(settings["HOST"], safe="")
    return f"postgresql://{user}:{password}@{host}:{settings['PORT']}/{settings['NAME']}"


@pytest.mark.slow
def test_killed_deliverers_lose_nothing_and_keep_the_order(committed, receiver):
    environment = os.environ | {"DATABASE_URL": database_url(), "ENDPOINT_NETWORKS": "127.0.0.0/8"}
    for number in range(3):
        make_endpoint(receiver, name=f"ci-{number}", address=f"{receiver.address}/{number}")
    first = current_head().revision - 1
    command = [sys.executable, "manage.py", "deliver"]
    deliverers = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]
    try:
        for _ in range(3):
            for _ in range(10):
                make_service()
            seen = len(receiver.received)
            wait_until(lambda seen=seen: len(receiver.received) > seen + 3)
            time.sleep(random.uniform(0, 0.05))
            killed = deliverers.pop(0)
            killed.kill()
            killed.wait()
            deliverers.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        last = current_head().revision
        wait_until(lambda: not Delivery.objects.exclude(revision=last).exists())
    finally:
        for process in deliverers:
            process.send_signal(signal.SIGTERM)
        statuses = [process.wait(PATIENCE) for process in deliverers]

    assert statuses[0] == 0  # the other one may have been told before it could listen
    for number in range(3):
        path = f"/hook/{number}"
        requests = [request for request in receiver.received if request.path == path]
        ids = [int(request.headers["webhook-id"].partition("-")[0]) for request in requests]
        assert ids == sorted(ids)
        assert list(dict.fromkeys(ids)) == list(range(first + number, last + 1))


@pytest.mark.slow
def test_a_mail_whose_deliverers_are_killed_comes_twice_as_the_same_and_not_a_third_time(
    committed, mail_server
):
    team = make_team()
    ann = make_member(team, "ann")
    User.objects.filter(pk=ann.pk).update(email="ann@registry.example")
    watch(ann, "mine", None)
    make_confirmation(make_table("orders", owner=make_service(team=team)), days=-1)
    settings = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mail_server.port)}
    environment = os.environ | settings | {"DATABASE_URL": database_url(), "EMAIL_SECURITY": "none"}
    command = [sys.executable, "manage.py", "deliver", "--once"]

    statuses = []
    for _ in range(3):
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        mail_server.before_answer = lambda mail, process=process: process.kill()
        statuses.append(process.wait(PATIENCE))

    assert statuses == [-signal.SIGKILL, -signal.SIGKILL, 0]
    first, second = mail_server.mails
    assert "orders: its confirmation ended" in text_of(first)
    assert first["Message-ID"] == second["Message-ID"]
    assert text_of(first) == text_of(second)
    mailing = Mailing.objects.get()
    assert (mailing.sending_to, len(mailing.reminded)) == (None, 1)
