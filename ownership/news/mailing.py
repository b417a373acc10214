"""Mailing one person: when a mail is due, and sending it at least once and at most twice.

Before a mail is handed to the mail server, that is stored; after it, that it was sent. If the process is killed in
between, nobody knows whether the server took the mail. Then it is sent once more, with the same Message-ID. Should that
end in the same way, it counts as sent.
"""

from __future__ import annotations

import logging
import random
import smtplib
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from ownership.history.models import current_head
from ownership.models import Mailing, MailPreference
from ownership.models.roles import has_role
from ownership.news.claims import claimed
from ownership.news.delivery import JITTER, PAUSES
from ownership.news.mails import make_mail, read_news
from ownership.news.watching import preference_of

LOG = logging.getLogger("ownership.news")

# Changes are collected for so long before they are mailed "at once".
COLLECTING = timedelta(minutes=1)
MOST_TRIES = 2
# Digests are made at this hour in UTC, weekly ones on Mondays.
DIGEST_HOUR = 6


class NotSent(Exception):
    """The mail server did not take the mail, for certain. The message says why, for people."""


def is_mail_set_up() -> bool:
    """Whether there is a mail server to send by."""
    return bool(settings.EMAIL_HOST)


def due_people() -> list[int]:
    """The ids of the accounts to look at now; new ones get their place in history."""
    if not is_mail_set_up():
        return []
    now = timezone.now()
    head = current_head().revision
    mailings = Mailing.objects.in_bulk()
    due = []
    for user in _people():
        preference = _preference(user)
        mailing = mailings.get(user.pk)
        if mailing is None:
            first_place = preference.since or head
            mailing, _ = Mailing.objects.get_or_create(
                pk=user.pk, defaults={"revision": first_place}
            )
        if _is_due(mailing, preference, now, head):
            due.append(user.pk)
    return due


def _people() -> QuerySet[User]:
    """Who may get mail: everybody who wants it, and administrators who did not choose."""
    wanted = Q(mail_preference__isnull=False) & ~Q(
        mail_preference__rhythm=MailPreference.Rhythm.NEVER
    )
    by_default = Q(mail_preference=None, is_superuser=True)
    people = User.objects.filter(wanted | by_default, is_active=True).exclude(email="")
    return people.select_related("mail_preference")


def _preference(user: User) -> MailPreference:
    stored: MailPreference | None = getattr(user, "mail_preference", None)
    return stored or MailPreference(user=user, since=0)


def _is_due(mailing: Mailing, preference: MailPreference, now: datetime, head: int) -> bool:
    if mailing.next_attempt is not None and mailing.next_attempt > now:
        return False
    if mailing.sending_to is not None:
        return True
    if preference.rhythm == MailPreference.Rhythm.AT_ONCE:
        return mailing.revision < head
    return mailing.last_digest is None or mailing.last_digest < digest_hour(preference.rhythm, now)


def digest_hour(rhythm: str, now: datetime) -> datetime:
    """The last hour at which a digest of that rhythm was to be made."""
    hour = now.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    if hour > now:
        hour -= timedelta(days=1)
    if rhythm == MailPreference.Rhythm.WEEKLY:
        hour -= timedelta(days=hour.weekday())
    return hour


def mail_next(user_id: int) -> bool:
    """Send a person the mail that is due, if any. There is never another one right away: False."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        Mailing.objects.filter(pk=user_id).delete()
        return False
    preference = preference_of(user)
    # Two claims: the first one stores that the mail is being sent, before it is.
    with claimed(Mailing, user_id) as mailing:
        is_begun = mailing is not None and _begin(user, preference, mailing)
    if is_begun:
        with claimed(Mailing, user_id) as mailing:
            if mailing is not None and mailing.sending_to is not None:
                _send(user, preference, mailing, mailing.sending_to)
    return False


def _begin(user: User, preference: MailPreference, mailing: Mailing) -> bool:
    """Store that a mail is being sent, if there is one to send now."""
    now = timezone.now()
    head = current_head().revision
    if not _is_due(mailing, preference, now, head):
        return False
    if mailing.sending_to is not None:
        if mailing.tries >= MOST_TRIES:
            LOG.error("Mail to account %d was begun %d times and ends here", user.pk, mailing.tries)
            _finish(mailing, preference, mailing.sending_to)
            return False
        mailing.tries += 1
        mailing.save()
        return True
    news = None
    if has_role(user) and preference.rhythm != MailPreference.Rhythm.NEVER:
        news = read_news(user, preference, max(mailing.revision, preference.since), head)
    if news is None:
        _finish(mailing, preference, head)
        return False
    is_at_once = preference.rhythm == MailPreference.Rhythm.AT_ONCE
    if is_at_once and not news.is_cut and now - news.oldest < COLLECTING:
        return False
    mailing.sending_to = head
    mailing.tries = 1
    mailing.save()
    return True


def _send(user: User, preference: MailPreference, mailing: Mailing, until: int) -> None:
    """Hand the mail to the server, and store what came of it."""
    news = read_news(user, preference, max(mailing.revision, preference.since), until)
    if news is None:
        _finish(mailing, preference, until)
        return
    try:
        _hand_over(make_mail(user, news, until))
    except NotSent as error:
        # Not sent for certain: the next attempt is not a repetition, and may be about more.
        mailing.sending_to = None
        mailing.tries = 0
        _note_failure(user, mailing, str(error))
    except (OSError, smtplib.SMTPException):
        _note_failure(user, mailing, "The connection to the mail server broke off.")
    else:
        LOG.info("Mail sent", extra={"account": user.pk, "until": until})
        mailing.last_sent = timezone.now()
        mailing.problem = ""
        _finish(mailing, preference, until)


def _hand_over(mail: EmailMessage) -> None:
    """Raises NotSent if the server did not take it; another error where that is not known."""
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


def _finish(mailing: Mailing, preference: MailPreference, until: int) -> None:
    """The person was told of everything up to that revision, or had nothing to be told."""
    mailing.revision = until
    mailing.sending_to = None
    mailing.tries = 0
    mailing.failures = 0
    mailing.next_attempt = None
    if preference.rhythm != MailPreference.Rhythm.AT_ONCE:
        mailing.last_digest = digest_hour(preference.rhythm, timezone.now())
    mailing.save()
