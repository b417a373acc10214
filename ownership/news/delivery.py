"""Delivering to one endpoint: the next event, what came of it, when to try again, and when to give up.

An event counts as delivered once the endpoint has answered with a status from 200 to 299 and that is stored. If the
process is killed between the two, the event is sent again: delivery is at least once, and in order.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from ownership.history.change_sets import change_set
from ownership.history.lock import is_busy
from ownership.history.models import CREATED, ChangeSet, current_head, entry_model
from ownership.models import Delivery, DeliveryAttempt, DeliveryRequest, Endpoint
from ownership.models.news import LONGEST_ANSWER
from ownership.news.addresses import AddressRefused
from ownership.news.claims import claimed
from ownership.news.endpoint_secrets import NoSecret, valid_secrets
from ownership.news.events import ChangeEvent, UnusableFilter, next_event
from ownership.news.http import Answer, NoAnswer, post
from ownership.news.messages import TrialEvent, make_message, trial_event

LOG = logging.getLogger("ownership.news")

# Seconds until the next attempt, after the first failure and each further one; then the last one repeatedly.
PAUSES = (5, 30, 2 * 60, 10 * 60, 30 * 60, 60 * 60, 3 * 60 * 60, 6 * 60 * 60)
# The share by which a pause varies, so that the endpoints of one server are not all tried again at once.
JITTER = 0.2
LONGEST_RETRY_AFTER = 60 * 60
# An endpoint that has failed for this long is switched off.
PATIENCE = timedelta(days=5)
GONE = 410
ATTEMPTS_KEPT = 200
# An endpoint that can't be used as it is gets another look after this long.
UNUSABLE_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class Result:
    """The outcome of one request. ``problem`` says why it failed; it is empty if it succeeded."""

    milliseconds: int
    answer: Answer | None
    problem: str

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint says that it no longer exists."""
        return self.answer is not None and self.answer.status == GONE


def due_endpoints() -> list[int]:
    """The ids of the endpoints to work on now. A new one gets its starting place in history."""
    now = timezone.now()
    head = current_head().revision
    is_active = dict(Endpoint.objects.values_list("pk", "active"))
    requested = set(DeliveryRequest.objects.values_list("endpoint_id", flat=True))
    due = []
    for delivery in Delivery.objects.defer("problem"):
        active = is_active.pop(delivery.pk, None)
        if active:
            is_behind = delivery.revision < head and not _is_pausing(delivery, now)
        else:
            # Deleted or switched off: its failures must be forgotten.
            is_behind = active is None or delivery.failing_since is not None
        if is_behind or delivery.pk in requested:
            due.append(delivery.pk)
    for pk in is_active:
        Delivery.objects.get_or_create(pk=pk, defaults={"revision": _first_place(pk)})
        due.append(pk)
    return due


def _is_pausing(delivery: Delivery, now: datetime) -> bool:
    return delivery.next_attempt is not None and delivery.next_attempt > now


def _first_place(endpoint_id: int) -> int:
    """The revision that created the endpoint: it is sent what comes after that."""
    entries = entry_model(Endpoint).objects.filter(id=endpoint_id, history_type=CREATED)
    revision: int = entries.order_by("-history_id").values_list("change_set_id", flat=True)[0]
    return revision


def deliver_next(endpoint_id: int) -> bool:
    """Send an endpoint what is next for it, and store the outcome; whether more may be due at once."""
    with claimed(Delivery, endpoint_id) as delivery:
        if delivery is None:
            return False
        endpoint = Endpoint.objects.filter(pk=endpoint_id).first()
        if endpoint is None:
            delivery.delete()
            return False
        is_done = _deliver(endpoint, delivery)
        reason = _reason_to_give_up(endpoint, delivery)
    if reason:
        switch_off(endpoint, reason)
    return is_done


def _deliver(endpoint: Endpoint, delivery: Delivery) -> bool:
    """Do what is next for a claimed delivery; whether anything was done."""
    request = DeliveryRequest.objects.filter(endpoint=endpoint).first()
    if request is not None and request.kind == DeliveryRequest.Kind.SKIP:
        _skip(delivery, request)
        return True
    if not endpoint.active:
        DeliveryRequest.objects.filter(endpoint=endpoint).delete()
        _forget_failures(delivery)
        delivery.save()
        return False
    if request is None and _is_pausing(delivery, timezone.now()):
        return False
    head = current_head().revision
    if request is None and delivery.revision >= head:
        return False
    event: ChangeEvent | TrialEvent | None
    try:
        secrets = valid_secrets(endpoint)
        if request is not None:
            event = trial_event(request.user_name, request.pk)
        else:
            event = next_event(endpoint, delivery.revision, head)
    except (UnusableFilter, NoSecret) as error:
        # The endpoint did not fail, so it is never switched off for this.
        DeliveryRequest.objects.filter(endpoint=endpoint).delete()
        delivery.problem = str(error)
        delivery.next_attempt = timezone.now() + UNUSABLE_PAUSE
        delivery.save()
        return False
    if event is None:
        delivery.revision = head
        delivery.problem = ""
        delivery.save()
        return False
    result = _send(endpoint, event, secrets)
    _store(delivery, event, request, result)
    return not result.problem


