"""One person's mail: which changes it is about, and its text.

What waits for the person and what became of what they suggested, if anything, come before the changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formataddr
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import Truncator

from ownership.audit.timeline import Timeline, TimelineGroup, TimelinePage
from ownership.history.models import ChangeSet, Entry
from ownership.models import Endpoint, MailPreference
from ownership.news.answers import LAPSED, Answers
from ownership.news.links import whole_address
from ownership.news.waiting import Reminders
from ownership.news.watching import in_a_sentence, watched_entries, watched_in_words

SALT = "ownership.news.unsubscribe"
# Change sets in one mail, and entries of each; the registry's pages have the others.
MOST_CHANGE_SETS = 50
MOST_ENTRIES = 10
LONGEST_SUBJECT = 120


@dataclass(frozen=True)
class PersonalNews:
    """What one person is told: change sets, oldest first, and whether there are earlier ones that are left out.

    And what became of what the person suggested, if anything.
    """

    groups: list[TimelineGroup] = field(default_factory=list)
    is_cut: bool = False
    answers: Answers | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.groups and self.answers is None

    @property
    def tells_of_endpoints(self) -> bool:
        """Whether one of the changes is one of an endpoint."""
        entries = [entry for group in self.groups for entry in group.entries]
        return any(entry.entry.instance_type is Endpoint for entry in entries)

    @property
    def oldest(self) -> list[datetime]:
        """The times of the oldest change set and of the oldest answer, as far as there are any."""
        times = [group.change_set.time for group in self.groups[:1]]
        if self.answers is not None:
            times.append(self.answers.oldest)
        return times


def read_news(
    user: User,
    preference: MailPreference,
    after: int,
    until: int,
    answers: Answers | None,
) -> PersonalNews:
    """What changed for the person after one revision and up to another, with these answers.

    Confirmations are left out: they change nothing on the map, and a lead confirms many tables at once.
    """
    condition = Q(change_set__gt=after) & ~Q(change_set__source=ChangeSet.Source.CONFIRM)
    if not preference.own_changes:
        condition &= Q(change_set__user_id=None) | ~Q(change_set__user_id=user.pk)
    # One filter for each model, however much is watched. With OR, databases would sort all entries of what is
    # watched; here they read those between the two revisions alone.
    by_model: dict[type[Entry], Q] = {}
    for model, entries in watched_entries(user):
        by_model[model] = by_model.get(model, Q()) | entries
    filters = [(model, entries & condition) for model, entries in by_model.items()]
    page = TimelinePage([], None)
    if filters:
        page = Timeline(filters).page(until + 1, MOST_CHANGE_SETS, fold=MOST_ENTRIES)
    return PersonalNews(page.groups[::-1], page.next is not None, answers)


def unsubscribe_address(user: User) -> str:
    """The link by which the person stops all mail, without signing in."""
    token = _signer().sign_object(user.pk)
    return whole_address(reverse("pages:unsubscribe", args=[token]))


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT)


def unsubscribed_user(token: str) -> User | None:
    """Whose mail a link stops; None if it is not one of the registry's, or the account is gone."""
    try:
        pk = _signer().unsign_object(token)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=pk).first()


def make_mail(
    user: User, news: PersonalNews, reminders: Reminders | None, name: str
) -> EmailMultiAlternatives:
    """The mail, in text and HTML. A repetition has the same ``name``, and so the same Message-ID."""
    unsubscribe = unsubscribe_address(user)
    context = {
        "user": user,
        "news": news,
        "reminders": reminders,
        "site": settings.SITE_URL,
        "watching": whole_address(reverse("pages:watching")),
        "changes": whole_address(reverse("pages:changes")),
        "mine": whole_address(reverse("pages:mine")),
        "own_suggestions": whole_address(reverse("pages:suggestions-mine")),
        "unsubscribe": unsubscribe,
        "endpoints": whole_address(reverse("admin:ownership_endpoint_changelist")),
        "why": _why(user, news, reminders),
    }
    host = urlsplit(settings.SITE_URL).hostname
    mail = EmailMultiAlternatives(
        subject=_subject(news, reminders),
        body=render_to_string("mail/news.txt", context),
        from_email=formataddr(("Ownership registry", settings.DEFAULT_FROM_EMAIL)),
        to=[user.email],
        headers={
            "Message-ID": f"<news-{user.pk}-{name}@{host}>",
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    mail.attach_alternative(render_to_string("mail/news.html", context), "text/html")
    return mail


def _why(user: User, news: PersonalNews, reminders: Reminders | None) -> str:
    """Why the person gets this mail, after "because you"."""
    reasons = []
    watched = watched_in_words(user) if news.groups or reminders is not None else ""
    if watched:
        reasons.append(f"watch {watched}")
    if news.answers is not None:
        reasons.append("suggested a change")
    if news.tells_of_endpoints:
        reasons.append("are an administrator")
    return in_a_sentence(reasons)


def _subject(news: PersonalNews, reminders: Reminders | None) -> str:
    """What waits, by its names, and what changed."""
    parts = []
    if reminders is not None:
        # A suggestion about several rows has all their names.
        names = ", ".join(thing.name for thing in reminders.things).split(", ")
        parts.append(f"Waiting for you: {', '.join(dict.fromkeys(names))}")
    if news.answers is not None:
        parts.append(_subject_of_answers(news.answers))
    if news.groups:
        parts.append(_subject_of_changes(news))
    one_line = " ".join("; ".join(parts).split())
    return Truncator(one_line).chars(LONGEST_SUBJECT)


def _subject_of_answers(answers: Answers) -> str:
    """What became of the one suggestion, or the names of all."""
    [first, *others] = answers.listed
    if not others:
        verb = "has" if first.state == LAPSED else "was"
        return f"Your suggestion {verb} {first.state}: {first.name}"
    names = ", ".join(dict.fromkeys(answer.name for answer in answers.listed))
    return f"Your suggestions: {names}"


def _subject_of_changes(news: PersonalNews) -> str:
    """By the reason if it is one change set, otherwise by the names."""
    labels = []
    for group in news.groups:
        labels += [entry.label for entry in group.entries]
    names = ", ".join(dict.fromkeys(labels))
    if len(news.groups) == 1:
        # The other lines are in the mail.
        reason = news.groups[0].change_set.reason.partition("\n")[0]
        return f"{names}: {reason}"
    return f"{len(news.groups)} changes: {names}"
