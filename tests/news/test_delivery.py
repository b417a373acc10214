"""Endpoints get every change set that is for them, in order; failures are tried again, until it is enough."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from ownership.history.bulk import save_rows
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import (
    Access,
    Delivery,
    DeliveryAttempt,
    DeliveryRequest,
    Endpoint,
    EndpointSecret,
    Service,
    TableGroup,
)
from ownership.news.delivery import ATTEMPTS_KEPT, PATIENCE, PAUSES
from ownership.news.endpoint_secrets import GRACE, give_secret, new_webhook_secret
from ownership.news.state import state_of, with_state
from tests.support.endpoints import contents, deliver, make_endpoint, revisions
from tests.support.factories import make_access, make_service, make_table
from tests.support.receiver import Received

pytestmark = pytest.mark.django_db


def head() -> int:
    return current_head().revision


def make_due() -> None:
    """Let the pause after a failure be over."""
    Delivery.objects.update(next_attempt=timezone.now())


def test_an_endpoint_gets_each_later_change_set_once_and_in_order(receiver):
    make_service("before")
    make_endpoint(receiver)
    first = head() + 1
    for number in range(3):
        make_service(f"service-{number}")

    deliver()
    deliver()

    assert revisions(receiver) == [first, first + 1, first + 2]


def test_a_webhook_is_signed_and_says_what_the_change_feed_says(receiver, lead, lead_client):
    secret = new_webhook_secret()
    make_endpoint(receiver, secret)
    with change_set(user=lead, reason="As agreed", source=ChangeSet.Source.ADMIN):
        make_access(make_table("orders"))

    deliver()

    [request] = receiver.received
    event = Webhook(secret).verify(request.body, request.headers)
    data = event.pop("data")
    assert (data.pop("url"), data.pop("entries_left_out")) == (
        f"http://127.0.0.1:8000/changes/{head()}/",
        0,
    )
    assert data == lead_client.get(f"/api/v1/changes/?after={head() - 1}").json()["results"][0]
    assert event == {
        "specversion": "1.0",
        "id": request.headers["webhook-id"],
        "source": "http://127.0.0.1:8000/",
        "type": "ownership-registry.change-set",
        "subject": str(head()),
        "time": data["time"],
        "datacontenttype": "application/json",
    }
    assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body + b" ", request.headers)


def test_an_earlier_secret_signs_beside_the_new_one_for_a_time(receiver):
    old, new = new_webhook_secret(), new_webhook_secret()
    endpoint = make_endpoint(receiver, old)
    give_secret(endpoint, new, "lead")
    make_service()
    deliver()
    EndpointSecret.objects.filter(valid_until__lt=timezone.now() + GRACE).update(
        valid_until=timezone.now()
    )
    make_service()
    deliver()

    during, after = receiver.received
    for secret in (old, new):
        Webhook(secret).verify(during.body, during.headers)
    Webhook(new).verify(after.body, after.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(after.body, after.headers)


def test_a_leaked_secret_can_end_at_once(receiver):
    old = new_webhook_secret()
    endpoint = make_endpoint(receiver, old)
    give_secret(endpoint, new_webhook_secret(), "lead", at_once=True)
    make_service()

    deliver()

    [request] = receiver.received
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(request.body, request.headers)


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        pytest.param({"only_table": "orders"}, ["access", "owner"], id="table"),
        pytest.param({"only_service": "payments"}, ["access", "owner"], id="service"),
        pytest.param({"only_group": "Shop"}, ["access", "owner"], id="group"),
        pytest.param({"only_changes": "ownership"}, ["other", "owner"], id="owner changes"),
        pytest.param(
            {"only_changes": "ownership", "only_table": "orders"}, ["owner"], id="both must apply"
        ),
        pytest.param({"only_source": "import"}, ["other"], id="source"),
        pytest.param({"only_user": "lead"}, ["access"], id="user"),
    ],
)
def test_filters_are_the_feeds(receiver, lead, filters, told):
    payments = make_service("payments")
    orders = make_table("orders", group=TableGroup.objects.create(name="Shop"))
    make_endpoint(receiver, **filters)
    with change_set(user=lead, reason="access"):
        make_access(orders, payments)
    with change_set(reason="other", source=ChangeSet.Source.IMPORT):
        make_table("unrelated")
    with change_set(reason="owner"):
        orders.owner = payments
        orders.save()

    deliver()

    assert [content["data"]["reason"] for content in contents(receiver)] == told
    assert Delivery.objects.get().revision == head()


def test_a_renamed_thing_and_a_deleted_one_still_pass_the_filter(receiver):
    orders = make_table("orders")
    make_endpoint(receiver, only_table="orders")
    orders.name = "purchases"
    orders.save()
    orders.delete()

    deliver()

    assert [content["data"]["entries"][0]["type"] for content in contents(receiver)] == [
        "changed",
        "deleted",
    ]


def test_after_a_failure_the_same_event_is_sent_again_before_any_later_one(receiver):
    make_endpoint(receiver)
    first = head() + 1
    make_service()
    make_service()
    receiver.next_statuses = [500, 302, 429]
    for _ in range(4):
        deliver()
        deliver()  # is waiting: sends nothing
        make_due()

    assert revisions(receiver) == [first, first, first, first, first + 1]
    assert {request.headers["webhook-id"] for request in receiver.received[:4]} == {
        contents(receiver)[0]["id"]
    }
    attempts = list(DeliveryAttempt.objects.order_by("pk").values_list("status", "revision"))
    assert attempts == [(500, first), (302, first), (429, first), (200, first), (200, first + 1)]
    assert Delivery.objects.get().failures == 0


def test_pauses_grow_to_a_limit_and_retry_after_makes_them_longer(receiver):
    make_endpoint(receiver)
    make_service()
    receiver.status = 503
    pauses = []
    for _ in range(len(PAUSES) + 2):
        deliver()
        pauses.append((Delivery.objects.get().next_attempt - timezone.now()).total_seconds())
        make_due()
    receiver.headers = {"Retry-After": "3000"}
    Delivery.objects.update(failures=0)
    deliver()

    for pause, expected in zip(pauses, [*PAUSES, PAUSES[-1], PAUSES[-1]], strict=True):
        assert 0.75 * expected < pause <= 1.25 * expected
    assert 2990 < (Delivery.objects.get().next_attempt - timezone.now()).total_seconds() <= 3000


def test_an_endpoint_that_is_gone_is_switched_off_with_a_change_set(receiver):
    endpoint = make_endpoint(receiver)
    make_service()
    receiver.status = 410

    deliver()

    assert not Endpoint.objects.get().active
    latest = ChangeSet.objects.first()
    assert latest.source == "command"
    assert latest.reason == (
        "Switched off by the registry because nothing could be delivered. "
        "The endpoint answered 410: it no longer exists."
    )

    # Switched on again, it goes on where it was, with all of its patience.
    deliver()
    receiver.received.clear()
    receiver.next_statuses = [500]
    receiver.status = 200
    endpoint.active = True
    endpoint.save()
    deliver()
    make_due()
    deliver()
    assert Endpoint.objects.get().active
    assert revisions(receiver) == [head() - 2, head() - 2, head() - 1, head()]


def test_an_endpoint_that_fails_for_days_is_switched_off(receiver):
    make_endpoint(receiver)
    make_service()
    receiver.status = 500
    deliver()
    assert Endpoint.objects.get().active

    Delivery.objects.update(
        failing_since=timezone.now() - PATIENCE + timedelta(minutes=1), next_attempt=None
    )
    deliver()
    assert Endpoint.objects.get().active
    Delivery.objects.update(failing_since=timezone.now() - PATIENCE, next_attempt=None)
    deliver()
    assert not Endpoint.objects.get().active


def test_with_another_key_the_endpoint_asks_for_a_new_secret_and_loses_nothing(receiver, settings):
    endpoint = make_endpoint(receiver)
    make_service()
    settings.SECRET_KEY = "another key, long enough to be one"

    deliver()

    assert receiver.received == []
    assert "Give it a new secret." in Delivery.objects.get().problem
    assert Endpoint.objects.get().active
    give_secret(endpoint, new_webhook_secret(), "lead")
    make_due()
    deliver()
    assert revisions(receiver) == [head()]


def test_no_row_of_the_database_gives_a_secret_away(receiver):
    webhook = new_webhook_secret()
    make_endpoint(receiver, webhook)
    make_endpoint(receiver, name="chat", kind="slack")
    github = {"name": "workflow", "kind": "github", "address": receiver.address + "/dispatches"}
    make_endpoint(receiver, "github_pat_hush", **github)
    make_service()
    deliver()
    assert len(receiver.received) == 6

    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            texts.append(str(cursor.fetchall()))
    dump = "".join(texts)
    for secret in (
        webhook,
        webhook.removeprefix("whsec_"),
        "github_pat_hush",
        receiver.address + "'",
    ):
        assert secret not in dump.replace(f"'{receiver.address}', ", "")


def test_a_token_goes_to_no_other_address_than_the_one_that_it_was_given_for(receiver):
    endpoint = make_endpoint(
        receiver, "github_pat_hush", kind="github", address=receiver.address + "/a/dispatches"
    )
    endpoint.address = receiver.address + "/b/dispatches"
    endpoint.save()

    deliver()

    assert receiver.received == []
    assert "Give it a new secret." in Delivery.objects.get().problem


def test_what_waits_can_be_left_out(receiver):
    endpoint = make_endpoint(receiver)
    make_service()
    DeliveryRequest.objects.create(
        endpoint=endpoint, kind="skip", revision=head(), user_name="lead"
    )
    make_service()

    deliver()

    assert revisions(receiver) == [head()]


def test_a_test_is_sent_although_the_endpoint_fails_and_changes_nothing(receiver):
    endpoint = make_endpoint(receiver)
    make_service()
    receiver.status = 500
    deliver()
    before = Delivery.objects.values().get()
    DeliveryRequest.objects.create(
        endpoint=endpoint, kind="test", revision=head(), user_name="lead"
    )

    deliver()

    assert contents(receiver)[-1]["type"] == "ownership-registry.test"
    assert Delivery.objects.values().get() == before
    assert not DeliveryRequest.objects.exists()


@pytest.mark.parametrize(
    ("kind", "place", "words"),
    [
        ("slack", "text", "This is a test from the ownership registry: the endpoint works."),
        ("github", "event_type", "ownership-registry.test"),
    ],
)
def test_a_test_has_the_endpoints_format(receiver, kind, place, words):
    endpoint = make_endpoint(receiver, kind=kind)
    DeliveryRequest.objects.create(endpoint=endpoint, kind="test", revision=1, user_name="lead")

    deliver()

    assert contents(receiver)[0][place] == words


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        (
            {"only_table": "nothing"},
            "No table has, or ever had, this name. Choose another filter.",
        ),
        (
            {"only_changes": "of_a_later_release"},
            "“of_a_later_release” is not a kind of change: choose another filter.",
        ),
    ],
)
def test_a_filter_that_can_not_be_used_stops_the_endpoint_and_is_its_state(
    receiver, filters, problem
):
    make_endpoint(receiver, **filters)
    make_service()

    deliver()

    assert receiver.received == []
    state = state_of(with_state(Endpoint.objects.all()).get())
    assert (state.sentence, state.is_good) == (f"Nothing is sent: {problem}", False)


def test_the_state_of_an_endpoint_that_was_switched_off_says_why(receiver):
    make_endpoint(receiver)
    receiver.status = 410
    make_service()
    deliver()

    state = state_of(with_state(Endpoint.objects.all()).get())

    assert state.sentence.startswith("Switched off. The last attempt failed: The endpoint answered")
    assert not state.is_good


def test_old_attempts_are_deleted(receiver):
    make_endpoint(receiver)
    make_service()
    deliver()
    delivery = Delivery.objects.get()
    attempt = {"delivery": delivery, "time": timezone.now(), "milliseconds": 1}
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(**attempt) for _ in range(ATTEMPTS_KEPT + 5)
    )
    make_service()

    deliver()

    assert DeliveryAttempt.objects.count() == ATTEMPTS_KEPT
    assert DeliveryAttempt.objects.first().revision == head()


def test_a_deleted_endpoint_leaves_nothing_behind(receiver):
    endpoint = make_endpoint(receiver)
    make_service()
    deliver()
    endpoint.delete()

    deliver()

    assert (
        Delivery.objects.count(),
        DeliveryAttempt.objects.count(),
        EndpointSecret.objects.count(),
    ) == (0, 0, 0)


@pytest.mark.slow
def test_a_large_change_set_is_cut_and_says_how_much_is_left_out(receiver):
    services = [Service(name=f"reader-{number}") for number in range(120)]
    save_rows(services)
    table = make_table()
    make_endpoint(receiver, name="whole")
    make_endpoint(receiver, name="chat", kind="slack")
    make_endpoint(
        receiver, name="workflow", kind="github", address=receiver.address + "/dispatches"
    )
    long_notes = "<!channel> & " + "n" * 3_000
    with change_set(reason="All of them"):
        save_rows(
            [
                Access(table=table, service=service, mode="read", notes=long_notes)
                for service in services
            ]
        )

    deliver()

    webhook = requests_by_key(receiver)["specversion"]
    data = json.loads(webhook.body)["data"]
    assert 20 < len(data["entries"]) <= 100
    assert len(data["entries"]) + data["entries_left_out"] == 120
    assert len(webhook.body) < 250_000

    github = requests_by_key(receiver)["event_type"]
    payload = json.loads(github.body)["client_payload"]
    assert len(payload) == 10
    assert len(payload["entries"]) + payload["entries_left_out"] == 120
    assert len(github.body) < 65_535

    slack = requests_by_key(receiver)["text"]
    sections = [block["text"]["text"] for block in json.loads(slack.body)["blocks"][:2]]
    assert all(len(text) <= 3_000 for text in sections)
    assert sections[1].endswith("\nand 110 more")
    assert b"<!channel>" not in slack.body


def requests_by_key(receiver) -> dict[str, Received]:
    """The last request of each kind, by the first key of its body."""
    return {next(iter(json.loads(request.body))): request for request in receiver.received}


def test_slack_gets_a_message_in_words_with_a_link_and_no_markup_of_others(receiver, lead):
    make_endpoint(receiver, kind="slack")
    with change_set(
        user=lead, reason="Tell <https://evil.example|us> & all", source=ChangeSet.Source.ADMIN
    ):
        make_service("payments")

    deliver()

    [request] = receiver.received
    [message] = contents(receiver)
    assert request.path == "/hook"
    heading, lines, _ = message["blocks"]
    address = f"http://127.0.0.1:8000/changes/{head()}/"
    why = "Tell &lt;https://evil.example|us&gt; &amp; all"
    assert heading["text"]["text"] == f"*lead* (<{address}|revision {head()}>): {why}"
    assert lines["text"]["text"] == "• service payments created"
    assert message["text"] == f"lead: {why} (revision {head()})"


def test_github_gets_a_dispatch_with_the_token(receiver):
    make_endpoint(receiver, "github_pat_1", kind="github", address=receiver.address + "/dispatches")
    make_service("payments")

    deliver()

    [request] = receiver.received
    [message] = contents(receiver)
    assert request.headers["authorization"] == "Bearer github_pat_1"
    assert message["event_type"] == "ownership-registry.change-set"
    assert message["client_payload"]["revision"] == head()
    assert message["client_payload"]["entries"][0]["label"] == "payments"
