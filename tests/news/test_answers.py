"""Who suggested something is told by mail what became of it, also if they watch nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from ownership.history.models import current_head
from ownership.models import MailPreference
from ownership.news import answers, watching
from ownership.news.mailing import COLLECTING
from ownership.plans.suggestion_review import Review
from ownership.plans.suggestions import decline, pass_on, take, withdraw
from tests.support.factories import (
    make_member,
    make_service,
    make_suggestion,
    make_table,
    make_team,
)
from tests.support.mail_server import html_of, subject_of, text_of
from tests.support.mailing import send_what_is_due

pytestmark = pytest.mark.django_db


def answer_no(suggestion, lead, reason="Not so") -> None:
    decline(suggestion, user=lead, reason=reason, revision=current_head().revision)


def mailed_later(later, by=COLLECTING) -> None:
    later(by)
    send_what_is_due()


def test_a_declined_suggestion_is_mailed_with_the_reason_to_who_watches_nothing(
    reader, lead, mail_server, later
):
    suggestion = make_suggestion(make_table("orders"), reader)
    answer_no(suggestion, lead)

    mailed_later(later)
    mailed_later(later)

    [mail] = mail_server.mails
    assert mail["To"] == reader.email
    assert subject_of(mail) == "Your suggestion was declined: orders"
    address = f"http://127.0.0.1:8000/suggestions/{suggestion.number}/"
    text = text_of(mail)
    assert text.startswith(
        f"Your suggestions\n\n- orders, “It is so”: declined by lead: Not so\n{address}\n"
    )
    assert "Changes" not in text
    assert "because you suggested a change" in text
    assert f'<a href="{address}">orders</a>, “It is so”:' in html_of(mail)
    assert "declined by lead: Not so" in html_of(mail)
    assert "List-Unsubscribe" in mail


def test_what_was_taken_is_mailed_with_the_reason(reader, lead, mail_server, later):
    review = Review(make_suggestion(make_table("orders"), reader))
    take(review, review.unasked, user=lead, reason="Yes, <so>")

    mailed_later(later)

    [mail] = mail_server.mails
    assert "- orders, “It is so”: taken by lead: Yes, <so>\n" in text_of(mail)
    assert "taken by lead: Yes, &lt;so&gt;" in html_of(mail)


def test_why_not_the_rest_stands_apart_from_the_reason(reader, lead, mail_server, later):
    review = Review(
        make_suggestion(make_table("orders"), reader, description="New", name="orders2")
    )
    [first, *_] = review.choices
    take(review, [first], user=lead, reason="Yes", rest="Not so")
    mailed_later(later)
    [mail] = mail_server.mails
    assert "- orders, “It is so”: taken in part by lead: Yes – Not taken: Not so\n" in text_of(mail)


def test_answers_of_one_minute_come_in_one_mail_with_what_else_changed(
    reader, lead, mail_server, later
):
    table = make_table("orders")
    watching.watch(reader, "table", table.pk)
    review = Review(make_suggestion(table, reader))
    take(review, review.unasked, user=lead, reason="Yes")
    answer_no(make_suggestion(make_table("users"), reader), lead)
    send_what_is_due()
    assert mail_server.mails == []

    mailed_later(later)

    [mail] = mail_server.mails
    text = text_of(mail)
    assert text.index("orders, “It is so”: taken by lead") < text.index(
        "users, “It is so”: declined by lead"
    )
    assert text.index("users, “It is so”: declined by lead") < text.index("\nChanges\n")
    assert subject_of(mail).startswith("Your suggestions: orders, users; ")


def test_whoever_has_switched_mail_off_gets_no_answer(reader, lead, mail_server, later):
    watching.switch_mail(reader, "never", own_changes=False)
    answer_no(make_suggestion(make_table("orders"), reader), lead)
    mailed_later(later)
    assert mail_server.mails == []
    assert MailPreference.objects.get().rhythm == "never"


def test_the_answer_is_a_part_of_the_digest(reader, lead, mail_server, later):
    watching.switch_mail(reader, "weekly", own_changes=False)
    send_what_is_due()
    answer_no(make_suggestion(make_table("orders"), reader), lead)
    mailed_later(later)
    assert mail_server.mails == []
    mailed_later(later, timedelta(days=7))
    [mail] = mail_server.mails
    assert "declined by lead" in text_of(mail)


def test_nobody_is_told_of_what_they_withdrew_or_answered(reader, lead, mail_server, later):
    lead.email = "lead@registry.example"
    lead.save()
    watching.switch_mail(lead, "at_once", own_changes=False)
    suggestion = make_suggestion(make_table("orders"), reader)
    withdraw(suggestion, user=reader, reason="A slip", revision=current_head().revision)
    answer_no(make_suggestion(make_table("users"), by=make_member(make_team())), lead)
    mailed_later(later)
    assert mail_server.mails == []


def test_passed_on_it_is_mailed_and_so_is_the_answer_of_the_other_team(
    reader, mail_server, later, settings
):
    settings.RIGHTS_FOLLOW_OWNER = True
    ann, ben = make_member(make_team("Money"), "ann"), make_member(make_team("Robots"), "ben")
    orders = make_table("orders", owner=make_service(team=ann.memberships.get().team))
    bots = make_service("bots", team=ben.memberships.get().team)
    review = Review(make_suggestion(orders, reader, owner=bots))
    [hand_over] = pass_on(review, review.unasked, user=ann, reason="Fine with us")
    mailed_later(later)
    answer_no(hand_over, ben, "Too much work")
    mailed_later(later)

    [passed_on, declined] = mail_server.mails
    assert "- orders, “It is so”: passed on by ann: Fine with us" in text_of(passed_on)
    assert (
        "- orders, “Fine with us (Suggestion 1, by viewer.)”: declined by ben: Too much work"
        in text_of(declined)
    )


def test_what_lapses_is_mailed_once_on_the_day_after(reader, mail_server, later):
    suggestion = make_suggestion(make_table("orders"), reader)
    send_what_is_due()
    # Two mornings before it lapses.
    last = datetime.combine(suggestion.until, datetime.min.time(), UTC) + timedelta(hours=7)
    later(last - timezone.now())
    send_what_is_due()
    assert mail_server.mails == []
    for hours in (18, 6, 1, 24, 7 * 24):
        mailed_later(later, timedelta(hours=hours))
        assert len(mail_server.mails) == (0 if hours == 18 else 1), hours

    [mail] = mail_server.mails
    assert subject_of(mail) == "Your suggestion has lapsed: orders"
    assert "- orders, “It is so”: lapsed: nobody answered until" in text_of(mail)


def test_what_lapsed_while_mail_was_off_is_not_mailed(reader, mail_server, later):
    make_suggestion(make_table("orders"), reader)
    send_what_is_due()
    watching.switch_mail(reader, "never", own_changes=False)
    later(timedelta(days=40))
    make_table()
    watching.switch_mail(reader, "at_once", own_changes=False)
    mailed_later(later)
    assert mail_server.mails == []


def test_a_mail_lists_a_limited_number_of_answers(reader, lead, mail_server, later, monkeypatch):
    monkeypatch.setattr(answers, "MOST_ANSWERS", 2)
    for _ in range(3):
        answer_no(make_suggestion(make_table(), reader), lead)
    mailed_later(later)
    text = text_of(mail_server.mails[0])
    assert text.count("declined by lead") == 2
    assert "\n- and 1 more\n" in text
