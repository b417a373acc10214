"""Sign-in by OpenID Connect, against a provider that is a process of its own, on the loopback interface."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

# One process starts the servers that they share.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("oidc")]

ROOT = Path(__file__).resolve().parents[2]
VERIFIED = {"email_verified": True}
PEOPLE = {
    "ann": VERIFIED | {"email": "Ann@example.com", "groups": ["registry-leads", "everybody"]},
    "ben": VERIFIED | {"email": "ben@example.com", "groups": ["registry-viewers"]},
    "cem": VERIFIED | {"email": "cem@example.com", "groups": ["everybody"]},
    "dan": {"email": "dan@example.com", "email_verified": False, "groups": ["registry-leads"]},
    "eve": VERIFIED | {"email": "root@example.com", "groups": ["registry-leads"]},
    "fay": {"groups": ["registry-leads"]},
    "gus": {"email": "gus@example.com", "groups": ["registry-leads"]},
}
REFUSALS = {
    "cem": "Your company account has no group in the registry.",
    "dan": "Your company account has no verified e-mail address.",
    "eve": "The account with your e-mail address signs in with a password.",
    "fay": "Your company account has no verified e-mail address.",
    "gus": "Your company account has no verified e-mail address.",
}
MAKE_TOKEN = """
import sys, django; django.setup()
from django.contrib.auth.models import User
from tests.support.tokens import make_token
print(make_token(User.objects.get(username=sys.argv[1]))[1])
"""
MAKE_ADMIN = """
import django; django.setup()
from django.contrib.auth.models import User
User.objects.create_superuser("root@example.com", password="a long pass phrase")
"""
MAKE_TEAMS = """
import django; django.setup()
from django.contrib.auth.models import User
from ownership.models import Membership, Team
Team.objects.create(name="Money", oidc_group="money")
Team.objects.create(name="Bots", oidc_group="bots")
own = Team.objects.create(name="Own")
Membership.objects.create(team=own, user=User.objects.create_user("pia@example.com", email="pia@example.com"))
"""
TEAMS_OF = """
import sys, django; django.setup()
from ownership.models import Membership
entries = Membership.history.filter(change_set__source="sign_in").order_by("history_id")
for entry in entries:
    print(f"{entry.history_type} {entry.label}, {entry.change_set.source} by {entry.change_set.user_name}")
teams = Membership.objects.filter(user__username=sys.argv[1]).values_list("team__name", flat=True)
print("teams:", ", ".join(sorted(teams)))
"""
ACCOUNTS = "SELECT id, username, is_superuser, password FROM auth_user ORDER BY username"
GROUPS = """
SELECT auth_group.name FROM auth_group JOIN auth_user_groups ON auth_group.id = group_id
WHERE user_id = ? ORDER BY auth_group.name
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def process(arguments: list[str], environment: dict[str, str], ready: str) -> Iterator[None]:
    """Runs it until it answers there, and ends it afterwards."""
    running = subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(ready, timeout=5)
                break
            except requests.ConnectionError:
                assert running.poll() is None, "it ended"
                assert time.monotonic() < deadline, "it did not start"
                time.sleep(0.1)
        yield
    finally:
        running.terminate()
        running.wait(20)


