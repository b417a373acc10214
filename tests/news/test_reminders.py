"""Who watches what is theirs is told by mail of what waits: when it begins to, and once a week while it does."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ownership.catalog import confirmation
from ownership.history.models import current_head
from ownership.models import Confirmation, Mailing, Table, TableGroup
from ownership.news import mailing, watching
from ownership.news.deliverer import INTERVAL, MAIL_INTERVAL
from ownership.news.mailing import COLLECTING, mail_next
from ownership.plans.confirming import confirm
from ownership.plans.suggestions import decline
from tests.support.factories import (
    make_access,
    make_confirmation,
    make_member,
    make_service,
    make_suggestion,
    make_table,
    make_team,
)
from tests.support.mail_server import html_of, subject_of, text_of
from tests.support.mailing import send_what_is_due
from tests.support.runs import keep_run

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def ann(mail_server, later) -> User:
    """A lead of Money, which owns the table accounts; ann watches what is hers, and has had no mail yet."""
    team = make_team("Money")
    ann = make_member(team, "ann")
    ann.email = "ann@registry.example"
    ann.save()
    wallet = make_service("wallet", team=team)
    make_access(make_table("accounts", owner=wallet), wallet)
    watching.watch(ann, "mine", None)
    send_what_is_due()
    # What is made now is old enough to be mailed.
    later(COLLECTING)
    return ann


@pytest.fixture
def accounts(ann) -> Table:
    """The table that is Ann's."""
    return Table.objects.get(name="accounts")


def day_in_words(day) -> str:
    return f"{day.day} {day:%b %Y}"


def test_a_suggestion_is_mailed_to_the_team_with_who_why_and_a_link(accounts, mail_server):
    suggestion = make_suggestion(accounts, description="Balances")

    send_what_is_due()
    send_what_is_due()

    [mail] = mail_server.mails
    assert mail["To"] == "ann@registry.example"
    assert subject_of(mail) == "Waiting for you: accounts"
    until = day_in_words(suggestion.until)
    text = text_of(mail)
    assert (
        "Waiting for you\n\nSuggestions:\n"
        f"- accounts: suggested by suggester, to be answered by {until}: It is so\n"
        f"http://127.0.0.1:8000/suggestions/{suggestion.number}/\n"
    ) in text
    assert "Everything that waits for you: http://127.0.0.1:8000/mine/" in text
    assert "because you watch what is yours.\n" in text
    assert "Changes" not in text
    html = html_of(mail)
    assert f'<a href="http://127.0.0.1:8000/suggestions/{suggestion.number}/">accounts</a>' in html
    assert 'href="http://127.0.0.1:8000/mine/"' in html


def test_of_a_suggested_finding_the_mail_has_the_reason_without_the_evidence(accounts, mail_server):
    make_suggestion(accounts, reason="As found\n\nFound by run 1 serverless: bots → shop")

    send_what_is_due()

    [mail] = mail_server.mails
    assert ": As found\n" in text_of(mail)
    assert "Found by run 1" not in text_of(mail)


def test_suggestions_of_one_minute_come_in_one_mail(accounts, mail_server, later):
    later(-COLLECTING)
    make_suggestion(accounts, description="Balances")
    send_what_is_due()
    make_suggestion(accounts, description="Balances of today")
    send_what_is_due()
    assert mail_server.mails == []
    later(COLLECTING)

    send_what_is_due()

    [mail] = mail_server.mails
    assert text_of(mail).count("suggested by suggester") == 2


def test_the_deliverer_looks_often_enough_to_mail_within_two_minutes():
    assert COLLECTING.total_seconds() + MAIL_INTERVAL + INTERVAL <= 2 * 60


def test_changes_come_in_the_same_mail_after_what_waits(accounts, mail_server):
    make_suggestion(accounts, description="Balances")
    make_access(accounts, make_service("shop"))

    send_what_is_due()

    [mail] = mail_server.mails
    assert subject_of(mail).startswith("Waiting for you: accounts; shop → accounts: ")
    for text, changes in ((text_of(mail), "\nChanges\n"), (html_of(mail), ">Changes</h1>")):
        assert 0 < text.index("suggested by suggester") < text.index(changes)


