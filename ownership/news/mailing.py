"""Mailing one person: when a mail is due, and sending it at least once and at most twice.

One mail has the changes of what the person watches, the answers to what they suggested and, for those who watch what
is theirs, what waits for them.

Before a mail is handed to the mail server, it is stored that it is being sent; afterwards, that it was sent. If the
process is killed in between, nobody knows whether the server accepted the mail. It is then sent once more, with the
same Message-ID. If that ends in the same way, it counts as sent.
"""

from __future__ import annotations

import logging
import random
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from ownership.history.models import current_head
from ownership.models import Mailing, MailPreference
from ownership.models.rights import has_role
from ownership.news.answers import Answers, answers_to, lapsed_for
from ownership.news.claims import claimed
from ownership.news.delivery import JITTER, PAUSES
from ownership.news.mails import PersonalNews, make_mail, read_news
from ownership.news.waiting import (
    Reminders,
    WaitingThing,
    latest_run,
    things_to_tell,
    what_waits,
)
from ownership.news.watching import preference_of

LOG = logging.getLogger("ownership.news")

# How long changes are collected before they are mailed "at once".
COLLECTING = timedelta(minutes=1)
MOST_TRIES = 2
# Digests are made at this hour (UTC), weekly ones on Mondays. People who get mail at once are told at this hour of
# what begins to wait with the day, and of what has waited for a week.
DIGEST_HOUR = 6


class NotSent(Exception):
    """The mail server certainly did not accept the mail. The message says why, for people."""


@dataclass(frozen=True)
class Content:
    """What a mail says, as it was read when it was begun."""

    until: int  # the revision
    name: str  # of the mail: a repetition has the same
    read_at: datetime
    news: PersonalNews
    reminders: Reminders | None


def is_mail_set_up() -> bool:
    """Whether there is a mail server to send mail through."""
    return bool(settings.EMAIL_HOST)


def due_people() -> list[int]:
    """The ids of the accounts to look at now; a new one gets its starting place in history."""
    if not is_mail_set_up():
        return []
    now = timezone.now()
    head = current_head().revision
    run = latest_run()
    mailings = Mailing.objects.in_bulk()
    due = []
    for user in _people():
        preference = _preference(user)
        mailing = mailings.get(user.pk)
        if mailing is None:
            first_place = {
                "revision": preference.since or head,
                "last_digest": _hour_before_first_digest(preference, now),
            }
            mailing, _ = Mailing.objects.get_or_create(pk=user.pk, defaults=first_place)
        if _is_due(mailing, preference, now, head, run):
            due.append(user.pk)
    return due


def _people() -> QuerySet[User]:
    """Who may get mail: everybody who wants it, and administrators who have not chosen."""
    wanted = Q(mail_preference__isnull=False) & ~Q(
        mail_preference__rhythm=MailPreference.Rhythm.NEVER
    )
    by_default = Q(mail_preference=None, is_superuser=True)
    people = User.objects.filter(wanted | by_default, is_active=True).exclude(email="")
    return people.select_related("mail_preference")


def _preference(user: User) -> MailPreference:
    stored: MailPreference | None = getattr(user, "mail_preference", None)
    return stored or MailPreference(user=user, since=0)


def _is_due(
    mailing: Mailing, preference: MailPreference, now: datetime, head: int, run: int | None
) -> bool:
    """Whether there may be something to mail: what waits depends on changes, on runs of drift and on the day."""
    if mailing.next_attempt is not None and mailing.next_attempt > now:
        return False
    if mailing.sending_to is not None or mailing.failures:
        return True
    is_at_once = preference.rhythm == MailPreference.Rhythm.AT_ONCE
    if is_at_once and (mailing.revision < head or mailing.looked_at_run != run):
        return True
    return mailing.last_digest is None or mailing.last_digest < digest_hour(preference.rhythm, now)


def digest_hour(rhythm: str, now: datetime) -> datetime:
    """The last hour at which a digest of that rhythm was to be made; of mail at once, that of the day."""
    hour = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    if hour > now:
        hour -= timedelta(days=1)
    if rhythm == MailPreference.Rhythm.WEEKLY:
        hour -= timedelta(days=hour.weekday())
    return hour


def _hour_before_first_digest(preference: MailPreference, now: datetime) -> datetime | None:
    """The first digest comes at its hour; None for mail at once, which comes as soon as there is something to tell."""
    if preference.rhythm == MailPreference.Rhythm.AT_ONCE:
        return None
    return digest_hour(preference.rhythm, now)


def mail_next(user_id: int) -> bool:
    """Send a person the mail that is due, if any. There is never another one at once: False."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        Mailing.objects.filter(pk=user_id).delete()
        return False
    preference = preference_of(user)
    # Two claims, so that it is stored that the mail is being sent before it is.
    content = None
    with claimed(Mailing, user_id) as mailing:
        if mailing is not None:
            content = _begin(user, preference, mailing)
    if content is not None:
        with claimed(Mailing, user_id) as mailing:
            # Another process may have sent it, or have begun another one, in between.
            if mailing is not None and _name_of(mailing) == content.name:
                _send(user, preference, mailing, content)
    return False


def _name_of(mailing: Mailing) -> str:
    """Which of the person's mails is being sent: up to which revision, and the number of the mail."""
    return f"{mailing.sending_to}-{mailing.mails_begun}"


