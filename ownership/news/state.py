"""The state of each endpoint: in a sentence, and in the figures that metrics report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Subquery

from ownership.history.models import ChangeSet
from ownership.history.row_states import describe_day
from ownership.models import Delivery, Endpoint


@dataclass(frozen=True)
class EndpointState:
    """One endpoint's state. ``is_good`` is false if somebody should look at it."""

    sentence: str
    is_good: bool
    behind: int = 0  # revisions that may still have to be sent


def with_state(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint, Any]:
    """The endpoints with all that ``state_of`` reads, in two queries."""
    latest = ChangeSet.objects.order_by("-revision").values("revision")[:1]
    return (
        endpoints.select_related("delivery")
        .prefetch_related("secrets")
        .annotate(head=Subquery(latest))
    )


def _moment(time: datetime) -> str:
    return f"{describe_day(time)}, {time:%H:%M} UTC"


def state_of(endpoint: Any) -> EndpointState:
    """The state of an endpoint that was read ``with_state()``."""
    delivery: Delivery | None = getattr(endpoint, "delivery", None)
    has_secret = any(secret.valid_until is None for secret in endpoint.secrets.all())
    behind = endpoint.head - delivery.revision if delivery is not None else 0
    problem = delivery.problem if delivery is not None else ""
    if not endpoint.active:
        sentence = "Switched off."
        if problem:
            sentence += f" The last attempt failed: {problem}"
        return EndpointState(sentence, not problem, behind)
    if not has_secret:
        return EndpointState("Nothing is sent: it has no secret yet.", False, behind)
    if delivery is None:
        return EndpointState("Nothing has been sent yet: no deliverer has looked at it.", False)
    if delivery.failing_since is not None:
        sentence = f"Failing since {_moment(delivery.failing_since)}: {problem}"
        if delivery.next_attempt is not None:
            sentence += f" Next attempt at {_moment(delivery.next_attempt)}."
        return EndpointState(sentence, False, behind)
    if problem:
        return EndpointState(f"Nothing is sent: {problem}", False, behind)
    if behind:
        return EndpointState(
            f"Working; up to revision {delivery.revision} of {endpoint.head}.", True, behind
        )
    return EndpointState("Up to date: nothing is waiting to be sent.", True)