class Registry:
    """A registry that knows the provider."""

    def __init__(
        self, address: str, environment: dict[str, str], provider: str, file: Path
    ) -> None:
        self.address, self.environment, self.provider = address, environment, provider
        self.file = file

    def at_provider(self, who: str, **claims: object) -> None:
        """From now on, the provider says this of the person."""
        requests.put(f"{self.provider}/users/{who}", json=claims, timeout=20).raise_for_status()

    def read(self, address: str, token: str) -> requests.Response:
        """An answer of the API."""
        headers = {"Authorization": f"Token {token}"}
        return requests.get(f"{self.address}/api/v1/{address}", headers=headers, timeout=20)

    def python(self, code: str, *arguments: str) -> str:
        run = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return run.stdout

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Straight from its file: a process with Django takes a second to start."""
        with closing(sqlite3.connect(self.file, timeout=20)) as database, database:
            return database.execute(statement, values).fetchall()

    def people(self) -> str:
        """Each account's name, whether it is a superuser's, whether it has a password, and its groups."""
        accounts = []
        for number, name, is_superuser, password in self.sql(ACCOUNTS):
            has_password = not password.startswith("!")
            groups = [group for (group,) in self.sql(GROUPS, number)]
            accounts.append((name, bool(is_superuser), has_password, groups))
        return str(accounts)

    def sign_in(
        self, who: str, path: str = "/admin/"
    ) -> tuple[requests.Session, requests.Response]:
        """As a browser would: to the provider, say who one is there, and follow where it leads."""
        browser = requests.Session()
        at_provider = browser.get(f"{self.address}/oidc/authenticate/?next={path}", timeout=20)
        assert "/oauth2/authorize" in at_provider.url
        return browser, browser.post(at_provider.url, data={"sub": who}, timeout=20)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    port = free_port()
    claims = [
        f"--user-claims={json.dumps({'sub': name} | person)}" for name, person in PEOPLE.items()
    ]
    command = [sys.executable, "-m", "oidc_provider_mock", f"--port={port}", *claims]
    with process(command, dict(os.environ), f"http://127.0.0.1:{port}/"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A migrated database with an administrator."""
    file = tmp_path_factory.mktemp("oidc") / "registry.sqlite3"
    environment = environment_of(file, "http://127.0.0.1")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True
    )
    subprocess.run([sys.executable, "-c", MAKE_ADMIN], cwd=ROOT, env=environment, check=True)
    return file


def environment_of(file: Path, provider: str) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "registry.settings",
        "DEBUG": "1",
        "ANONYMOUS_READ": "0",
        "DATABASE_URL": f"sqlite:///{file}",
        "SNAPSHOT_DIR": f"{file.parent}/snapshots",
        "OIDC_CLIENT_ID": "registry",
        "OIDC_CLIENT_SECRET": "a secret of this test",
        "OIDC_AUTHORIZATION_URL": f"{provider}/oauth2/authorize",
        "OIDC_TOKEN_URL": f"{provider}/oauth2/token",
        "OIDC_USERINFO_URL": f"{provider}/userinfo",
        "OIDC_JWKS_URL": f"{provider}/jwks",
        "OIDC_LEADS": "registry-leads",
        "OIDC_VIEWERS": "registry-viewers",
    }


@contextmanager
def registry_of(provider: str, file: Path) -> Iterator[Registry]:
    port = free_port()
    environment = environment_of(file, provider)
    registry = Registry(f"http://127.0.0.1:{port}", environment, provider, file)
    server = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with process(server, environment, f"{registry.address}/livez"):
        yield registry


@pytest.fixture(scope="module")
def registry(provider, file) -> Iterator[Registry]:
    with registry_of(provider, file) as registry:
        yield registry


def signed_in(browser: requests.Session, registry: Registry) -> bool:
    return urlsplit(browser.get(f"{registry.address}/admin/", timeout=20).url).path == "/admin/"


def test_the_providers_groups_become_ours_and_the_account_has_no_password(registry):
    lead, page = registry.sign_in("ann", "/admin/ownership/service/")
    assert (page.status_code, urlsplit(page.url).path) == (200, "/admin/ownership/service/")
    assert (
        lead.get(f"{registry.address}/admin/ownership/service/add/", timeout=20).status_code == 200
    )
    viewer, _ = registry.sign_in("ben")
    assert signed_in(viewer, registry)
    assert (
        viewer.get(f"{registry.address}/admin/ownership/service/add/", timeout=20).status_code
        == 403
    )
    assert "('ann@example.com', False, False, ['Team leads'])" in registry.people()
    assert "('ben@example.com', False, False, ['Viewers'])" in registry.people()
    registry.sign_in("ann")
    assert registry.people().count("ann@example.com") == 1


