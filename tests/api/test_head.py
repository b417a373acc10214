"""head/ returns the head of history, signed with the key of the settings."""

from base64 import b64decode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.exceptions import ImproperlyConfigured

from ownership.history.models import ChangeSet, current_head
from registry import env
from tests.support.factories import make_service

# Its queries are those of other rooms, whose tests run on PostgreSQL, too.
pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def get_head(client) -> dict:
    response = client.get("/api/v1/head/")
    assert response.status_code == 200
    return response.json()


def test_the_head_is_signed_so_that_it_can_be_checked_without_the_registry(
    viewer_client, settings, monkeypatch
):
    monkeypatch.setenv("HEAD_KEY", KEY)
    settings.HEAD_KEY = env.signing_key("HEAD_KEY")
    make_service("a")
    answer = get_head(viewer_client)
    assert answer["head"] == str(current_head())
    assert (answer["revision"], answer["digest"]) == (1, ChangeSet.objects.get().digest)
    public_key = Ed25519PublicKey.from_public_bytes(b64decode(answer["public_key"]))
    signature = b64decode(answer["signature"])
    public_key.verify(signature, answer["head"].encode())
    with pytest.raises(InvalidSignature):
        public_key.verify(signature, f"2:{answer['digest']}".encode())


def test_without_a_key_the_head_is_not_signed(viewer_client, settings):
    settings.HEAD_KEY = None
    answer = get_head(viewer_client)
    assert (answer["head"], answer["signature"], answer["public_key"]) == ("0:", None, None)


@pytest.mark.parametrize("value", ["short", "MDEy", KEY + "AAAA", "ä" * 44])
def test_a_key_that_is_none_is_refused_with_the_cure(monkeypatch, value):
    monkeypatch.setenv("HEAD_KEY", value)
    with pytest.raises(ImproperlyConfigured, match="openssl rand -base64 32"):
        env.signing_key("HEAD_KEY")
