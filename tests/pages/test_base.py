"""Who may look at the pages, and what odd addresses get."""

import pytest
from django.urls import reverse

from tests.support.pages import text_of

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite

HOME = reverse("pages:home")


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_page(client, seeded):
    assert client.get(f"{HOME}?x=1").headers["Location"] == "/admin/login/?next=/%3Fx%3D1"


def test_anyone_reads_where_the_map_is_open_to_all_but_not_the_past(client, seeded, settings):
    settings.ANONYMOUS_READ = True
    assert "biztechUsers" in client.get(HOME).text
    assert client.get(f"{HOME}?revision=1").status_code == 302


def test_the_past_is_shown_as_it_was_and_says_so(viewer_client, seeded):
    page = viewer_client.get(f"{HOME}?revision=0").text
    assert "You are viewing revision 0<" in page
    assert "biztechUsers" not in page


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("revision=99", "revision=99: There is no revision 99. The latest is 1."),
        ("as_of=yesterday", "as_of=yesterday: Takes a date or time as ISO 8601"),
        ("revision=1&as_of=2026-01-01", "not both"),
        ("x=%00", "NUL"),
    ],
)
def test_an_invalid_parameter_is_refused_with_what_it_takes(viewer_client, seeded, query, message):
    response = viewer_client.get(f"{HOME}?{query}")
    assert response.status_code == 400
    assert message in response.text


def test_an_address_of_nothing_has_the_same_page_in_development(client, settings, db):
    settings.DEBUG = True
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "ownership.web.middleware.NotFoundMiddleware"]
    for address in ("/no/such/page/", "/admin/nothing/"):
        response = client.get(address, follow=True)
        assert "URLconf" not in response.text
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "There is no page at this address." in response.text


def test_a_viewer_who_may_not_edit_is_told_which_role_may(viewer_client, seeded):
    response = viewer_client.get("/admin/ownership/table/add/")
    assert response.status_code == 403
    assert "Your role does not allow this." in response.text
    assert "group" not in text_of(response.text)