def test_who_is_known_signs_in_while_another_process_writes(registry):
    registry.sign_in("ben")
    writer = sqlite3.connect(registry.file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        viewer, _ = registry.sign_in("ben")
        assert signed_in(viewer, registry)
    finally:
        writer.close()


def test_at_each_sign_in_the_providers_groups_make_teams_in_a_change_set(registry):
    pia = VERIFIED | {"email": "pia@example.com"}
    registry.python(MAKE_TEAMS)

    def sign_in(*groups: str) -> list[str]:
        registry.at_provider("pia", groups=["registry-leads", *groups], **pia)
        registry.sign_in("pia")
        return registry.python(TEAMS_OF, "pia@example.com").splitlines()

    joined = ["+ pia@example.com in Money, sign_in by pia@example.com", "teams: Money, Own"]
    assert sign_in("money", "everybody") == joined
    assert sign_in("money") == joined, "nothing differs, so nothing is written"
    moved = sign_in("bots\x00", "bots")
    assert moved[-1] == "teams: Bots, Own", "who is in a team without a group stays there"
    assert moved[1:3] == [
        "- pia@example.com in Money, sign_in by pia@example.com",
        "+ pia@example.com in Bots, sign_in by pia@example.com",
    ]
    registry.at_provider("pia", groups=["everybody"], **pia)
    _, page = registry.sign_in("pia")
    assert "no group in the registry" in page.text
    assert registry.python(TEAMS_OF, "pia@example.com").splitlines()[-1] == "teams: Own"


@pytest.mark.parametrize("who", REFUSALS)
def test_accounts_without_group_or_with_a_doubtful_address_are_refused(registry, who):
    browser, page = registry.sign_in(who)
    assert f"{REFUSALS[who]} Ask an administrator." in page.text
    assert not signed_in(browser, registry)
    assert f"{who}@example.com" not in registry.people()
    assert "('root@example.com', True, True, [])" in registry.people()


def test_who_loses_all_groups_loses_role_sessions_and_tokens_at_the_next_sign_in(registry):
    hal = VERIFIED | {"email": "hal@example.com"}
    registry.at_provider("hal", groups=["registry-leads"], **hal)
    browser, _ = registry.sign_in("hal")
    token = registry.python(MAKE_TOKEN, "hal@example.com").strip()
    assert signed_in(browser, registry)
    assert registry.read("map/", token).status_code == 200

    registry.at_provider("hal", groups=["everybody"], **hal)
    elsewhere, page = registry.sign_in("hal")

    assert "no group in the registry" in page.text
    assert "('hal@example.com', False, False, [])" in registry.people()
    assert not signed_in(elsewhere, registry)
    assert not signed_in(browser, registry)
    assert (
        urlsplit(browser.get(f"{registry.address}/changes/", timeout=20).url).path
        == "/admin/login/"
    ), "no session"
    for address in ("map/", "changes/"):
        answer = registry.read(address, token)
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            403,
            "application/problem+json",
        )
        assert "has no role in this registry" in answer.json()["detail"]

    registry.at_provider("hal", groups=["registry-viewers"], **hal)
    again, _ = registry.sign_in("hal")
    assert signed_in(again, registry)
    assert not signed_in(browser, registry), "an ended session stays ended"
    assert registry.read("map/", token).status_code == 200


def test_another_person_with_the_same_address_does_not_get_the_account(registry):
    address = VERIFIED | {"email": "ida@example.com"}
    registry.at_provider("ida", groups=["registry-viewers"], **address)
    registry.sign_in("ida")

    registry.at_provider("impostor", groups=["registry-leads"], **address)
    browser, page = registry.sign_in("impostor")

    assert "belongs to another company account. Ask an administrator." in page.text
    assert not signed_in(browser, registry)
    assert "('ida@example.com', False, False, ['Viewers'])" in registry.people()


