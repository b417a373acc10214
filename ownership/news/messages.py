"""Events in the formats that endpoints accept: signed CloudEvents, Slack messages, GitHub dispatches."""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from ownership.audit import feed
from ownership.audit.descriptions import describe, in_one_line
from ownership.history.models import ChangeSet
from ownership.models import Endpoint
from ownership.news.endpoint_secrets import WEBHOOK_PREFIX
from ownership.news.events import ChangeEvent
from ownership.news.links import change_set_address, whole_address

WRITTEN = "ownership-registry.change-set"
TEST = "ownership-registry.test"
TEST_SENTENCE = "This is a test from the ownership registry: the endpoint works."
# How many characters of a reason are sent.
LONGEST_REASON = 1_000
# Bytes of entries in a webhook, and for GitHub, which accepts 65,535 characters in total.
WEBHOOK_BUDGET = 200_000
GITHUB_BUDGET = 50_000
# Slack accepts 3,000 characters in a section.
SLACK_BUDGET = 2_500
SLACK_LINES = 10
LONGEST_LINE = 300


@dataclass(frozen=True)
class Message:
    """One POST: its address, body and headers."""

    address: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class TrialEvent:
    """A test that somebody asked for, to see whether an endpoint works."""

    id: str
    time: datetime
    user_name: str


def make_message(
    endpoint: Endpoint, event: ChangeEvent | TrialEvent, secrets: list[str]
) -> Message:
    """The event in the endpoint's format. ``secrets`` are the valid ones, newest first."""
    make = _MAKERS[endpoint.kind]
    return make(endpoint, event, secrets)


# Webhooks: CloudEvents 1.0 in a body that is signed as in Standard Webhooks 1.0.0


def _webhook(endpoint: Endpoint, event: ChangeEvent | TrialEvent, secrets: list[str]) -> Message:
    content: dict[str, object] = {
        "specversion": "1.0",
        "id": event.id,
        "source": whole_address("/"),
    }
    if isinstance(event, TrialEvent):
        content["type"] = TEST
        content["time"] = _in_iso(event.time)
        data: dict[str, object] = {"message": TEST_SENTENCE, "user": event.user_name}
    else:
        content["type"] = WRITTEN
        content["subject"] = str(event.change_set.revision)
        content["time"] = _in_iso(event.change_set.time)
        data = _change_set(event.change_set) | _entries(event, WEBHOOK_BUDGET)
    content["datacontenttype"] = "application/json"
    content["data"] = data
    body = _json(content)
    timestamp = str(int(time.time()))
    signatures = [sign(secret, event.id, timestamp, body) for secret in secrets]
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": event.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
    return Message(endpoint.address, body, headers)


def sign(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    """The signature ``v1,…`` with one secret: HMAC-SHA256 over id, time and body."""
    key = b64decode(secret.removeprefix(WEBHOOK_PREFIX))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}"


def _change_set(change_set: ChangeSet) -> dict[str, object]:
    """The change set as in the change feed, with the address of its page."""
    return {
        "revision": change_set.revision,
        "time": _in_iso(change_set.time),
        "user": change_set.user_name,
        "suggested_by": change_set.suggested_by_name or None,
        "reason": _cut(change_set.reason, LONGEST_REASON),
        "source": str(change_set.source),
        "undoes": change_set.undoes_id,
        "request_id": change_set.request_id,
        "digest": change_set.digest,
        "url": change_set_address(change_set),
    }


def _entries(event: ChangeEvent, budget: int) -> dict[str, object]:
    """As many entries as fit into so many bytes, and how many more there are."""
    entries = []
    for entry in event.entries:
        content = feed.entry_for_programs(entry)
        budget -= len(_json(content)) + 1
        if budget < 0:
            break
        entries.append(content)
    left_out = event.left_out + len(event.entries) - len(entries)
    return {"entries": entries, "entries_left_out": left_out}


# Slack


def _slack(endpoint: Endpoint, event: ChangeEvent | TrialEvent, secrets: list[str]) -> Message:
    if isinstance(event, TrialEvent):
        text = _escaped(TEST_SENTENCE)
        blocks = [_section(text)]
    else:
        change_set = event.change_set
        revision = f"revision {change_set.revision}"
        text = f"{_escaped(change_set.by())}: {_escaped(_cut(change_set.reason, LONGEST_LINE))} ({revision})"
        link = f"<{change_set_address(change_set)}|{revision}>"
        heading = f"*{_escaped(change_set.by())}* ({link}): {_escaped(_cut(change_set.reason, LONGEST_LINE))}"
        source = ChangeSet.Source(change_set.source).label
        when = f"{change_set.time:%Y-%m-%d %H:%M} UTC, source: {source}"
        blocks = [
            _section(heading),
            _section("\n".join(_slack_lines(event))),
            {"type": "context", "elements": [_markdown(_escaped(when))]},
        ]
    body = _json({"text": text, "blocks": blocks})
    return Message(secrets[0], body, {"Content-Type": "application/json"})


def _slack_lines(event: ChangeEvent) -> list[str]:
    """Entries in words, as many as fit, and how many more there are."""
    lines: list[str] = []
    budget = SLACK_BUDGET
    for entry in event.entries[:SLACK_LINES]:
        line = f"• {_escaped(_cut(in_one_line(describe(entry)), LONGEST_LINE))}"
        budget -= len(line) + 1
        if budget < 0:
            break
        lines.append(line)
    left_out = event.left_out + len(event.entries) - len(lines)
    if left_out:
        lines.append(f"and {left_out:,} more")
    return lines


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": _markdown(text)}


def _markdown(text: str) -> dict[str, object]:
    # verbatim: Slack does not turn names of channels and people into links.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _escaped(text: str) -> str:
    """The text on one line, with the characters escaped that begin links and mentions in Slack's markup."""
    one_line = " ".join(text.split())
    return one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# GitHub


def _github(endpoint: Endpoint, event: ChangeEvent | TrialEvent, secrets: list[str]) -> Message:
    if isinstance(event, TrialEvent):
        event_type = TEST
        payload: dict[str, object] = {
            "id": event.id,
            "message": TEST_SENTENCE,
            "user": event.user_name,
        }
    else:
        event_type = WRITTEN
        change_set = _change_set(event.change_set)
        # GitHub accepts at most ten keys.
        payload = {"id": event.id}
        for name in ("revision", "time", "user", "reason", "source", "undoes", "url"):
            payload[name] = change_set[name]
        payload |= _entries(event, GITHUB_BUDGET)
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {secrets[0]}",
        "Content-Type": "application/json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    body = _json({"event_type": event_type, "client_payload": payload})
    return Message(endpoint.address, body, headers)


_MAKERS: dict[str, Callable[[Endpoint, ChangeEvent | TrialEvent, list[str]], Message]] = {
    Endpoint.Kind.WEBHOOK: _webhook,
    Endpoint.Kind.SLACK: _slack,
    Endpoint.Kind.GITHUB: _github,
}


def trial_event(user_name: str, number: int) -> TrialEvent:
    """A test that somebody asked for; its number makes its id unique."""
    return TrialEvent(f"test-{number}", timezone.now(), user_name)


def _json(content: object) -> bytes:
    return json.dumps(
        content, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder
    ).encode()


def _in_iso(moment: datetime) -> str:
    """The time in UTC, as the API writes it."""
    return moment.astimezone(timezone.get_default_timezone()).isoformat().replace("+00:00", "Z")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
