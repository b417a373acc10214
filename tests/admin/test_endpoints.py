"""Team leads make endpoints, give them secrets and see what was delivered."""

import re

import pytest
from django.urls import reverse
from standardwebhooks import Webhook

from ownership.history.models import ChangeSet
from ownership.models import Delivery, DeliveryRequest, Endpoint
from tests.support.admin_forms import form_of
from tests.support.endpoints import deliver, make_endpoint, make_failing_endpoint
from tests.support.factories import make_service
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

ADD = "/admin/ownership/endpoint/add/"
LIST = "/admin/ownership/endpoint/"


def deliveries(endpoint: Endpoint) -> str:
    return reverse("admin:ownership_endpoint_deliveries", args=[endpoint.pk])


def test_a_lead_makes_a_webhook_and_sees_its_secret_once(lead_client, receiver):
    fields = {
        "name": "ci",
        "kind": "webhook",
        "address": receiver.address,
        "active": "on",
        "reason": "For CI",
    }
    page = lead_client.post(ADD, form_of(lead_client.get(ADD)) | fields, follow=True)
    endpoint = Endpoint.objects.get()
    assert page.redirect_chain[-1][0] == deliveries(endpoint)
    assert "Nothing is sent: it has no secret yet." in text_of(page.text)
    assert ChangeSet.objects.first().reason == "For CI"

    page = lead_client.post(deliveries(endpoint), {"secret_form": "1"})
    secret = re.search(r"whsec_[\w+/=]+", page.text).group()
    assert secret not in lead_client.get(deliveries(endpoint)).text
    make_service()
    deliver()
    [request] = receiver.received
    Webhook(secret).verify(request.body, request.headers)
    assert "delivered (200)" in text_of(lead_client.get(deliveries(endpoint)).text)


def test_the_form_leads_to_the_page_of_deliveries_by_one_button(lead_client):
    endpoint = make_failing_endpoint()
    page = lead_client.get(reverse("admin:ownership_endpoint_change", args=[endpoint.pk])).text
    assert page.count(f'href="{deliveries(endpoint)}"') == 1


def test_once_it_has_a_secret_no_page_says_that_it_has_none(lead_client, receiver):
    fields = {"name": "ci", "kind": "webhook", "address": receiver.address, "active": "on"}
    lead_client.post(ADD, form_of(lead_client.get(ADD)) | fields | {"reason": "For CI"})
    deliver()
    make_service()
    deliver()

    page = lead_client.post(deliveries(Endpoint.objects.get()), {"secret_form": "1"})

    assert "no secret" not in text_of(page.text)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({"address": ""}, "A webhook and GitHub need an address.", id="no address"),
        pytest.param(
            {"kind": "slack"}, "Leave it blank for Slack", id="a secret address in the open"
        ),
        pytest.param(
            {"address": "https://me:hush@ci.example/"}, "without a name, password", id="a password"
        ),
        pytest.param(
            {"address": "ftp://ci.example/"}, "Use an address such as", id="another protocol"
        ),
        pytest.param(
            {"address": "https://ci.example:99999/"}, "Use an address such as", id="no such port"
        ),
        pytest.param(
            {"address": "https://[ci.example/"}, "Use an address such as", id="half an IPv6 address"
        ),
        pytest.param(
            {"address": "https://ci.example/\u202e"}, "Use an address such as", id="not ASCII"
        ),
        pytest.param(
            {"kind": "github"}, "ends in /repos/OWNER/REPOSITORY/dispatches", id="not GitHub's"
        ),
        pytest.param(
            {"only_table": "nothing"}, "No table has, or ever had, this name.", id="no such table"
        ),
        pytest.param({"only_changes": "nothing"}, "Select a valid choice.", id="no such kind"),
    ],
)
def test_a_wrong_field_is_refused_with_a_sentence(lead_client, fields, sentence):
    given = {
        "name": "ci",
        "kind": "webhook",
        "address": "https://ci.example/",
        "reason": "For CI",
    } | fields

    page = lead_client.post(ADD, form_of(lead_client.get(ADD)) | given)

    assert sentence in text_of(page.text)
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("kind", "secret", "sentence"),
    [
        pytest.param(
            "slack", "https://hooks.slack.com/services/T/B/hush", "", id="Slack's address"
        ),
        pytest.param("slack", "hush", "Give the full address", id="no address"),
        pytest.param(
            "slack", "http://hooks.slack.com/hush", "Give the full address", id="not encrypted"
        ),
        pytest.param("github", "github_pat_hush", "", id="a token"),
        pytest.param("github", "hush\r\nHost: evil", "without spaces", id="a header"),
        pytest.param("github", "", "Give the secret.", id="nothing"),
    ],
)
def test_a_given_secret_is_checked_stored_and_never_shown(
    lead_client, receiver, kind, secret, sentence
):
    address = "" if kind == "slack" else receiver.address + "/dispatches"
    endpoint = Endpoint.objects.create(name="chat", kind=kind, address=address)

    page = lead_client.post(
        deliveries(endpoint), {"secret_form": "1", "secret": secret}, follow=True
    )

    assert (sentence or "The secret is stored.") in text_of(page.text)
    assert endpoint.secrets.exists() == (not sentence)
    assert not secret or secret not in page.text


