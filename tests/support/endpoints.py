"""Endpoints for tests, and the deliverer's work in the test's own thread."""

import json

from ownership.models import Endpoint
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
