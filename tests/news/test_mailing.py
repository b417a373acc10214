"""People get one mail of what changed in what they watch, as often as they chose, and the same one at most twice."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import Mailing, MailPreference, TableGroup, Watch
from ownership.news import watching
from ownership.news.mailing import COLLECTING, digest_hour, due_people
from tests.support.endpoints import deliver, make_endpoint
from tests.support.factories import make_access, make_member, make_service, make_table, make_team
from tests.support.mail_server import html_of, subject_of, text_of
from tests.support.mailing import send_what_is_due
from tests.support.pages import day_text

pytestmark = pytest.mark.django_db
UNSUBSCRIBE = re.compile(r"http://127\.0\.0\.1:8000(/unsubscribe/\S+/)")


def choose(user: User, rhythm: str, own_changes: bool = False) -> None:
    watching.switch_mail(user, rhythm, own_changes)


def test_changes_are_collected_and_come_in_one_mail_with_who_what_why_and_links(
    reader, lead, mail_server, later
):
    table, service = make_table("orders"), make_service("payments")
    watching.watch(reader, "table", table.pk)
    with change_set(user=lead, reason="They <settle> it"):
        make_access(table, service)
        make_table("elsewhere")
    with change_set(user=lead, reason="As agreed\non Monday"):
        table.owner = service
        table.save()

    send_what_is_due()
    assert mail_server.mails == []
    later(COLLECTING)
    send_what_is_due()
    send_what_is_due()

    [mail] = mail_server.mails
    head = current_head().revision
    assert mail["To"] == "reader@registry.example"
    assert subject_of(mail) == "2 changes: payments → orders, orders"
    text = text_of(mail)
    assert f"revision {head - 1}:\nThey <settle> it\n- access payments → orders created\n" in text
    time = ChangeSet.objects.first().time
    time = f"{day_text(time)}, {time:%H:%M}"
    assert (
        f"lead, {time} UTC, revision {head}:\nAs agreed on Monday\n- table orders changed: owner "
        in text
    )
    assert f"http://127.0.0.1:8000/changes/{head}/" in text
    assert "from the ownership registry because you watch the table orders.\n" in text
    html = html_of(mail)
    assert "They &lt;settle&gt; it" in html
    assert "<del>—</del>" not in html
    assert '<a\nhref="http://127.0.0.1:8000/tables/orders/">orders</a>' in html
    assert "elsewhere" not in text + html
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("kind", ["service", "group", "mine"])
def test_services_groups_and_what_is_mine_are_watched_too(reader, mail_server, later, kind):
    service = make_service("payments")
    group = TableGroup.objects.create(name="Shop")
    table = make_table("orders", owner=service, group=group)
    team = make_team()
    make_member(team, reader.username)
    service.team = team
    service.save()
    watching.watch(reader, kind, {"service": service.pk, "group": group.pk, "mine": None}[kind])
    table.owner = make_service("events")
    table.save()
    make_table("elsewhere")
    later(COLLECTING)

    send_what_is_due()

    [mail] = mail_server.mails
    assert subject_of(mail).startswith("orders: ")


def test_a_mail_names_what_its_reader_watches(reader, mail_server, later):
    tables = [make_table(f"orders-{number}") for number in range(4)]
    gone = make_table()
    watching.watch(reader, "mine", None)
    for table in (*tables[::-1], gone):
        watching.watch(reader, "table", table.pk)
    watching.watch(reader, "service", tables[0].owner.pk)
    watching.watch(reader, "group", tables[0].group.pk)
    gone.delete()
    later(COLLECTING)

    send_what_is_due()

    names = "what is yours, the table orders-0, the table orders-1, the table orders-2, the table orders-3 and 3 more"
    [mail] = mail_server.mails
    for body in (text_of(mail), " ".join(html_of(mail).split())):
        assert f"because you watch {names}." in body


def test_what_was_deleted_is_told_of_and_what_is_restored_is_still_watched(
    reader, mail_server, later
):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    table.delete()
    later(COLLECTING)
    send_what_is_due()

    [mail] = mail_server.mails
    assert "- table orders deleted" in text_of(mail)


def test_nobody_is_told_of_their_own_changes_unless_they_want_it(reader, mail_server, later):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    for own_changes in (False, True):
        choose(reader, "at_once", own_changes)
        with change_set(user=reader, reason="mine"):
            make_access(table)
        later(COLLECTING)
        send_what_is_due()
        assert len(mail_server.mails) == int(own_changes)


@pytest.mark.parametrize(
    ("rhythm", "now", "hour"),
    [
        ("daily", datetime(2026, 3, 4, 5, 59, tzinfo=UTC), datetime(2026, 3, 3, 6, tzinfo=UTC)),
        ("daily", datetime(2026, 3, 4, 6, 0, tzinfo=UTC), datetime(2026, 3, 4, 6, tzinfo=UTC)),
        ("weekly", datetime(2026, 3, 2, 5, 59, tzinfo=UTC), datetime(2026, 2, 23, 6, tzinfo=UTC)),
        ("weekly", datetime(2026, 3, 8, 23, 0, tzinfo=UTC), datetime(2026, 3, 2, 6, tzinfo=UTC)),
    ],
)
def test_digests_are_due_at_six_and_weekly_ones_on_mondays(rhythm, now, hour):
    assert digest_hour(rhythm, now) == hour


@pytest.mark.parametrize(("rhythm", "days"), [("daily", 1), ("weekly", 7)])
def test_a_digest_comes_once_a_period_and_only_if_there_is_news(
    reader, mail_server, later, rhythm, days
):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    choose(reader, rhythm)
    send_what_is_due()
    for number in range(2):
        make_access(table, make_service(f"reader-{number}"))
        send_what_is_due()
    assert mail_server.mails == []

    later(timedelta(days=days))
    send_what_is_due()
    send_what_is_due()
    later(timedelta(days=days))
    send_what_is_due()

    [mail] = mail_server.mails
    assert subject_of(mail).startswith("2 changes: reader-0 → orders, reader-1 → orders")


@pytest.mark.parametrize(("rhythm", "days"), [("daily", 1), ("weekly", 7)])
def test_the_first_digest_waits_for_its_hour_too(reader, mail_server, later, rhythm, days):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    choose(reader, rhythm)
    make_access(table)
    send_what_is_due()
    assert mail_server.mails == []

    later(timedelta(days=days))
    send_what_is_due()

    assert len(mail_server.mails) == 1


@pytest.mark.slow
def test_a_mail_is_bounded(reader, mail_server, later):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    services = [make_service() for _ in range(12)]
    with change_set(reason="many"):
        for service in services:
            make_access(table, service, notes="n" * 5_000)
    for number in range(51):
        table.description = str(number)
        table.save()
    later(COLLECTING)

    send_what_is_due()

    [mail] = mail_server.mails
    text = text_of(mail)
    assert text.count(" UTC, revision ") == 50
    assert "Earlier changes are not listed here: http://127.0.0.1:8000/changes/" in text
    assert len(mail.as_bytes()) < 100_000


def test_while_the_server_is_away_nothing_is_lost_and_nothing_comes_twice(
    reader, mail_server, later, settings
):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    make_access(table)
    settings.EMAIL_PORT = 1
    later(COLLECTING)
    send_what_is_due()
    assert "can't be reached" in Mailing.objects.get().problem
    send_what_is_due()  # waits
    assert Mailing.objects.get().failures == 1
    settings.EMAIL_PORT = mail_server.port
    mail_server.answer = "451 try later"
    later(timedelta(minutes=1))
    send_what_is_due()
    assert "code 451" in Mailing.objects.get().problem
    mail_server.answer = "250 OK"
    make_access(table)
    later(timedelta(minutes=3))
    send_what_is_due()
    send_what_is_due()

    [mail] = mail_server.mails
    assert subject_of(mail).startswith("2 changes")
    assert Mailing.objects.get().problem == ""


def test_a_mail_that_was_perhaps_sent_comes_once_more_at_most_and_as_the_same(
    reader, mail_server, later
):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    make_access(table)
    mail_server.breaks_off = True
    later(COLLECTING)
    for _ in range(5):
        send_what_is_due()
        later(timedelta(hours=1))

    first, second = mail_server.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert text_of(first) == text_of(second)
    mail_server.breaks_off = False
    make_access(table)
    later(COLLECTING)
    send_what_is_due()
    assert len(mail_server.mails) == 3


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"is_active": False}, id="deactivated"),
        pytest.param({"email": ""}, id="no address"),
    ],
)
def test_an_account_that_may_not_read_gets_no_mail(reader, mail_server, later, change):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    make_access(table)
    User.objects.filter(pk=reader.pk).update(**change)
    later(COLLECTING)
    send_what_is_due()
    assert mail_server.mails == []


def test_an_account_without_a_role_gets_no_mail(reader, mail_server, later):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    make_access(table)
    reader.groups.clear()
    later(COLLECTING)
    send_what_is_due()
    assert mail_server.mails == []


def test_a_link_in_the_mail_ends_it_without_signing_in(reader, mail_server, later):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    make_access(table)
    later(COLLECTING)
    send_what_is_due()
    [mail] = mail_server.mails
    address = UNSUBSCRIBE.search(text_of(mail))[1]
    assert mail["List-Unsubscribe"].strip() == f"<http://127.0.0.1:8000{address}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stranger = Client(enforce_csrf_checks=True)

    page = stranger.get(address)
    assert page.status_code == 200
    assert "viewer" not in page.text
    assert MailPreference.objects.get().rhythm == "at_once"
    page = stranger.post(address, {"List-Unsubscribe": "One-Click"})

    assert page.status_code == 200
    assert "You get no more mail" in page.text
    make_access(table)
    later(COLLECTING)
    send_what_is_due()
    assert len(mail_server.mails) == 1
    assert Watch.objects.exists()
    assert stranger.get(address[:-5] + "xyz/").status_code == 404
    assert stranger.post("/unsubscribe/1/").status_code == 404


def test_mail_that_is_switched_on_again_is_about_what_comes_then(reader, mail_server, later):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    choose(reader, "never")
    make_access(table, make_service("meanwhile"))
    later(timedelta(days=30))
    choose(reader, "at_once")
    make_access(table, make_service("then"))
    later(COLLECTING)
    send_what_is_due()

    [mail] = mail_server.mails
    assert "meanwhile" not in text_of(mail)
    assert "then" in text_of(mail)


def test_administrators_are_told_of_a_dead_endpoint(receiver, mail_server, later):
    User.objects.create_superuser("administrator", email="administrator@registry.example")
    send_what_is_due()
    make_endpoint(receiver)
    make_service()
    receiver.status = 410
    deliver()
    later(COLLECTING)

    send_what_is_due()

    [mail] = mail_server.mails
    assert mail["To"] == "administrator@registry.example"
    assert subject_of(mail).startswith("ci: Switched off by the registry")
    text = text_of(mail)
    assert "because you are an administrator.\n" in text
    endpoints = "http://127.0.0.1:8000/admin/ownership/endpoint/"
    assert f"Endpoints, and what was sent to each: {endpoints}\n" in text
    assert f'<a href="{endpoints}">' in html_of(mail)


def test_without_a_mail_server_nothing_is_looked_for(reader, settings, django_assert_num_queries):
    settings.EMAIL_HOST = ""
    watching.watch(reader, "table", make_table().pk)
    with django_assert_num_queries(0):
        assert due_people() == []


def test_looking_takes_as_many_queries_for_many_people_as_for_few(
    reader, mail_server, django_assert_num_queries
):
    watching.watch(reader, "table", make_table().pk)
    due_people()
    # The head, the latest run of drift, mailings, people.
    for _ in range(2):
        with django_assert_num_queries(4):
            due_people()
        for number in range(5):
            other = User.objects.create_user(
                f"reader-{User.objects.count()}", email=f"{number}@registry.example"
            )
            watching.watch(other, "mine", None)
        due_people()