def test_buttons_leave_the_sending_to_the_deliverer(lead_client, receiver):
    endpoint = make_endpoint(receiver)
    make_service()
    make_service()
    receiver.status = 500
    deliver()
    page = lead_client.get(deliveries(endpoint))
    assert "Skip revision 2" in text_of(page.text)

    for button in ({"test": "1"}, {"skip": "one"}, {"skip": "all"}):
        lead_client.post(deliveries(endpoint), button)

    requests = list(DeliveryRequest.objects.values_list("kind", "revision", "user_name"))
    assert requests == [("test", 3, "lead"), ("skip", 2, "lead"), ("skip", 3, "lead")]
    assert len(receiver.received) == 1
    receiver.status = 200
    deliver()
    assert len(receiver.received) == 2
    assert Delivery.objects.get().revision == 3


def test_times_of_a_failing_endpoint_read_as_on_other_pages(viewer_client, db):
    page = text_of(viewer_client.get(deliveries(make_failing_endpoint())).text)
    assert re.search(r"Failing since \d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC: ", page)


def test_viewers_look_and_change_nothing(viewer_client, receiver):
    endpoint = make_endpoint(receiver)
    deliver()
    secret = endpoint.secrets.get()

    page = viewer_client.get(deliveries(endpoint))

    assert "Up to date: nothing is waiting to be sent." in text_of(page.text)
    assert (
        "<button"
        not in page.text.split('id="content-main"')[-1]
        .split("Latest deliveries")[0]
        .split("<h1")[-1]
    )
    for fields in ({"secret_form": "1"}, {"test": "1"}, {"skip": "all"}):
        assert viewer_client.post(deliveries(endpoint), fields).status_code == 403
    assert viewer_client.post(ADD, {"name": "mine"}).status_code == 403
    assert endpoint.secrets.get() == secret
    assert not DeliveryRequest.objects.exists()


@pytest.mark.slow
def test_the_list_takes_as_many_queries_for_many_endpoints_as_for_few(
    lead_client, receiver, django_assert_num_queries
):
    def number_of_queries() -> int:
        lead_client.get(LIST)
        with django_assert_num_queries(9):
            page = lead_client.get(LIST)
        return page.text.count("Up to date: nothing is waiting to be sent.")

    make_endpoint(receiver)
    deliver()
    assert number_of_queries() == 1
    for number in range(8):
        make_endpoint(receiver, name=f"ci-{number}")
    deliver()
    assert number_of_queries() == 9


@pytest.mark.parametrize(
    "address", ["999/deliveries/", "999/change/", "9999999999999999999/deliveries/"]
)
def test_an_endpoint_that_does_not_exist_is_not_found(lead_client, address):
    page = lead_client.get(LIST + address, follow=True)
    assert page.status_code == 404 or "doesn’t exist" in text_of(page.text)
