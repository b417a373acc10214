"""Endpoints for tests, and the deliverer's work in the test's own thread."""

import json
from datetime import timedelta

from django.utils import timezone

from ownership.models import Delivery, DeliveryAttempt, Endpoint
from ownership.news.delivery import deliver_next, due_endpoints
from ownership.news.endpoint_secrets import give_secret, new_webhook_secret
from tests.support.receiver import Receiver


def make_endpoint(receiver: Receiver, secret: str = "", **fields: object) -> Endpoint:
    """An endpoint at the receiver with a secret; a webhook unless told otherwise."""
    fields = {"name": "ci", "kind": "webhook", "address": receiver.address} | fields
    if fields["kind"] == "slack":
        secret, fields["address"] = receiver.address, ""
    endpoint = Endpoint.objects.create(**fields)
    give_secret(endpoint, secret or new_webhook_secret(), "lead")
    return endpoint


def make_failing_endpoint() -> Endpoint:
    """A webhook that has failed since an hour, with the attempts."""
    endpoint = Endpoint.objects.create(
        pk=1, name="ci", kind="webhook", address="https://ci.example/hooks"
    )
    give_secret(endpoint, new_webhook_secret(), "lead")
    now = timezone.now()
    problem = "The endpoint answered 503."
    delivery = Delivery.objects.create(
        endpoint=endpoint,
        revision=1,
        failures=2,
        failing_since=now - timedelta(hours=1),
        next_attempt=now + timedelta(hours=1),
        problem=problem,
    )
    attempts = [
        {"revision": 1, "status": 200, "answer": "ok"},
        {
            "revision": 2,
            "status": 503,
            "answer": "<html>unavailable</html>" * 20,
            "problem": problem,
        },
        {"revision": 2, "problem": "No complete answer within 10 seconds."},
        {"revision": None, "status": 503, "problem": problem},
    ]
    for attempt in attempts:
        DeliveryAttempt.objects.create(delivery=delivery, time=now, milliseconds=1_234, **attempt)
    return endpoint


def deliver() -> None:
    """Send everything that is due now, as `manage.py deliver --once` does."""
    for pk in due_endpoints():
        while deliver_next(pk):
            pass


def contents(receiver: Receiver) -> list[dict]:
    """What the requests said, in their order."""
    return [json.loads(request.body) for request in receiver.received]


def revisions(receiver: Receiver) -> list[int]:
    """Which change sets a webhook was told of, in the order in which they came."""
    return [content["data"]["revision"] for content in contents(receiver)]