def test_an_account_follows_its_person_to_a_new_address_but_not_to_a_taken_or_unverified_one(
    registry,
):
    groups = ["registry-viewers"]
    registry.at_provider("jan", email="jan@example.com", email_verified="true", groups=groups)
    registry.at_provider("kim", email="kim@example.com", email_verified=True, groups=groups)
    registry.sign_in("jan")
    registry.sign_in("kim")

    for new_address, is_verified in (
        ("kim@example.com", True),
        ("boss@example.com", False),
        ("boss@example.com", None),
    ):
        registry.at_provider("jan", email=new_address, email_verified=is_verified, groups=groups)
        browser, _ = registry.sign_in("jan")
        assert signed_in(browser, registry), "it is the number that decides"
        assert "jan@example.com" in registry.people()
        assert "boss@example.com" not in registry.people()

    registry.at_provider("jan", email="Jan.New@example.com", email_verified=True, groups=groups)
    registry.sign_in("jan")
    assert "jan@example.com" not in registry.people()
    assert "jan.new@example.com" in registry.people()


def test_an_account_that_has_no_identity_yet_goes_to_the_first_person_with_its_address(registry):
    lou = VERIFIED | {"email": "lou@example.com"}
    registry.at_provider("lou", groups=["registry-leads"], **lou)
    registry.sign_in("lou")
    registry.sql("DELETE FROM ownership_provideridentity")

    registry.at_provider("lou", groups=[], **lou)
    registry.sign_in("lou")
    assert "('lou@example.com', False, False, [])" in registry.people(), (
        "groups are taken away from it as well"
    )

    registry.at_provider("lou-2", groups=["registry-leads"], **lou)
    _, page = registry.sign_in("lou-2")
    assert "belongs to another company account" in page.text


def test_a_deactivated_account_is_signed_out_and_can_not_sign_in(registry):
    browser, _ = registry.sign_in("ben")
    assert signed_in(browser, registry)
    registry.sql("UPDATE auth_user SET is_active = 0 WHERE username = ?", "ben@example.com")
    assert not signed_in(browser, registry)
    again, _ = registry.sign_in("ben")
    assert not signed_in(again, registry)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=x",
        "?state=x",
        "?code=x&state=x",
        "?error=access_denied",
        "?error=x&state=%00",
        "?code=%00&state=é",
    ],
)
def test_an_unrequested_callback_signs_nobody_in(registry, query):
    browser = requests.Session()
    assert browser.get(f"{registry.address}/oidc/callback/{query}", timeout=20).status_code < 500
    assert not signed_in(browser, registry)


@pytest.mark.parametrize("path", ["authenticate", "callback", "logout"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_and_nonsense_sign_nobody_in(registry, path, method):
    browser = requests.Session()
    for odd in ("\x00", str(2**63), "é→", "//evil.example", "x" * 5_000):
        query = dict.fromkeys(("code", "state", "next", "error", "fail"), odd)
        answer = browser.request(
            method,
            f"{registry.address}/oidc/{path}/",
            params=query,
            timeout=20,
            allow_redirects=False,
        )
        assert answer.status_code in (302, 400, 403, 405), (odd, answer.status_code)
        assert "evil.example" not in answer.headers.get("Location", "")
    assert not signed_in(browser, registry)


def test_a_made_up_code_signs_nobody_in(registry):
    browser = requests.Session()
    started = browser.get(
        f"{registry.address}/oidc/authenticate/", timeout=20, allow_redirects=False
    )
    state = requests.utils.unquote(started.headers["Location"].split("state=")[1].split("&")[0])
    page = browser.get(f"{registry.address}/oidc/callback/?code=made-up&state={state}", timeout=20)
    assert page.status_code == 200
    assert "Sign-in failed." in page.text


def test_the_page_for_signing_in_has_a_link_to_the_provider(registry):
    page = requests.get(f"{registry.address}/admin/?x=1", timeout=20)
    assert "/oidc/authenticate/?next=%2Fadmin%2F%3Fx%3D1" in page.text


def test_an_unreachable_provider_is_reported_to_the_person(file):
    with registry_of(f"http://127.0.0.1:{free_port()}", file) as registry:
        browser = requests.Session()
        started = browser.get(
            f"{registry.address}/oidc/authenticate/", timeout=20, allow_redirects=False
        )
        state = requests.utils.unquote(started.headers["Location"].split("state=")[1].split("&")[0])
        page = browser.get(f"{registry.address}/oidc/callback/?code=any&state={state}", timeout=20)
        assert (page.status_code, "Sign-in failed." in page.text) == (200, True)