def _begin(user: User, preference: MailPreference, mailing: Mailing) -> Content | None:
    """Store that a mail is being sent, if there is one to send now, and return what it says."""
    head = current_head().revision
    run = latest_run()
    if not _is_due(mailing, preference, timezone.now(), head, run):
        return None
    if mailing.sending_to is None:
        mailing.looked_at_run = run
        return _begin_new(user, preference, mailing, head)
    if mailing.tries >= MOST_TRIES:
        LOG.error(
            "Mail to account %d was begun %d times; it is not tried again", user.pk, mailing.tries
        )
        _finish(mailing, preference, mailing.sending_to, timezone.now())
        return None
    return _begin_again(user, preference, mailing, mailing.sending_to)


def _begin_again(
    user: User, preference: MailPreference, mailing: Mailing, until: int
) -> Content | None:
    """The same for a mail that was begun before, without what was answered since."""
    now = timezone.now()
    news = _unread_news(user, preference, mailing, until, now)
    things: list[WaitingThing] = []
    if mailing.sending_reminders:
        things = [thing for thing in what_waits(user) if thing.key in mailing.sending_reminders]
    if news.is_empty and not things:
        _finish(mailing, preference, until, now)
        return None
    mailing.tries += 1
    mailing.save()
    return Content(until, _name_of(mailing), now, news, _reminders(mailing, things))


def _begin_new(
    user: User, preference: MailPreference, mailing: Mailing, head: int
) -> Content | None:
    """The same for a mail that was not begun before. The head was read before this reads what waits."""
    now = timezone.now()
    news = PersonalNews()
    waiting: list[WaitingThing] = []
    if has_role(user) and preference.rhythm != MailPreference.Rhythm.NEVER:
        news = _unread_news(user, preference, mailing, head, now)
        waiting = what_waits(user)
    # What waits no longer is forgotten: should it wait again, it is told of again.
    keys = {thing.key for thing in waiting}
    mailing.reminded = {key: day for key, day in mailing.reminded.items() if key in keys}
    things = things_to_tell(waiting, mailing.reminded, now.date())
    if news.is_empty and not things:
        _finish(mailing, preference, head, now)
        return None
    is_at_once = preference.rhythm == MailPreference.Rhythm.AT_ONCE
    if is_at_once and _is_collecting(news, things, now):
        return None
    mailing.sending_to = head
    mailing.sending_reminders = [thing.key for thing in things]
    mailing.mails_begun += 1
    mailing.tries = 1
    mailing.save()
    return Content(head, _name_of(mailing), now, news, _reminders(mailing, things))


def _is_collecting(news: PersonalNews, things: list[WaitingThing], now: datetime) -> bool:
    """Whether all of it is so recent that more may follow soon."""
    times = [*news.oldest, *(thing.since for thing in things)]
    return not news.is_cut and now - min(times) < COLLECTING


def _send(user: User, preference: MailPreference, mailing: Mailing, content: Content) -> None:
    """Hand the mail to the server, and store the outcome."""
    try:
        _hand_over(make_mail(user, content.news, content.reminders, content.name))
    except NotSent as error:
        # Not sent for certain: the next attempt is not a repetition, and may be about more.
        mailing.sending_to = None
        mailing.sending_reminders = []
        mailing.tries = 0
        _note_failure(user, mailing, str(error))
    except (OSError, smtplib.SMTPException):
        _note_failure(user, mailing, "The connection to the mail server was lost.")
    else:
        LOG.info("Mail sent", extra={"account": user.pk, "until": content.until})
        mailing.last_sent = timezone.now()
        _finish(mailing, preference, content.until, content.read_at)


def _unread_news(
    user: User, preference: MailPreference, mailing: Mailing, until: int, now: datetime
) -> PersonalNews:
    """What the person was not told of yet, up to that revision and, of what lapses, up to the last digest's hour."""
    after = max(mailing.revision, preference.since)
    answers = answers_to(user, after, until)
    # If mail was switched on again since, it is not about what lapsed before that.
    if mailing.revision >= preference.since:
        answers += lapsed_for(user, mailing.last_digest, digest_hour(preference.rhythm, now))
    return read_news(user, preference, after, until, Answers.of(answers))


def _reminders(mailing: Mailing, things: list[WaitingThing]) -> Reminders | None:
    """What the mail says of these things that wait; None for none."""
    if not things:
        return None
    others = mailing.reminded.keys() - mailing.sending_reminders
    return Reminders(things, len(others))


def _hand_over(mail: EmailMessage) -> None:
    """Hand the mail to the server. Raises NotSent if it did not accept it, another error if nobody can know."""
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent("The mail server can't be reached, or refuses the registry.") from error
    try:
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        raise NotSent("The mail server refuses the address.") from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"The mail server refused the mail with code {error.smtp_code}.") from error
    finally:
        connection.close()


def _note_failure(user: User, mailing: Mailing, problem: str) -> None:
    pause = PAUSES[min(mailing.failures, len(PAUSES) - 1)] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    mailing.failures += 1
    mailing.next_attempt = timezone.now() + timedelta(seconds=pause)
    mailing.problem = problem
    mailing.save()
    LOG.warning("Mail not sent: %s", problem, extra={"account": user.pk})


def _finish(mailing: Mailing, preference: MailPreference, until: int, now: datetime) -> None:
    """The person was told of everything up to that revision and of what waits, or had nothing to be told.

    ``now`` is when that was read.
    """
    mailing.revision = until
    mailing.reminded |= dict.fromkeys(mailing.sending_reminders, now.date().isoformat())
    mailing.sending_to = None
    mailing.sending_reminders = []
    mailing.tries = 0
    mailing.failures = 0
    mailing.next_attempt = None
    mailing.problem = ""
    mailing.last_digest = digest_hour(preference.rhythm, now)
    mailing.save()
