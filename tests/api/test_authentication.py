"""Who may read: signed-in people and personal tokens, which are kept hashed, expire, and cost one query."""

from base64 import b64encode
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ownership.models import ApiToken
from ownership.models.rights import has_role
from tests.support.tokens import make_token


def read(token, address="map/", scheme="Token"):
    return Client().get(f"/api/v1/{address}", headers={"Authorization": f"{scheme} {token}"})


def test_a_token_allows_reading_and_starts_with_our_prefix(viewer):
    _, shown = make_token(viewer)

    assert shown.startswith("own_")
    assert read(shown).status_code == 200
    assert read(shown, scheme="token").status_code == 200


def test_a_token_is_stored_hashed(viewer):
    token, shown = make_token(viewer)

    kept = " ".join(str(value) for value in ApiToken.objects.values().get().values())

    assert shown not in kept
    assert shown[len(token.token_key) :] not in kept


def test_a_token_works_until_it_expires(viewer):
    token, shown = make_token(viewer, expiry=timezone.now() + timedelta(minutes=1))
    assert read(shown).status_code == 200

    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    answer = read(shown)
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("This token expired on ")
    assert ApiToken.objects.filter(pk=token.pk).exists(), "reading deletes nothing"


def test_a_deleted_token_is_invalid(viewer):
    token, shown = make_token(viewer)
    token.delete()

    assert read(shown).json()["detail"].startswith("Invalid token. Create a token in the admin")


def test_a_token_of_an_inactive_account_is_refused(viewer):
    _, shown = make_token(viewer)
    User.objects.update(is_active=False)

    answer = read(shown)

    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "The account of this token is inactive.",
    )


@pytest.mark.parametrize("field", ["digest", "token_key"])
def test_what_the_database_stores_of_a_token_is_not_a_valid_token(viewer, field):
    token, _ = make_token(viewer)

    assert read(getattr(token, field)).status_code == 401


GARBAGE = {
    "none": "",
    "blank": "  ",
    "two-words": "own_a own_b",
    "unknown": "own_" + "0" * 60,
    "prefix-alone": "own_",
    "nul": "\x00",
    "nul-within": "own_\x0012",
    "not-ascii": "é",
    "every-byte": "".join(map(chr, range(0x80, 0x100))),
    "long": "x" * 100_000,
    "quotes": "' OR 1=1 --",
    "percent": "own_%",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_not_a_valid_token(viewer, garbage):
    make_token(viewer)

    answer = read(garbage)

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"] == "Token"


def test_a_token_with_the_same_beginning_and_another_end_is_invalid(viewer):
    _, shown = make_token(viewer)

    assert read(shown[:-1] + ("0" if shown[-1] != "0" else "1")).status_code == 401
    assert read(shown + "0").status_code == 401
    assert read(shown[:-1]).status_code == 401


def test_a_bad_token_is_refused_even_if_anyone_may_read(viewer, open_to_all):
    assert read("own_unknown").status_code == 401


def test_another_authorization_scheme_is_ignored(viewer):
    _, shown = make_token(viewer)

    assert read(shown, scheme="Bearer").status_code == 401


def test_a_token_does_not_open_the_admin(lead):
    _, shown = make_token(lead)

    answer = Client().get("/admin/ownership/table/", headers={"Authorization": f"Token {shown}"})

    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")


def writes(queries):
    return [
        query["sql"]
        for query in queries
        if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))
    ]


def test_a_token_costs_one_query_and_one_write_on_its_first_use_of_a_day(viewer):
    token, shown = make_token(viewer)
    with CaptureQueriesContext(connection) as first:
        read(shown)
    with CaptureQueriesContext(connection) as second:
        read(shown)

    token.refresh_from_db()
    assert token.last_used == timezone.now().date()
    assert len(writes(first)) == 1
    assert len(writes(second)) == 0
    # The token with its user and the history's head, in one.
    with CaptureQueriesContext(connection) as anonymous:
        Client().get("/api/v1/map/")
    assert len(anonymous) == 0, "who may not read costs nothing"
    assert len(second) == 1
    assert sum("apitoken" in query["sql"] for query in second) == 1


def test_the_first_use_on_another_day_is_written(viewer):
    token, shown = make_token(viewer, last_used=date(2020, 1, 1))

    read(shown)

    token.refresh_from_db()
    assert token.last_used == timezone.now().date()


def test_a_refused_token_is_not_marked_as_used(viewer):
    token, shown = make_token(viewer, expiry=timezone.now() - timedelta(days=1))

    read(shown)

    token.refresh_from_db()
    assert token.last_used is None


def test_reading_with_a_token_starts_no_session(viewer):
    _, shown = make_token(viewer)

    assert "Set-Cookie" not in read(shown)


def test_two_people_with_tokens_read_as_themselves(viewer, lead):
    (_, first), (mine, second) = make_token(viewer), make_token(lead)

    read(second)

    mine.refresh_from_db()
    assert mine.last_used is not None
    assert ApiToken.objects.get(user=viewer).last_used is None
    assert read(first).status_code == 200


NO_ROLE = "Your account has no role in this registry. Ask an administrator to make it a viewer or a team lead."


def test_an_account_without_a_role_is_told_whom_to_ask(db):
    newcomer = User.objects.create_user("newcomer")
    _, shown = make_token(newcomer)
    client = Client()
    client.force_login(newcomer)
    basic = b64encode(f"feed:{shown}".encode()).decode()

    answers = [
        client.get("/api/v1/map/"),
        client.get("/api/v1/tables/"),
        read(shown),
        read(shown, "changes/"),
        Client().get("/api/v1/changes/atom/", headers={"Authorization": f"Basic {basic}"}),
    ]

    for answer in answers:
        assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
        assert answer.json()["detail"] == NO_ROLE


def test_where_anyone_may_read_the_map_its_history_needs_a_role(seeded, open_to_all):
    newcomer = User.objects.create_user("newcomer")
    _, shown = make_token(newcomer)
    client = Client()
    client.force_login(newcomer)

    assert read(shown).status_code == 200
    assert client.get("/api/v1/map/").status_code == 200
    history = (
        "changes/",
        "map/?revision=1",
        "tables/biztechUsers/history/",
        "compare/?from=0&to=1",
        "drift/",
        "head/",
    )
    for address in history:
        assert read(shown, address).status_code == 403, address
        assert client.get(f"/api/v1/{address}").status_code == 403, address
    assert client.get("/").status_code == 200
    assert "/changes/" not in client.get("/").text
    for address in (
        "/changes/",
        "/?revision=1",
        "/tables/biztechUsers/history/",
        "/drift/",
        "/?show=changed",
    ):
        page = client.get(address)
        assert (page.status_code, NO_ROLE in page.text) == (403, True), address


@pytest.mark.parametrize("way", ["group", "own permission", "administrator"])
def test_a_token_reads_with_whatever_gives_its_account_a_role(db, way):
    newcomer = User.objects.create_user("newcomer", is_superuser=way == "administrator")
    _, shown = make_token(newcomer)
    view_table = Permission.objects.get(codename="view_table")
    if way == "group":
        group = Group.objects.create(name="Auditors")
        group.permissions.add(view_table)
        newcomer.groups.add(group)
    elif way == "own permission":
        newcomer.user_permissions.add(view_table)

    assert has_role(newcomer)
    assert read(shown).status_code == 200


def test_the_answer_without_a_sign_in_says_how_to_get_a_token(db):
    answer = Client().get("/api/v1/map/")

    assert answer.json() == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Sign in or send a token. Create a token in the admin under API tokens "
        "and send it as `Authorization: Token own_…`.",
    }