def test_what_people_typed_is_text_in_html(accounts, mail_server):
    make_suggestion(accounts, make_member(make_team(), "<b>en"), description="Balances")
    send_what_is_due()
    [mail] = mail_server.mails
    assert "suggested by &lt;b&gt;en" in html_of(mail)


def test_hand_overs_confirmations_that_end_and_findings_wait_too(accounts, mail_server, settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    ben = make_member(make_team("Robots"), "ben")
    offered = make_table("offered", owner=make_service("bots", team=ben.memberships.get().team))
    hand_over = make_suggestion(offered, ben, owner=accounts.owner)
    receipts = make_table("receipts", owner=accounts.owner)
    due, overdue = make_confirmation(accounts, days=3), make_confirmation(receipts, days=-3)
    keep_run("wallet read accounts", "bots write accounts", environment="prod")

    send_what_is_due()

    [mail] = mail_server.mails
    text = text_of(mail)
    assert (
        "Hand-overs to agree to:\n- offered: suggested by ben, to be answered by "
        f"{day_in_words(hand_over.until)}: It is so\n"
        f"http://127.0.0.1:8000/suggestions/{hand_over.number}/\n"
    ) in text
    assert (
        f"To confirm:\n- receipts: its confirmation ended on {day_in_words(overdue.until)}\n"
        "http://127.0.0.1:8000/confirm/?table=receipts\n"
        f"- accounts: its confirmation ends on {day_in_words(due.until)}\n"
    ) in text
    assert (
        "Findings on my tables:\n- accounts: access is not declared (bots), in prod\n"
        "http://127.0.0.1:8000/tables/accounts/\n"
    ) in text


@pytest.mark.parametrize("watches", [None, "table"])
def test_who_does_not_watch_what_is_theirs_is_not_reminded(ann, accounts, mail_server, watches):
    watching.unwatch(ann, "mine", None)
    if watches:
        watching.watch(ann, watches, accounts.pk)
    make_suggestion(accounts, description="Balances")
    make_confirmation(accounts, days=-3)
    send_what_is_due()
    assert all("Waiting for you" not in text_of(mail) for mail in mail_server.mails)


def test_ones_own_suggestions_and_those_to_others_wait_for_somebody_else(
    ann, accounts, mail_server
):
    make_suggestion(accounts, ann, description="Balances")
    make_suggestion(make_table("elsewhere"), description="Not Ann's")
    send_what_is_due()
    assert mail_server.mails == []


@pytest.mark.slow
def test_what_goes_on_waiting_is_told_of_once_a_week_in_one_list(accounts, mail_server, later):
    make_suggestion(accounts, description="Balances")
    send_what_is_due()
    later(3 * DAY)
    make_confirmation(accounts, days=3)
    send_what_is_due()
    for _ in range(14):
        later(DAY)
        send_what_is_due()

    first, second, *weekly = mail_server.mails
    assert "its confirmation" not in text_of(first)
    assert "suggested by" not in text_of(second)
    assert "1 more that you were told of earlier waits, too." in text_of(second)
    assert len(weekly) == 2
    for mail in weekly:
        assert "suggested by suggester" in text_of(mail)
        assert "its confirmation ends on" in text_of(mail)
        assert "told of earlier" not in text_of(mail)
    assert len({mail["Message-ID"] for mail in mail_server.mails}) == 4


def test_what_was_answered_is_not_told_of_again(ann, accounts, mail_server, later):
    suggestion = make_suggestion(accounts, description="Balances")
    send_what_is_due()
    decline(suggestion, user=ann, reason="No", revision=current_head().revision)
    later(10 * DAY)
    send_what_is_due()
    assert len(mail_server.mails) == 1


@pytest.mark.slow
def test_a_finding_that_comes_back_is_told_of_again(accounts, mail_server, later):
    for number, grants in enumerate(
        (["bots write accounts"], ["bots write accounts"], [], ["bots write accounts"])
    ):
        keep_run("wallet read accounts", *grants)
        later(COLLECTING)
        send_what_is_due()
        assert len(mail_server.mails) == (1, 1, 1, 2)[number]


def test_a_confirmation_that_becomes_due_with_the_day_is_told_of_at_six(
    ann, accounts, mail_server, monkeypatch
):
    confirm([accounts.pk], current_head().revision, user=ann)
    due_on = Confirmation.objects.get().until - confirmation.DUE_BEFORE_END
    midnight = datetime(due_on.year, due_on.month, due_on.day, tzinfo=UTC)
    mails = []
    for hours in (-17, 0, 5.99, 6, 7):
        now = midnight + timedelta(hours=hours)
        monkeypatch.setattr(mailing, "timezone", SimpleNamespace(now=lambda now=now: now))
        monkeypatch.setattr(confirmation, "localdate", now.date)
        send_what_is_due()
        mails.append(len(mail_server.mails))
    assert mails == [0, 0, 0, 1, 1]


def test_confirmations_by_others_are_not_mailed_as_changes(accounts, lead, mail_server):
    make_confirmation(accounts, days=180)
    send_what_is_due()
    before = len(mail_server.mails)
    confirm([accounts.pk], current_head().revision, user=lead)
    assert Confirmation.objects.get().confirmed_by == "lead"
    send_what_is_due()
    assert len(mail_server.mails) == before


def test_a_digest_has_what_waits(ann, accounts, mail_server, later):
    watching.switch_mail(ann, "daily", False)
    send_what_is_due()
    make_suggestion(accounts, description="Balances")
    send_what_is_due()
    assert mail_server.mails == []
    later(DAY)
    send_what_is_due()
    send_what_is_due()
    [mail] = mail_server.mails
    assert subject_of(mail) == "Waiting for you: accounts"


@pytest.mark.slow
def test_while_the_server_is_away_no_reminder_is_lost(accounts, mail_server, later, settings):
    # No change set: only the run says that there is something to tell.
    keep_run("bots write accounts")
    settings.EMAIL_PORT = 1
    send_what_is_due()
    assert Mailing.objects.get().failures == 1
    settings.EMAIL_PORT = mail_server.port
    later(timedelta(minutes=1))
    send_what_is_due()
    send_what_is_due()
    [mail] = mail_server.mails
    assert "access is not declared (bots)" in text_of(mail)
    assert Mailing.objects.get().problem == ""


def test_a_reminder_that_was_perhaps_sent_comes_once_more_at_most_and_as_the_same(
    accounts, mail_server, later
):
    make_suggestion(accounts, description="Balances")
    mail_server.breaks_off = True
    for _ in range(5):
        send_what_is_due()
        later(timedelta(hours=1))

    first, second = mail_server.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert text_of(first) == text_of(second)


def test_a_mail_with_nothing_left_to_tell_is_not_repeated(ann, accounts, mail_server, later):
    suggestion = make_suggestion(accounts, description="Balances")
    mail_server.breaks_off = True
    send_what_is_due()
    decline(suggestion, user=ann, reason="No", revision=current_head().revision)
    later(timedelta(hours=1))
    send_what_is_due()
    assert len(mail_server.mails) == 1
    assert Mailing.objects.get().sending_to is None


@pytest.mark.slow
def test_a_list_of_what_waits_is_bounded(accounts, mail_server):
    for number in range(12):
        make_confirmation(make_table(f"ledger-{number}", owner=accounts.owner), days=1)
    send_what_is_due()
    text = text_of(mail_server.mails[0])
    assert text.count("its confirmation ends on") == 10
    assert "\n- and 2 more\n" in text


@pytest.mark.slow
def test_a_mail_takes_as_many_queries_for_much_as_for_little(ann, accounts, mail_server, later):
    keep_run("bots write accounts")
    numbers = []
    for size in (1, 10):
        for _ in range(size):
            table = make_table(owner=accounts.owner)
            make_access(table)
            make_confirmation(table, days=-1)
            make_suggestion(table, description="As said")
            watched = make_table(group=TableGroup.objects.create(name=f"Group of {table}"))
            for kind, row in (
                ("table", watched),
                ("service", watched.owner),
                ("group", watched.group),
            ):
                watching.watch(ann, kind, row.pk)
            make_access(watched)
        later(COLLECTING)
        with CaptureQueriesContext(connection) as queries:
            mail_next(ann.pk)
        numbers.append(len([query for query in queries if "SAVEPOINT" not in query["sql"]]))
    # The account, its preference, its mailing, the head, the latest run, permissions twice; 29 for changes, 2 for
    # answers, 13 for what waits and 4 for what is watched; the mailing again, which is stored twice.
    assert numbers == [7 + 29 + 2 + 13 + 4 + 3] * 2
    assert len(mail_server.mails) == 2
