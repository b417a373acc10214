"""Compressed request bodies: nothing is unpacked, nothing fails."""

import gzip
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from ownership.history.models import ChangeSet
from tests.support.admin_forms import change_url, open_form
from tests.support.factories import make_table

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
BOMB = gzip.compress(bytes(10_000_000))
BODIES = {
    "gzip": ("gzip", gzip.compress(b"username=lead&password=a+long+pass+phrase")),
    "deflate": ("deflate", zlib.compress(b"username=lead&password=a+long+pass+phrase")),
    "bomb": ("gzip", BOMB),
    "not compressed": ("gzip", b"username=lead&password=wrong"),
    "two codings": ("gzip, gzip", gzip.compress(BOMB)),
}


@pytest.mark.parametrize(("encoding", "body"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("address", ["/admin/login/", "/drift/accept/", "/api/v1/map/", "/"])
def test_a_compressed_body_signs_nobody_in_and_breaks_nothing(lead, address, encoding, body):
    client = Client(raise_request_exception=False)
    answer = client.post(address, body, content_type=FORM, headers={"Content-Encoding": encoding})
    assert answer.status_code < 500
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize(("encoding", "body"), BODIES.values(), ids=BODIES)
def test_a_get_with_a_compressed_body_is_answered(lead_client, encoding, body):
    answer = lead_client.generic(
        "GET", "/api/v1/tables/", body, headers={"Content-Encoding": encoding}
    )
    assert answer.status_code == 200


def test_a_compressed_form_saves_nothing(lead_client):
    table = make_table("orders")
    form = open_form(lead_client, table) | {"description": "Edited.", "reason": "Because"}
    body = gzip.compress("&".join(f"{name}={value}" for name, value in form.items()).encode())
    before = ChangeSet.objects.count()
    answer = lead_client.post(
        change_url(table), body, content_type=FORM, headers={"Content-Encoding": "gzip"}
    )
    assert answer.status_code < 500
    assert ChangeSet.objects.count() == before


@pytest.mark.parametrize("name", ["map.csv", "map.json", "map.md"])
def test_a_compressed_file_is_no_map(lead_client, name):
    file = SimpleUploadedFile(name, gzip.compress(b"table,group,owner\n"))
    answer = lead_client.post("/admin/ownership/table/import/", {"file": file})
    assert "is not text in UTF-8" in answer.text
