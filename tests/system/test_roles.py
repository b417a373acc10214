"""Who may do what: each address × method × person answers with the status that roles.tsv beside this file has.

`UPDATE_ROLES=1 pytest tests/system/test_roles.py -n 0` writes the table anew. Read its
diff as what it is: a change of rights.
"""

import os
import re
from copy import copy
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, reset_queries, transaction
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from ownership.models import Endpoint, Service, Table
from tests.support.addresses import address, routes
from tests.support.factories import make_member, make_suggestion, make_team
from tests.support.tokens import make_token

TABLE = Path(__file__).with_name("roles.tsv")
PEOPLE = ["anonymous", "token", "no role", "token, no role", "viewer", "lead", "administrator"]
# Leads of the team that is answerable for everything, and of another one, where rights follow the owner.
TEAMS = ["own lead", "other lead"]
PEOPLE += TEAMS
# The second one takes a signed link, which somebody got by mail.
FOR_EVERYBODY = ("/favicon.ico", "/unsubscribe/<str:token>/")
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# Everybody sends these. Of the others, which no link and no form of ours sends, each is sent by one person in turn.
SENT_BY_ALL = ("GET", "POST")
# Answered before the resolver, the same for everybody: tests/operations/ has their tests.
# Written whatever is asked for: the session's row, and the day of a token's last use.
KEPT_ANYWAY = re.compile(
    '(INSERT INTO|UPDATE|DELETE FROM) "django_session"|UPDATE "ownership_apitoken" SET "last_used"'
)


def told() -> dict[tuple[str, str], dict[str, str]]:
    """{(address, method): {person: status}}, from the table."""
    lines = [line.split("\t") for line in TABLE.read_text().splitlines()]
    people = lines[0][2:]
    return {
        (route, method): dict(zip(people, statuses, strict=True))
        for route, methods, *statuses in lines[1:]
        for method in methods.split(",")
    }


def write(found: dict[tuple[str, str], dict[str, str]]) -> None:
    lines = ["\t".join(["address", "methods", *PEOPLE])]
    for route in dict.fromkeys(route for route, _ in found):
        alike: dict[tuple[str, ...], list[str]] = {}
        for method in METHODS:
            alike.setdefault(tuple(found[route, method][person] for person in PEOPLE), []).append(
                method
            )
        lines += [
            "\t".join([route, ",".join(methods), *statuses]) for statuses, methods in alike.items()
        ]
    TABLE.write_text("\n".join(lines) + "\n")


@pytest.fixture
def clients(small_map, lead, viewer) -> dict[str, Client]:
    """One for each kind of person."""
    make_suggestion(Table.objects.order_by("pk")[0])
    Endpoint.objects.create(name="ci", kind="webhook", address="https://ci.example/")
    newcomer = User.objects.create_user("newcomer")
    administrator = User.objects.create_superuser("administrator", password="a long pass phrase")
    found = {name: Client(raise_request_exception=False) for name in PEOPLE}
    own, other = make_team("Own"), make_team("Other")
    for service in Service.objects.filter(part_of=None):
        service.team = own
        service.save()
    for name, team in zip(TEAMS, (own, other), strict=True):
        found[name].force_login(make_member(team, name, is_lead=True))
    for name, user in (
        ("no role", newcomer),
        ("viewer", viewer),
        ("lead", lead),
        ("administrator", administrator),
    ):
        found[name].force_login(user)
    for name, user in (("token", lead), ("token, no role", newcomer)):
        found[name].defaults["HTTP_AUTHORIZATION"] = f"Token {make_token(user)[1]}"
    return found


def senders(place: int, method: str) -> list[str]:
    """Who sends that method to the address at that place; all of them, where the table is written."""
    if method in SENT_BY_ALL or os.environ.get("UPDATE_ROLES"):
        return PEOPLE
    return [PEOPLE[(place + METHODS.index(method)) % len(PEOPLE)]]


def answer(client: Client, method: str, url: str) -> tuple[str, list[str]]:
    """Status (`login` where that is asked for), and what was written; all of it is rolled back."""
    cookies = copy(client.cookies)  # signing out is rolled back in the browser, too
    reset_queries()
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        response = client.generic(method, url)
        transaction.set_rollback(True)
    client.cookies = cookies
    written = [
        one["sql"]
        for one in queries
        if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
        and not KEPT_ANYWAY.match(one["sql"])
    ]
    to_login = response.status_code == 302 and response["Location"].startswith("/admin/login/")
    return "login" if to_login else str(response.status_code), written


@pytest.mark.slow
@pytest.mark.sqlite  # no database decides who may do what
def test_everybody_may_do_what_the_table_says_and_what_is_denied_changes_nothing(
    clients, monkeypatch
):
    # A view has decided before its page is made, which would take most of the time.
    monkeypatch.setattr(SimpleTemplateResponse, "rendered_content", "")
    found: dict[tuple[str, str], dict[str, str]] = {}
    changed = {}
    for place, route in enumerate(routes()):
        url = address(route)
        for method in METHODS:
            for person in senders(place, method):
                with override_settings(RIGHTS_FOLLOW_OWNER=person in TEAMS):
                    status, written = answer(clients[person], method, url)
                found.setdefault((route, method), {})[person] = status
                if written and status in ("login", "400", "401", "403", "404", "405"):
                    changed[route, method, person] = written
    if os.environ.get("UPDATE_ROLES"):
        write(found)
    assert not changed
    assert not [
        cell for cell in found.items() if any(status.startswith("5") for status in cell[1].values())
    ]
    expected = told()
    assert expected.keys() == found.keys()
    differing = {
        cell: statuses
        for cell, statuses in found.items()
        if not statuses.items() <= expected[cell].items()
    }
    assert differing == {}


def test_the_table_gives_nobody_more_than_they_are_meant_to_have():
    """Rules that hold whatever the table says in detail."""
    for (route, method), statuses in told().items():
        api, admin = route.startswith("/api/"), route.startswith("/admin/")
        if api and route != "/api/v1/<path:anything>/":
            assert statuses["anonymous"] in ("401", "404"), (route, method)
        if api and method not in ("GET", "HEAD"):
            assert not [one for one in statuses.values() if one.startswith(("2", "3"))], (
                route,
                method,
            )
        session, token = statuses["no role"], statuses["token, no role"]
        if api:
            assert session == token == "403", (route, method)
        elif not admin and route not in FOR_EVERYBODY:
            assert (session, token) == ("403", "login"), (route, method)
        if admin and not route.startswith(("/admin/login/", "/admin/logout/", "/admin/jsi18n/")):
            assert statuses["anonymous"] in ("login", "404", "405"), (route, method)
            assert statuses["token"] == token == session == statuses["anonymous"], (route, method)
        if "/admin/auth/" in route and not route.endswith(
            "/<path:object_id>/"
        ):  # only leads on to …/change/
            assert statuses["viewer"] == statuses["lead"] == "403", (route, method)
        assert statuses["other lead"] in (statuses["own lead"], "403"), (route, method)
        if admin and route.endswith(("/add/", "/delete/")) and "apitoken" not in route:
            assert statuses["viewer"] == "403", (route, method)
