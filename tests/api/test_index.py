"""The API's index lists every address, and each leads somewhere."""

import pytest
from django.test import Client

from ownership.api import index, urls
from tests.support.factories import make_suggestion

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = pytest.mark.sqlite


def test_the_index_has_every_address_of_the_api(get):
    listed = set(index.LISTS.values()) | set(index.DETAILS.values())
    assert listed == {pattern.name for pattern in urls.urlpatterns} - {"index", "unknown"}
    assert set(get("").json()) == set(index.LISTS) | set(index.DETAILS)


@pytest.mark.slow
def test_every_address_of_the_index_answers(seeded, viewer_client):
    addresses = viewer_client.get("/api/v1/").json()
    del addresses["compare"]  # needs two moments
    for key, address in addresses.items():
        name = "users" if key.startswith("service") else "biztechUsers"
        if key == "suggestion":
            name = str(make_suggestion().number)
        path = address.removeprefix("http://testserver").replace("{name}", name)
        assert viewer_client.get(path).status_code == 200, key


def test_the_index_is_for_those_who_may_read(db):
    assert Client().get("/api/v1/").status_code == 401
