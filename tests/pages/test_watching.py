"""People watch tables, services, groups and what is theirs, and say how mail comes."""

import pytest
from django.urls import reverse

from ownership.models import MailPreference, TableGroup, Watch
from ownership.news import watching
from tests.support.factories import make_service, make_table
from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
WATCHING = "/watching/"


@pytest.fixture(autouse=True)
def _mail(settings, viewer) -> None:
    settings.EMAIL_HOST = "mail.registry.example"
    viewer.email = "viewer@registry.example"
    viewer.save()


def thing(kind: str):
    """A table, service or group."""
    return {
        "table": lambda: make_table("orders"),
        "service": lambda: make_service("payments"),
        "group": lambda: TableGroup.objects.create(name="Shop"),
    }[kind]()


@pytest.mark.parametrize("kind", ["table", "service", "group"])
def test_a_button_on_its_page_watches_a_thing_and_ends_that(viewer_client, viewer, kind):
    row = thing(kind)
    address = row.get_absolute_url()
    assert ">Watch</button>" in viewer_client.get(address).text

    page = viewer_client.post(
        WATCHING, {"act": "watch", "kind": kind, "row": row.pk, "next": address}, follow=True
    )

    assert page.request["PATH_INFO"] == address
    assert "You watch it: you get mail when it changes." in text_of(page.text)
    assert 'aria-pressed="true">Watching</button>' in page.text
    assert Watch.objects.values_list("user", "kind", "row").get() == (viewer.pk, kind, row.pk)
    assert row.name in text_of(viewer_client.get(WATCHING).text)
    viewer_client.post(WATCHING, {"act": "watch", "kind": kind, "row": row.pk})
    viewer_client.post(WATCHING, {"act": "unwatch", "kind": kind, "row": row.pk})
    assert not Watch.objects.exists()


def test_what_is_mine_is_watched_by_one_button(viewer_client):
    for _ in range(2):
        page = viewer_client.post(WATCHING, {"act": "watch", "kind": "mine"}, follow=True)
        assert "you get mail when it changes, and when something waits for you." in text_of(
            page.text
        )
    assert Watch.objects.values_list("kind", "row").get() == ("mine", None)
    assert "Stop watching what is mine" in text_of(viewer_client.get(WATCHING).text)


def test_a_past_page_and_a_stranger_have_no_button(viewer_client, client, settings):
    settings.ANONYMOUS_READ = True
    address = make_table("orders").get_absolute_url()
    assert "Watch</button>" not in viewer_client.get(address + "?revision=3").text
    assert "Watch</button>" not in client.get(address).text
    assert client.post(WATCHING, {"act": "watch", "kind": "mine"}).status_code == 302
    assert not Watch.objects.exists()


def test_a_deleted_thing_is_still_listed(viewer_client, viewer):
    table = make_table("orders")
    watching.watch(viewer, "table", table.pk)
    table.delete()
    assert "orders (deleted)" in text_of(viewer_client.get(WATCHING).text)


def test_people_choose_how_mail_comes(viewer_client, viewer):
    page = viewer_client.post(
        WATCHING, {"act": "mail", "rhythm": "weekly", "own_changes": "on"}, follow=True
    )
    assert "Saved." in text_of(page.text)
    assert MailPreference.objects.values_list("user", "rhythm", "own_changes").get() == (
        viewer.pk,
        "weekly",
        True,
    )
    assert viewer_client.post(WATCHING, {"act": "mail", "rhythm": "hourly"}).status_code == 400


@pytest.mark.parametrize(
    ("setting", "email", "sentence"),
    [
        ("", "viewer@registry.example", "This registry sends no mail yet"),
        ("mail.registry.example", "", "Your account has no e-mail address yet"),
    ],
)
def test_watching_says_why_no_mail_comes(viewer_client, viewer, settings, setting, email, sentence):
    settings.EMAIL_HOST = setting
    viewer.email = email
    viewer.save()
    assert sentence in text_of(viewer_client.get(WATCHING).text)
    page = viewer_client.post(WATCHING, {"act": "watch", "kind": "mine"}, follow=True)
    assert sentence.partition(" yet")[0] in text_of(page.text)


def test_watching_with_mail_switched_off_says_so(viewer_client, viewer, settings):
    settings.EMAIL_HOST = "mail.registry.example"
    viewer.email = "viewer@registry.example"
    viewer.save()
    watching.switch_mail(viewer, MailPreference.Rhythm.NEVER, own_changes=False)
    page = viewer_client.post(WATCHING, {"act": "watch", "kind": "mine"}, follow=True)
    assert "You watch it, but your mail is switched off" in text_of(page.text)


def test_a_person_watches_a_limited_number_of_things(viewer_client, viewer, monkeypatch):
    monkeypatch.setattr("ownership.pages.watching.MOST_WATCHES", 1)
    table = {"act": "watch", "kind": "table", "row": make_table().pk}
    viewer_client.post(WATCHING, {"act": "watch", "kind": "mine"})
    page = viewer_client.post(WATCHING, table, follow=True)
    assert "things already: end one first" in text_of(page.text)
    assert viewer.watches.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"act": "watch"},
        {"act": "watch", "kind": "table"},
        {"act": "watch", "kind": "table", "row": "999"},
        {"act": "watch", "kind": "table", "row": "9" * 30},
        {"act": "watch", "kind": "access", "row": "1"},
        {"act": "watch", "kind": "service", "row": "-1"},
    ],
)
def test_what_no_form_sends_is_refused(viewer_client, fields):
    assert viewer_client.post(WATCHING, fields).status_code == 400
    assert not Watch.objects.exists()


def test_nobody_is_led_to_a_stranger(viewer_client):
    page = viewer_client.post(
        WATCHING, {"act": "watch", "kind": "mine", "next": "https://evil.example/"}
    )
    assert page["Location"] == reverse("pages:watching")


def test_the_page_takes_as_many_queries_for_many_watches_as_for_few(
    viewer_client, viewer, django_assert_num_queries
):
    for number in (1, 9):
        for _ in range(number):
            watching.watch(viewer, "table", make_table().pk)
            watching.watch(viewer, "service", make_service().pk)
        viewer_client.get(WATCHING)
        with django_assert_num_queries(11):
            viewer_client.get(WATCHING)