def _skip(delivery: Delivery, request: DeliveryRequest) -> None:
    """Leave out what was waiting when somebody asked for that."""
    with transaction.atomic():
        delivery.revision = max(delivery.revision, request.revision)
        _forget_failures(delivery)
        delivery.problem = ""
        delivery.save()
        request.delete()


def _send(endpoint: Endpoint, event: ChangeEvent | TrialEvent, secrets: list[str]) -> Result:
    message = make_message(endpoint, event, secrets)
    begin = time.monotonic()
    answer: Answer | None = None
    problem = ""
    try:
        answer = post(message.address, message.body, message.headers)
        if not answer.is_success:
            problem = _refusal(answer)
    except (AddressRefused, NoAnswer) as error:
        problem = str(error)
    milliseconds = round(1000 * (time.monotonic() - begin))
    extra = {
        "endpoint": endpoint.pk,
        "event": event.id,
        "status": answer.status if answer is not None else None,
        "milliseconds": milliseconds,
    }
    if problem:
        LOG.warning("Not delivered: %s", problem, extra=extra)
    else:
        LOG.info("Delivered", extra=extra)
    return Result(milliseconds, answer, problem)


def _refusal(answer: Answer) -> str:
    if answer.status == GONE:
        return "The endpoint answered 410: it no longer exists."
    if 300 <= answer.status < 400:
        return f"The endpoint answered {answer.status}, a redirect. Redirects are not followed."
    return f"The endpoint answered {answer.status}."


def _store(
    delivery: Delivery,
    event: ChangeEvent | TrialEvent,
    request: DeliveryRequest | None,
    result: Result,
) -> None:
    """Store the attempt, and the place that was reached or the time of the next attempt.

    On SQLite another process may write for minutes (an import). Waiting for it is better than sending all of it again.
    """
    while True:
        try:
            with transaction.atomic():
                _store_once(delivery, event, result)
                if request is not None:
                    request.delete()
            return
        except OperationalError as error:
            if not is_busy(error.__cause__ or error) or connection.vendor != "sqlite":
                raise
            LOG.warning("The database is busy; the delivery can't be stored yet")


def _store_once(delivery: Delivery, event: ChangeEvent | TrialEvent, result: Result) -> None:
    now = timezone.now()
    answer = result.answer
    revision = event.change_set.revision if isinstance(event, ChangeEvent) else None
    DeliveryAttempt.objects.create(
        delivery=delivery,
        revision=revision,
        time=now,
        milliseconds=result.milliseconds,
        status=answer.status if answer is not None else None,
        answer=answer.text[:LONGEST_ANSWER] if answer is not None else "",
        problem=result.problem,
    )
    _delete_old_attempts(delivery)
    if result.problem and revision is None:
        return  # a test that failed changes nothing
    if result.problem:
        _note_failure(delivery, result, now)
    else:
        _forget_failures(delivery)
        delivery.problem = ""
        if revision is not None:
            delivery.revision = revision
    delivery.save()


def _delete_old_attempts(delivery: Delivery) -> None:
    kept = DeliveryAttempt.objects.filter(delivery=delivery).values_list("pk", flat=True)
    oldest_kept = kept[ATTEMPTS_KEPT - 1 : ATTEMPTS_KEPT].first()
    if oldest_kept is not None:
        DeliveryAttempt.objects.filter(delivery=delivery, pk__lt=oldest_kept).delete()


def _note_failure(delivery: Delivery, result: Result, now: datetime) -> None:
    pause = float(PAUSES[min(delivery.failures, len(PAUSES) - 1)])
    pause *= random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    if result.answer is not None and result.answer.retry_after is not None:
        pause = max(pause, min(result.answer.retry_after, LONGEST_RETRY_AFTER))
    if result.is_gone:
        # Given up at once.
        delivery.failing_since = now - PATIENCE
    elif delivery.failing_since is None:
        delivery.failing_since = now
    delivery.failures += 1
    delivery.next_attempt = now + timedelta(seconds=pause)
    delivery.problem = result.problem


def _forget_failures(delivery: Delivery) -> None:
    delivery.failures = 0
    delivery.failing_since = None
    delivery.next_attempt = None


def _reason_to_give_up(endpoint: Endpoint, delivery: Delivery) -> str:
    """Why to switch the endpoint off; empty if it gets another chance."""
    if not endpoint.active or delivery.failing_since is None:
        return ""
    if timezone.now() - delivery.failing_since < PATIENCE:
        return ""
    return f"Switched off by the registry because nothing could be delivered. {delivery.problem}"


def switch_off(endpoint: Endpoint, reason: str) -> None:
    """Send it nothing more until a person switches it on again. The change set says why."""
    with change_set(reason=reason, source=ChangeSet.Source.COMMAND):
        endpoint = Endpoint.objects.get(pk=endpoint.pk)
        endpoint.active = False
        endpoint.save()
    LOG.error(
        "Endpoint %s switched off: %s", endpoint.name, reason, extra={"endpoint": endpoint.pk}
    )
