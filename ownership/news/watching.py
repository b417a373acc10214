"""What people watch: adding and removing watches, and which entries of history they are about."""

from __future__ import annotations

from collections import defaultdict

from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.db.models import Model, Q

from ownership.audit.feed import about_groups
from ownership.audit.timeline import Timeline
from ownership.catalog.mine import Mine
from ownership.history.models import CHANGED, ChangeSet, EntryFilter, current_head, entry_model
from ownership.models import Endpoint, MailPreference, Service, Table, TableGroup, Watch

WATCHED_MODELS = {Watch.Kind.TABLE: Table, Watch.Kind.SERVICE: Service}
NAMED_MODELS: dict[Watch.Kind, type[Model]] = {**WATCHED_MODELS, Watch.Kind.GROUP: TableGroup}
# What a sentence about somebody's watches names.
MOST_NAMED = 5


def preference_of(user: AbstractUser) -> MailPreference:
    """How the person wants to get mail; not stored if they have never chosen."""
    preference = MailPreference.objects.filter(user=user.pk).first()
    return preference or MailPreference(user_id=user.pk, since=0)


def watch(user: AbstractUser, kind: str, row: int | None) -> None:
    """From now on, tell the person when it changes. The first watch switches mail on."""
    with transaction.atomic():
        MailPreference.objects.get_or_create(
            user_id=user.pk, defaults={"since": current_head().revision}
        )
        Watch.objects.get_or_create(user_id=user.pk, kind=kind, row=row)


def unwatch(user: AbstractUser, kind: str, row: int | None) -> None:
    """Stop telling the person when it changes."""
    Watch.objects.filter(user=user.pk, kind=kind, row=row).delete()


def switch_mail(user: AbstractUser, rhythm: str, own_changes: bool) -> None:
    """Store how the person wants to get mail. Mail that is switched on again is about changes from then on."""
    preference = preference_of(user)
    is_switched_on = (
        preference.rhythm == MailPreference.Rhythm.NEVER and rhythm != MailPreference.Rhythm.NEVER
    )
    if preference._state.adding or is_switched_on:
        preference.since = current_head().revision
    preference.rhythm = rhythm
    preference.own_changes = own_changes
    preference.save()


def _watched_ids(user: AbstractUser) -> dict[str, list[int]]:
    """{kind: ids of the rows that the person watches}; for what is theirs, 0. One query."""
    ids: dict[str, list[int]] = defaultdict(list)
    for kind, row in Watch.objects.filter(user=user.pk).values_list("kind", "row"):
        ids[kind].append(row or 0)
    return ids


def watched_in_words(user: AbstractUser) -> str:
    """What the person watches: "what is yours, the table orders and 2 more"; empty for nothing.

    At most four queries.
    """
    ids = _watched_ids(user)
    names = ["what is yours"] if Watch.Kind.MINE in ids else []
    for kind, model in NAMED_MODELS.items():
        if kind in ids:
            rows = model._default_manager.in_bulk(ids[kind]).values()
            names += [f"the {kind.value} {name}" for name in sorted(map(str, rows))]
    # What was deleted is still watched, and has no name.
    number = sum(map(len, ids.values()))
    named = names[:MOST_NAMED]
    if number > len(named):
        named.append(f"{number - len(named)} more" if named else "what was deleted")
    return in_a_sentence(named)


def in_a_sentence(words: list[str]) -> str:
    """The words separated by commas, and “and” before the last one."""
    *others, last = words or [""]
    return f"{', '.join(others)} and {last}" if others else last


def watched_entries(user: AbstractUser) -> list[EntryFilter]:
    """Which entries the person is told of, their own included; administrators also of endpoints switched off."""
    ids = _watched_ids(user)
    filters: list[EntryFilter] = []
    for kind, model in WATCHED_MODELS.items():
        if ids[kind]:
            filters += Timeline.about(model, *ids[kind]).filters
    if ids[Watch.Kind.GROUP]:
        filters += about_groups(ids[Watch.Kind.GROUP])
    if ids[Watch.Kind.MINE]:
        filters += Mine.of(user).history()
    if user.is_superuser:
        filters.append((entry_model(Endpoint), _SWITCHED_OFF))
    return filters


# What the deliverer does on its own.
_SWITCHED_OFF = Q(
    history_type=CHANGED,
    changes__has_key="active",
    change_set__user_id=None,
    change_set__source=ChangeSet.Source.COMMAND,
)
